//! Moving a scan into a case file and out of it: rows, keys, and the verdict that falls.

use backends::{
    blob_store::BlobKey,
    clock::office_day,
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    error::StorageError,
    queue::Ring,
};
use chrono::{DateTime, Utc};
use domain::{case_file::CaseState, job::JobName, scan::ScanState};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    record,
};

/// Nothing is added to, or taken from, what is on its way to destruction.
pub(crate) const fn takes_changes(state: CaseState) -> bool {
    matches!(state, CaseState::Assembling | CaseState::Reading) || state.may_become(CaseState::Reading)
}

/// The verdict falls with what it was given on, the case file is read anew, and a check becomes necessary.
pub(crate) async fn reopen(
    tx: &mut dyn Transaction,
    case_file: &mut CaseFileRow,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Ring, StorageError> {
    if let Some(verdict) = case_file.verdict_id.take() {
        tx.findings().fell(verdict, now).await?;
    }
    case_file.updated_at = now;
    tx.case_files().update(case_file).await?;
    if case_file.state != CaseState::Reading {
        tx.case_files().change_state(case_file, CaseState::Reading, reason, now).await?;
    }
    tx.jobs().enqueue(&record::job(now, JobName::CheckCaseFile, case_file.id.uuid())).await
}

/// Puts a scan that waits into a case file, by hand.
pub(super) async fn put_in(
    backends: &Backends,
    caller: &Caller,
    scan: &ScanRow,
    case_file: &CaseFileRow,
) -> Result<(), Problem> {
    let now = backends.clock.now();
    let scan_key = backends.vault.required_key(scan.key_id).await?;
    let case_key = backends.vault.required_key(case_file.key_id).await?;
    backends.vault.hand_over(&scan_key, &case_key, now).await?;

    let mut tx = backends.database.begin().await?;
    let missing = || Problem::new(kinds::NOT_FOUND);
    let mut case_file = tx.case_files().find(case_file.id).await?.ok_or_else(missing)?;
    if !takes_changes(case_file.state) {
        return Err(Problem::new(kinds::CASE_FILE_CLOSED));
    }
    let same = tx.scans().with_sha256(&scan.sha256).await?;
    let twin = same.into_iter().find(|other| {
        other.id != scan.id && other.case_file_id == Some(case_file.id) && other.same_as.is_none()
    });
    let placed = placed_row(scan, &case_file, twin.as_ref(), now);
    tx.scans().update(&placed, scan.state).await?;
    let mut jobs = Vec::new();
    if twin.is_none() {
        case_file.papers_received_on.get_or_insert(office_day(scan.received_at));
        if case_file.outlet_code.is_none() {
            case_file.outlet_code.clone_from(&scan.outlet_code);
        }
        jobs.push(reopen(tx.as_mut(), &mut case_file, "scan_placed", now).await?);
    }
    let entry = caller.log_entry(now, "place_scan", ("scan", scan.id.to_string()), "hand");
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    record::announce(backends, &jobs).await;
    backends.vault.release_from_root(scan.key_id).await?;
    if twin.is_some() {
        // The row says that nothing is stored here; the object goes after it.
        backends.blobs.delete(BlobKey::Scan(scan.id)).await?;
    }
    Ok(())
}

fn placed_row(
    scan: &ScanRow,
    case_file: &CaseFileRow,
    twin: Option<&ScanRow>,
    now: DateTime<Utc>,
) -> ScanRow {
    let state = match (twin, scan.state) {
        (Some(_), _) => ScanState::Linked,
        (None, ScanState::Unreadable) => ScanState::Unreadable,
        (None, _) => ScanState::Placed,
    };
    ScanRow {
        case_file_id: Some(case_file.id),
        same_as: twin.map(|twin| twin.id),
        state,
        placed_by: Some("hand".to_owned()),
        placed_at: Some(now),
        ..scan.clone()
    }
}

/// Takes a scan out of its case file, back to the tray. Scans that only point to it go with it.
pub(super) async fn take_out(
    backends: &Backends,
    caller: &Caller,
    scan: &ScanRow,
    case_file: &CaseFileRow,
) -> Result<(), Problem> {
    let now = backends.clock.now();
    let scan_key = backends.vault.required_key(scan.key_id).await?;
    // Before the commit: whatever happens in between, the scan can be read.
    backends.vault.return_to_root(&scan_key, now).await?;

    let mut tx = backends.database.begin().await?;
    let missing = || Problem::new(kinds::NOT_FOUND);
    let mut case_file = tx.case_files().find(case_file.id).await?.ok_or_else(missing)?;
    if !takes_changes(case_file.state) {
        return Err(Problem::new(kinds::CASE_FILE_CLOSED));
    }
    for link in tx.scans().of_case_file(case_file.id).await? {
        if link.same_as == Some(scan.id) {
            let free = ScanRow { case_file_id: None, placed_by: None, placed_at: None, ..link.clone() };
            tx.scans().update(&free, link.state).await?;
        }
    }
    let state = if scan.state == ScanState::Unreadable { ScanState::Unreadable } else { ScanState::Tray };
    let free = ScanRow { case_file_id: None, placed_by: None, placed_at: None, state, ..scan.clone() };
    tx.scans().update(&free, scan.state).await?;
    let job = reopen(tx.as_mut(), &mut case_file, "scan_taken_out", now).await?;
    let entry = caller.log_entry(now, "unplace_scan", ("scan", scan.id.to_string()), "done");
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    backends.vault.release_from_case_file(scan.key_id, case_file.key_id).await?;
    record::announce(backends, &[job]).await;
    Ok(())
}
