//! `POST /api/v1/findings/{id}/accept`: an auditor lets a finding pass, with a reason.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{access::Action, case_file::CaseState, finding::FindingState, ids::FindingId};
use serde::Serialize;

use super::settling::{Decision, accept_if_clear, open_finding, settle};
use crate::{
    caller::Caller,
    problem::Problem,
    record::{announce, reason_given},
    state::ArchiveState,
};

/// What became of the finding and its case file.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Settled {
    id: FindingId,
    state: FindingState,
    case_file_state: CaseState,
}

impl Settled {
    pub(super) const fn new(id: FindingId, state: FindingState, case_file_state: CaseState) -> Self {
        Self { id, state, case_file_state }
    }
}

/// Accepts the finding; when it was the last open one, its case file is accepted too.
pub(crate) async fn accept(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    Json(decision): Json<Decision>,
) -> Result<Json<Settled>, Problem> {
    accept_finding(&state, &caller, id, &decision).await.map(Json)
}

/// Accepts a finding, for the API and the console.
pub(crate) async fn accept_finding(
    state: &ArchiveState,
    caller: &Caller,
    id: FindingId,
    decision: &Decision,
) -> Result<Settled, Problem> {
    let reason = reason_given(&decision.reason)?;
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let (finding, mut case_file) = open_finding(tx.as_mut(), caller, Action::DecideFinding, id).await?;
    settle(tx.as_mut(), caller, &finding, FindingState::Accepted, &reason, now).await?;
    // The index shows open findings: the case file takes the next number of the change sequence.
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    let job = accept_if_clear(tx.as_mut(), &mut case_file, now).await?;
    let mut entry = caller.log_entry(now, "accept_finding", ("finding", id.to_string()), "done");
    entry.reason = Some(reason);
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    announce(&state.backends, job.as_slice()).await;
    Ok(Settled::new(id, FindingState::Accepted, case_file.state))
}
