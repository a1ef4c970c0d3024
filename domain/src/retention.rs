//! Retention (保管期限): how long a class of records is kept, from which event, and what then follows.
//!
//! Until the event has happened there is no date, and what has no date is never due. A hold outranks every rule.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{CaseFileId, HoldId};

/// A class of records (保管类别).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordClass {
    /// 入网资料, 变更资料.
    CustomerEntry,
    /// 合同, 协议.
    Contract,
    /// 电话营销录音.
    VoiceConfirmation,
    /// 电子渠道重要操作记录.
    ElectronicOperation,
    /// 月结账单.
    Bill,
    /// 通话详单.
    CallDetail,
    /// 查询授权记录.
    QueryAuthorisation,
    /// 操作日志.
    OperationLog,
    /// 销毁清册, 鉴定报告, 销毁证明.
    DestructionRegister,
    /// 移交清单.
    HandoverList,
}

/// An event that starts the clock of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionEvent {
    /// 销户.
    AccountClosedOn,
    /// End of the contract.
    ContractEndedOn,
    /// End of the service.
    ServiceEndedOn,
    /// Making of the record.
    CreatedOn,
}

/// What must also hold on the day a record is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionCondition {
    /// 无欠费.
    NoArrears,
}

/// What happens when a period is over; nothing is destroyed because a date passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Proposed for appraisal.
    #[default]
    Appraise,
    /// The operation log is cut behind a checkpoint.
    PruneWithCheckpoint,
}

/// How long something is kept; written as `2 years`, `24 months` or `permanent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Keep {
    /// For ever.
    Permanent,
    /// This many months.
    Months(u32),
}

impl TryFrom<String> for Keep {
    type Error = RetentionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let unreadable = || RetentionError::UnreadablePeriod { text: text.clone() };
        if text == "permanent" {
            return Ok(Self::Permanent);
        }
        let (count, unit) = text.split_once(' ').ok_or_else(unreadable)?;
        let count: u32 = count.parse().map_err(|_| unreadable())?;
        let months = match unit {
            "year" | "years" => count.checked_mul(12),
            "month" | "months" => Some(count),
            _ => None,
        };
        months.filter(|months| (1..=12 * 200).contains(months)).map(Self::Months).ok_or_else(unreadable)
    }
}

impl From<Keep> for String {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::Permanent => "permanent".to_owned(),
            Keep::Months(months) => format!("{months} months"),
        }
    }
}

/// How long one class of records is kept, and from which event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// The class.
    pub class: RecordClass,
    /// The event that starts the clock; needless for what is kept for ever.
    #[serde(default)]
    pub from: Option<RetentionEvent>,
    /// How long.
    pub keep: Keep,
    /// A period below which an operator may not go.
    #[serde(default)]
    pub minimum: Option<Keep>,
    /// What must hold besides.
    #[serde(default)]
    pub requires: Vec<RetentionCondition>,
    /// What follows.
    #[serde(default)]
    pub then: Then,
}

impl RetentionRule {
    /// The last day a record is kept whose clock started on `started_on`; `None` is for ever.
    pub fn last_day_kept(&self, started_on: NaiveDate) -> Option<NaiveDate> {
        match self.keep {
            Keep::Permanent => None,
            Keep::Months(months) => started_on.checked_add_months(Months::new(months)),
        }
    }
}

/// All rules of an operator and the settings of destruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSchedule {
    #[serde(rename = "rule")]
    rules: Vec<RetentionRule>,
    /// How destruction goes on.
    pub destruction: DestructionSettings,
}

/// How many people and days a destruction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestructionSettings {
    /// Approvals by different people, neither of them the author.
    pub approvals: u32,
    /// Witnesses (监销人).
    pub witnesses: u32,
    /// Days between approval and execution, 0 to 180.
    pub cooling_off_days: u32,
    /// The longest list.
    pub max_case_files_per_list: u32,
}

/// A schedule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RetentionError {
    /// The text is not what it should be.
    #[error("the retention schedule cannot be read: {reason}")]
    Unreadable {
        /// What the parser says.
        reason: String,
    },
    /// A period nobody understands.
    #[error("`{text}` is no period: write `2 years`, `24 months` or `permanent`")]
    UnreadablePeriod {
        /// What was written.
        text: String,
    },
    /// A class with no event and no end.
    #[error("rule {position} needs `from`: without an event nothing is ever due")]
    NoEvent {
        /// Which, from 1.
        position: usize,
    },
    /// A period below its minimum.
    #[error("rule {position} keeps for less than its minimum")]
    BelowMinimum {
        /// Which, from 1.
        position: usize,
    },
    /// A class twice.
    #[error("rule {position} names a class a second time")]
    TwiceTheSame {
        /// Which, from 1.
        position: usize,
    },
    /// Too few people or too many days.
    #[error("destruction needs two approvals, two witnesses and 0 to 180 days of cooling off")]
    WeakDestruction,
}

impl RetentionSchedule {
    /// The schedule that holds when the operator sets none.
    pub fn defaults() -> Result<Self, RetentionError> {
        Self::parse(include_str!("../rules/retention.toml"))
    }

