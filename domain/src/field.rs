//! What a case file must hold (slots) and what stands on its papers (fields).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that names none of the terms it was read as.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {what}")]
pub struct UnknownTerm {
    /// The kind of term that was expected, as in `slot`.
    pub what: &'static str,
}

/// A typed place in a case file for one document (案卷内的材料).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Confirmation slip (业务确认单) or activation form (入网登记单), signed.
    Slip,
    /// Front of the customer's identity paper: the side with the portrait.
    IdFront,
    /// Back of the customer's identity paper: the side with the emblem.
    IdBack,
    /// Front of the agent's identity paper (代办人).
    AgentIdFront,
    /// Back of the agent's identity paper.
    AgentIdBack,
    /// Letter by which the customer lets the agent act (授权书).
    Authorisation,
    /// Business licence of an organisation (营业执照).
    Licence,
    /// Anything else that belongs to the acceptance.
    Attachment,
}

impl Slot {
    /// Every slot, in the order the papers are filed: slip first, identity copies after.
    pub const ALL: [Self; 8] = [
        Self::Slip,
        Self::IdFront,
        Self::IdBack,
        Self::AgentIdFront,
        Self::AgentIdBack,
        Self::Authorisation,
        Self::Licence,
        Self::Attachment,
    ];

    /// The name in tables, API and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slip => "slip",
            Self::IdFront => "id_front",
            Self::IdBack => "id_back",
            Self::AgentIdFront => "agent_id_front",
            Self::AgentIdBack => "agent_id_back",
            Self::Authorisation => "authorisation",
            Self::Licence => "licence",
            Self::Attachment => "attachment",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Slot {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == text).ok_or(UnknownTerm { what: "slot" })
    }
}

/// A named value on a paper or in the entered data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldName {
    /// Name on an identity paper (姓名).
    Name,
    /// Sex on an identity paper: 男 or 女.
    Sex,
    /// Nationality group on an identity card (民族).
    Nation,
    /// Birth date, as `YYYY-MM-DD`.
    Birth,
    /// Address on an identity paper (住址), lines joined.
    Address,
    /// Number of the identity paper; also the entered one (证件号码).
    IdNumber,
    /// Issuing authority (签发机关).
    Authority,
    /// First day of validity, as `YYYY-MM-DD`.
    ValidFrom,
    /// Last day of validity, as `YYYY-MM-DD`, or 长期.
    ValidTo,
    /// Number of the acceptance (业务流水号).
    SlipNumber,
    /// Code of the outlet (受理网点编码).
    OutletCode,
    /// Day of acceptance (受理日期), as `YYYY-MM-DD`.
    AcceptedOn,
    /// Number that is opened or changed (业务号码).
    ServiceNumber,
    /// Public or organisation (客户类型).
    CustomerType,
    /// Name of the customer (客户名称).
    CustomerName,
    /// Kind of identity paper (证件类型).
    IdType,
    /// Address on the identity paper, as typed or as the slip prints it (证件地址).
    IdAddress,
    /// Name of the contact (联系人).
    ContactName,
    /// Phone number of the contact (联系电话).
    ContactPhone,
    /// Where post goes (通信地址).
    MailingAddress,
    /// Name of the agent (代办人姓名).
    AgentName,
    /// Identity number of the agent (代办人证件号码).
    AgentIdNumber,
    /// Staff number of the clerk (受理人工号).
    StaffNumber,
    /// What was ordered (办理业务).
    Product,
    /// What is written where the customer signs (客户签字).
    Signature,
    /// Name of the organisation on a licence.
    OrganisationName,
    /// Unified social credit code on a licence.
    CreditCode,
    /// Name of the legal representative on a licence.
    LegalRepresentative,
    /// Machine-readable zone of a passport or permit, lines joined by a line feed.
    Mrz,
    /// Kind of the agent's paper (代办人证件类型).
    AgentIdType,
    /// Until when the customer's paper holds, as typed (证件有效期).
    IdValidTo,
    /// Phone of the person who acts for an organisation (经办人电话).
    HandlerPhone,
    /// Nature of an organisation (单位性质).
    OrganisationNature,
    /// Number of an organisation (组织机构代码).
    OrganisationNumber,
    /// Phone of an organisation (单位电话).
    OrganisationPhone,
    /// Postcode of the mailing address (邮政编码).
    Postcode,
    /// Region an organisation belongs to (归属地).
    HomeRegion,
    /// Industry of an organisation (行业类别).
    Industry,
}

