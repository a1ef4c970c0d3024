//! `POST /api/v1/findings/{id}/return`: sends a finding, and with it the case file, back to the outlet.

use axum::extract::State;
use domain::ids::FindingId;

use super::settling::{Decision, Settled, Settlement, settle};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::Problem,
    state::ArchiveState,
};

/// Returns the finding.
pub(crate) async fn return_to_outlet(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    Json(decision): Json<Decision>,
) -> Result<Json<Settled>, Problem> {
    settle(&state, &caller, id, &decision, Settlement::Return).await.map(Json)
}
