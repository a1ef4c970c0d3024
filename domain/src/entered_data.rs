//! Entered data (录入资料): what was typed at the counter; the thing the paper is checked against.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::field::FieldName;

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
}

impl EnteredData {
    /// Whether somebody acted for the customer.
    pub fn has_agent(&self) -> bool {
        !self.agent_name.trim().is_empty() || !self.agent_id_number.trim().is_empty()
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
            _ => None,
        }
    }
}
