//! Rows as lines of text, in the form in which PostgreSQL's COPY reads and writes them.

use super::tables::Kind;

/// Appends one field; `None` is a null.
pub(super) fn push_field(line: &mut Vec<u8>, field: Option<&str>) {
    let Some(field) = field else {
        line.extend_from_slice(b"\\N");
        return;
    };
    for byte in field.bytes() {
        let letter = match byte {
            b'\\' => b'\\',
            0x08 => b'b',
            0x0b => b'v',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            plain => {
                line.push(plain);
                continue;
            }
        };
        line.extend_from_slice(&[b'\\', letter]);
    }
}

/// Whether a line is made to be stored, or to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As COPY reads it.
    Stored,
    /// As `compared` makes PostgreSQL write it; differs where one value has several texts.
    Compared,
}

/// The text of a column that is the same on both engines for the same value.
pub(super) fn compared(column: &str, kind: Kind) -> String {
    match kind {
        Kind::Uuid => format!("replace(\"{column}\"::text, '-', '')"),
        Kind::Bytes => format!("'\\x' || encode(\"{column}\", 'hex')"),
        Kind::Integer => format!("\"{column}\"::text"),
        Kind::Boolean => format!("\"{column}\"::int::text"),
        Kind::Real => format!("encode(float4send(\"{column}\"), 'hex')"),
        Kind::Text => format!("\"{column}\""),
        Kind::Day => format!("to_char(\"{column}\", 'YYYY-MM-DD')"),
        Kind::Instant => {
            format!("to_char(\"{column}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_fields_and_lines_is_escaped() {
        let mut line = Vec::new();

        push_field(&mut line, Some("a\tb\nc\\"));
        push_field(&mut line, None);

        assert_eq!(line, b"a\\tb\\nc\\\\\\N");
    }
}
