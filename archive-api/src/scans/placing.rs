//! Moving a scan into a case file and out of it by hand.

use backends::{
    connect::Backends,
    database::{case_files::CaseFileRow, scans::ScanRow},
    placing,
};
use chrono::{DateTime, Utc};
use domain::scan::ScanState;

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    record,
};

/// Puts a scan that waits into a case file, by hand.
pub(super) async fn put_in(
    backends: &Backends,
    caller: &Caller,
    scan: &ScanRow,
    case_file: &CaseFileRow,
) -> Result<(), Problem> {
    let now = backends.clock.now();
    placing::hand_over_key(backends, scan, case_file, now).await?;
    let mut tx = backends.database.begin().await?;
    let placed = placing::place(tx.as_mut(), scan, case_file.id, "hand", now).await?;
    let placement = placed.ok_or_else(|| Problem::new(kinds::CASE_FILE_CLOSED))?;
    let entry = caller.log_entry(now, "place_scan", ("scan", scan.id.to_string()), "hand");
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    record::announce(backends, placement.check.as_slice()).await;
    placing::finish(backends, scan, &placement).await;
    Ok(())
}

/// The scan as it stands outside, where no rule puts it back. One that came without an outlet stays with that of the case
/// file, so that it lies in the tray of those who took it out.
fn taken_out(scan: &ScanRow, case_file: &CaseFileRow, state: ScanState, now: DateTime<Utc>) -> ScanRow {
    ScanRow {
        case_file_id: None,
        outlet_code: scan.outlet_code.clone().or_else(|| case_file.outlet_code.clone()),
        placed_by: Some(placing::TAKEN_OUT.to_owned()),
        placed_at: Some(now),
        state,
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
    // Loaded here: it may have been taken out and put elsewhere since it was looked at.
    let scan = tx.scans().find(scan.id).await?.ok_or_else(missing)?;
    if scan.case_file_id != Some(case_file.id) {
        return Err(Problem::new(kinds::CONFLICT));
    }
    let mut case_file = tx.case_files().find(case_file.id).await?.ok_or_else(missing)?;
    if !case_file.state.takes_scans() {
        return Err(Problem::new(kinds::CASE_FILE_CLOSED));
    }
    for link in tx.scans().links_to(scan.id).await? {
        tx.scans().update(&taken_out(&link, &case_file, link.state, now), link.state).await?;
    }
    let state = if scan.state == ScanState::Unreadable { ScanState::Unreadable } else { ScanState::Tray };
    tx.scans().update(&taken_out(&scan, &case_file, state, now), scan.state).await?;
    let job = placing::reopen(tx.as_mut(), &mut case_file, "scan_taken_out", now).await?;
    let entry = caller.log_entry(now, "unplace_scan", ("scan", scan.id.to_string()), "done");
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    record::announce(backends, &[job]).await;
    placing::leave(backends, &scan, &case_file).await;
    Ok(())
}