impl FieldName {
    /// Every field.
    pub const ALL: [Self; 38] = [
        Self::Name,
        Self::Sex,
        Self::Nation,
        Self::Birth,
        Self::Address,
        Self::IdNumber,
        Self::Authority,
        Self::ValidFrom,
        Self::ValidTo,
        Self::SlipNumber,
        Self::OutletCode,
        Self::AcceptedOn,
        Self::ServiceNumber,
        Self::CustomerType,
        Self::CustomerName,
        Self::IdType,
        Self::IdAddress,
        Self::ContactName,
        Self::ContactPhone,
        Self::MailingAddress,
        Self::AgentName,
        Self::AgentIdNumber,
        Self::StaffNumber,
        Self::Product,
        Self::Signature,
        Self::OrganisationName,
        Self::CreditCode,
        Self::LegalRepresentative,
        Self::Mrz,
        Self::AgentIdType,
        Self::IdValidTo,
        Self::HandlerPhone,
        Self::OrganisationNature,
        Self::OrganisationNumber,
        Self::OrganisationPhone,
        Self::Postcode,
        Self::HomeRegion,
        Self::Industry,
    ];

    /// The name in API, exports and form files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Sex => "sex",
            Self::Nation => "nation",
            Self::Birth => "birth",
            Self::Address => "address",
            Self::IdNumber => "id_number",
            Self::Authority => "authority",
            Self::ValidFrom => "valid_from",
            Self::ValidTo => "valid_to",
            Self::SlipNumber => "slip_number",
            Self::OutletCode => "outlet_code",
            Self::AcceptedOn => "accepted_on",
            Self::ServiceNumber => "service_number",
            Self::CustomerType => "customer_type",
            Self::CustomerName => "customer_name",
            Self::IdType => "id_type",
            Self::IdAddress => "id_address",
            Self::ContactName => "contact_name",
            Self::ContactPhone => "contact_phone",
            Self::MailingAddress => "mailing_address",
            Self::AgentName => "agent_name",
            Self::AgentIdNumber => "agent_id_number",
            Self::StaffNumber => "staff_number",
            Self::Product => "product",
            Self::Signature => "signature",
            Self::OrganisationName => "organisation_name",
            Self::CreditCode => "credit_code",
            Self::LegalRepresentative => "legal_representative",
            Self::Mrz => "mrz",
            Self::AgentIdType => "agent_id_type",
            Self::IdValidTo => "id_valid_to",
            Self::HandlerPhone => "handler_phone",
            Self::OrganisationNature => "organisation_nature",
            Self::OrganisationNumber => "organisation_number",
            Self::OrganisationPhone => "organisation_phone",
            Self::Postcode => "postcode",
            Self::HomeRegion => "home_region",
            Self::Industry => "industry",
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FieldName {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|field| field.as_str() == text).ok_or(UnknownTerm { what: "field" })
    }
}

/// How likely a value is right, 0.0 to 1.0: of all values given 0.9, nine in ten are right.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(f32);

impl Confidence {
    /// Nothing is known.
    pub const NONE: Self = Self(0.0);
    /// Certain: typed by a person or proved by a check.
    pub const FULL: Self = Self(1.0);

    /// Takes any number; what is not a number is 0, the rest is brought between 0 and 1.
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number, 0.0 to 1.0.
    pub const fn value(self) -> f32 {
        self.0
    }
}
