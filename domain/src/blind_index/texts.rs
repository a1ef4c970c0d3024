//! Names and addresses: neighbouring characters whose places the index keeps beside the token.

use std::{collections::BTreeSet, fmt};

use super::{BlindField, BlindKey, Kind, PatternError, Token, distinct, fold};

/// Characters of a name or address that can be found.
const MAX_TEXT_LENGTH: usize = 512;

/// How a name is looked for. Printing it shows the kind, not the name.
#[derive(Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// The name is exactly this.
    Whole(String),
    /// These characters stand in it, side by side; one is enough.
    Part(String),
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

/// A token and its place in the text it was cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedToken {
    /// The pair of neighbouring characters.
    pub token: Token,
    /// Its place; a phrase has consecutive places, and no phrase runs from one value into the next.
    pub position: u32,
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
