//! Numbers: pieces of four characters that know their place, so that any part of four or more is found.

use std::{collections::BTreeSet, fmt};

use super::{BlindField, BlindKey, Kind, PatternError, Token, distinct, fold_number};

/// Characters in one piece of a number; a shorter part cannot be looked for.
pub const GRAM_LENGTH: usize = 4;
/// Numbers of one kind that a case file keeps apart; any beyond share the last slot.
pub const MAX_SLOTS: u16 = 64;
/// Beginnings of identity numbers that have a token of their own. Region and century are the same for so many
/// people that their pieces alone would make a search slow.
const BEGINNINGS: std::ops::RangeInclusive<usize> = 5..=8;
/// Characters of a number that can be found by part; longer ones are still found whole.
const MAX_NUMBER_LENGTH: usize = 64;

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
        if field == BlindField::IdNumber {
            let beginnings = BEGINNINGS.filter_map(|length| cut.get(..length));
            tokens.extend(beginnings.map(|beginning| beginning_token(key, field, slot, beginning)));
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
            Ok(slots.into_iter().map(|slot| prefix_tokens(key, field, slot, &part)).collect())
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

/// The longest beginning that has a token, and the grams that cover what is left.
fn prefix_tokens(key: &BlindKey, field: BlindField, slot: u16, part: &[char]) -> Vec<Token> {
    let covered = part.len().min(*BEGINNINGS.end());
    if field != BlindField::IdNumber || covered < *BEGINNINGS.start() {
        return part_tokens(key, field, slot, 0, part);
    }
    let mut tokens = vec![beginning_token(key, field, slot, &part[..covered])];
    if covered < part.len() {
        let start = covered.min(part.len() - GRAM_LENGTH);
        tokens.extend(part_tokens(key, field, slot, start, &part[start..]));
    }
    tokens
}

fn beginning_token(key: &BlindKey, field: BlindField, slot: u16, beginning: &[char]) -> Token {
    key.token(Kind::Beginning, field, slot, beginning.len(), &beginning.iter().collect::<String>())
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
