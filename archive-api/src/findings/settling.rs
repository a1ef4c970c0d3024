//! What settling a finding has in common: who may, that it is still open, and what follows for the case file.

use backends::{
    database::{Transaction, case_files::CaseFileRow, findings::FindingRow},
    error::StorageError,
    queue::Ring,
};
use chrono::{DateTime, Utc};
use domain::{access::Action, case_file::CaseState, finding::FindingState, ids::FindingId, job::JobName};
use serde::Deserialize;

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    record,
};

/// What an auditor says about a finding.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Why; goes into the operation log.
    #[serde(default)]
    pub reason: String,
}

/// The finding, still open, with the case file whose verdict raised it.
pub(super) async fn open_finding(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    id: FindingId,
) -> Result<(FindingRow, CaseFileRow), Problem> {
    let not_found = || Problem::new(kinds::NOT_FOUND);
    let finding = tx.findings().find(id).await?.ok_or_else(not_found)?;
    let case_file = tx.case_files().find(finding.case_file_id).await?.ok_or_else(not_found)?;
    Problem::unless_allowed(caller.may(action, &case_file))?;
    let is_in_force = case_file.verdict_id == Some(finding.verdict_id);
    if !finding.state.is_open() || !is_in_force {
        return Err(Problem::new(kinds::FINDING_SETTLED));
    }
    Ok((finding, case_file))
}

/// Stores the settlement of a finding.
pub(super) async fn settle(
    tx: &mut dyn Transaction,
    caller: &Caller,
    finding: &FindingRow,
    to: FindingState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let settled = FindingRow {
        state: to,
        settled_by: Some(caller.account.id),
        settled_at: Some(now),
        settled_reason: Some(reason.to_owned()),
        ..finding.clone()
    };
    tx.findings().update(&settled, finding.state).await
}

/// Accepts a case file none of whose findings is open any more, and lets it be archived.
pub(super) async fn accept_if_clear(
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
    let job = record::job(now, JobName::ArchiveCaseFile, case_file.id.uuid());
    Ok(Some(tx.jobs().enqueue(&job).await?))
}
