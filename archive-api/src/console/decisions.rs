//! The buttons of the case page.

use axum::{extract::State, response::Redirect};
use domain::ids::{CaseFileId, FindingId};
use serde::Deserialize;

use super::visitor::Visitor;
use crate::{
    case_files::{self, Assign, Task},
    extract::{Form, Path},
    findings::{Decision, Settlement, settle},
    problem::Problem,
    state::ArchiveState,
};

/// What the form of a finding says.
#[derive(Deserialize)]
pub(super) struct DecisionForm {
    reason: String,
    case_file: CaseFileId,
}

/// Accepts a finding and shows the case file again.
pub(super) async fn accept(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<FindingId>,
    Form(form): Form<DecisionForm>,
) -> Result<Redirect, Problem> {
    let decision = Decision { reason: form.reason };
    settle(&state, &visitor.caller, id, &decision, Settlement::Accept).await?;
    Ok(back_to(form.case_file))
}

/// Returns a finding to the outlet and shows the case file again.
pub(super) async fn return_to_outlet(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<FindingId>,
    Form(form): Form<DecisionForm>,
) -> Result<Redirect, Problem> {
    let decision = Decision { reason: form.reason };
    settle(&state, &visitor.caller, id, &decision, Settlement::Return).await?;
    Ok(back_to(form.case_file))
}

/// Takes a case file as a task and shows it again.
pub(super) async fn take(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<CaseFileId>,
) -> Result<Redirect, Problem> {
    assigned(&state, &visitor, id, &Assign::default()).await
}

/// What the form of a task says.
#[derive(Deserialize)]
pub(super) struct TakeOverForm {
    reason: String,
}

/// Takes a case file over from whoever has it and shows it again.
pub(super) async fn take_over(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<CaseFileId>,
    Form(form): Form<TakeOverForm>,
) -> Result<Redirect, Problem> {
    assigned(&state, &visitor, id, &Assign { task: Task::TakeOver, reason: form.reason }).await
}

/// Gives a task back and shows the case file again.
pub(super) async fn give_back(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<CaseFileId>,
) -> Result<Redirect, Problem> {
    assigned(&state, &visitor, id, &Assign { task: Task::GiveBack, reason: String::new() }).await
}

async fn assigned(
    state: &ArchiveState,
    visitor: &Visitor,
    id: CaseFileId,
    request: &Assign,
) -> Result<Redirect, Problem> {
    let _assigned = case_files::assign(state, &visitor.caller, id, request).await?;
    Ok(back_to(id))
}

fn back_to(id: CaseFileId) -> Redirect {
    Redirect::to(&format!("/case-files/{id}"))
}
