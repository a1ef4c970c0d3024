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
