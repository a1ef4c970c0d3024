//! `POST /api/v1/case-files/{id}/unmask`: shows values clear, for a reason that is put on record.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{access::Action, ids::CaseFileId};
use serde::Deserialize;

use super::{
    loading::{entered_in_force, visible_case_file},
    show::{Reader, ReasonGiven},
    view::CaseFileView,
};
use crate::{caller::Caller, problem::Problem, record::reason_given, state::ArchiveState};

/// Why clear values are needed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unmask {
    #[serde(default)]
    reason: String,
}

/// Answers with the case file, clear as far as a reason suffices; what takes a second person stays masked.
pub(crate) async fn unmask(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<CaseFileId>,
    Json(request): Json<Unmask>,
) -> Result<Json<CaseFileView>, Problem> {
    let reason = reason_given(&request.reason)?;
    let mut tx = state.backends.database.begin().await?;
    let case_file = visible_case_file(tx.as_mut(), &caller, Action::Unmask, id).await?;
    let relation = caller.relation_to(&case_file);
    let reader = Reader { role: caller.role, relation, reason: ReasonGiven::Yes };
    let opened = entered_in_force(&state.backends, tx.as_mut(), &case_file).await?;
    let view = CaseFileView::load(
        (&state.backends, &state.settings.deadlines),
        tx.as_mut(),
        case_file,
        opened,
        reader,
    )
    .await?;
    let now = state.backends.clock.now();
    let mut entry = caller.log_entry(now, "unmask", ("case_file", id.to_string()), "done");
    entry.reason = Some(reason);
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    Ok(Json(view))
}
