//! Validation of numbers: what is well formed, what its own check says, and why it fails.
//!
//! A failed check is a value with a reason, never a silent correction; what was written is kept beside
//! what it was normalised to. Days are arguments: a number is judged on the day it was used.

mod checks;
mod organisation;
mod paper;
mod passport;
mod permit;
mod phone;
mod region;
mod resident;
mod validity;
mod zone;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use checks::luhn;
pub use organisation::{business_licence, credit_code, organisation_code};
pub use paper::{IdentityPaper, paper_number};
pub use passport::chinese_passport;
pub use permit::{
    foreign_permanent_resident, foreign_resident_bearer, hong_kong_identity, mainland_travel_permit,
    residence_permit, taiwan_identity, taiwan_travel_permit,
};
pub(crate) use phone::{area_code_length, without_country_code};
pub use phone::{landline, mobile, national_phone, phone, postcode};
pub(crate) use region::province_by_short_name;
pub use region::{Region, is_region_name, region_existed_by, region_of, regions_within};
pub use resident::{ResidentNumber, Sex, check_character, from_fifteen, resident_number};
pub use validity::{Expiry, card_terms_at, expiry_after, expiry_of, temporary_expiry, term_fits_age};
pub use zone::{
    CARD_LINE, MachineReadableZone, PASSPORT_LINE, machine_readable_zone, mrz_line, undated_zone,
};

use crate::folding::fold_number;

/// A value that passed, in the form it is stored and compared in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalised {
    /// As it was written.
    pub written: String,
    /// Folded: half width, capitals, no spaces or hyphens.
    pub value: String,
    /// Doubts that do not make it wrong.
    pub warnings: Vec<Warning>,
}

impl Normalised {
    fn new(written: &str, value: String) -> Self {
        Self { written: written.to_owned(), value, warnings: Vec::new() }
    }

    fn with_warning(mut self, warning: Warning) -> Self {
        self.warnings.push(warning);
        self
    }
}

/// A value that failed; `written` is personal data and stays out of messages.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("the number is not valid: {reason}", reason = reason.as_str())]
pub struct Invalid {
    /// As it was written.
    pub written: String,
    /// Which check failed first.
    pub reason: InvalidReason,
}

impl std::fmt::Debug for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invalid").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Invalid {
    fn new(written: &str, reason: InvalidReason) -> Self {
        Self { written: written.to_owned(), reason }
    }
}

/// Which check a number failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidReason {
    /// Nothing is there.
    Empty,
    /// Too short or too long.
    Length,
    /// A character that may not stand where it stands.
    Character,
    /// The number does not fit its own check digit.
    CheckDigit,
    /// The day inside it does not exist.
    Date,
    /// The day inside it lies in the future.
    FutureDate,
    /// Its bearer would be older than 130 years.
    Age,
    /// No such region existed up to then.
    Region,
    /// It begins with what no such number begins with.
    Prefix,
}

impl InvalidReason {
    /// The name in findings and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Length => "length",
            Self::Character => "character",
            Self::CheckDigit => "check_digit",
            Self::Date => "date",
            Self::FutureDate => "future_date",
            Self::Age => "age",
            Self::Region => "region",
            Self::Prefix => "prefix",
        }
    }
}

/// A doubt that a person may look at; never an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The prefix has not been allotted to any operator.
    PrefixNotAllotted,
    /// The form is not one that is known for this kind of paper.
    UnusualForm,
    /// A number from before 2000 with 15 digits.
    OldNumber,
}

impl Warning {
    /// The name in API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrefixNotAllotted => "prefix_not_allotted",
            Self::UnusualForm => "unusual_form",
            Self::OldNumber => "old_number",
        }
    }
}

/// Folds what was written; refuses what is empty.
fn folded(written: &str) -> Result<String, Invalid> {
    let value = fold_number(written);
    if value.is_empty() { Err(Invalid::new(written, InvalidReason::Empty)) } else { Ok(value) }
}

/// Folds and demands one of these lengths, in characters.
fn folded_of_length(written: &str, lengths: &[usize]) -> Result<String, Invalid> {
    let value = folded(written)?;
    if lengths.contains(&value.chars().count()) {
        Ok(value)
    } else {
        Err(Invalid::new(written, InvalidReason::Length))
    }
}

/// Says whether every character is an ASCII digit.
fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
