//! Blind index: keyed tokens that let names, numbers and addresses be found without being readable.
//!
//! A token says nothing without the key, but equal values give equal tokens: this is pseudonymous, not anonymous.
//! Numbers carry the position (and the slot: first number, second number …) inside the hash; names and
//! addresses are cut into neighbouring pairs whose positions the index keeps beside the token.

use std::{collections::BTreeSet, fmt};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Characters in one piece of a number; a shorter part cannot be looked for.
pub const GRAM_LENGTH: usize = 4;
/// Numbers of one kind that a case file keeps apart; any beyond share the last slot.
pub const MAX_SLOTS: u16 = 64;
/// Characters of a number that can be found by part; longer ones are still found whole.
const MAX_NUMBER_LENGTH: usize = 64;
/// Characters of a name or address that can be found.
const MAX_TEXT_LENGTH: usize = 512;

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

/// A token and its place in the text it was cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedToken {
    /// The pair of neighbouring characters.
    pub token: Token,
    /// Its place; a phrase has consecutive places, and no phrase runs from one value into the next.
    pub position: u32,
}

/// The slot and the length of a number: says at which places parts of it can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberShape {
    /// Which of the numbers of one kind in a case file, from 0.
    pub slot: u16,
    /// Characters after folding.
    pub length: u16,
}

impl NumberShape {
    /// Every length a number can be found by part with.
    pub fn all_lengths(slot: u16) -> impl Iterator<Item = Self> {
        (1..=MAX_NUMBER_LENGTH as u16).map(move |length| Self { slot, length })
    }
}

/// How an identity number or a phone number is looked for. Printing it shows the kind, not the number.
#[derive(Clone, PartialEq, Eq)]
pub enum NumberPattern {
    /// The number is exactly this.
    Whole(String),
    /// It starts with this; four characters or more.
    Prefix(String),
    /// It ends with this; four characters or more.
    Suffix(String),
    /// This stands anywhere in it; four characters or more.
    Part(String),
}

impl NumberPattern {
    /// Reads what a person typed: `155…*` a prefix, `*4516` an ending, `*8045*` a part, without stars the whole.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let text = text.replace('＊', "*");
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(rest), Some(_)) => Self::Part(rest.trim_end_matches('*').to_owned()),
            (Some(rest), None) => Self::Suffix(rest.to_owned()),
            (None, Some(rest)) => Self::Prefix(rest.to_owned()),
            (None, None) => Self::Whole(text),
        }
    }
}

/// How a name is looked for. Printing it shows the kind, not the name.
#[derive(Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// The name is exactly this.
    Whole(String),
    /// These characters stand in it, side by side; one is enough.
    Part(String),
}

impl fmt::Debug for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole(***)",
            Self::Prefix(_) => "Prefix(***)",
            Self::Suffix(_) => "Suffix(***)",
            Self::Part(_) => "Part(***)",
        })
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole(***)",
            Self::Part(_) => "Part(***)",
        })
    }
}

/// Tokens of a name: those looked up alone, and the pairs that make phrases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameTokens {
    /// Whole names and single characters.
    pub plain: Vec<Token>,
    /// Neighbouring characters with their places.
    pub placed: Vec<PlacedToken>,
}

/// What to look up for a name or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextLookup {
    /// One of the plain tokens of a name.
    Plain(Token),
    /// Placed tokens that must stand at consecutive places.
    Phrase(Vec<Token>),
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

/// Tokens of all numbers of one kind in a case file. An empty value takes no slot; a repeated one is cut once.
pub fn number_tokens<'a>(
    key: &BlindKey,
    field: BlindField,
    values: impl IntoIterator<Item = &'a str>,
) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, folded) in distinct(values, fold_number).iter().enumerate() {
        let slot = (index as u16).min(MAX_SLOTS - 1);
        let text: String = folded.iter().collect();
        tokens.push(key.token(Kind::Whole, field, 0, 0, &text));
        let cut = &folded[..folded.len().min(MAX_NUMBER_LENGTH)];
        tokens.push(shape_token(key, field, NumberShape { slot, length: cut.len() as u16 }));
        if let Some(last) = folded.last_chunk::<GRAM_LENGTH>() {
            tokens.push(key.token(Kind::LastFour, field, 0, 0, &last.iter().collect::<String>()));
        }
        for (position, gram) in cut.windows(GRAM_LENGTH).enumerate() {
            tokens.push(gram_token(key, field, slot, position, gram));
        }
    }
    tokens
}

