//! Masking (脱敏): what is shown of a value to somebody who may not see it clear.
//!
//! Length is hidden, and masking what is masked changes nothing. Redaction (涂黑) is another thing: it removes.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    comparison::leading_regions,
    entered_data::EnteredData,
    field::FieldName,
    folding::{fold_char, is_blank},
    validation::area_code_length,
};

/// How much harm a value does in the wrong hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// 低敏感: outlet, date, slip number, state, finding codes.
    Low,
    /// 较敏感: phone, contact, plan.
    Medium,
    /// 敏感: name with number or address.
    High,
    /// 极敏感: identity number, identity page, portrait, signature.
    Highest,
}

impl Sensitivity {
    /// The level of a field.
    pub const fn of(field: FieldName) -> Self {
        match field {
            FieldName::IdNumber | FieldName::AgentIdNumber | FieldName::Mrz | FieldName::Signature => {
                Self::Highest
            }
            FieldName::Name
            | FieldName::CustomerName
            | FieldName::AgentName
            | FieldName::Address
            | FieldName::IdAddress
            | FieldName::MailingAddress
            | FieldName::Birth
            | FieldName::Sex
            | FieldName::Nation
            | FieldName::LegalRepresentative => Self::High,
            FieldName::ServiceNumber
            | FieldName::ContactName
            | FieldName::ContactPhone
            | FieldName::HandlerPhone
            | FieldName::OrganisationPhone
            | FieldName::OrganisationNumber
            | FieldName::Postcode
            | FieldName::IdValidTo
            | FieldName::Product
            | FieldName::OrganisationName
            | FieldName::CreditCode
            | FieldName::Authority
            | FieldName::ValidFrom
            | FieldName::ValidTo => Self::Medium,
            FieldName::SlipNumber
            | FieldName::OutletCode
            | FieldName::AcceptedOn
            | FieldName::CustomerType
            | FieldName::IdType
            | FieldName::AgentIdType
            | FieldName::OrganisationNature
            | FieldName::HomeRegion
            | FieldName::Industry
            | FieldName::StaffNumber => Self::Low,
        }
    }

    /// The level of an image: a page with an identity paper or a signature is of the highest.
    pub const fn of_page() -> Self {
        Self::Highest
    }
}

/// Which rule hides a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// Not hidden.
    Clear,
    /// A person's name.
    PersonName,
    /// An organisation's name.
    OrganisationName,
    /// An identity number of 15 or 18 characters; shorter ones as [`MaskRule::Permit`].
    IdentityNumber,
    /// Passport or permit.
    Permit,
    /// Mobile number or landline.
    Phone,
    /// An address, shown down to the district.
    Address,
    /// An address for the lowest trust: nothing of it.
    WholeAddress,
    /// E-mail.
    Email,
    /// Code of an organisation that is one person.
    SoleTraderCode,
    /// Anything else that is hidden wholly.
    Everything,
}

impl MaskRule {
    /// The rule of a field.
    pub const fn of(field: FieldName) -> Self {
        match field {
            FieldName::Name
            | FieldName::CustomerName
            | FieldName::ContactName
            | FieldName::AgentName
            | FieldName::LegalRepresentative
            | FieldName::Signature => Self::PersonName,
            FieldName::OrganisationName => Self::OrganisationName,
            FieldName::IdNumber | FieldName::AgentIdNumber => Self::IdentityNumber,
            FieldName::ServiceNumber
            | FieldName::ContactPhone
            | FieldName::HandlerPhone
            | FieldName::OrganisationPhone => Self::Phone,
            FieldName::Address | FieldName::IdAddress | FieldName::MailingAddress => Self::Address,
            FieldName::CreditCode | FieldName::OrganisationNumber => Self::SoleTraderCode,
            FieldName::Birth
            | FieldName::Sex
            | FieldName::Nation
            | FieldName::Mrz
            | FieldName::Product
            | FieldName::Authority
            | FieldName::ValidFrom
            | FieldName::ValidTo
            | FieldName::IdValidTo
            | FieldName::Postcode => Self::Everything,
            FieldName::SlipNumber
            | FieldName::OutletCode
            | FieldName::AcceptedOn
            | FieldName::CustomerType
            | FieldName::IdType
            | FieldName::AgentIdType
            | FieldName::OrganisationNature
            | FieldName::HomeRegion
            | FieldName::Industry
            | FieldName::StaffNumber => Self::Clear,
        }
    }
}

