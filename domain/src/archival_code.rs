//! Archival codes (档号): the pattern an operator sets, making and reading them, and the number a case file is known by.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::comparison::phone_key;

/// What an archival code is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArchivalCodeParts {
    /// Branch, by its code.
    pub branch: String,
    /// Day of acceptance.
    pub accepted_on: NaiveDate,
    /// Outlet, by its code.
    pub outlet: String,
    /// Running number of the day at the outlet, from 1.
    pub number: u32,
}

/// How archival codes are written, as `{branch}-{date}-{outlet}-{number:04}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArchivalCodePattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Branch,
    Date,
    Outlet,
    Number { width: usize },
}

/// A pattern or code that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchivalCodeError {
    /// A brace without its partner.
    #[error("the pattern has a brace without its partner")]
    Unbalanced,
    /// A placeholder that is not known.
    #[error("the pattern knows {{branch}}, {{date}}, {{outlet}} and {{number}}, not {{{name}}}")]
    UnknownPlaceholder {
        /// What stands in the braces.
        name: String,
    },
    /// Without these, two case files could get one code.
    #[error("the pattern needs {{date}}, {{outlet}} and {{number}}, each once")]
    NotUnique,
    /// Two placeholders of open length touch.
    #[error("the pattern needs a hyphen or other mark between its placeholders")]
    NotReadable,
    /// A part holds a character that no code may hold.
    #[error("branch codes may hold letters and digits, outlet codes also hyphens, underscores and dots")]
    UnsuitablePart,
    /// The text is no code of this pattern.
    #[error("this is no archival code of the pattern in use")]
    NotACode,
}

/// The pattern when the operator sets none.
pub const DEFAULT_PATTERN: &str = "{branch}-{date}-{outlet}-{number:04}";

impl ArchivalCodePattern {
    /// Reads a pattern, and refuses one whose codes would not be unique or could not be read back.
    pub fn parse(text: &str) -> Result<Self, ArchivalCodeError> {
        let pieces = pieces_of(text)?;
        let count = |wanted: fn(&Piece) -> bool| pieces.iter().filter(|piece| wanted(piece)).count();
        let dates = count(|piece| *piece == Piece::Date);
        let outlets = count(|piece| *piece == Piece::Outlet);
        let numbers = count(|piece| matches!(piece, Piece::Number { .. }));
        let branches = count(|piece| *piece == Piece::Branch);
        if (dates, outlets, numbers) != (1, 1, 1) || branches > 1 {
            return Err(ArchivalCodeError::NotUnique);
        }
        // A value is read up to the next mark, so a mark must follow every placeholder that is not the last.
        let ends_value =
            |piece: &Piece| matches!(piece, Piece::Text(text) if !text.starts_with(char::is_alphanumeric));
        let is_run_on = |pair: &[Piece]| !matches!(pair[0], Piece::Text(_)) && !ends_value(&pair[1]);
        if pieces.windows(2).any(is_run_on) {
            return Err(ArchivalCodeError::NotReadable);
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Writes the code of these parts.
    pub fn format(&self, parts: &ArchivalCodeParts) -> Result<String, ArchivalCodeError> {
        if !is_branch_code(&parts.branch)
            || !is_outlet_code(&parts.outlet)
            || !(1000..=9999).contains(&parts.accepted_on.year())
        {
            return Err(ArchivalCodeError::UnsuitablePart);
        }
        let mut code = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => code.push_str(text),
                Piece::Branch => code.push_str(&parts.branch),
                Piece::Date => code.push_str(&parts.accepted_on.format("%Y%m%d").to_string()),
                Piece::Outlet => code.push_str(&parts.outlet),
                Piece::Number { width } => code.push_str(&padded(parts.number, *width)),
            }
        }
        Ok(code)
    }

    /// Reads a code back; a pattern without branch gives an empty one.
    pub fn parse_code(&self, code: &str) -> Result<ArchivalCodeParts, ArchivalCodeError> {
        let mut found = Found::default();
        if !read_back(&self.pieces, code.trim(), &mut found) {
            return Err(ArchivalCodeError::NotACode);
        }
        let Found { branch, outlet, accepted_on, number } = found;
        accepted_on
            .zip(number)
            .map(|(accepted_on, number)| ArchivalCodeParts { branch, accepted_on, outlet, number })
            .ok_or(ArchivalCodeError::NotACode)
    }
}

