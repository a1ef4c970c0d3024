//! `POST /api/v1/findings/{id}/return`: sends a finding, and with it the case file, back to the outlet.

use axum::{
    Json,
    extract::{Path, State},
};
use backends::clock::office_day;
use domain::{access::Action, case_file::CaseState, finding::FindingState, ids::FindingId};

use super::{
    accept::Settled,
    settling::{Decision, open_finding, settle},
};
use crate::{caller::Caller, problem::Problem, record::reason_given, state::ArchiveState};

/// Returns the finding; the outlet answers with a new scan or a corrected entry.
pub(crate) async fn return_finding(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    Json(decision): Json<Decision>,
) -> Result<Json<Settled>, Problem> {
    return_to_outlet(&state, &caller, id, &decision).await.map(Json)
}

/// Returns a finding, for the API and the console.
pub(crate) async fn return_to_outlet(
    state: &ArchiveState,
    caller: &Caller,
    id: FindingId,
    decision: &Decision,
) -> Result<Settled, Problem> {
    let reason = reason_given(&decision.reason)?;
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let (finding, mut case_file) = open_finding(tx.as_mut(), caller, Action::ReturnToOutlet, id).await?;
    settle(tx.as_mut(), caller, &finding, FindingState::Returned, &reason, now).await?;
    case_file.returned_on = Some(office_day(now));
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    if case_file.state == CaseState::InReview {
        tx.case_files().change_state(&mut case_file, CaseState::Returned, "returned_to_outlet", now).await?;
    }
    let mut entry = caller.log_entry(now, "return_finding", ("finding", id.to_string()), "done");
    entry.reason = Some(reason);
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    Ok(Settled::new(id, FindingState::Returned, case_file.state))
}
