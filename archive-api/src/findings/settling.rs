//! Settling a finding: who may, that it is still open, and what follows for the case file.

use backends::{
    clock::office_day,
    database::{Transaction, case_files::CaseFileRow, findings::FindingRow, jobs::JobRow},
    error::StorageError,
    queue::Ring,
};
use chrono::{DateTime, Utc};
use domain::{access::Action, case_file::CaseState, finding::FindingState, ids::FindingId, job::JobName};
use serde::{Deserialize, Serialize};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    record::{announce, append_with_reason, reason_given},
    state::ArchiveState,
};

/// What an auditor says about a finding.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Why; sealed with the case file.
    #[serde(default)]
    pub reason: String,
}

/// The two ways to settle a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// It passes; when it was the last open one, its case file is accepted too.
    Accept,
    /// The outlet answers it with a new scan or a corrected entry.
    Return,
}

impl Settlement {
    const fn action(self) -> Action {
        match self {
            Self::Accept => Action::DecideFinding,
            Self::Return => Action::ReturnToOutlet,
        }
    }

    const fn state(self) -> FindingState {
        match self {
            Self::Accept => FindingState::Accepted,
            Self::Return => FindingState::Returned,
        }
    }

    /// As the operation log has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept_finding",
            Self::Return => "return_finding",
        }
    }
}

/// What became of the finding and its case file.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Settled {
    id: FindingId,
    state: FindingState,
    case_file_state: CaseState,
}

/// Settles a finding, for the API and the console.
pub(crate) async fn settle(
    state: &ArchiveState,
    caller: &Caller,
    id: FindingId,
    decision: &Decision,
    settlement: Settlement,
) -> Result<Settled, Problem> {
    let reason = reason_given(&decision.reason)?;
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let (finding, mut case_file) = open_finding(tx.as_mut(), caller, settlement.action(), id).await?;
    let key = state.backends.vault.required_key(case_file.key_id).await?;
    let settled = FindingRow {
        state: settlement.state(),
        settled_by: Some(caller.account.id),
        settled_at: Some(now),
        settled_reason_sealed: Some(key.seal(FindingRow::place_of_reason(id), &reason)?),
        ..finding.clone()
    };
    tx.findings().update(&settled, finding.state).await?;
    if settlement == Settlement::Return {
        case_file.returned_on = Some(office_day(now));
    }
    // The index shows open findings: the case file takes the next number of the change sequence.
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    let ring = match settlement {
        Settlement::Accept => accept_if_clear(tx.as_mut(), &mut case_file, now).await?,
        Settlement::Return => {
            return_case_file(tx.as_mut(), &mut case_file, now).await?;
            None
        }
    };
    let entry = caller.log_entry(now, settlement.name(), ("finding", id.to_string()), "done");
    append_with_reason(tx.as_mut(), &entry, (&key, &reason)).await?;
    tx.commit().await?;
    announce(&state.backends, ring.as_slice()).await;
    Ok(Settled { id, state: settlement.state(), case_file_state: case_file.state })
}

/// The finding, still open, with the case file whose verdict raised it.
async fn open_finding(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    id: FindingId,
) -> Result<(FindingRow, CaseFileRow), Problem> {
    let not_found = || Problem::new(kinds::NOT_FOUND);
    let finding = tx.findings().find(id).await?.ok_or_else(not_found)?;
    let case_file = tx.case_files().find(finding.case_file_id).await?.ok_or_else(not_found)?;
    Problem::unless_allowed(caller.may(action, &case_file))?;
    caller.check_task(&case_file)?;
    let is_in_force = case_file.verdict_id == Some(finding.verdict_id);
    if !finding.state.is_open() || !is_in_force {
        return Err(Problem::new(kinds::FINDING_SETTLED));
    }
    Ok((finding, case_file))
}

/// Accepts a case file none of whose findings is open any more, and lets it be archived.
async fn accept_if_clear(
    tx: &mut dyn Transaction,
    case_file: &mut CaseFileRow,
    now: DateTime<Utc>,
) -> Result<Option<Ring>, StorageError> {
    let findings = tx.findings().of_case_file(case_file.id).await?;
    let is_open = findings
        .iter()
        .any(|finding| case_file.verdict_id == Some(finding.verdict_id) && finding.state.is_open());
    let waits = matches!(case_file.state, CaseState::InReview | CaseState::Returned);
    if is_open || !waits {
        return Ok(None);
    }
    tx.case_files().change_state(case_file, CaseState::Accepted, "findings_settled", now).await?;
    let job = JobRow::due_at_once(JobName::ArchiveCaseFile, case_file.id.uuid(), now);
    Ok(Some(tx.jobs().enqueue(&job).await?))
}

/// Gives a case file that an auditor looked at back to its outlet.
async fn return_case_file(
    tx: &mut dyn Transaction,
    case_file: &mut CaseFileRow,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    if case_file.state == CaseState::InReview {
        tx.case_files().change_state(case_file, CaseState::Returned, "returned_to_outlet", now).await?;
    }
    Ok(())
}
