//! Entered data (录入资料): what was typed at the counter; the thing the paper is checked against.

mod warnings;

use std::{collections::BTreeMap, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    comparison::{name_key, phone_key},
    field::{Confidence, FieldName, UnknownTerm},
    finding::{Evidence, FindingCode, RaisedFinding},
    validation::{
        IdentityPaper, Invalid, Normalised, business_licence, credit_code, organisation_code, paper_number,
    },
};

pub use warnings::{EntryWarning, NUMBERS_OF_ONE_IDENTITY, WarningReason, warnings_on_arrival};

/// One acceptance as the business system exports it. Texts are kept as typed; empty means not entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnteredData {
    /// Code of the outlet (受理网点编码).
    pub outlet_code: String,
    /// Name of the outlet (受理网点).
    pub outlet_name: String,
    /// Sales channel as the business system names it (渠道).
    pub channel: String,
    /// Day of acceptance (受理日期).
    pub accepted_on: NaiveDate,
    /// Number of the acceptance (业务流水号); identifies the case file.
    pub slip_number: String,
    /// The numbers opened or changed (业务号码), the representative one first as typed.
    pub service_numbers: Vec<String>,
    /// Public or organisation (客户类型).
    pub customer_type: String,
    /// Name of the customer (客户名称).
    pub customer_name: String,
    /// Kind of identity paper (证件类型).
    pub id_type: String,
    /// Its number (证件号码).
    pub id_number: String,
    /// The address on it (证件地址).
    pub id_address: String,
    /// Name of the contact (联系人).
    pub contact_name: String,
    /// Phone of the contact (联系电话).
    pub contact_phone: String,
    /// Where post goes (通信地址).
    pub mailing_address: String,
    /// Name of the agent (代办人姓名); empty when the customer came in person.
    pub agent_name: String,
    /// Identity number of the agent (代办人证件号码).
    pub agent_id_number: String,
    /// Staff number of the clerk (受理人工号).
    pub staff_number: String,
    /// What was ordered (办理业务).
    pub product: String,
    /// Values of [`DETAIL_FIELDS`]. One that is not there was not sent by the business system and is not judged;
    /// one that is there and empty was not entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<FieldName, String>,
}

/// What only some business systems send: details of organisations, and the kind of the agent's paper.
pub const DETAIL_FIELDS: [FieldName; 9] = [
    FieldName::AgentIdType,
    FieldName::IdValidTo,
    FieldName::HandlerPhone,
    FieldName::OrganisationNature,
    FieldName::OrganisationNumber,
    FieldName::OrganisationPhone,
    FieldName::Postcode,
    FieldName::HomeRegion,
    FieldName::Industry,
];

impl EnteredData {
    /// Whether somebody acted for the customer.
    pub fn has_agent(&self) -> bool {
        !self.agent_name.trim().is_empty() || !self.agent_id_number.trim().is_empty()
    }

    /// The channel as the rules know it; `None` for words that are not known.
    pub fn known_channel(&self) -> Option<Channel> {
        Channel::from_entered(&self.channel)
    }

    /// The SHA-256 digest of this version: equal for equal entries, whatever their order in a file.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"guidang entered data 1\n");
        let accepted_on = self.accepted_on.to_string();
        let texts = [
            &self.outlet_code,
            &self.outlet_name,
            &self.channel,
            &accepted_on,
            &self.slip_number,
            &self.customer_type,
            &self.customer_name,
            &self.id_type,
            &self.id_number,
            &self.id_address,
            &self.contact_name,
            &self.contact_phone,
            &self.mailing_address,
            &self.agent_name,
            &self.agent_id_number,
            &self.staff_number,
            &self.product,
        ];
        let details = self.details.iter().flat_map(|(field, value)| [field.as_str(), value]);
        let numbers = self.service_numbers.iter().map(String::as_str);
        for text in texts.into_iter().map(String::as_str).chain(numbers).chain(details) {
            // The length goes first, so that no text can run over into the next.
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().into()
    }

    /// Whether the customer is an organisation (政企客户) by its type or by its paper.
    pub fn is_organisation(&self) -> bool {
        const WORDS: [&str; 6] = ["政企", "企业", "单位", "组织", "集团", "集客"];
        WORDS.iter().any(|word| self.customer_type.contains(word)) || self.is_organisation_paper()
    }

    /// Whether what was typed as the customer's paper is that of an organisation.
    pub fn is_organisation_paper(&self) -> bool {
        IdentityPaper::from_entered(&self.id_type).is_of_organisation()
    }