/// The parts of a code as far as it is read.
#[derive(Default)]
struct Found {
    branch: String,
    outlet: String,
    accepted_on: Option<NaiveDate>,
    number: Option<u32>,
}

/// Whether the pieces, in order, are all of `rest`. An outlet's code may hold the mark that follows it; it ends where
/// what follows can be read.
fn read_back(pieces: &[Piece], rest: &str, found: &mut Found) -> bool {
    let Some((piece, later)) = pieces.split_first() else { return rest.is_empty() };
    let run = rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len());
    let (value, behind) = rest.split_at(run);
    match piece {
        Piece::Text(text) => {
            return rest.strip_prefix(text.as_str()).is_some_and(|rest| read_back(later, rest, found));
        }
        Piece::Outlet => {
            let ends = rest.char_indices().map(|(at, _)| at).skip(1).chain([rest.len()]);
            for end in ends {
                let (value, behind) = rest.split_at(end);
                if is_outlet_code(value) && read_back(later, behind, found) {
                    value.clone_into(&mut found.outlet);
                    return true;
                }
            }
            return false;
        }
        Piece::Branch if is_branch_code(value) => value.clone_into(&mut found.branch),
        Piece::Date if value.len() == 8 => {
            found.accepted_on = NaiveDate::parse_from_str(value, "%Y%m%d").ok();
        }
        Piece::Number { width } if value.len() >= *width => found.number = value.parse().ok(),
        Piece::Branch | Piece::Date | Piece::Number { .. } => return false,
    }
    let is_read = match piece {
        Piece::Date => found.accepted_on.is_some(),
        Piece::Number { .. } => found.number.is_some(),
        _ => true,
    };
    is_read && read_back(later, behind, found)
}

/// Whether a text may be the code of a branch: letters and digits, so that it is told from what follows.
pub fn is_branch_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_alphanumeric)
}

/// Longest code of an outlet, in characters.
const MAX_OUTLET_CODE: usize = 64;

/// Whether a text may be the code of an outlet: at most 64 letters, digits, hyphens, underscores and dots, a letter or
/// digit first.
pub fn is_outlet_code(text: &str) -> bool {
    text.chars().count() <= MAX_OUTLET_CODE
        && text.starts_with(char::is_alphanumeric)
        && text.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '.'))
}

impl TryFrom<String> for ArchivalCodePattern {
    type Error = ArchivalCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ArchivalCodePattern> for String {
    fn from(pattern: ArchivalCodePattern) -> Self {
        pattern.text
    }
}

fn padded(number: u32, width: usize) -> String {
    format!("{number:0width$}")
}

fn pieces_of(text: &str) -> Result<Vec<Piece>, ArchivalCodeError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(open) = rest.find(['{', '}']) else {
            pieces.push(Piece::Text(rest.to_owned()));
            break;
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        let inside = rest[open..].strip_prefix('{').ok_or(ArchivalCodeError::Unbalanced)?;
        let (name, behind) = inside.split_once('}').ok_or(ArchivalCodeError::Unbalanced)?;
        pieces.push(placeholder(name)?);
        rest = behind;
    }
    Ok(pieces)
}

fn placeholder(name: &str) -> Result<Piece, ArchivalCodeError> {
    let unknown = || ArchivalCodeError::UnknownPlaceholder { name: name.to_owned() };
    match name {
        "branch" => Ok(Piece::Branch),
        "date" => Ok(Piece::Date),
        "outlet" => Ok(Piece::Outlet),
        "number" => Ok(Piece::Number { width: 1 }),
        other => {
            let width = other.strip_prefix("number:0").and_then(|width| width.parse().ok());
            width
                .filter(|width| (1..=9).contains(width))
                .map(|width| Piece::Number { width })
                .ok_or_else(unknown)
        }
    }
}

