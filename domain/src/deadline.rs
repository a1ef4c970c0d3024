//! Deadlines (时限): which there are, from which event they run and when they end.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    case_file::CaseState,
    entered_data::Channel,
    workdays::{CountedDay, add_calendar_days, add_working_days},
};

/// What must be done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineCode {
    /// 返表: the papers reach the company's own outlet.
    PapersReturned,
    /// 稽核.
    Checked,
    /// 整改: answered by the outlet.
    Rectified,
    /// 回访.
    FollowUpCall,
    /// The customer comes back to register correctly.
    CustomerReregisters,
    /// No papers at all: treated as false data.
    PresumedFalse,
    /// 移交.
    HandoverToArchive,
    /// 投诉.
    ComplaintAnswered,
}

/// The event a deadline runs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineStart {
    /// Day of acceptance.
    AcceptedOn,
    /// Day the papers arrived.
    PapersReceivedOn,
    /// Day the case file was sent back.
    ReturnedToOutletOn,
    /// Day of the customer's promise.
    PromisedOn,
    /// Day of the last handover.
    LastHandoverOn,
    /// Day of the complaint.
    ComplaintReceivedOn,
}

/// What days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayUnit {
    /// Working days of the Chinese calendar.
    #[default]
    WorkingDays,
    /// All days.
    CalendarDays,
}

/// How important a customer is to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerClass {
    /// Ordinary.
    Ordinary,
    /// VIP.
    Vip,
}

/// One line of the operator's deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineRule {
    /// What must be done.
    pub code: DeadlineCode,
    /// The channel it holds for; absent or `*` is any.
    #[serde(default)]
    pub channel: Option<String>,
    /// The class of customer it holds for; absent is any.
    #[serde(default)]
    pub customer_class: Option<CustomerClass>,
    /// The event it runs from.
    pub from: DeadlineStart,
    /// How many days.
    pub days: u32,
    /// Which days.
    #[serde(default)]
    pub unit: DayUnit,
    /// What happens when it is missed.
    #[serde(default)]
    pub on_miss: Option<OnMiss>,
}

/// What happens when a deadline is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMiss {
    /// Outlet and branch are reminded.
    RemindOutletAndBranch,
    /// The acceptance is treated as false.
    RaisePresumedFalse,
}

/// All deadlines of an operator; none by default: see [`Deadlines::defaults`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    #[serde(rename = "deadline")]
    rules: Vec<DeadlineRule>,
}

/// Deadlines that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeadlineError {
    /// The text is not what it should be.
    #[error("the deadlines cannot be read: {reason}")]
    Unreadable {
        /// What the parser says.
        reason: String,
    },
    /// A channel that is not known.
    #[error("deadline {position} names an unknown channel")]
    UnknownChannel {
        /// Which, from 1.
        position: usize,
    },
}

impl Deadlines {
    /// The deadlines that hold when the operator sets none.
    pub fn defaults() -> Result<Self, DeadlineError> {
        Self::parse(include_str!("../rules/deadlines.toml"))
    }

    /// Reads deadlines as the operator writes them.
    pub fn parse(text: &str) -> Result<Self, DeadlineError> {
        let deadlines: Self = toml::from_str(text)
            .map_err(|error| DeadlineError::Unreadable { reason: error.message().to_owned() })?;
        let is_known = |name: &str| name == "*" || name.parse::<Channel>().is_ok();
        let unknown = deadlines
            .rules
            .iter()
            .position(|rule| rule.channel.as_deref().is_some_and(|name| !is_known(name)));
        match unknown {
            Some(index) => Err(DeadlineError::UnknownChannel { position: index + 1 }),
            None => Ok(deadlines),
        }
    }

    /// The rule that holds; one that names channel or class outranks one that does not.
    pub fn rule(&self, code: DeadlineCode, channel: Channel, class: CustomerClass) -> Option<&DeadlineRule> {
        let fits = |rule: &&DeadlineRule| {
            let of_channel =
                rule.channel.as_deref().is_none_or(|name| name == "*" || name == channel.as_str());
            rule.code == code && of_channel && rule.customer_class.is_none_or(|only| only == class)
        };
        let precision = |rule: &&DeadlineRule| {
            let names_channel = rule.channel.as_deref().is_some_and(|name| name != "*");
            u8::from(names_channel) + u8::from(rule.customer_class.is_some())
        };
        self.rules.iter().filter(fits).max_by_key(precision)
    }

    /// The last day in time, counted from the day of the event.
    pub fn due_on(
        &self,
        code: DeadlineCode,
        channel: Channel,
        class: CustomerClass,
        from: NaiveDate,
    ) -> Option<CountedDay> {
        let rule = self.rule(code, channel, class)?;
        match rule.unit {
            DayUnit::WorkingDays => add_working_days(from, rule.days),
            DayUnit::CalendarDays => add_calendar_days(from, rule.days),
        }
    }
}

/// What the deadlines of one case file are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadlineSubject {
    /// Where it stands.
    pub state: CaseState,
    /// How the customer came.
    pub channel: Channel,
    /// How important the customer is.
    pub class: CustomerClass,
    /// Day of acceptance.
    pub accepted_on: Option<NaiveDate>,
    /// Day the first papers arrived.
    pub papers_received_on: Option<NaiveDate>,
    /// Day it was last sent back.
    pub returned_on: Option<NaiveDate>,
}