    /// The kind of the customer's paper.
    pub fn paper(&self) -> IdentityPaper {
        IdentityPaper::from_entered(&self.id_type)
    }

    /// The kind of the agent's paper: an identity card where none was typed.
    pub fn agent_paper(&self) -> IdentityPaper {
        let typed = self.value(FieldName::AgentIdType).filter(|typed| !typed.trim().is_empty());
        typed.map_or(IdentityPaper::ResidentCard, IdentityPaper::from_entered)
    }

    /// The typed value of a field that papers are compared with; `None` for a field that is not typed.
    pub fn value(&self, field: FieldName) -> Option<&str> {
        match field {
            FieldName::OutletCode => Some(&self.outlet_code),
            FieldName::SlipNumber => Some(&self.slip_number),
            FieldName::ServiceNumber => self.service_numbers.first().map(String::as_str),
            FieldName::CustomerType => Some(&self.customer_type),
            FieldName::CustomerName => Some(&self.customer_name),
            FieldName::IdType => Some(&self.id_type),
            FieldName::IdNumber => Some(&self.id_number),
            FieldName::IdAddress => Some(&self.id_address),
            FieldName::ContactName => Some(&self.contact_name),
            FieldName::ContactPhone => Some(&self.contact_phone),
            FieldName::MailingAddress => Some(&self.mailing_address),
            FieldName::AgentName => Some(&self.agent_name),
            FieldName::AgentIdNumber => Some(&self.agent_id_number),
            FieldName::StaffNumber => Some(&self.staff_number),
            FieldName::Product => Some(&self.product),
            other => self.details.get(&other).map(String::as_str),
        }
    }
}

/// How the customer came to the operator, as the rules tell channels apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 社会渠道: agents and dealers.
    Agency,
    /// 自有营业厅 and 直销: the operator's own people.
    Direct,
    /// 电话营销.
    Telephone,
    /// 网上营业厅.
    Online,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Agency, Self::Direct, Self::Telephone, Self::Online];

    /// The name in rules and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Direct => "direct",
            Self::Telephone => "telephone",
            Self::Online => "online",
        }
    }

    /// Reads the channel as a business system words it; `None` for words that are not known.
    pub fn from_entered(channel: &str) -> Option<Self> {
        const WORDS: [(&str, Channel); 16] = [
            ("社会", Channel::Agency),
            ("代办", Channel::Agency),
            ("代理", Channel::Agency),
            ("合作", Channel::Agency),
            ("授权", Channel::Agency),
            ("电话营销", Channel::Telephone),
            ("电销", Channel::Telephone),
            ("外呼", Channel::Telephone),
            ("网上", Channel::Online),
            ("网厅", Channel::Online),
            ("电子", Channel::Online),
            ("线上", Channel::Online),
            ("自有", Channel::Direct),
            ("自营", Channel::Direct),
            ("直销", Channel::Direct),
            ("营业厅", Channel::Direct),
        ];
        let by_code = channel.trim().parse().ok();
        by_code.or_else(|| WORDS.iter().find(|(word, _)| channel.contains(word)).map(|(_, channel)| *channel))
    }
}

impl FromStr for Channel {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or(UnknownTerm { what: "channel" })
    }
}

/// The eight fields that must be typed for every customer.
pub const MANDATORY_FIELDS: [FieldName; 8] = [
    FieldName::CustomerName,
    FieldName::IdType,
    FieldName::IdNumber,
    FieldName::IdAddress,
    FieldName::CustomerType,
    FieldName::ContactName,
    FieldName::ContactPhone,
    FieldName::MailingAddress,
];

/// What must be typed of an organisation (政企客户); of these, [`DETAIL_FIELDS`] only where they are sent.
pub const MANDATORY_FIELDS_OF_ORGANISATION: [FieldName; 15] = [
    FieldName::CustomerName,
    FieldName::CustomerType,
    FieldName::OrganisationNature,
    FieldName::IdType,
    FieldName::IdNumber,
    FieldName::IdValidTo,
    FieldName::IdAddress,
    FieldName::AgentName,
    FieldName::HandlerPhone,
    FieldName::MailingAddress,
    FieldName::Postcode,
    FieldName::OrganisationPhone,
    FieldName::OrganisationNumber,
    FieldName::HomeRegion,
    FieldName::Industry,
];

/// What must be typed when an agent acts, besides what must be typed of the customer.
pub const MANDATORY_FIELDS_OF_AGENT: [FieldName; 3] =
    [FieldName::AgentName, FieldName::AgentIdType, FieldName::AgentIdNumber];