    /// Reads a schedule as the operator writes it, and refuses one that is weaker than the law.
    pub fn parse(text: &str) -> Result<Self, RetentionError> {
        let schedule: Self = toml::from_str(text)
            .map_err(|error| RetentionError::Unreadable { reason: error.message().to_owned() })?;
        let mut seen = BTreeSet::new();
        for (index, rule) in schedule.rules.iter().enumerate() {
            let position = index + 1;
            if rule.from.is_none() && rule.keep != Keep::Permanent {
                return Err(RetentionError::NoEvent { position });
            }
            if is_below(rule.keep, rule.minimum) {
                return Err(RetentionError::BelowMinimum { position });
            }
            if !seen.insert(rule.class) {
                return Err(RetentionError::TwiceTheSame { position });
            }
        }
        let DestructionSettings { approvals, witnesses, cooling_off_days, max_case_files_per_list } =
            schedule.destruction;
        if approvals < 2 || witnesses < 2 || cooling_off_days > 180 || max_case_files_per_list == 0 {
            return Err(RetentionError::WeakDestruction);
        }
        Ok(schedule)
    }

    /// The rule of a class.
    pub fn rule(&self, class: RecordClass) -> Option<&RetentionRule> {
        self.rules.iter().find(|rule| rule.class == class)
    }
}

fn is_below(keep: Keep, minimum: Option<Keep>) -> bool {
    match (keep, minimum) {
        (Keep::Months(_), Some(Keep::Permanent)) => true,
        (Keep::Months(kept), Some(Keep::Months(least))) => kept < least,
        _ => false,
    }
}

/// What an appraisal decided about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppraisalDecision {
    /// May go on a destruction list.
    Destroy,
    /// Kept through this day.
    KeepThrough(NaiveDate),
    /// Goes to another custodian.
    Transfer,
}

/// What retention knows about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The case file.
    pub case_file: CaseFileId,
    /// Its class.
    pub class: RecordClass,
    /// Keyed hashes of the customer's numbers, by which holds name customers.
    pub customer_tokens: Vec<Vec<u8>>,
    /// What has happened so far; an event taken back (account reopened) is absent.
    pub events: BTreeMap<RetentionEvent, NaiveDate>,
    /// Which conditions hold.
    pub conditions: BTreeSet<RetentionCondition>,
    /// The last day an earlier version of the rule promised; a changed rule never shortens it.
    pub promised_through: Option<NaiveDate>,
    /// What was decided at appraisal.
    pub decision: Option<AppraisalDecision>,
}

/// What a hold covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldScope {
    /// These case files, also as the frozen list of a query.
    CaseFiles(BTreeSet<CaseFileId>),
    /// Everything of a customer, by keyed hashes of any of the customer's numbers.
    Customer(BTreeSet<Vec<u8>>),
}

/// A legal hold (冻结): suspends disposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Its id.
    pub id: HoldId,
    /// What it covers.
    pub scope: HoldScope,
    /// Whether two people have released it.
    pub released_on: Option<NaiveDate>,
}

impl LegalHold {
    /// Whether it stands and covers the record.
    pub fn covers(&self, record: &Record) -> bool {
        self.released_on.is_none()
            && match &self.scope {
                HoldScope::CaseFiles(ids) => ids.contains(&record.case_file),
                HoldScope::Customer(tokens) => {
                    record.customer_tokens.iter().any(|token| tokens.contains(token))
                }
            }
    }
}

/// What may happen to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// On hold.
    Suspended,
    /// Kept for ever.
    Permanent,
    /// The event that starts the clock has not happened.
    Undated,
    /// Kept through this day.
    RetainThrough(NaiveDate),
    /// The time is up, but a condition does not hold.
    Blocked(RetentionCondition),
    /// To be given to another custodian, never destroyed here.
    Transfer,
    /// The time is up: propose it for appraisal.
    DueForAppraisal,
}

/// Decides what may happen to a record on `today`; a hold outranks every rule.
pub fn disposition(
    record: &Record,
    rule: &RetentionRule,
    holds: &[LegalHold],
    today: NaiveDate,
) -> Disposition {
    if holds.iter().any(|hold| hold.covers(record)) {
        return Disposition::Suspended;
    }
    if rule.keep == Keep::Permanent {
        return Disposition::Permanent;
    }
    if record.decision == Some(AppraisalDecision::Transfer) {
        return Disposition::Transfer;
    }
    let Some(started_on) = rule.from.and_then(|event| record.events.get(&event)) else {
        return Disposition::Undated;
    };
    let Some(by_rule) = rule.last_day_kept(*started_on) else {
        return Disposition::Permanent;
    };
    let by_decision = match record.decision {
        Some(AppraisalDecision::KeepThrough(day)) => Some(day),
        _ => None,
    };
    let last_day = [record.promised_through, by_decision].into_iter().flatten().fold(by_rule, NaiveDate::max);
    if last_day >= today {
        return Disposition::RetainThrough(last_day);
    }
    match rule.requires.iter().find(|condition| !record.conditions.contains(condition)) {
        Some(condition) => Disposition::Blocked(*condition),
        None => Disposition::DueForAppraisal,
    }
}

#[cfg(test)]
mod tests;
