//! What several endpoints do: putting things on record, ringing for jobs, taking reasons.

use std::time::Duration;

use backends::{connect::Backends, database::operation_log::LogEntry, error::StorageError, queue::Ring};

use crate::problem::{Problem, kinds};

/// Rings for jobs whose rows are committed. A ring that fails does no harm: the sweep rings again.
pub(crate) async fn announce(backends: &Backends, rings: &[Ring]) {
    if let Err(error) = backends.queue.announce(rings, Duration::ZERO).await {
        tracing::debug!(rings = rings.len(), %error, "the bell did not ring; the sweep will");
    }
}

/// Puts a read on record. Nothing that was read may be answered when this fails.
pub(crate) async fn put_on_record(backends: &Backends, entry: &LogEntry) -> Result<(), StorageError> {
    let mut tx = backends.database.begin().await?;
    tx.operation_log().append(entry).await?;
    tx.commit().await
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that `hex` wrote down.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let places = (0..text.len()).step_by(2);
    places.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// Longest reason.
const MAX_REASON_CHARACTERS: usize = 200;
/// So many digits in a row look like a phone or identity number.
const DIGITS_OF_A_NUMBER: usize = 11;

/// A reason fit for the operation log, which holds no personal data.
pub(crate) fn reason_given(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::new(kinds::REASON_REQUIRED));
    }
    let is_long = text.chars().count() > MAX_REASON_CHARACTERS || text.chars().any(char::is_control);
    if is_long {
        return Err(Problem::new(kinds::REASON_REQUIRED).with_detail(
            "原因最多 200 个字，不能换行。",
            "A reason has at most 200 characters and no line breaks.",
        ));
    }
    let runs = text.split(|c: char| !c.is_ascii_digit());
    if runs.map(str::len).any(|length| length >= DIGITS_OF_A_NUMBER) {
        return Err(Problem::new(kinds::REASON_REQUIRED).with_detail(
            "原因会写入操作日志，请不要写手机号或证件号。",
            "The reason goes into the operation log: leave phone and identity numbers out of it.",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::reason_given;

    #[test]
    fn a_reason_holds_no_number_of_a_person() {
        assert_eq!(reason_given(" 客户投诉核查 ").unwrap(), "客户投诉核查");
        assert!(reason_given("").is_err());
        assert!(reason_given("核对 13812345678").is_err());
        assert!(reason_given(&"长".repeat(201)).is_err());
    }
}
