//! `GET /api/v1/case-files/{id}`: a case file with everything in it.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{access::Action, ids::CaseFileId};

use super::{
    loading::{entered_in_force, visible_case_file},
    show::{Reader, ReasonGiven},
    view::CaseFileView,
};
use crate::{caller::Caller, problem::Problem, state::ArchiveState};

/// Answers with the case file, masked as far as the caller may see.
pub(crate) async fn get_case_file(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<CaseFileId>,
) -> Result<Json<CaseFileView>, Problem> {
    read_case_file(&state, &caller, id).await.map(Json)
}

/// Reads a case file and puts that on record in the same transaction, for the API and the console.
pub(crate) async fn read_case_file(
    state: &ArchiveState,
    caller: &Caller,
    id: CaseFileId,
) -> Result<CaseFileView, Problem> {
    let mut tx = state.backends.database.begin().await?;
    let case_file = visible_case_file(tx.as_mut(), caller, Action::SeeCaseFile, id).await?;
    let relation = caller.relation_to(&case_file);
    let reader = Reader { role: caller.role, relation, reason: ReasonGiven::No };
    let opened = entered_in_force(&state.backends, tx.as_mut(), &case_file).await?;
    let view = CaseFileView::load(
        (&state.backends, &state.settings.deadlines),
        tx.as_mut(),
        case_file,
        opened,
        reader,
    )
    .await?;
    let action = if reader.sees_anything_clear() { "read_clear" } else { "read_masked" };
    let now = state.backends.clock.now();
    tx.operation_log().append(&caller.log_entry(now, action, ("case_file", id.to_string()), "done")).await?;
    tx.commit().await?;
    Ok(view)
}
