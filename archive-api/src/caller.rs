//! Who asks: an account, its role, and what lies in its reach.

use backends::database::{case_files::CaseFileRow, operation_log::LogEntry, organisation::AccountRow};
use chrono::{DateTime, Utc};
use domain::{
    access::{self, Action, Permission, Place, Relation, Role, Target},
    case_file::CaseState,
};
use indexer::query::Scope;
use thiserror::Error;

use crate::problem::{Problem, kinds};

/// An account at work, through the API, the console or a command.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub account: AccountRow,
    /// Its role.
    pub role: Role,
    /// From where: a network address, or `command`.
    pub origin: String,
}

/// The account has a role that this release does not know.
#[derive(Debug, Error)]
#[error("account {staff_number} has an unknown role")]
pub struct UnknownRole {
    /// Whose.
    pub staff_number: String,
}

impl Caller {
    /// Lets an account act.
    pub fn new(account: AccountRow, origin: &str) -> Result<Self, UnknownRole> {
        let unknown = || UnknownRole { staff_number: account.staff_number.clone() };
        let role = account.role.parse().map_err(|_| unknown())?;
        Ok(Self { account, role, origin: origin.to_owned() })
    }

    /// Where something of an outlet and branch lies, seen from this account.
    pub fn place_of(&self, outlet: Option<&str>, branch: Option<&str>) -> Place {
        let is_own = self.account.outlet_code.is_some() && self.account.outlet_code.as_deref() == outlet;
        if is_own {
            return Place::OwnOutlet;
        }
        match (&self.account.branch_code, branch) {
            (None, _) if self.account.outlet_code.is_none() => Place::OwnBranch,
            (Some(own), Some(branch)) if own == branch => Place::OwnBranch,
            _ => Place::Elsewhere,
        }
    }

    /// Whether the role has the action at all.
    pub fn has(&self, action: Action) -> bool {
        access::has_action(self.role, action)
    }

    /// Says whether this may be done to a case file.
    pub fn may(&self, action: Action, case_file: &CaseFileRow) -> Permission {
        self.may_at(
            action,
            case_file.outlet_code.as_deref(),
            case_file.branch_code.as_deref(),
            Some(case_file.state),
        )
    }

    /// Says whether this may be done to something of an outlet and branch.
    pub fn may_at(
        &self,
        action: Action,
        outlet: Option<&str>,
        branch: Option<&str>,
        state: Option<CaseState>,
    ) -> Permission {
        access::may(self.role, action, Target { place: self.place_of(outlet, branch), state })
    }

    /// How this account stands to a case file. A task opens what is clear only while there is something to decide.
    pub fn relation_to(&self, case_file: &CaseFileRow) -> Relation {
        if case_file.assigned_to == Some(self.account.id) && case_file.state.awaits_auditor() {
            return Relation::AssignedTask;
        }
        let place = self.place_of(case_file.outlet_code.as_deref(), case_file.branch_code.as_deref());
        if place == Place::OwnOutlet && case_file.state < CaseState::Archived {
            return Relation::OwnOutletOpen;
        }
        Relation::Other
    }

    /// Lets nobody decide about a case file that somebody else has as a task.
    pub(crate) fn check_task(&self, case_file: &CaseFileRow) -> Result<(), Problem> {
        match case_file.assigned_to {
            Some(other) if other != self.account.id => Err(Problem::new(kinds::ALREADY_ASSIGNED)),
            _ => Ok(()),
        }
    }

    /// What a search may find; stands inside the query.
    pub fn search_scope(&self) -> Scope {
        match self.role.scope() {
            access::Scope::All => Scope::Everything,
            access::Scope::OwnOutlets => Scope::Outlets(self.account.outlet_code.iter().cloned().collect()),
            access::Scope::Branch => match (&self.account.branch_code, &self.account.outlet_code) {
                (Some(branch), _) => Scope::Branches(vec![branch.clone()]),
                (None, Some(outlet)) => Scope::Outlets(vec![outlet.clone()]),
                (None, None) => Scope::Everything,
            },
            access::Scope::Machine | access::Scope::Accounts | access::Scope::Log => {
                Scope::Outlets(Vec::new())
            }
        }
    }

    /// An entry of the operation log about what this account did.
    pub fn log_entry(
        &self,
        now: DateTime<Utc>,
        action: &str,
        subject: (&str, String),
        result: &str,
    ) -> LogEntry {
        let (subject_kind, subject_id) = subject;
        LogEntry {
            at: now,
            account_id: Some(self.account.id),
            role: self.role.as_str().to_owned(),
            outlet_code: self.account.outlet_code.clone(),
            origin: self.origin.clone(),
            action: action.to_owned(),
            subject_kind: subject_kind.to_owned(),
            subject_id,
            reason: None,
            result: result.to_owned(),
        }
    }
}
