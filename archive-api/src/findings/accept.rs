//! `POST /api/v1/findings/{id}/accept`: an auditor lets a finding pass, with a reason.

use axum::extract::State;
use domain::ids::FindingId;

use super::settling::{Decision, Settled, Settlement, settle};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::Problem,
    state::ArchiveState,
};

/// Accepts the finding.
pub(crate) async fn accept(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    Json(decision): Json<Decision>,
) -> Result<Json<Settled>, Problem> {
    settle(&state, &caller, id, &decision, Settlement::Accept).await.map(Json)
}
