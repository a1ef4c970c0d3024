//! What several endpoints do: putting things on record, ringing for jobs, taking reasons.

use std::time::Duration;

use backends::{
    connect::Backends,
    database::{
        Transaction,
        operation_log::{LogEntry, SealedReason},
    },
    error::StorageError,
    queue::Ring,
    vault::DataKey,
};

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

/// Puts an act on record with the reason that a person typed. It may name people: it is sealed under the key of what it
/// is about, and goes with that key. The log itself, which keeps everything for ever, holds a keyed digest of it.
pub(crate) async fn append_with_reason(
    tx: &mut dyn Transaction,
    entry: &LogEntry,
    (key, reason): (&DataKey, &str),
) -> Result<(), StorageError> {
    let entry = LogEntry { reason: Some(key.fingerprint(reason)), ..entry.clone() };
    let sequence = tx.operation_log().append(&entry).await?;
    tx.operation_log().keep_reason(&SealedReason::seal(sequence, key, reason)?).await
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

/// A reason that stands in the address of a request, which proxies and browsers write down: no number of a person may.
pub(crate) fn reason_in_address(text: &str) -> Result<String, Problem> {
    let reason = reason_given(text)?;
    let runs = reason.split(|c: char| !c.is_ascii_digit());
    if runs.map(str::len).any(|length| length >= DIGITS_OF_A_NUMBER) {
        return Err(Problem::new(kinds::REASON_REQUIRED).with_detail(
            "这里的原因写在网址里，请不要写手机号或证件号。",
            "The reason stands in the address here: leave phone and identity numbers out of it.",
        ));
    }
    Ok(reason)
}

/// A reason as it was typed, without blanks around it.
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
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{reason_given, reason_in_address};

    #[test]
    fn a_reason_is_one_line_and_in_an_address_holds_no_number_of_a_person() {
        assert_eq!(reason_given(" 客户投诉核查 ").unwrap(), "客户投诉核查");
        assert!(reason_given("").is_err());
        assert!(reason_given(&"长".repeat(201)).is_err());
        assert!(reason_given("已致电 13812345678").is_ok());
        assert!(reason_in_address("核对 13812345678").is_err());
    }
}