/// Checks an entry by itself, as soon as it arrives: mandatory fields, numbers, contact.
pub fn check_on_arrival(entered: &EnteredData) -> Vec<RaisedFinding> {
    let mut findings = empty_mandatory_fields(entered);
    findings.extend(invalid_numbers(entered));
    findings.extend(contact_findings(entered));
    findings
}

fn empty_mandatory_fields(entered: &EnteredData) -> Vec<RaisedFinding> {
    let mut fields = if entered.is_organisation() {
        MANDATORY_FIELDS_OF_ORGANISATION.to_vec()
    } else {
        MANDATORY_FIELDS.to_vec()
    };
    if entered.has_agent() {
        fields.extend(
            MANDATORY_FIELDS_OF_AGENT.into_iter().filter(|field| !fields.contains(field)).collect::<Vec<_>>(),
        );
    }
    let mut findings = Vec::new();
    for field in fields {
        if entered.value(field).is_some_and(|value| value.trim().is_empty()) {
            findings.push(raised(FindingCode::RequiredFieldEmpty, field, None, "empty"));
        }
    }
    if entered.service_numbers.iter().all(|number| number.trim().is_empty()) {
        findings.push(raised(FindingCode::RequiredFieldEmpty, FieldName::ServiceNumber, None, "empty"));
    }
    findings
}

fn invalid_numbers(entered: &EnteredData) -> Vec<RaisedFinding> {
    let of_customer = IdentityPaper::from_entered(&entered.id_type);
    let of_agent = match entered.value(FieldName::AgentIdType) {
        Some(kind) if !kind.trim().is_empty() => IdentityPaper::from_entered(kind),
        // The kind is not known: 18 and 15 characters are an identity card, others are not judged.
        _ => match entered.agent_id_number.trim().chars().count() {
            15 | 18 => IdentityPaper::ResidentCard,
            _ => IdentityPaper::Other,
        },
    };
    let on = entered.accepted_on;
    let organisation_number = entered.value(FieldName::OrganisationNumber).unwrap_or_default();
    [
        (FieldName::IdNumber, &*entered.id_number, paper_number(of_customer, &entered.id_number, on)),
        (
            FieldName::AgentIdNumber,
            &entered.agent_id_number,
            paper_number(of_agent, &entered.agent_id_number, on),
        ),
        (FieldName::OrganisationNumber, organisation_number, number_of_organisation(organisation_number)),
    ]
    .into_iter()
    .filter_map(|(field, typed, judged)| invalid_number(field, typed, judged))
    .collect()
}

/// The unified code since 2015 has 18 characters, the organisation code of before 9.
fn number_of_organisation(typed: &str) -> Result<Normalised, Invalid> {
    match typed.chars().filter(char::is_ascii_alphanumeric).count() {
        9 => organisation_code(typed),
        15 => business_licence(typed),
        _ => credit_code(typed),
    }
}

fn invalid_number(
    field: FieldName,
    typed: &str,
    judged: Result<Normalised, Invalid>,
) -> Option<RaisedFinding> {
    if typed.trim().is_empty() {
        return None;
    }
    let reason = judged.err()?.reason;
    Some(raised(FindingCode::IdNumberInvalid, field, Some(typed), reason.as_str()))
}

/// The contact is neither the customer nor the number being opened.
fn contact_findings(entered: &EnteredData) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    let contact = name_key(&entered.contact_name);
    if !contact.is_empty() && contact == name_key(&entered.customer_name) {
        let typed = Some(entered.contact_name.as_str());
        findings.push(raised(FindingCode::ContactIsCustomer, FieldName::ContactName, typed, "same_name"));
    }
    let phone = phone_key(&entered.contact_phone);
    if !phone.is_empty() && entered.service_numbers.iter().any(|number| phone_key(number) == phone) {
        let typed = Some(entered.contact_phone.as_str());
        findings.push(raised(
            FindingCode::ContactPhoneIsServiceNumber,
            FieldName::ContactPhone,
            typed,
            "same_number",
        ));
    }
    findings
}

fn raised(code: FindingCode, field: FieldName, typed: Option<&str>, reason: &str) -> RaisedFinding {
    RaisedFinding {
        code,
        subject: field.as_str().to_owned(),
        confidence: Some(Confidence::FULL),
        evidence: Evidence {
            entered: typed.map(str::to_owned),
            reason: Some(reason.to_owned()),
            ..Evidence::default()
        },
    }
}

#[cfg(test)]
mod tests;
