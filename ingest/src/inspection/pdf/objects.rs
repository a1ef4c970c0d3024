//! The objects of which trailers and encryption dictionaries are made; streams and whatever lies in them are not read.

use pdf_extract::{Dictionary, Object, StringFormat};

/// Deepest nesting that is followed; a trailer has two or three levels.
const DEEPEST: u32 = 8;

/// Reads one object after the other out of untrusted bytes: every read may fail and none may panic.
pub struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next object; `None` for anything else.
    pub fn object(&mut self) -> Option<Object> {
        self.nested(DEEPEST)
    }

    /// The next dictionary.
    pub fn dictionary(&mut self) -> Option<Dictionary> {
        match self.object()? {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// Passes over `word`, if that comes next.
    pub fn take(&mut self, word: &[u8]) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The next whole number.
    pub fn integer(&mut self) -> Option<i64> {
        self.skip_blanks();
        let is_sign = |byte: &u8| b"+-".contains(byte);
        let signs = self.rest.iter().take_while(|byte| is_sign(byte)).count();
        let digits = self.rest.iter().skip(signs).take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at_checked(signs + digits)?;
        let number = std::str::from_utf8(number).ok()?.parse().ok()?;
        self.rest = rest;
        Some(number)
    }

    fn nested(&mut self, levels: u32) -> Option<Object> {
        let levels = levels.checked_sub(1)?;
        self.skip_blanks();
        if self.take(b"<<") {
            return self.entries(levels).map(Object::Dictionary);
        }
        match self.rest.first()? {
            b'[' => self.items(levels).map(Object::Array),
            b'<' => self.hexadecimal(),
            b'(' => self.literal(),
            b'/' => self.name().map(Object::Name),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(),
            _ if self.take(b"true") => Some(Object::Boolean(true)),
            _ if self.take(b"false") => Some(Object::Boolean(false)),
            _ if self.take(b"null") => Some(Object::Null),
            _ => None,
        }
    }

    fn entries(&mut self, levels: u32) -> Option<Dictionary> {
        let mut dictionary = Dictionary::new();
        while !self.take(b">>") {
            let name = self.name()?;
            dictionary.set(name, self.nested(levels)?);
        }
        Some(dictionary)
    }

    fn items(&mut self, levels: u32) -> Option<Vec<Object>> {
        let mut items = Vec::new();
        self.take(b"[");
        while !self.take(b"]") {
            items.push(self.nested(levels)?);
        }
        Some(items)
    }

    /// A name as it stands; none that is looked for has an escape in it.
    fn name(&mut self) -> Option<Vec<u8>> {
        if !self.take(b"/") {
            return None;
        }
        let length = self.rest.iter().take_while(|byte| is_regular(**byte)).count();
        let (name, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(name.to_vec())
    }

    /// A number, or the reference that begins with one. What stands behind a point says nothing here.
    fn number(&mut self) -> Option<Object> {
        let Some(number) = self.integer() else {
            let length = self.rest.iter().take_while(|byte| is_regular(**byte)).count();
            self.rest = self.rest.get(length.max(1)..)?;
            return Some(Object::Null);
        };
        if let Some(b'.') = self.rest.first() {
            let length = self.rest.iter().take_while(|byte| is_regular(**byte)).count();
            self.rest = self.rest.get(length..)?;
            return Some(Object::Integer(number));
        }
        let mut ahead = Scanner { rest: self.rest };
        if let Some(generation) = ahead.integer()
            && ahead.take(b"R")
        {
            self.rest = ahead.rest;
            return Some(Object::Reference((number.try_into().ok()?, generation.try_into().ok()?)));
        }
        Some(Object::Integer(number))
    }

    fn hexadecimal(&mut self) -> Option<Object> {
        let end = self.rest.iter().position(|byte| *byte == b'>')?;
        let (inside, rest) = (self.rest.get(1..end)?, self.rest.get(end + 1..)?);
        self.rest = rest;
        let digits = inside.iter().filter(|byte| !byte.is_ascii_whitespace());
        let digits: Option<Vec<u32>> = digits.map(|byte| char::from(*byte).to_digit(16)).collect();
        // A last digit without a second one stands for sixteen times as much.
        let byte =
            |pair: &[u32]| pair.iter().chain(&[0]).take(2).fold(0, |byte, digit| byte * 16 + digit) as u8;
        let bytes = digits?.chunks(2).map(byte).collect();
        Some(Object::String(bytes, StringFormat::Hexadecimal))
    }

    fn literal(&mut self) -> Option<Object> {
        let (mut bytes, mut open) = (Vec::new(), 0_u32);
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'\\' => self.escaped(&mut bytes)?,
                b'(' => {
                    if open > 0 {
                        bytes.push(b'(');
                    }
                    open += 1;
                }
                b')' if open == 1 => return Some(Object::String(bytes, StringFormat::Literal)),
                b')' => {
                    open -= 1;
                    bytes.push(b')');
                }
                byte => bytes.push(*byte),
            }
        }
    }

    /// Takes what stands behind a backslash, which is nothing where that is the end of a line.
    fn escaped(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let octal = self.rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if octal > 0 {
            let (digits, rest) = self.rest.split_at_checked(octal)?;
            self.rest = rest;
            let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            bytes.push(value as u8);
            return Some(());
        }
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        match byte {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'\n' => {}
            b'\r' => self.rest = self.rest.strip_prefix(b"\n").unwrap_or(self.rest),
            byte => bytes.push(*byte),
        }
        Some(())
    }

    /// Passes over blanks and comments.
    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.rest = self.rest.get(blanks..).unwrap_or_default();
            if self.rest.first() != Some(&b'%') {
                return;
            }
            let comment = self.rest.iter().take_while(|byte| !b"\r\n".contains(byte)).count();
            self.rest = self.rest.get(comment..).unwrap_or_default();
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_blank(byte) && !b"()<>[]{}/%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_read_with_all_it_may_hold() {
        let text = b" % begins\n<< /Size 4 /Root 1 0 R/ID[<4 1 4 2><4>] /Info (a\\051\\(\\\r\nb(c)) /N -7 /X 1.5 /T true /Z null >>";

        let trailer = Scanner::new(text).dictionary().unwrap();

        assert_eq!(trailer.get(b"Root").unwrap(), &Object::Reference((1, 0)));
        let string = |bytes: &[u8]| Object::String(bytes.to_vec(), StringFormat::Hexadecimal);
        assert_eq!(trailer.get(b"ID").unwrap(), &Object::Array(vec![string(b"AB"), string(b"@")]));
        let info = Object::String(b"a)(b(c)".to_vec(), StringFormat::Literal);
        assert_eq!(trailer.get(b"Info").unwrap(), &info);
        assert_eq!(trailer.get(b"N").unwrap(), &Object::Integer(-7));
        assert_eq!(trailer.get(b"T").unwrap(), &Object::Boolean(true));
        assert_eq!(trailer.get(b"Size").unwrap(), &Object::Integer(4));
    }

    #[test]
    fn what_does_not_end_or_lies_too_deep_is_nothing() {
        for text in ["<< /A", "<< /A (b", "<< /A <41", "[[[[[[[[[[1]]]]]]]]]]", "endobj", "<< 1 2 >>", "<xy>"]
        {
            assert_eq!(Scanner::new(text.as_bytes()).object(), None, "{text}");
        }
    }
}