/// A deadline that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RunningDeadline {
    /// What must be done.
    pub code: DeadlineCode,
    /// The last day in time, and whether holidays on the way are not known yet.
    #[serde(flatten)]
    pub due: CountedDay,
    /// Whether that day is over.
    pub is_overdue: bool,
}

impl Deadlines {
    /// The deadlines that run for a case file on the day `today`, the earliest first.
    pub fn running(&self, subject: &DeadlineSubject, today: NaiveDate) -> Vec<RunningDeadline> {
        let mut running: Vec<RunningDeadline> = clocks(subject)
            .into_iter()
            .filter_map(|(code, from)| {
                let due = self.due_on(code, subject.channel, subject.class, from?)?;
                Some(RunningDeadline { code, due, is_overdue: due.on < today })
            })
            .collect();
        running.sort_by_key(|deadline| deadline.due.on);
        running
    }
}

/// What is waited for in this state, and the day it is counted from.
fn clocks(subject: &DeadlineSubject) -> Vec<(DeadlineCode, Option<NaiveDate>)> {
    match subject.state {
        CaseState::Assembling | CaseState::Reading | CaseState::Checked | CaseState::InReview => {
            match subject.papers_received_on {
                Some(day) => vec![(DeadlineCode::Checked, Some(day))],
                None => vec![
                    (DeadlineCode::PapersReturned, subject.accepted_on),
                    (DeadlineCode::PresumedFalse, subject.accepted_on),
                ],
            }
        }
        CaseState::Returned => vec![(DeadlineCode::Rectified, subject.returned_on)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DeadlineCode as D, *};

    #[test]
    fn what_runs_depends_on_what_is_waited_for() {
        let deadlines = Deadlines::defaults().unwrap();
        let without_papers = DeadlineSubject {
            state: CaseState::Assembling,
            channel: Channel::Agency,
            class: CustomerClass::Ordinary,
            accepted_on: Some(day("2026-11-16")),
            papers_received_on: None,
            returned_on: None,
        };
        let running = |subject: &DeadlineSubject, today: &str| {
            let running = deadlines.running(subject, day(today));
            running
                .iter()
                .map(|deadline| (deadline.code, deadline.due.on, deadline.is_overdue))
                .collect::<Vec<_>>()
        };

        let waited =
            [(D::PapersReturned, day("2026-11-23"), false), (D::PresumedFalse, day("2026-12-07"), false)];
        assert_eq!(running(&without_papers, "2026-11-23"), waited);
        assert!(running(&without_papers, "2026-11-24")[0].2);

        let with_papers = DeadlineSubject { papers_received_on: Some(day("2026-11-20")), ..without_papers };
        assert_eq!(running(&with_papers, "2026-11-20"), [(D::Checked, day("2026-11-20"), false)]);

        let returned = DeadlineSubject {
            state: CaseState::Returned,
            returned_on: Some(day("2026-11-20")),
            ..with_papers
        };
        assert_eq!(running(&returned, "2026-11-30"), [(D::Rectified, day("2026-11-27"), true)]);
        assert_eq!(running(&DeadlineSubject { state: CaseState::Archived, ..returned }, "2026-11-30"), []);
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_defaults_are_read_and_hold() {
        let deadlines = Deadlines::defaults().unwrap();
        let check = |code, channel, class, from: &str, expected: &str| {
            let due = deadlines.due_on(code, channel, class, day(from)).unwrap();
            assert_eq!(due.on, day(expected), "{code:?} {channel:?}");
        };
        let ordinary = CustomerClass::Ordinary;

        check(D::PapersReturned, Channel::Agency, ordinary, "2026-11-20", "2026-11-27");
        check(D::PapersReturned, Channel::Direct, ordinary, "2026-11-20", "2026-11-20");
        check(D::Rectified, Channel::Agency, ordinary, "2026-09-29", "2026-10-12");
        check(D::FollowUpCall, Channel::Online, CustomerClass::Vip, "2026-11-02", "2026-11-09");
        check(D::FollowUpCall, Channel::Online, ordinary, "2026-11-02", "2026-11-23");
        check(D::CustomerReregisters, Channel::Direct, ordinary, "2026-11-02", "2026-11-12");
    }

    #[test]
    fn what_the_operator_mistypes_is_refused() {
        let line = |text: &str| format!("[[deadline]]\ncode = \"checked\"\nfrom = \"accepted_on\"\n{text}\n");

        assert!(Deadlines::parse(&line("days = 3")).is_ok());
        assert!(matches!(Deadlines::parse(&line("days = -1")), Err(DeadlineError::Unreadable { .. })));
        assert!(matches!(Deadlines::parse(&line("dayz = 3")), Err(DeadlineError::Unreadable { .. })));
        let unknown = Deadlines::parse(&line("days = 3\nchannel = \"pigeon\""));
        assert_eq!(unknown, Err(DeadlineError::UnknownChannel { position: 1 }));
    }
}
