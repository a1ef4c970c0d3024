//! What the head of a part of a form says, as browsers and programs of every age write it.
//!
//! The standard is UTF-8 between quotation marks; names also come in GBK, and percent-encoded as `filename*`.

use axum::http::{HeaderMap, header};
use encoding_rs::{Encoding, GB18030, UTF_8};

/// The field under which files are sent.
const FILE: &str = "file";

/// The fields that say something about files; some programs give these a type too.
const LABELS: [&str; 3] = ["slip_number", "outlet", "slot"];

/// Field and file name of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PartHead {
    /// The field; empty where it has none.
    pub name: String,
    /// The name of the file; empty for a field of files that was left empty.
    pub file_name: Option<String>,
    is_picture: bool,
}

impl PartHead {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_picture = media_type.is_some_and(|text| {
            let text = text.trim_start().to_ascii_lowercase();
            text.starts_with("image/") || text.starts_with("application/")
        });
        let mut head = Self { is_picture, ..Self::default() };
        let Some(disposition) = headers.get(header::CONTENT_DISPOSITION) else { return head };
        let mut encoded = None;
        for (name, value) in parameters(&decoded(disposition.as_bytes())) {
            match name.as_str() {
                "name" => head.name = value,
                "filename" => head.file_name = Some(value),
                "filename*" => encoded = percent_decoded(&value),
                _ => {}
            }
        }
        head.file_name = encoded.or(head.file_name);
        head
    }

    /// Whether it brings a file. One without a name is a file all the same where its field or its type says so.
    pub(super) fn is_file(&self) -> bool {
        self.file_name.is_some()
            || self.name == FILE
            || (self.is_picture && !LABELS.contains(&self.name.as_str()))
    }
}

/// UTF-8, or what Chinese programs of before write.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The parameters behind the first semicolon, with their names in small letters.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']).to_ascii_lowercase();
        let value = value.trim_start();
        let (value, behind) = if let Some(quoted) = value.strip_prefix('"') {
            unquoted(quoted)
        } else {
            let (token, behind) = value.split_once(';').unwrap_or((value, ""));
            (token.trim_end().to_owned(), behind)
        };
        found.push((name, value));
        rest = behind;
    }
    found
}

/// What stands before the closing mark, and what follows it. Only marks and backslashes are escaped: a name may be a
/// path with single ones.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => {
                let escaped = characters.next_if(|(_, next)| matches!(next, '"' | '\\'));
                value.push(escaped.map_or('\\', |(_, next)| next));
            }
            other => value.push(other),
        }
    }
    (value, "")
}

/// `UTF-8'zh'%E5%AD%99.jpg`, in whatever encoding it names.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits =
            behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    let encoding = Encoding::for_label(charset.trim().as_bytes()).unwrap_or(UTF_8);
    Some(encoding.decode_without_bom_handling(&bytes).0.into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn head(disposition: &[u8], media_type: Option<&'static str>) -> PartHead {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_bytes(disposition).unwrap());
        if let Some(media_type) = media_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        PartHead::of(&headers)
    }

    fn check(disposition: &[u8], name: &str, file_name: Option<&str>) {
        let head = head(disposition, None);
        assert_eq!((head.name.as_str(), head.file_name.as_deref()), (name, file_name));
    }

    #[test]
    fn names_are_read_in_every_encoding_they_come_in() {
        let of = |name: &str| format!("form-data; name=\"file\"; filename=\"{name}\"");
        check(of("孙伟昊.jpg").as_bytes(), "file", Some("孙伟昊.jpg"));
        // The second byte of 誠 is a backslash.
        for name in ["孙伟昊.jpg", "誠"] {
            let text = of(name);
            let (gbk, _, _) = GB18030.encode(&text);
            check(&gbk, "file", Some(name));
        }
        let encoded = b"form-data; name=\"file\"; filename*=UTF-8''%E5%AD%99.jpg; filename=\"x\"";
        check(encoded, "file", Some("孙.jpg"));
        check(b"form-data; filename*=gbk'zh'%CB%EF%.jpg; name=file", "file", Some("孙%.jpg"));
    }

    #[test]
    fn marks_in_names_are_told_from_the_end_of_them() {
        check(br#"form-data; name="file"; filename="a\"b;c=\\d.jpg""#, "file", Some("a\"b;c=\\d.jpg"));
        check(br#"form-data; name="file"; filename="C:\scans\a.jpg""#, "file", Some("C:\\scans\\a.jpg"));
        check(b"form-data; name=\"slip_number\"", "slip_number", None);
        check(b"form-data; name=\"file\"; filename=\"\"", "file", Some(""));
        check(b"form-data; name=\"file\"; filename=\"cut", "file", Some("cut"));
        check(b"form-data", "", None);
    }

    #[test]
    fn a_file_is_one_by_its_name_its_field_or_its_type() {
        let slip = b"form-data; name=\"slip_number\"";
        assert!(head(b"form-data; name=\"file\"", None).is_file());
        assert!(head(b"form-data; name=\"scan\"", Some("image/jpeg")).is_file());
        assert!(!head(slip, None).is_file());
        assert!(!head(slip, Some("text/plain; charset=UTF-8")).is_file());
    }
}
