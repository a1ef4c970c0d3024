//! `POST /api/v1/scans/{id}/unplace`: takes a scan out of its case file, back to the tray.

use axum::extract::State;
use domain::{access::Action, ids::ScanId, scan::ScanState};

use super::{
    placing,
    view::{ScanView, visible_scan},
};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Takes the scan out and answers with where it stands.
pub(crate) async fn unplace_scan(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> Result<Json<ScanView>, Problem> {
    let mut tx = state.backends.database.begin_read().await?;
    let (scan, case_file) = visible_scan(tx.as_mut(), &caller, Action::PlaceScan, id).await?;
    drop(tx);
    let is_inside = matches!(scan.state, ScanState::Placed | ScanState::Unreadable);
    let case_file = case_file.filter(|_| is_inside).ok_or_else(|| Problem::new(kinds::SCAN_NOT_PLACEABLE))?;
    placing::take_out(&state.backends, &caller, &scan, &case_file).await?;
    let mut tx = state.backends.database.begin_read().await?;
    let scan = tx.scans().find(id).await?.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    Ok(Json(ScanView::load(tx.as_mut(), scan, None).await?))
}
