//! Blind index: keyed tokens that let names, numbers and addresses be found without being readable.
//!
//! A token says nothing without the key, but equal values give equal tokens: this is pseudonymous, not anonymous.
//! Numbers carry the position (and the slot: first number, second number …) inside the hash; names and
//! addresses are cut into neighbouring pairs whose positions the index keeps beside the token.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

mod numbers;
mod texts;

pub use numbers::{
    GRAM_LENGTH, MAX_SLOTS, NumberPattern, NumberShape, number_lookup, number_tokens, shape_token,
};
pub use texts::{
    NamePattern, NameTokens, PlacedToken, TextLookup, address_lookup, address_tokens, name_lookup,
    name_tokens,
};

/// The secret that makes tokens; it never leaves the process in clear and prints as `***`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BlindKey([u8; 32]);

impl BlindKey {
    /// Takes over 32 secret bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Tells keys apart without revealing them: an index made with another key finds nothing.
    pub fn fingerprint(&self) -> [u8; 8] {
        self.hash(Kind::Fingerprint, 0, 0, 0, "")
    }

    /// A keyed digest of clear text that is not searched by part, as for fingerprints of queries.
    pub fn digest(&self, text: &str) -> [u8; 8] {
        self.hash(Kind::Digest, 0, 0, 0, text)
    }

    /// Stands for a key that a sender gave its upload, in which anything may stand.
    pub fn idempotency_key(&self, text: &str) -> [u8; 32] {
        self.hash(Kind::IdempotencyKey, 0, 0, 0, text)
    }

    fn token(&self, kind: Kind, field: BlindField, slot: u16, position: usize, text: &str) -> Token {
        Token(self.hash(kind, field as u8, slot, position as u16, text))
    }

    fn hash<const N: usize>(&self, kind: Kind, field: u8, slot: u16, position: u16, text: &str) -> [u8; N] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        let [slot_high, slot_low] = slot.to_be_bytes();
        let [position_high, position_low] = position.to_be_bytes();
        hasher.update(&[kind as u8, field, slot_high, slot_low, position_high, position_low]);
        hasher.update(text.as_bytes());
        let mut bytes = [0; N];
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for BlindKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a token was made for; part of the hash, so that no kind can be taken for another.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Whole = 1,
    Gram = 2,
    LastFour = 3,
    Shape = 4,
    Single = 5,
    Pair = 6,
    WideWhole = 7,
    Fingerprint = 8,
    Digest = 9,
    Beginning = 10,
    IdempotencyKey = 32,
}

/// The kinds of personal data that are looked for. The numbers are part of every token: never change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BlindField {
    /// Numbers of identity papers (证件号码), of the customer and of the agent.
    IdNumber = 1,
    /// Service numbers (业务号码) and contact phones (联系电话).
    Phone = 2,
    /// Names of the customer and of the agent.
    Name = 3,
    /// Addresses on papers and for post.
    Address = 4,
}

/// One searchable piece of a value: six bytes of a keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 6]);

impl Token {
    /// The bytes as the index holds them.
    pub const fn bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

/// A pattern that cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Nothing is left once spaces, hyphens and dots are dropped.
    #[error("there is no letter, digit or character to look for")]
    Empty,
    /// Fewer characters than one piece of the index.
    #[error("at least {needed} characters are needed, {given} given")]
    TooShort {
        /// The smallest number of characters.
        needed: usize,
        /// What was given, after folding.
        given: usize,
    },
    /// More characters than the index cuts into pieces.
    #[error("at most {most} characters can be looked for, {given} given")]
    TooLong {
        /// The largest number of characters.
        most: usize,
        /// What was given, after folding.
        given: usize,
    },
}

/// Brings a text to the form that is compared: compatibility forms and full width unified, lower case, without
/// spaces, hyphens, middle dots and control characters. Chinese numerals stay as they are.
pub fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !is_dropped(*c)).collect()
}

/// Folds a number: letters and digits only.
pub fn fold_number(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn is_dropped(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}')
        || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}')
        || matches!(
            c,
            '.' | '\u{00B7}' | '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{30FB}' | '\u{0387}'
        )
}

/// A stable token of a whole value, wide enough for a unique column; `None` when nothing is left after folding.
pub fn whole_token(key: &BlindKey, field: BlindField, value: &str) -> Option<[u8; 16]> {
    let folded = fold_for(field, value);
    (!folded.is_empty()).then(|| key.hash(Kind::WideWhole, field as u8, 0, 0, &folded))
}

fn fold_for(field: BlindField, value: &str) -> String {
    match field {
        BlindField::IdNumber | BlindField::Phone => fold_number(value),
        BlindField::Name | BlindField::Address => fold(value),
    }
}

