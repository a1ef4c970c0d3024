//! `POST /api/v1/scans/{id}/place`: puts a scan into a case file by hand.

use axum::extract::State;
use backends::{
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    error::StorageError,
    vault::KeyPurpose,
};
use domain::{
    access::Action,
    field::Slot,
    ids::{CaseFileId, ScanId},
    scan::ScanState,
};
use serde::Deserialize;

use super::{
    placing,
    view::{ScanView, visible_scan},
};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    parameters::not_usable,
    problem::{Problem, kinds},
    slip_number,
    state::ArchiveState,
};

/// Where a scan is to go: a slip number or a case file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceScan {
    /// The acceptance.
    #[serde(default)]
    pub slip_number: Option<String>,
    /// Or the case file.
    #[serde(default)]
    pub case_file_id: Option<CaseFileId>,
    /// The slot it fills, where the person knows.
    #[serde(default)]
    pub slot: Option<Slot>,
    /// Whether a case file may be opened for a slip number that is not known.
    #[serde(default)]
    pub open: bool,
    /// The outlet of a case file that is opened; the scan's own unless said.
    #[serde(default)]
    pub outlet: Option<String>,
}

/// Places the scan and answers with where it stands.
pub(crate) async fn place_scan(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<ScanId>,
    Json(request): Json<PlaceScan>,
) -> Result<Json<ScanView>, Problem> {
    place(&state, &caller, id, request).await.map(Json)
}

/// Places a scan, for the API and the console.
pub(crate) async fn place(
    state: &ArchiveState,
    caller: &Caller,
    id: ScanId,
    request: PlaceScan,
) -> Result<ScanView, Problem> {
    let mut tx = state.backends.database.begin_read().await?;
    let (mut scan, placed_in) = visible_scan(tx.as_mut(), caller, Action::PlaceScan, id).await?;
    let waits = matches!(scan.state, ScanState::Tray | ScanState::Read | ScanState::Unreadable);
    if !waits || placed_in.is_some() {
        return Err(Problem::new(kinds::SCAN_NOT_PLACEABLE));
    }
    scan.slot_given = request.slot.or(scan.slot_given);
    let known = target(tx.as_mut(), &request).await?;
    drop(tx);
    let case_file = match known {
        Some(case_file) => {
            Problem::unless_allowed(caller.may(Action::PlaceScan, &case_file))?;
            case_file
        }
        None if request.open => open_case_file(state, caller, &scan, &request).await?,
        None => return Err(Problem::new(kinds::NOT_FOUND)),
    };
    placing::put_in(&state.backends, caller, &scan, &case_file).await?;
    let mut tx = state.backends.database.begin_read().await?;
    let (scan, case_file) = visible_scan(tx.as_mut(), caller, Action::PlaceScan, id).await?;
    Ok(ScanView::load(tx.as_mut(), scan, case_file.as_ref()).await?)
}

async fn target(tx: &mut dyn Transaction, request: &PlaceScan) -> Result<Option<CaseFileRow>, Problem> {
    match (&request.case_file_id, &request.slip_number) {
        (Some(id), None) => Ok(tx.case_files().find(*id).await?),
        (None, Some(text)) => Ok(tx.case_files().find_by_slip_number(&slip_number_of(text)?).await?),
        _ => Err(Problem::new(kinds::INVALID_REQUEST)
            .with_detail("请给出业务流水号或案卷编号之一。", "Give either slip_number or case_file_id.")),
    }
}

fn slip_number_of(text: &str) -> Result<String, Problem> {
    slip_number::normalised(text).ok_or_else(|| not_usable(kinds::INVALID_REQUEST, "slip_number", &[]))
}

/// Opens a case file that waits for its entered data.
async fn open_case_file(
    state: &ArchiveState,
    caller: &Caller,
    scan: &ScanRow,
    request: &PlaceScan,
) -> Result<CaseFileRow, Problem> {
    let Some(text) = &request.slip_number else { return Err(Problem::new(kinds::NOT_FOUND)) };
    let slip_number = slip_number_of(text)?;
    let now = state.backends.clock.now();
    let outlet_code = request.outlet.clone().or_else(|| scan.outlet_code.clone());
    let mut look = state.backends.database.begin_read().await?;
    let outlet = match &outlet_code {
        Some(code) => look.organisation().outlet(code).await?,
        None => None,
    };
    drop(look);
    let branch_code = outlet.as_ref().map(|outlet| outlet.branch_code.clone());
    let reach = caller.may_at(Action::PlaceScan, outlet_code.as_deref(), branch_code.as_deref(), None);
    Problem::unless_allowed(reach)?;
    let key = state.backends.vault.new_key(KeyPurpose::CaseFile, now).await?;
    let case_file =
        CaseFileRow { outlet_code, branch_code, ..CaseFileRow::opened(slip_number, outlet, &key, now) };
    let inserted = insert(&state.backends, caller, &case_file).await;
    if let Err(StorageError::Conflict { .. }) = inserted {
        // Somebody else opened it first; nothing was sealed with this key.
        state.backends.vault.destroy(key.id()).await?;
    }
    inserted?;
    Ok(case_file)
}

async fn insert(backends: &Backends, caller: &Caller, case_file: &CaseFileRow) -> Result<(), StorageError> {
    let mut tx = backends.database.begin().await?;
    tx.case_files().insert(case_file).await?;
    let subject = ("case_file", case_file.id.to_string());
    let entry = caller.log_entry(case_file.created_at, "open_case_file", subject, "done");
    tx.operation_log().append(&entry).await?;
    tx.commit().await
}
