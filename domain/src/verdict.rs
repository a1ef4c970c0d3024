//! Verdicts: bound to exactly the scans and the entry they were given on, and fallen when either changes.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    case_file::CaseState,
    finding::{FindingState, RaisedFinding},
};

/// What a verdict is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CaseDigest(pub [u8; 32]);

impl CaseDigest {
    /// Binds scans (by the digests of their bytes) and entry; order and repetition of scans do not matter.
    pub fn of(scan_digests: &[[u8; 32]], entered: Option<[u8; 32]>) -> Self {
        let mut sorted = scan_digests.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut hasher = Sha256::new();
        hasher.update(b"guidang case 1\n");
        hasher.update((sorted.len() as u64).to_be_bytes());
        for digest in &sorted {
            hasher.update(digest);
        }
        match entered {
            None => hasher.update([0]),
            Some(digest) => {
                hasher.update([1]);
                hasher.update(digest);
            }
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for CaseDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a case file goes from its check.
pub const fn outcome(findings: &[RaisedFinding]) -> CaseState {
    if findings.is_empty() { CaseState::Accepted } else { CaseState::InReview }
}

/// Where a case file stands while its findings are worked on.
pub fn state_of_review(findings: &[FindingState]) -> CaseState {
    if findings.contains(&FindingState::Returned) {
        CaseState::Returned
    } else if findings.iter().any(|state| state.is_open()) {
        CaseState::InReview
    } else {
        CaseState::Accepted
    }
}

/// What a case file has, and what of it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Versions of entered data.
    pub entries: usize,
    /// Scans.
    pub scans: usize,
    /// Scans not read yet.
    pub unread_scans: usize,
}

/// The states a case file passes through, in order, when scans or entry changed; empty when it stays.
///
/// What has gone beyond archiving first comes back to the holdings; what is destroyed stays so.
pub fn steps_after_change(state: CaseState, holdings: Holdings) -> Vec<CaseState> {
    let wanted = match holdings {
        Holdings { entries: 0, .. } | Holdings { scans: 0, .. } => CaseState::Assembling,
        Holdings { unread_scans: 0, .. } => CaseState::Checked,
        _ => CaseState::Reading,
    };
    match state {
        CaseState::Destroyed => Vec::new(),
        CaseState::Due | CaseState::Appraised | CaseState::Approved | CaseState::Cooling => {
            vec![CaseState::Archived, wanted]
        }
        other if other == wanted => Vec::new(),
        other if other.may_become(wanted) => vec![wanted],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_stands_for_the_same_scans_in_any_order_and_falls_with_any_other() {
        let (one, two) = ([1; 32], [2; 32]);
        let digest = CaseDigest::of(&[one, two], Some([9; 32]));

        assert_eq!(digest, CaseDigest::of(&[two, one, one], Some([9; 32])));
        assert_ne!(digest, CaseDigest::of(&[one], Some([9; 32])));
        assert_ne!(digest, CaseDigest::of(&[one, two], Some([8; 32])));
        assert_ne!(digest, CaseDigest::of(&[one, two], None));
        assert_ne!(CaseDigest::of(&[one, two], None), CaseDigest::of(&[one], Some(two)));
    }

    #[test]
    fn a_case_file_is_accepted_when_no_finding_is_open() {
        use FindingState as F;
        assert_eq!(outcome(&[]), CaseState::Accepted);
        assert_eq!(state_of_review(&[F::Accepted, F::Corrected, F::Withdrawn]), CaseState::Accepted);
        assert_eq!(state_of_review(&[F::Accepted, F::Open]), CaseState::InReview);
        assert_eq!(state_of_review(&[F::Open, F::Returned]), CaseState::Returned);
    }

    #[test]
    fn every_step_after_a_change_is_a_legal_one_and_leads_to_a_new_check() {
        for state in CaseState::ALL {
            for (entries, scans, unread_scans) in [(0, 0, 0), (1, 0, 0), (0, 2, 2), (1, 2, 1), (1, 2, 0)] {
                let steps = steps_after_change(state, Holdings { entries, scans, unread_scans });
                let mut now = state;
                for step in &steps {
                    now = now.become_state(*step).unwrap();
                }
                let is_settled = state == CaseState::Destroyed || now < CaseState::InReview;
                assert!(is_settled, "{state} with {entries} {scans} {unread_scans} ends at {now}");
            }
        }
    }
}