/// Folded values without empty and repeated ones, in the order given.
fn distinct<'a>(values: impl IntoIterator<Item = &'a str>, fold: fn(&str) -> String) -> Vec<Vec<char>> {
    let mut seen: Vec<Vec<char>> = Vec::new();
    for value in values {
        let folded: Vec<char> = fold(value).chars().collect();
        if !folded.is_empty() && !seen.contains(&folded) {
            seen.push(folded);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn key() -> BlindKey {
        BlindKey::new([7; 32])
    }

    #[test]
    fn texts_that_people_take_for_equal_are_folded_alike() {
        for (one, other) in [
            ("１２０１０１１９８５０６１４２７３Ｘ", "12010119850614273x"),
            ("阿卜杜·热合曼", "阿卜杜・热合曼"),
            ("阿卜杜•热合曼", "阿卜杜.热合曼"),
            (" 欧阳　晓岚 ", "欧阳晓岚"),
            ("O'BRIEN Mary-Ann", "o'brien maryann"),
            ("12号楼－3门", "12号楼3门"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_eq!(fold("一二三〇"), "一二三〇");
        assert_eq!(fold_number("(022) 2731-8846"), "02227318846");
    }

    #[test]
    fn whole_tokens_never_change() {
        let token = whole_token(&key(), BlindField::IdNumber, "12010119850614273X");

        // Columns and indexes hold these values: another one here would lose every case file on record.
        assert_eq!(token.map(u128::from_be_bytes), Some(0x22f6_b89f_6479_237a_aa36_802a_c540_2d55));
        assert_eq!(
            number_tokens(&key(), BlindField::Phone, ["15562804516"])[0].bytes(),
            &[112, 164, 155, 97, 131, 153]
        );
        assert_eq!(token, whole_token(&key(), BlindField::IdNumber, "１２０１０１ 19850614 273x"));
        assert_ne!(token, whole_token(&key(), BlindField::Phone, "12010119850614273X"));
        assert_ne!(token, whole_token(&BlindKey::new([8; 32]), BlindField::IdNumber, "12010119850614273X"));
        assert_eq!(whole_token(&key(), BlindField::Name, " · "), None);
    }

    #[test]
    fn the_key_does_not_print() {
        assert_eq!(format!("{:?}", key()), "***");
    }

    #[test]
    fn stars_say_how_a_number_is_looked_for() {
        let check =
            |text: &str, expected: NumberPattern| assert!(NumberPattern::parse(text) == expected, "{text}");

        check(" 15562804516 ", NumberPattern::Whole("15562804516".to_owned()));
        check("1556*", NumberPattern::Prefix("1556".to_owned()));
        check("*4516", NumberPattern::Suffix("4516".to_owned()));
        check("＊2804*", NumberPattern::Part("2804".to_owned()));
        check("*", NumberPattern::Part(String::new()));
    }

    fn shapes_of(values: &[String]) -> Vec<NumberShape> {
        let mut seen: Vec<String> = Vec::new();
        for value in values {
            if !value.is_empty() && !seen.contains(value) {
                seen.push(value.clone());
            }
        }
        (0..).zip(seen).map(|(slot, value)| NumberShape { slot, length: value.len() as u16 }).collect()
    }

    proptest! {
        #[test]
        fn a_number_is_found_by_its_parts_and_by_nothing_else(
            field in select(&[BlindField::Phone, BlindField::IdNumber][..]),
            values in vec("[15]{0,13}", 0..4),
            others in vec("[15]{0,15}", 0..4),
            part in prop_oneof![2 => "[15]{4,7}", 1 => "[1]{0,9}[15]{4}"],
        ) {
            let tokens: BTreeSet<Token> =
                number_tokens(&key(), field, values.iter().map(String::as_str)).into_iter().collect();
            let shapes: Vec<NumberShape> =
                shapes_of(&values).into_iter().chain(shapes_of(&others)).collect::<BTreeSet<_>>().into_iter().collect();
            let finds = |pattern: NumberPattern| {
                let alternatives = number_lookup(&key(), field, &pattern, &shapes).unwrap();
                alternatives.iter().any(|all| all.iter().all(|token| tokens.contains(token)))
            };

            prop_assert_eq!(finds(NumberPattern::Part(part.clone())), values.iter().any(|v| v.contains(&part)));
            prop_assert_eq!(finds(NumberPattern::Prefix(part.clone())), values.iter().any(|v| v.starts_with(&part)));
            prop_assert_eq!(finds(NumberPattern::Suffix(part.clone())), values.iter().any(|v| v.ends_with(&part)));
            prop_assert_eq!(finds(NumberPattern::Whole(part.clone())), values.contains(&part));
        }

        #[test]
        fn no_text_makes_a_token_panic(text in any::<String>()) {
            number_tokens(&key(), BlindField::IdNumber, [&*text, "1234"]);
            name_tokens(&key(), [&*text, "王"]);
            address_tokens(&key(), [&*text, "天津"]);
            let _ = number_lookup(&key(), BlindField::Phone, &NumberPattern::parse(&text), &shapes_of(std::slice::from_ref(&text)));
            let _ = name_lookup(&key(), &NamePattern::Part(text.clone()));
            let _ = address_lookup(&key(), &text);
        }
    }
}
