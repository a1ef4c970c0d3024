//! Findings: something that does not agree or is not there, with the evidence for it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    field::{Confidence, UnknownTerm},
    geometry::Quad,
    ids::PageId,
};

/// What kind of thing does not agree or is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// What the paper says differs from what was typed. Subject: the field.
    FieldMismatch,
    /// The typed or printed number fails its check digit, date or region. Subject: the field.
    IdNumberInvalid,
    /// Sex or birth date contradicts the number, or two papers belong to different people.
    IdInconsistent,
    /// The paper had expired on the day of acceptance.
    IdExpired,
    /// A required slot is empty. Subject: the slot.
    DocumentMissing,
    /// Nothing is written in the signature field.
    SignatureMissing,
    /// What is written does not read as the name of the customer or agent.
    SignatureNameMismatch,
    /// It does not look like the earlier signatures of the same person.
    SignatureDiffers,
    /// A photocopy of an identity paper does not bear 有效证件一次使用复印无效.
    CopyStampMissing,
    /// The page, or a required field on it, cannot be read.
    Illegible,
    /// The same paper was already filed for another customer.
    DuplicateScan,
    /// The contact is the customer.
    ContactIsCustomer,
    /// The contact number is the number being opened.
    ContactPhoneIsServiceNumber,
    /// A mandatory field was not entered. Subject: the field.
    RequiredFieldEmpty,
}

impl FindingCode {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::FieldMismatch,
        Self::IdNumberInvalid,
        Self::IdInconsistent,
        Self::IdExpired,
        Self::DocumentMissing,
        Self::SignatureMissing,
        Self::SignatureNameMismatch,
        Self::SignatureDiffers,
        Self::CopyStampMissing,
        Self::Illegible,
        Self::DuplicateScan,
        Self::ContactIsCustomer,
        Self::ContactPhoneIsServiceNumber,
        Self::RequiredFieldEmpty,
    ];

    /// The name in tables, API and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldMismatch => "field_mismatch",
            Self::IdNumberInvalid => "id_number_invalid",
            Self::IdInconsistent => "id_inconsistent",
            Self::IdExpired => "id_expired",
            Self::DocumentMissing => "document_missing",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureNameMismatch => "signature_name_mismatch",
            Self::SignatureDiffers => "signature_differs",
            Self::CopyStampMissing => "copy_stamp_missing",
            Self::Illegible => "illegible",
            Self::DuplicateScan => "duplicate_scan",
            Self::ContactIsCustomer => "contact_is_customer",
            Self::ContactPhoneIsServiceNumber => "contact_phone_is_service_number",
            Self::RequiredFieldEmpty => "required_field_empty",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FindingCode {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(UnknownTerm { what: "finding code" })
    }
}

/// The outcome of every automatic judgement; "cannot tell" goes to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The paper bears the entered value out.
    Agrees,
    /// The paper says something else.
    Differs,
    /// The ink decides nothing.
    CannotTell,
}

/// How two values differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// One character is another one, too many or too few.
    OneCharacter,
    /// Two neighbouring characters changed places.
    Swapped,
    /// A traditional or variant form of the same characters.
    Variant,
    /// The values have little to do with each other.
    Conflicting,
    /// One side has nothing.
    Missing,
    /// Cannot be told apart with certainty; a person must look.
    Uncertain,
}

/// What a finding rests on. Personal data: stored sealed, shown masked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The page, when one shows it.
    pub page: Option<PageId>,
    /// The place on the page.
    pub region: Option<Quad>,
    /// What was read there.
    pub read: Option<String>,
    /// What was typed.
    pub entered: Option<String>,
    /// How they differ.
    pub difference: Option<Difference>,
    /// Which words or marks of the rule failed, as in `check_digit` or a slot or cause; no personal data.
    pub reason: Option<String>,
}

/// One finding as raised by the rules; the row adds id, verdict and state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaisedFinding {
    /// What kind.
    pub code: FindingCode,
    /// Which field, slot or paper, by its name in exports.
    pub subject: String,
    /// How sure.
    pub confidence: Option<Confidence>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Waits for an auditor.
    Open,
    /// An auditor looked and let it pass, with a reason.
    Accepted,
    /// An auditor corrected the reading or the entry.
    Corrected,
    /// Sent back to the outlet.
    Returned,
    /// A newer verdict no longer raises it.
    Withdrawn,
}

impl FindingState {
    /// The name in tables and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Corrected => "corrected",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether it still keeps its case file from being accepted.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Returned)
    }
}

impl FromStr for FindingState {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Open, Self::Accepted, Self::Corrected, Self::Returned, Self::Withdrawn]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownTerm { what: "finding state" })
    }
}
