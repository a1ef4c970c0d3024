//! The encoding of a file of entered data, told from its beginning.

use std::borrow::Cow;

use encoding_rs::GB18030;

/// An encoding that is read. In both of them commas, quotation marks and ends of lines are never part of another
/// character, so records are cut before they are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8.
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    Gb18030,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The encoding, and how many bytes of a mark to pass over; `None` for an encoding that is not read.
pub(super) fn detect(head: &[u8]) -> Option<(Encoding, usize)> {
    if head.starts_with(BYTE_ORDER_MARK) {
        return Some((Encoding::Utf8, BYTE_ORDER_MARK.len()));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.contains(&0) {
        return None;
    }
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    Some((if is_utf8 { Encoding::Utf8 } else { Encoding::Gb18030 }, 0))
}

impl Encoding {
    /// The text; `None` when it is not in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let (gb, _, _) = GB18030.encode("受理网点编码,客户名称");

        assert_eq!(detect("受理".as_bytes()), Some((Encoding::Utf8, 0)));
        assert_eq!(detect(&"受理".as_bytes()[..4]), Some((Encoding::Utf8, 0)));
        assert_eq!(detect("\u{feff}受理".as_bytes()), Some((Encoding::Utf8, 3)));
        assert_eq!(detect(&gb), Some((Encoding::Gb18030, 0)));
        assert_eq!(detect(b"\xff\xfea\0"), None);
        assert_eq!(Encoding::Gb18030.decode(&gb).as_deref(), Some("受理网点编码,客户名称"));
    }
}
