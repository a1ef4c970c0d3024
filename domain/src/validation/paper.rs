//! Which check belongs to which kind of identity paper.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    Invalid, InvalidReason, Normalised, Warning, business_licence, chinese_passport, credit_code, folded,
    foreign_permanent_resident, mainland_travel_permit, organisation_code, residence_permit, resident_number,
    taiwan_travel_permit,
};
use crate::folding::fold;

/// A kind of identity paper (证件类型) as far as its number and its sides go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityPaper {
    /// 居民身份证.
    ResidentCard,
    /// 临时居民身份证, valid three months.
    TemporaryCard,
    /// 户口簿; entered with the identity number, often of a child.
    HouseholdRegister,
    /// 港澳台居民居住证.
    ResidencePermit,
    /// 港澳居民来往内地通行证.
    MainlandTravelPermit,
    /// 台湾居民来往大陆通行证.
    TaiwanTravelPermit,
    /// 护照.
    Passport,
    /// 外国人永久居留身份证.
    ForeignPermanentResident,
    /// Military or police papers, checked softly.
    Service,
    /// 营业执照 or 统一社会信用代码证书.
    Licence,
    /// 组织机构代码证.
    OrganisationCode,
    /// Anything this table does not know, checked softly.
    Other,
}

impl IdentityPaper {
    /// Reads the kind as a business system words it. Order matters: longer names hold the shorter ones.
    pub fn from_entered(id_type: &str) -> Self {
        const WORDS: [(&str, IdentityPaper); 22] = [
            ("居住证", IdentityPaper::ResidencePermit),
            ("永久居留", IdentityPaper::ForeignPermanentResident),
            ("外国人", IdentityPaper::ForeignPermanentResident),
            ("港澳", IdentityPaper::MainlandTravelPermit),
            ("回乡证", IdentityPaper::MainlandTravelPermit),
            ("台湾", IdentityPaper::TaiwanTravelPermit),
            ("台胞证", IdentityPaper::TaiwanTravelPermit),
            ("临时", IdentityPaper::TemporaryCard),
            ("身份证", IdentityPaper::ResidentCard),
            ("户口", IdentityPaper::HouseholdRegister),
            ("护照", IdentityPaper::Passport),
            ("军", IdentityPaper::Service),
            ("警", IdentityPaper::Service),
            ("士兵", IdentityPaper::Service),
            ("武装", IdentityPaper::Service),
            ("营业执照", IdentityPaper::Licence),
            ("信用代码", IdentityPaper::Licence),
            ("工商", IdentityPaper::Licence),
            ("法人", IdentityPaper::Licence),
            ("组织机构", IdentityPaper::OrganisationCode),
            ("PASSPORT", IdentityPaper::Passport),
            ("ID CARD", IdentityPaper::ResidentCard),
        ];
        let folded = fold(id_type);
        let found = WORDS.iter().find(|(word, _)| folded.contains(&fold(word)));
        found.map_or(Self::Other, |(_, paper)| *paper)
    }

    /// Whether it has a second side that must be filed too.
    pub const fn has_back(self) -> bool {
        matches!(
            self,
            Self::ResidentCard | Self::TemporaryCard | Self::ResidencePermit | Self::ForeignPermanentResident
        )
    }

    /// Whether it belongs to an organisation and not to a person.
    pub const fn is_of_organisation(self) -> bool {
        matches!(self, Self::Licence | Self::OrganisationCode)
    }
}

/// Checks a number as the kind of paper demands, as it stood on day `on`.
pub fn paper_number(paper: IdentityPaper, written: &str, on: NaiveDate) -> Result<Normalised, Invalid> {
    match paper {
        IdentityPaper::ResidentCard | IdentityPaper::TemporaryCard | IdentityPaper::HouseholdRegister => {
            resident_or_residence(written, on)
        }
        IdentityPaper::ResidencePermit => residence_permit(written, on).map(|(number, _, _)| number),
        IdentityPaper::MainlandTravelPermit => mainland_travel_permit(written),
        IdentityPaper::TaiwanTravelPermit => taiwan_travel_permit(written),
        IdentityPaper::Passport => any_passport(written),
        IdentityPaper::ForeignPermanentResident => foreign_permanent_resident(written, on),
        IdentityPaper::Licence => licence_number(written),
        IdentityPaper::OrganisationCode => organisation_code(written).or_else(|_| credit_code(written)),
        IdentityPaper::Service | IdentityPaper::Other => softly(written),
    }
}

/// Clerks enter residence permits as identity cards; both are built alike.
fn resident_or_residence(written: &str, on: NaiveDate) -> Result<Normalised, Invalid> {
    match resident_number(written, on) {
        Ok(resident) => Ok(resident.number),
        Err(invalid) if invalid.reason == InvalidReason::Region => {
            residence_permit(written, on).map(|(number, _, _)| number).map_err(|_| invalid)
        }
        Err(invalid) => Err(invalid),
    }
}

/// A Chinese passport strictly; a foreign one only by its form, 6 to 12 letters and digits.
fn any_passport(written: &str) -> Result<Normalised, Invalid> {
    if let Ok(number) = chinese_passport(written) {
        return Ok(number);
    }
    let value = folded(written)?;
    if !(6..=12).contains(&value.chars().count()) {
        return Err(Invalid::new(written, InvalidReason::Length));
    }
    if !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    Ok(Normalised::new(written, value).with_warning(Warning::UnusualForm))
}

fn licence_number(written: &str) -> Result<Normalised, Invalid> {
    match folded(written)?.chars().count() {
        18 => credit_code(written),
        9 => organisation_code(written),
        _ => business_licence(written),
    }
}

fn softly(written: &str) -> Result<Normalised, Invalid> {
    let value = folded(written)?;
    Ok(Normalised::new(written, value).with_warning(Warning::UnusualForm))
}
