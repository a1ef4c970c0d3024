//! `GET /api/v1/scans/{id}`: where a scan stands.

use axum::extract::State;
use domain::{access::Action, ids::ScanId};

use super::view::{ScanView, visible_scan};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::Problem,
    state::ArchiveState,
};

/// Answers with state, case file and pages.
pub(crate) async fn get_scan(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> Result<Json<ScanView>, Problem> {
    let mut tx = state.backends.database.begin_read().await?;
    let (scan, case_file) = visible_scan(tx.as_mut(), &caller, Action::SeeCaseFile, id).await?;
    Ok(Json(ScanView::load(tx.as_mut(), scan, case_file.as_ref()).await?))
}