/// The number a merged case files under: its fixed line, else the one named first.
pub fn representative_number(service_numbers: &[String]) -> Option<String> {
    let numbers: Vec<String> =
        service_numbers.iter().map(|number| phone_key(number)).filter(|number| !number.is_empty()).collect();
    let is_mobile = |number: &str| number.len() == 11 && number.starts_with('1');
    numbers.iter().find(|number| !is_mobile(number)).or_else(|| numbers.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> ArchivalCodeParts {
        ArchivalCodeParts {
            branch: "TJ".to_owned(),
            accepted_on: NaiveDate::from_ymd_opt(2026, 9, 18).unwrap(),
            outlet: "TJHX0307".to_owned(),
            number: 7,
        }
    }

    #[test]
    fn a_code_is_written_and_read_back() {
        let pattern = ArchivalCodePattern::parse(DEFAULT_PATTERN).unwrap();
        let code = pattern.format(&parts()).unwrap();

        assert_eq!(code, "TJ-20260918-TJHX0307-0007");
        assert_eq!(pattern.parse_code(&code), Ok(parts()));
        for wrong in [
            "",
            "TJ-20260931-TJHX0307-0007",
            "TJ-20260918-TJHX0307",
            "TJ-20260918-TJHX0307-0007-1",
            "TJ--X-1",
        ] {
            assert_eq!(pattern.parse_code(wrong), Err(ArchivalCodeError::NotACode), "{wrong}");
        }
    }

    #[test]
    fn an_outlet_may_have_marks_in_its_code() {
        let pattern = ArchivalCodePattern::parse(DEFAULT_PATTERN).unwrap();
        for outlet in ["TJ-DX-0001", "TJ_DX.1", "TJ-20260918-0001"] {
            let parts = ArchivalCodeParts { outlet: outlet.to_owned(), ..parts() };

            assert_eq!(pattern.parse_code(&pattern.format(&parts).unwrap()), Ok(parts));
        }
        for outlet in ["", "-1", "XX 99", "<b>", "a/b"] {
            let parts = ArchivalCodeParts { outlet: outlet.to_owned(), ..parts() };

            assert_eq!(pattern.format(&parts), Err(ArchivalCodeError::UnsuitablePart), "{outlet}");
        }
    }

    #[test]
    fn a_pattern_that_would_give_one_code_twice_is_refused() {
        let check = |text: &str, expected: ArchivalCodeError| {
            assert_eq!(ArchivalCodePattern::parse(text), Err(expected), "{text}");
        };
        check("{date}-{number}", ArchivalCodeError::NotUnique);
        check("{date}-{outlet}-{number}-{number}", ArchivalCodeError::NotUnique);
        check("{date}{outlet}-{number}", ArchivalCodeError::NotReadable);
        check("{date}-{outlet}-{number", ArchivalCodeError::Unbalanced);
        check("{date}-{outlet}-number}", ArchivalCodeError::Unbalanced);
        let unknown = ArchivalCodeError::UnknownPlaceholder { name: "shelf".to_owned() };
        check("{shelf}-{date}-{outlet}-{number}", unknown);
    }

    #[test]
    fn a_part_that_could_not_be_read_back_is_refused() {
        let pattern = ArchivalCodePattern::parse(DEFAULT_PATTERN).unwrap();
        let spoilt = ArchivalCodeParts { outlet: "TJ 1".to_owned(), ..parts() };

        assert_eq!(pattern.format(&spoilt), Err(ArchivalCodeError::UnsuitablePart));
    }

    #[test]
    fn a_merged_case_files_under_its_fixed_line() {
        let check = |numbers: &[&str], expected: Option<&str>| {
            let numbers: Vec<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
            assert_eq!(representative_number(&numbers).as_deref(), expected, "{numbers:?}");
        };
        check(&["13812345678", "022-23456789"], Some("02223456789"));
        check(&["13812345678", "13912345678"], Some("13812345678"));
        check(&["", "13912345678"], Some("13912345678"));
        check(&[], None);
    }

    proptest::proptest! {
        #[test]
        fn every_code_is_read_back(
            branch in "[A-Z0-9]{1,6}", outlet in "[A-Za-z0-9]{1,10}", number in 1_u32..2_000_000, day in 0_i32..30_000,
            pattern in 0_usize..3,
        ) {
            let text = [DEFAULT_PATTERN, "档{branch}/{outlet}/{date}/{number}", "{branch}.{number:06}.{date}.{outlet}"][pattern];
            let pattern = ArchivalCodePattern::parse(text).unwrap();
            let accepted_on = NaiveDate::from_num_days_from_ce_opt(720_000 + day).unwrap();
            let parts = ArchivalCodeParts { branch, accepted_on, outlet, number };

            let code = pattern.format(&parts).unwrap();

            proptest::prop_assert_eq!(pattern.parse_code(&code), Ok(parts));
        }
    }
}
