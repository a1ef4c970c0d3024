//! `POST /api/v1/case-files/{id}/unmask`: shows values clear, for a reason that is put on record.

use axum::extract::State;
use domain::ids::CaseFileId;
use serde::Deserialize;

use super::{get_case_file::read_case_file, view::CaseFileView};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::Problem,
    record::reason_given,
    state::ArchiveState,
};

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
    read_case_file(&state, &caller, id, Some(reason)).await.map(Json)
}
