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
    Some((if is_rather_utf8(head) { Encoding::Utf8 } else { Encoding::Gb18030 }, 0))
}

/// Whether more of what is not ASCII is UTF-8 than is not: one broken character does not make a file GB18030, of which
/// hardly a character is UTF-8 by chance.
fn is_rather_utf8(head: &[u8]) -> bool {
    let (mut characters, mut broken) = (0, 0);
    let mut chunks = head.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        // The head may end within a character.
        let is_cut = chunks.peek().is_none()
            && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        broken += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    characters >= broken
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
        assert_eq!(detect("\u{feff}受理".as_bytes()), Some((Encoding::Utf8, 3)));
        assert_eq!(detect(b"\xff\xfea\0"), None);
        let one_broken = [b"outlet,name\nTJ01,".as_slice(), "孙伟".as_bytes(), b",\xe5\xa4,x"].concat();
        assert_eq!(detect(&one_broken), Some((Encoding::Utf8, 0)));
        assert_eq!(Encoding::Gb18030.decode(&gb).as_deref(), Some("受理网点编码,客户名称"));
    }
}