/// Hides a value by a rule; empty stays empty.
pub fn mask(rule: MaskRule, value: &str) -> String {
    let characters: Vec<char> = value.trim().chars().filter(|character| !is_blank(*character)).collect();
    if characters.is_empty() {
        return String::new();
    }
    match rule {
        MaskRule::Clear => value.to_owned(),
        MaskRule::PersonName => person_name(&characters),
        MaskRule::OrganisationName => kept_ends(&characters, 2, 6, 0),
        MaskRule::IdentityNumber if characters.len() >= 15 => kept_ends(&characters, 3, 11, 4),
        MaskRule::IdentityNumber | MaskRule::Permit => permit(&characters),
        MaskRule::Phone => phones(value),
        MaskRule::Address => address(&characters),
        MaskRule::Email => email(&characters),
        MaskRule::SoleTraderCode if characters.len() >= 8 => kept_ends(&characters, 2, 10, 4),
        MaskRule::SoleTraderCode | MaskRule::WholeAddress | MaskRule::Everything => EVERYTHING.to_owned(),
    }
}

/// Hides the value of a field.
pub fn mask_field(field: FieldName, value: &str) -> String {
    mask(MaskRule::of(field), value)
}

/// What everything that is hidden wholly looks like.
const EVERYTHING: &str = "****";

/// The first `head` and last `tail` characters, with a fixed number of stars between.
fn kept_ends(characters: &[char], head: usize, stars: usize, tail: usize) -> String {
    let mut masked: String = if tail == 0 {
        characters.iter().take(head).take_while(|character| **character != '*').collect()
    } else {
        characters.iter().take(head).collect()
    };
    masked.extend(std::iter::repeat_n('*', stars));
    masked.extend(&characters[characters.len().saturating_sub(tail)..]);
    masked
}

fn permit(characters: &[char]) -> String {
    if characters.len() >= 7 { kept_ends(characters, 1, 6, 2) } else { EVERYTHING.to_owned() }
}

/// Two-character surnames (复姓) that are in use.
const COMPOUND_SURNAMES: [&str; 38] = [
    "欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "司空", "夏侯", "东方",
    "南宫", "西门", "独孤", "长孙", "宇文", "轩辕", "端木", "申屠", "太史", "公冶", "濮阳", "淳于", "单于",
    "呼延", "钟离", "闻人", "东郭", "百里", "赫连", "澹台", "宗政", "万俟", "拓跋", "歐陽", "諸葛",
];

/// Whether a name begins with a surname of two characters.
pub fn has_compound_surname(name: &str) -> bool {
    COMPOUND_SURNAMES.iter().any(|surname| name.starts_with(surname))
}

fn person_name(characters: &[char]) -> String {
    let first = characters[0];
    match characters.len() {
        1 => "*".to_owned(),
        2 => format!("{first}*"),
        3 => format!("{first}**"),
        _ => {
            let surname: String = characters[..2].iter().collect();
            if has_compound_surname(&surname) { format!("{surname}**") } else { format!("{first}***") }
        }
    }
}

/// Several numbers may stand in one field.
fn phones(value: &str) -> String {
    let folded: String = value.chars().flat_map(fold_char).collect();
    let numbers = folded.split(['、', ',', ';', '/', '\n']).map(phone).filter(|number| !number.is_empty());
    let masked = numbers.collect::<Vec<_>>().join("、");
    if masked.is_empty() { EVERYTHING.to_owned() } else { masked }
}

fn phone(folded: &str) -> String {
    let folded: String = folded
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '*' | '-' | '+'))
        .collect();
    let folded = folded.strip_prefix("+86").unwrap_or(&folded);
    let bare: Vec<char> = folded.chars().filter(|character| *character != '-').collect();
    let last_four: String = bare[bare.len().saturating_sub(4)..].iter().collect();
    match bare.first() {
        None => String::new(),
        Some('1') if bare.len() == 11 => kept_ends(&bare, 3, 4, 4),
        Some('0') if bare.len() >= 10 => {
            let text: String = bare.iter().collect();
            let area: String = bare.iter().take(area_code_length(&text)).collect();
            format!("{area}-****{last_four}")
        }
        _ if bare.len() >= 7 => format!("****{last_four}"),
        _ => EVERYTHING.to_owned(),
    }
}

/// Down to the district; only names of the region table count, so that 友谊小区 is not taken for one.
fn address(characters: &[char]) -> String {
    let folded: Vec<char> = characters.iter().copied().flat_map(fold_char).collect();
    let (regions, _) = leading_regions(&folded);
    format!("{}{EVERYTHING}", regions.concat())
}

