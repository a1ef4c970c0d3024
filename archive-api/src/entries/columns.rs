//! The columns of entered data, and how the business system calls them.

use std::collections::BTreeMap;

use domain::{entered_data::DETAIL_FIELDS, field::FieldName};
use serde::{Deserialize, Serialize};

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// 受理网点编码.
    OutletCode,
    /// 受理网点.
    OutletName,
    /// 渠道.
    Channel,
    /// 受理日期.
    AcceptedOn,
    /// 业务流水号.
    SlipNumber,
    /// 业务号码; several may stand in it.
    ServiceNumbers,
    /// 客户类型.
    CustomerType,
    /// 客户名称.
    CustomerName,
    /// 证件类型.
    IdType,
    /// 证件号码.
    IdNumber,
    /// 证件地址.
    IdAddress,
    /// 联系人.
    ContactName,
    /// 联系电话.
    ContactPhone,
    /// 通信地址.
    MailingAddress,
    /// 代办人姓名.
    AgentName,
    /// 代办人证件号码.
    AgentIdNumber,
    /// 受理人工号.
    StaffNumber,
    /// 办理业务.
    Product,
    /// 代办人证件类型.
    AgentIdType,
    /// 证件有效期.
    IdValidTo,
    /// 经办人电话.
    HandlerPhone,
    /// 单位性质.
    OrganisationNature,
    /// 组织机构代码.
    OrganisationNumber,
    /// 单位电话.
    OrganisationPhone,
    /// 邮政编码.
    Postcode,
    /// 归属地.
    HomeRegion,
    /// 行业类别.
    Industry,
}

impl Column {
    /// Every column, in the order of the business system's export.
    pub const ALL: [Self; 27] = [
        Self::OutletCode,
        Self::OutletName,
        Self::Channel,
        Self::AcceptedOn,
        Self::SlipNumber,
        Self::ServiceNumbers,
        Self::CustomerType,
        Self::CustomerName,
        Self::IdType,
        Self::IdNumber,
        Self::IdAddress,
        Self::ContactName,
        Self::ContactPhone,
        Self::MailingAddress,
        Self::AgentName,
        Self::AgentIdNumber,
        Self::StaffNumber,
        Self::Product,
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

    /// The name in the configuration and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::OutletCode => "outlet_code",
            Self::OutletName => "outlet_name",
            Self::Channel => "channel",
            Self::AcceptedOn => "accepted_on",
            Self::SlipNumber => "slip_number",
            Self::ServiceNumbers => "service_numbers",
            Self::CustomerType => "customer_type",
            Self::CustomerName => "customer_name",
            Self::IdType => "id_type",
            Self::IdNumber => "id_number",
            Self::IdAddress => "id_address",
            Self::ContactName => "contact_name",
            Self::ContactPhone => "contact_phone",
            Self::MailingAddress => "mailing_address",
            Self::AgentName => "agent_name",
            Self::AgentIdNumber => "agent_id_number",
            Self::StaffNumber => "staff_number",
            Self::Product => "product",
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

    /// The header in the business system's export, unless the operator says otherwise.
    pub const fn default_header(self) -> &'static str {
        match self {
            Self::OutletCode => "受理网点编码",
            Self::OutletName => "受理网点",
            Self::Channel => "渠道",
            Self::AcceptedOn => "受理日期",
            Self::SlipNumber => "业务流水号",
            Self::ServiceNumbers => "业务号码",
            Self::CustomerType => "客户类型",
            Self::CustomerName => "客户名称",
            Self::IdType => "证件类型",
            Self::IdNumber => "证件号码",
            Self::IdAddress => "证件地址",
            Self::ContactName => "联系人",
            Self::ContactPhone => "联系电话",
            Self::MailingAddress => "通信地址",
            Self::AgentName => "代办人姓名",
            Self::AgentIdNumber => "代办人证件号码",
            Self::StaffNumber => "受理人工号",
            Self::Product => "办理业务",
            Self::AgentIdType => "代办人证件类型",
            Self::IdValidTo => "证件有效期",
            Self::HandlerPhone => "经办人电话",
            Self::OrganisationNature => "单位性质",
            Self::OrganisationNumber => "组织机构代码",
            Self::OrganisationPhone => "单位电话",
            Self::Postcode => "邮政编码",
            Self::HomeRegion => "归属地",
            Self::Industry => "行业类别",
        }
    }

    /// Whether a file without this column is refused: its absence would make every entry incomplete.
    pub fn is_required(self) -> bool {
        let is_optional = matches!(
            self,
            Self::OutletName
                | Self::Channel
                | Self::AgentName
                | Self::AgentIdNumber
                | Self::StaffNumber
                | Self::Product
        );
        !is_optional && self.detail().is_none()
    }

    /// The detail that stands in this column; `None` for the columns that every business system sends.
    pub fn detail(self) -> Option<FieldName> {
        DETAIL_FIELDS.into_iter().find(|field| field.as_str() == self.key())
    }
}

/// Headers by column, where they differ from the usual ones. The key of a column always works as its header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Column, String>", into = "BTreeMap<Column, String>")]
pub struct ColumnMapping {
    headers: BTreeMap<Column, String>,
}

impl ColumnMapping {
    /// Takes the headers that differ.
    ///
    /// # Errors
    /// Two columns would have one header.
    pub fn new(headers: BTreeMap<Column, String>) -> Result<Self, HeaderTwice> {
        let mapping = Self { headers };
        for (index, column) in Column::ALL.into_iter().enumerate() {
            let header = mapping.header(column);
            let is_same = |other: &Column| {
                let theirs = mapping.header(*other);
                theirs == header || other.key() == header || theirs == column.key()
            };
            if let Some(other) = Column::ALL.into_iter().skip(index + 1).find(is_same) {
                return Err(HeaderTwice { header: header.to_owned(), columns: [column.key(), other.key()] });
            }
        }
        Ok(mapping)
    }

    /// The header of a column.
    pub fn header(&self, column: Column) -> &str {
        self.headers.get(&column).map_or(column.default_header(), String::as_str)
    }

    /// The column that a header names.
    pub fn column(&self, header: &str) -> Option<Column> {
        let header = header.trim();
        Column::ALL.into_iter().find(|column| self.header(*column) == header || column.key() == header)
    }
}

/// Two columns with one header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} and {} cannot both be called {header}; give one of them another header", columns[0], columns[1])]
pub struct HeaderTwice {
    header: String,
    columns: [&'static str; 2],
}

impl TryFrom<BTreeMap<Column, String>> for ColumnMapping {
    type Error = HeaderTwice;

    fn try_from(headers: BTreeMap<Column, String>) -> Result<Self, Self::Error> {
        Self::new(headers)
    }
}

impl From<ColumnMapping> for BTreeMap<Column, String> {
    fn from(mapping: ColumnMapping) -> Self {
        mapping.headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_cannot_have_one_header() {
        let called = |column, header: &str| ColumnMapping::new(BTreeMap::from([(column, header.to_owned())]));

        assert!(called(Column::SlipNumber, "订单编号").is_ok());
        for taken in ["客户名称", "customer_name"] {
            assert_eq!(
                called(Column::SlipNumber, taken).unwrap_err().columns,
                ["slip_number", "customer_name"],
                "{taken}"
            );
        }
    }

    #[test]
    fn every_detail_has_a_column() {
        let with_column: Vec<FieldName> = Column::ALL.into_iter().filter_map(Column::detail).collect();

        assert_eq!(with_column, DETAIL_FIELDS);
    }
}
