//! Comparing what was typed with what was read: by what the value means, not by its bytes.
//!
//! The outcome is about two texts only. Whether the ink bears the difference out is for `cross_check`.

mod address;
mod alignment;
mod date;
mod variants;

use serde::{Deserialize, Serialize};

pub(crate) use address::leading_regions;
pub use address::{AddressPart, AddressPiece, ParsedAddress, parse_address};
pub use alignment::{Change, DifferenceSpan};
pub use date::{DateValue, parse_date};
pub use variants::{are_variants, simplified};

use alignment::{Alignment, Token};

use crate::{
    field::FieldName,
    finding::{Difference, Judgement},
    folding::{MIDDLE_DOT, fold, fold_char, fold_number, is_blank},
    validation::{self, IdentityPaper, without_country_code},
};

/// What a value is, and so how two of it are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// A person's or organisation's name.
    Name,
    /// A postal address.
    Address,
    /// A day, or 长期.
    Date,
    /// A number with or without letters.
    Number,
    /// A phone number.
    Phone,
    /// A kind of identity paper.
    PaperKind,
    /// Any other text.
    Text,
}

impl ValueKind {
    /// The kind of value a field holds.
    pub const fn of(field: FieldName) -> Self {
        match field {
            FieldName::Name
            | FieldName::CustomerName
            | FieldName::ContactName
            | FieldName::AgentName
            | FieldName::Signature
            | FieldName::OrganisationName
            | FieldName::LegalRepresentative => Self::Name,
            FieldName::Address | FieldName::IdAddress | FieldName::MailingAddress => Self::Address,
            FieldName::Birth
            | FieldName::ValidFrom
            | FieldName::ValidTo
            | FieldName::IdValidTo
            | FieldName::AcceptedOn => Self::Date,
            FieldName::IdNumber
            | FieldName::AgentIdNumber
            | FieldName::SlipNumber
            | FieldName::OutletCode
            | FieldName::StaffNumber
            | FieldName::CreditCode
            | FieldName::OrganisationNumber
            | FieldName::Postcode
            | FieldName::Mrz => Self::Number,
            FieldName::ServiceNumber
            | FieldName::ContactPhone
            | FieldName::HandlerPhone
            | FieldName::OrganisationPhone => Self::Phone,
            FieldName::IdType | FieldName::AgentIdType => Self::PaperKind,
            FieldName::Sex
            | FieldName::Nation
            | FieldName::Authority
            | FieldName::CustomerType
            | FieldName::OrganisationNature
            | FieldName::HomeRegion
            | FieldName::Industry
            | FieldName::Product => Self::Text,
        }
    }
}

/// How two texts compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// `Agrees` or `Differs`; two texts alone leave nothing open.
    pub judgement: Judgement,
    /// How they differ; `None` when they agree.
    pub difference: Option<Difference>,
    /// Every character of both, aligned, for marking on the screen.
    pub spans: Vec<DifferenceSpan>,
    /// The share of characters that are the same, 0.0 to 1.0.
    pub similarity: f32,
}

impl Comparison {
    /// Whether both say the same.
    pub fn agrees(&self) -> bool {
        self.judgement == Judgement::Agrees
    }
}

/// Compares what was typed with what was read.
pub fn compare(kind: ValueKind, entered: &str, read: &str) -> Comparison {
    let alignment = Alignment::of(&tokens(kind, entered), &tokens(kind, read));
    if same_meaning(kind, entered, read) {
        return Comparison {
            judgement: Judgement::Agrees,
            difference: None,
            spans: alignment.spans(),
            similarity: 1.0,
        };
    }
    let difference = alignment.difference().or(Some(Difference::Conflicting));
    Comparison {
        judgement: Judgement::Differs,
        difference,
        spans: alignment.spans(),
        similarity: alignment.similarity(),
    }
}

/// Whether two texts say the same thing.
fn same_meaning(kind: ValueKind, entered: &str, read: &str) -> bool {
    match kind {
        ValueKind::Name => name_key(entered) == name_key(read),
        ValueKind::Address => parse_address(entered).is_same_place_as(&parse_address(read)),
        ValueKind::Date => match (parse_date(entered), parse_date(read)) {
            (Some(one), Some(other)) => one == other,
            _ => fold_number(entered) == fold_number(read),
        },
        ValueKind::Number => number_key(entered) == number_key(read),
        ValueKind::Phone => phone_key(entered) == phone_key(read),
        ValueKind::PaperKind => {
            let (one, other) = (IdentityPaper::from_entered(entered), IdentityPaper::from_entered(read));
            fold(entered) == fold(read) || (one == other && one != IdentityPaper::Other)
        }
        ValueKind::Text => text_key(entered) == text_key(read),
    }
}

/// The form in which two names are the same name: folded, with one middle dot.
pub fn name_key(name: &str) -> String {
    fold(name).chars().map(|character| if character == '.' { MIDDLE_DOT } else { character }).collect()
}

/// The form in which two numbers are the same number; 15 digits of an old identity number become 18.
pub fn number_key(number: &str) -> String {
    let folded: String =
        fold_number(number).chars().filter(|character| !matches!(character, '(' | ')')).collect();
    validation::from_fifteen(&folded).unwrap_or(folded)
}

/// The form in which two phone numbers are the same: no country code, brackets or hyphens.
pub fn phone_key(phone: &str) -> String {
    let folded: String =
        fold_number(phone).chars().filter(|character| !matches!(character, '(' | ')')).collect();
    without_country_code(&folded).to_owned()
}

fn text_key(text: &str) -> String {
    fold(text).chars().filter(|character| character.is_alphanumeric()).collect()
}

/// The characters that count, each with its place in the text it came from.
fn tokens(kind: ValueKind, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, character) in text.chars().enumerate() {
        for folded in fold_char(character) {
            let unified = if kind == ValueKind::Name && folded == '.' { MIDDLE_DOT } else { folded };
            if counts(kind, unified) {
                tokens.push(Token { character: unified, index });
            }
        }
    }
    tokens
}

fn counts(kind: ValueKind, character: char) -> bool {
    if is_blank(character) {
        return false;
    }
    match kind {
        ValueKind::Name => true,
        ValueKind::Date => character.is_ascii_digit() || !character.is_ascii_punctuation(),
        ValueKind::Number
        | ValueKind::Phone
        | ValueKind::Address
        | ValueKind::PaperKind
        | ValueKind::Text => character.is_alphanumeric() || character == '+' || character == '<',
    }
}

#[cfg(test)]
mod tests;