fn email(characters: &[char]) -> String {
    let text: String = characters.iter().collect();
    match text.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() => format!("{}***@{domain}", characters[0]),
        _ => EVERYTHING.to_owned(),
    }
}

impl MaskRule {
    /// The rule of an entered field, which depends on whether the customer is an organisation.
    pub fn of_entered(field: FieldName, entered: &EnteredData) -> Self {
        match (field, entered.is_organisation_paper()) {
            (FieldName::CustomerName, true) => Self::OrganisationName,
            (FieldName::IdNumber, true) => Self::SoleTraderCode,
            _ => Self::of(field),
        }
    }
}

/// A value that shows itself only masked: in messages, in JSON, in a debugger's view.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked<T> {
    value: T,
    rule: MaskRule,
}

impl<T: AsRef<str>> Masked<T> {
    /// Hides a value behind a rule.
    pub const fn new(rule: MaskRule, value: T) -> Self {
        Self { value, rule }
    }

    /// The clear value. Whoever calls this has the right to, and has it logged.
    pub const fn reveal(&self) -> &T {
        &self.value
    }
}

impl<T: AsRef<str>> fmt::Display for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(self.rule, self.value.as_ref()))
    }
}

impl<T: AsRef<str>> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: AsRef<str>> Serialize for Masked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: MaskRule, value: &str, expected: &str) {
        assert_eq!(mask(rule, value), expected, "{value}");
    }

    #[test]
    fn values_are_masked_as_the_table_says() {
        check(MaskRule::PersonName, "张三", "张*");
        check(MaskRule::PersonName, "王小明", "王**");
        check(MaskRule::PersonName, "欧阳小明", "欧阳**");
        check(MaskRule::PersonName, "阿依古丽", "阿***");
        check(MaskRule::PersonName, "阿依古丽·买买提", "阿***");
        check(MaskRule::OrganisationName, "天津某某科技有限公司", "天津******");
        check(MaskRule::IdentityNumber, "11010519491231002X", "110***********002X");
        check(MaskRule::Permit, "E12345678", "E******78");
        check(MaskRule::Phone, "13812345678", "138****5678");
        check(MaskRule::Phone, "022-23456789", "022-****6789");
        check(MaskRule::Phone, "13812345678、022-23456789", "138****5678、022-****6789");
        check(MaskRule::Address, "天津市河西区友谊路12号", "天津市河西区****");
        check(MaskRule::Address, "友谊小区12号", "****");
        check(MaskRule::WholeAddress, "天津市河西区友谊路12号", "****");
        check(MaskRule::Email, "zhang@example.com", "z***@example.com");
        check(MaskRule::SoleTraderCode, "92120000MA5DA0BC0A", "92**********BC0A");
    }

    #[test]
    fn a_masked_value_does_not_show_itself_anywhere() {
        let name = Masked::new(MaskRule::PersonName, "王小明".to_owned());

        assert_eq!(format!("{name} {name:?}"), "王** 王**");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"王**\"");
        assert_eq!(name.reveal(), "王小明");
    }

    #[test]
    fn every_field_of_high_level_has_a_mask() {
        for field in FieldName::ALL {
            let is_clear = MaskRule::of(field) == MaskRule::Clear;

            assert_eq!(is_clear, Sensitivity::of(field) == Sensitivity::Low, "{field}");
        }
    }

    const RULES: [MaskRule; 10] = [
        MaskRule::PersonName,
        MaskRule::OrganisationName,
        MaskRule::IdentityNumber,
        MaskRule::Permit,
        MaskRule::Phone,
        MaskRule::Address,
        MaskRule::WholeAddress,
        MaskRule::Email,
        MaskRule::SoleTraderCode,
        MaskRule::Everything,
    ];

    proptest::proptest! {
        #[test]
        fn masking_what_is_masked_changes_nothing(value in "[\\PC天津河西区王1380*@、-]{0,24}") {
            for rule in RULES {
                let once = mask(rule, &value);
                proptest::prop_assert_eq!(mask(rule, &once), once.clone(), "{:?}", rule);
            }
        }

        #[test]
        fn a_masked_number_hides_its_length_and_its_middle(digits in "[0-9]{15,18}") {
            let masked = mask(MaskRule::IdentityNumber, &digits);

            proptest::prop_assert_eq!(masked.len(), 18);
            proptest::prop_assert_eq!(masked.bytes().filter(u8::is_ascii_digit).count(), 7);
        }
    }
}
