//! Doubts about an entry that a person may look at: they neither stop a line nor hold a case file up.

use serde::{Deserialize, Serialize};

use super::EnteredData;
use crate::{
    field::FieldName,
    validation::{IdentityPaper, Normalised, Warning, paper_number, phone, postcode},
};

/// More numbers than this on one identity is a warning.
pub const NUMBERS_OF_ONE_IDENTITY: i64 = 5;

/// What there is to doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningReason {
    /// Neither a mobile number nor a landline.
    NotAPhoneNumber,
    /// Not six digits.
    NotAPostcode,
    /// The prefix has not been allotted to any operator.
    PrefixNotAllotted,
    /// The form is not one that is known for this kind of paper.
    UnusualForm,
    /// A number from before 2000 with 15 digits.
    OldNumber,
    /// More than five numbers on one identity.
    ManyNumbersOnOneIdentity,
    /// A day of acceptance that has not come yet.
    AfterToday,
}

impl From<Warning> for WarningReason {
    fn from(warning: Warning) -> Self {
        match warning {
            Warning::PrefixNotAllotted => Self::PrefixNotAllotted,
            Warning::UnusualForm => Self::UnusualForm,
            Warning::OldNumber => Self::OldNumber,
        }
    }
}

/// A doubt about one typed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryWarning {
    /// The value.
    pub field: FieldName,
    /// What there is to doubt.
    pub reason: WarningReason,
}

/// What there is to doubt in an entry by itself.
pub fn warnings_on_arrival(entered: &EnteredData) -> Vec<EntryWarning> {
    let mut warnings = Vec::new();
    for field in [FieldName::ContactPhone, FieldName::HandlerPhone, FieldName::OrganisationPhone] {
        warnings.extend(doubts_of_phone(field, entered.value(field).unwrap_or_default()));
    }
    // An account of a fixed line or a broadband has a form of its own: only what looks like a mobile number is judged.
    for number in entered.service_numbers.iter().filter(|number| number.trim().starts_with('1')) {
        warnings.extend(doubts_of_phone(FieldName::ServiceNumber, number));
    }
    let typed_postcode = entered.value(FieldName::Postcode).unwrap_or_default();
    if !typed_postcode.trim().is_empty() && postcode(typed_postcode).is_err() {
        warnings.push(EntryWarning { field: FieldName::Postcode, reason: WarningReason::NotAPostcode });
    }
    let paper = IdentityPaper::from_entered(&entered.id_type);
    if let Ok(number) = paper_number(paper, &entered.id_number, entered.accepted_on) {
        warnings.extend(doubts_of(FieldName::IdNumber, &number));
    }
    warnings
}

fn doubts_of_phone(field: FieldName, typed: &str) -> Vec<EntryWarning> {
    if typed.trim().is_empty() {
        return Vec::new();
    }
    match phone(typed) {
        Ok(number) => doubts_of(field, &number),
        Err(_) => vec![EntryWarning { field, reason: WarningReason::NotAPhoneNumber }],
    }
}

fn doubts_of(field: FieldName, number: &Normalised) -> Vec<EntryWarning> {
    number.warnings.iter().map(|warning| EntryWarning { field, reason: (*warning).into() }).collect()
}
