//! `POST /api/v1/case-files/{id}/assign`: an auditor takes a case file as a task, or gives it back.

use axum::extract::State;
use domain::{access::Action, ids::CaseFileId};
use serde::{Deserialize, Serialize};

use super::loading::visible_case_file;
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// What is to happen with the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// The caller takes it.
    #[default]
    Take,
    /// The caller gives it back.
    GiveBack,
}

/// The request; without a body the caller takes the task.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assign {
    #[serde(default)]
    task: Task,
}

/// Assigns the case file to the caller, or to nobody.
pub(crate) async fn assign(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<CaseFileId>,
    request: Option<Json<Assign>>,
) -> Result<Json<Assign>, Problem> {
    let request = request.map(|Json(request)| request).unwrap_or_default();
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let mut case_file = visible_case_file(tx.as_mut(), &caller, Action::DecideFinding, id).await?;
    if case_file.assigned_to.is_some_and(|other| other != caller.account.id) {
        return Err(Problem::new(kinds::ALREADY_ASSIGNED));
    }
    case_file.assigned_to = match request.task {
        Task::Take => Some(caller.account.id),
        Task::GiveBack => None,
    };
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    let action = if request.task == Task::Take { "take_case_file" } else { "give_back_case_file" };
    tx.operation_log().append(&caller.log_entry(now, action, ("case_file", id.to_string()), "done")).await?;
    tx.commit().await?;
    Ok(Json(request))
}