/// The token every number of this shape has; a searcher asks for it to learn which shapes exist.
pub fn shape_token(key: &BlindKey, field: BlindField, shape: NumberShape) -> Token {
    key.token(Kind::Shape, field, shape.slot, usize::from(shape.length), "")
}

/// What to look up for a number: any of the alternatives, of each all tokens. `shapes` are those in the index.
pub fn number_lookup(
    key: &BlindKey,
    field: BlindField,
    pattern: &NumberPattern,
    shapes: &[NumberShape],
) -> Result<Vec<Vec<Token>>, PatternError> {
    match pattern {
        NumberPattern::Whole(text) => {
            let folded = fold_number(text);
            if folded.is_empty() {
                return Err(PatternError::Empty);
            }
            Ok(vec![vec![key.token(Kind::Whole, field, 0, 0, &folded)]])
        }
        NumberPattern::Prefix(text) => {
            let part = number_part(text)?;
            let slots: BTreeSet<u16> =
                shapes.iter().filter(|shape| holds(**shape, &part)).map(|shape| shape.slot).collect();
            Ok(slots.into_iter().map(|slot| part_tokens(key, field, slot, 0, &part)).collect())
        }
        NumberPattern::Suffix(text) => {
            let part = number_part(text)?;
            Ok(suffix_alternatives(key, field, &part, shapes))
        }
        NumberPattern::Part(text) => {
            let part = number_part(text)?;
            let places: BTreeSet<(u16, usize)> = shapes
                .iter()
                .filter(|shape| holds(**shape, &part))
                .flat_map(|shape| {
                    (0..=usize::from(shape.length) - part.len()).map(|position| (shape.slot, position))
                })
                .collect();
            Ok(places
                .into_iter()
                .map(|(slot, position)| part_tokens(key, field, slot, position, &part))
                .collect())
        }
    }
}

fn number_part(text: &str) -> Result<Vec<char>, PatternError> {
    let part: Vec<char> = fold_number(text).chars().collect();
    match part.len() {
        0 => Err(PatternError::Empty),
        given if given < GRAM_LENGTH => Err(PatternError::TooShort { needed: GRAM_LENGTH, given }),
        given if given > MAX_NUMBER_LENGTH => Err(PatternError::TooLong { most: MAX_NUMBER_LENGTH, given }),
        _ => Ok(part),
    }
}

fn holds(shape: NumberShape, part: &[char]) -> bool {
    usize::from(shape.length) >= part.len()
}

fn suffix_alternatives(
    key: &BlindKey,
    field: BlindField,
    part: &[char],
    shapes: &[NumberShape],
) -> Vec<Vec<Token>> {
    if part.len() == GRAM_LENGTH {
        return vec![vec![key.token(Kind::LastFour, field, 0, 0, &part.iter().collect::<String>())]];
    }
    shapes
        .iter()
        .filter(|shape| holds(**shape, part))
        .map(|shape| {
            let position = usize::from(shape.length) - part.len();
            let mut tokens = part_tokens(key, field, shape.slot, position, part);
            tokens.push(shape_token(key, field, *shape));
            tokens
        })
        .collect()
}

/// The grams that together cover `part` at one place: every fourth, and the last one.
fn part_tokens(key: &BlindKey, field: BlindField, slot: u16, position: usize, part: &[char]) -> Vec<Token> {
    let last = part.len() - GRAM_LENGTH;
    let mut starts: Vec<usize> = (0..last).step_by(GRAM_LENGTH).collect();
    starts.push(last);
    starts
        .into_iter()
        .map(|start| gram_token(key, field, slot, position + start, &part[start..start + GRAM_LENGTH]))
        .collect()
}

fn gram_token(key: &BlindKey, field: BlindField, slot: u16, position: usize, gram: &[char]) -> Token {
    key.token(Kind::Gram, field, slot, position, &gram.iter().collect::<String>())
}

