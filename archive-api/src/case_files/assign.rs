//! `POST /api/v1/case-files/{id}/assign`: an auditor takes a case file as a task, takes it over or gives it back.

use axum::extract::State;
use backends::database::{Transaction, case_files::CaseFileRow};
use domain::{access::Action, ids::CaseFileId};
use serde::{Deserialize, Serialize};

use super::loading::visible_case_file;
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::{Problem, kinds},
    record::{append_with_reason, reason_given},
    state::ArchiveState,
};

/// What is to happen with the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// The caller takes what nobody has.
    #[default]
    Take,
    /// The caller takes it from whoever has it, for a reason that is put on record.
    TakeOver,
    /// The caller gives it back.
    GiveBack,
}

impl Task {
    /// As the operation log has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Take => "take_case_file",
            Self::TakeOver => "take_over_case_file",
            Self::GiveBack => "give_back_case_file",
        }
    }
}

/// The request; without a body the caller takes the task.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assign {
    #[serde(default)]
    pub(crate) task: Task,
    /// Why it is taken over.
    #[serde(default)]
    pub(crate) reason: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Assigned {
    task: Task,
}

/// Assigns the case file to the caller, or to nobody.
pub(crate) async fn post_assign(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<CaseFileId>,
    request: Option<Json<Assign>>,
) -> Result<Json<Assigned>, Problem> {
    let request = request.map(|Json(request)| request).unwrap_or_default();
    assign(&state, &caller, id, &request).await.map(Json)
}

/// Assigns a case file, for the API and the console.
pub(crate) async fn assign(
    state: &ArchiveState,
    caller: &Caller,
    id: CaseFileId,
    request: &Assign,
) -> Result<Assigned, Problem> {
    let reason = match request.task {
        Task::TakeOver => Some(reason_given(&request.reason)?),
        Task::Take | Task::GiveBack => None,
    };
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let mut case_file = visible_case_file(tx.as_mut(), caller, Action::DecideFinding, id).await?;
    if request.task != Task::TakeOver {
        caller.check_task(&case_file)?;
    }
    case_file.assigned_to = match request.task {
        Task::Take | Task::TakeOver => {
            has_work(tx.as_mut(), &case_file).await?;
            Some(caller.account.id)
        }
        Task::GiveBack => None,
    };
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    if request.task != Task::GiveBack {
        // After the update, whose lock lets one request after the other count.
        has_room(tx.as_mut(), caller, state.settings.tasks_per_auditor).await?;
    }
    let entry = caller.log_entry(now, request.task.name(), ("case_file", id.to_string()), "done");
    match reason {
        Some(reason) => {
            let key = state.backends.vault.required_key(case_file.key_id).await?;
            append_with_reason(tx.as_mut(), &entry, (&key, &reason)).await?;
        }
        None => {
            tx.operation_log().append(&entry).await?;
        }
    }
    tx.commit().await?;
    Ok(Assigned { task: request.task })
}

/// A task shows what is otherwise masked: nobody takes what there is nothing to decide about.
async fn has_work(tx: &mut dyn Transaction, case_file: &CaseFileRow) -> Result<(), Problem> {
    let findings = tx.findings().of_case_file(case_file.id).await?;
    let is_open = findings
        .iter()
        .any(|finding| case_file.verdict_id == Some(finding.verdict_id) && finding.state.is_open());
    if is_open && case_file.state.awaits_auditor() {
        return Ok(());
    }
    Err(Problem::new(kinds::NO_OPEN_FINDING))
}

/// Nobody opens case file after case file by taking more tasks than one works at.
async fn has_room(tx: &mut dyn Transaction, caller: &Caller, most: u32) -> Result<(), Problem> {
    if tx.findings().count_tasks(caller.account.id).await? <= i64::from(most) {
        return Ok(());
    }
    Err(Problem::new(kinds::TOO_MANY_TASKS).with("limit", most.into()))
}
