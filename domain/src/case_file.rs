//! The case file (案卷) and the states it may pass through.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::field::UnknownTerm;

/// Where a case file stands in its life (`docs/architecture.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Entered data or scans are still awaited.
    Assembling,
    /// Scans are being read.
    Reading,
    /// Read and compared; the verdict is on record.
    Checked,
    /// Findings wait for an auditor.
    InReview,
    /// The outlet must answer by a deadline.
    Returned,
    /// No finding is open.
    Accepted,
    /// Part of the holdings, with an archival code (档号).
    Archived,
    /// Its time is up; waits for appraisal.
    Due,
    /// Appraised (鉴定).
    Appraised,
    /// On an approved destruction list.
    Approved,
    /// In the cooling-off time before destruction.
    Cooling,
    /// Gone; a stub and a certificate remain.
    Destroyed,
}

impl CaseState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 12] = [
        Self::Assembling,
        Self::Reading,
        Self::Checked,
        Self::InReview,
        Self::Returned,
        Self::Accepted,
        Self::Archived,
        Self::Due,
        Self::Appraised,
        Self::Approved,
        Self::Cooling,
        Self::Destroyed,
    ];

    /// The name in tables, API and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assembling => "assembling",
            Self::Reading => "reading",
            Self::Checked => "checked",
            Self::InReview => "in_review",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Archived => "archived",
            Self::Due => "due",
            Self::Appraised => "appraised",
            Self::Approved => "approved",
            Self::Cooling => "cooling",
            Self::Destroyed => "destroyed",
        }
    }

    /// Whether a case file may go from here to `next`. Holds are looked at apart: they outrank all of this.
    ///
    /// New scans or a changed entry bring anything short of archiving back to reading; a late paper for an
    /// archived case file reopens it in the same way, since its verdict has fallen.
    pub const fn may_become(self, next: Self) -> bool {
        use CaseState as S;
        matches!(
            (self, next),
            (S::Assembling, S::Reading | S::Checked)
                | (S::Reading, S::Assembling | S::Checked)
                | (S::Checked, S::Assembling | S::Reading | S::InReview | S::Accepted)
                | (S::InReview, S::Assembling | S::Reading | S::Checked | S::Returned | S::Accepted)
                | (S::Returned, S::Assembling | S::Reading | S::Checked | S::InReview | S::Accepted)
                | (S::Accepted, S::Assembling | S::Reading | S::Checked | S::InReview | S::Archived)
                | (S::Archived, S::Assembling | S::Reading | S::Checked | S::Due)
                | (S::Due, S::Archived | S::Appraised)
                | (S::Appraised, S::Archived | S::Approved)
                | (S::Approved, S::Archived | S::Cooling)
                | (S::Cooling, S::Archived | S::Destroyed)
        )
    }

    /// Whether scans may be added or taken out: not once the case file is on its way to destruction.
    pub const fn takes_scans(self) -> bool {
        matches!(self, Self::Reading) || self.may_become(Self::Reading)
    }

    /// Whether an auditor has something to decide: findings are open, and no reading or check is under way.
    pub const fn awaits_auditor(self) -> bool {
        matches!(self, Self::InReview | Self::Returned)
    }

    /// Whether an auditor who took the case file as a task still has it. A new scan or a correction lets it be read
    /// anew without ending the task; acceptance ends it.
    pub fn keeps_task(self) -> bool {
        self < Self::Accepted
    }

    /// Makes the change, or says that it is not a legal one.
    pub const fn become_state(self, next: Self) -> Result<Self, IllegalTransition> {
        if self.may_become(next) { Ok(next) } else { Err(IllegalTransition { from: self, to: next }) }
    }

    /// Whether the personal data of the case file are gone.
    pub const fn is_destroyed(self) -> bool {
        matches!(self, Self::Destroyed)
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CaseState {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownTerm { what: "case state" })
    }
}

/// A change of state that the life of a case file does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a case file that is {from} cannot become {to}")]
pub struct IllegalTransition {
    /// Where it stands.
    pub from: CaseState,
    /// Where it was to go.
    pub to: CaseState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destruction_is_reached_only_through_every_step_before_it() {
        let order = [
            CaseState::Accepted,
            CaseState::Archived,
            CaseState::Due,
            CaseState::Appraised,
            CaseState::Approved,
            CaseState::Cooling,
            CaseState::Destroyed,
        ];
        for pair in order.windows(2) {
            let before: Vec<_> =
                CaseState::ALL.into_iter().filter(|state| state.may_become(pair[1])).collect();
            let leads_on = |state: &CaseState| *state <= pair[0];

            assert!(before.contains(&pair[0]));
            assert!(pair[1] < CaseState::Due || before == [pair[0]], "{before:?}");
            assert!(pair[1] == CaseState::Archived || before.iter().all(leads_on), "{before:?}");
        }
    }

    #[test]
    fn nothing_is_added_to_what_is_on_its_way_to_destruction() {
        for state in CaseState::ALL {
            assert_eq!(state.takes_scans(), state < CaseState::Due, "{state}");
        }
    }

    #[test]
    fn nobody_has_a_case_file_as_a_task_once_it_is_accepted() {
        for state in CaseState::ALL {
            assert_eq!(
                state.keeps_task(),
                state.may_become(CaseState::Reading) && state < CaseState::Accepted
                    || state == CaseState::Reading,
                "{state}"
            );
            assert!(!state.awaits_auditor() || state.keeps_task(), "{state}");
        }
    }

    #[test]
    fn what_is_destroyed_stays_destroyed() {
        for state in CaseState::ALL {
            assert!(CaseState::Destroyed.become_state(state).is_err());
        }
    }

    #[test]
    fn every_state_is_read_back_by_its_name() {
        for state in CaseState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_walk_through_legal_changes_destroys_without_cooling(choices in proptest::collection::vec(0_usize..12, 1..60)) {
            let mut state = CaseState::Assembling;
            for choice in choices {
                let next = CaseState::ALL[choice];
                let before = state;
                if let Ok(changed) = state.become_state(next) {
                    state = changed;
                }
                proptest::prop_assert!(state != CaseState::Destroyed || before >= CaseState::Cooling);
            }
        }
    }
}