/// Tokens of all names in a case file.
pub fn name_tokens<'a>(key: &BlindKey, names: impl IntoIterator<Item = &'a str>) -> NameTokens {
    let names = distinct(names, fold);
    let mut plain = BTreeSet::new();
    for name in &names {
        plain.insert(key.token(Kind::Whole, BlindField::Name, 0, 0, &name.iter().collect::<String>()));
        for character in name.iter().take(MAX_TEXT_LENGTH) {
            plain.insert(single_token(key, *character));
        }
    }
    NameTokens { plain: plain.into_iter().collect(), placed: pairs(key, BlindField::Name, &names) }
}

/// Tokens of all addresses in a case file.
pub fn address_tokens<'a>(key: &BlindKey, addresses: impl IntoIterator<Item = &'a str>) -> Vec<PlacedToken> {
    pairs(key, BlindField::Address, &distinct(addresses, fold))
}

/// What to look up for a name.
pub fn name_lookup(key: &BlindKey, pattern: &NamePattern) -> Result<TextLookup, PatternError> {
    let (NamePattern::Whole(text) | NamePattern::Part(text)) = pattern;
    let folded: Vec<char> = fold(text).chars().collect();
    match (pattern, folded.as_slice()) {
        (_, []) => Err(PatternError::Empty),
        (NamePattern::Whole(_), _) => {
            let whole: String = folded.iter().collect();
            Ok(TextLookup::Plain(key.token(Kind::Whole, BlindField::Name, 0, 0, &whole)))
        }
        (NamePattern::Part(_), [character]) => Ok(TextLookup::Plain(single_token(key, *character))),
        (NamePattern::Part(_), characters) => phrase(key, BlindField::Name, characters),
    }
}

/// What to look up for a part of an address; two characters or more.
pub fn address_lookup(key: &BlindKey, text: &str) -> Result<TextLookup, PatternError> {
    let folded: Vec<char> = fold(text).chars().collect();
    match folded.as_slice() {
        [] => Err(PatternError::Empty),
        [_] => Err(PatternError::TooShort { needed: 2, given: 1 }),
        characters => phrase(key, BlindField::Address, characters),
    }
}

fn phrase(key: &BlindKey, field: BlindField, characters: &[char]) -> Result<TextLookup, PatternError> {
    if characters.len() > MAX_TEXT_LENGTH {
        return Err(PatternError::TooLong { most: MAX_TEXT_LENGTH, given: characters.len() });
    }
    Ok(TextLookup::Phrase(characters.windows(2).map(|pair| pair_token(key, field, pair)).collect()))
}

/// Neighbouring characters of every value. A value starts two places after the last pair of the one before,
/// so no phrase runs across.
fn pairs(key: &BlindKey, field: BlindField, values: &[Vec<char>]) -> Vec<PlacedToken> {
    let mut placed = Vec::new();
    let mut start = 0;
    for value in values {
        let value = &value[..value.len().min(MAX_TEXT_LENGTH)];
        for (offset, pair) in value.windows(2).enumerate() {
            placed.push(PlacedToken { token: pair_token(key, field, pair), position: start + offset as u32 });
        }
        start += value.len() as u32;
    }
    placed
}

fn pair_token(key: &BlindKey, field: BlindField, pair: &[char]) -> Token {
    key.token(Kind::Pair, field, 0, 0, &pair.iter().collect::<String>())
}

fn single_token(key: &BlindKey, character: char) -> Token {
    key.token(Kind::Single, BlindField::Name, 0, 0, character.encode_utf8(&mut [0; 4]))
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
    use proptest::{collection::vec, prelude::*};

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
            values in vec("[15]{0,9}", 0..4),
            others in vec("[15]{0,12}", 0..4),
            part in "[15]{4,7}",
        ) {
            let field = BlindField::Phone;
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
            let _ = number_lookup(&key(), BlindField::Phone, &NumberPattern::parse(&text), &shapes_of(&[text.clone()]));
            let _ = name_lookup(&key(), &NamePattern::Part(text.clone()));
            let _ = address_lookup(&key(), &text);
        }
    }
}
