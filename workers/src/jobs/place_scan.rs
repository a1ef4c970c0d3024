//! `place_scan`: finds the case file a scan belongs to, or puts it into the tray.
//!
//! The ladder: the slip number given, the barcode, the slip number read, the file name, the identity number or
//! name among the outlet's open cases of those days, the other scans of the same upload.

mod evidence;
mod ladder;

use backends::{
    clock::office_day,
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    queue::Ring,
};
use chrono::TimeDelta;
use domain::{case_file::CaseState, ids::ScanId, job::JobName, scan::ScanState};

use self::{evidence::Evidence, ladder::Place};
use super::{missing, open_case_file};
use crate::context::{Claimed, JobFailure, WorkContext};

/// Places one scan. Done already when it is placed.
pub(super) async fn run(context: &WorkContext, claimed: &Claimed, id: ScanId) -> Result<(), JobFailure> {
    let mut look = context.backends.database.begin_read().await?;
    let scan = look.scans().find(id).await?.ok_or_else(|| missing("the scan"))?;
    if !matches!(scan.state, ScanState::Read | ScanState::Tray | ScanState::Unreadable)
        || scan.case_file_id.is_some()
    {
        drop(look);
        let tx = context.backends.database.begin().await?;
        return claimed.complete(context, tx, &[]).await;
    }
    let evidence = Evidence::gather(context, look.as_mut(), &scan).await?;
    let place = ladder::find_place(context, look.as_mut(), &scan, &evidence).await?;
    drop(look);
    fail::fail_point!("place_scan::decided");
    match place {
        Place::CaseFile { case_file, by } => place_in(context, claimed, scan, *case_file, by).await,
        Place::NewCaseFile { slip_number, by } => {
            open_and_place(context, claimed, scan, &slip_number, by).await
        }
        Place::Tray => into_tray(context, claimed, scan).await,
    }
}

async fn open_and_place(
    context: &WorkContext,
    claimed: &Claimed,
    scan: ScanRow,
    slip_number: &str,
    by: &'static str,
) -> Result<(), JobFailure> {
    let mut tx = context.backends.database.begin().await?;
    let case_file = open_case_file::open(context, tx.as_mut(), slip_number, &scan).await?;
    tx.operation_log()
        .append(&context.log_entry("open_case_file", "case_file", case_file.id.uuid(), "done"))
        .await?;
    tx.commit().await?;
    place_in(context, claimed, scan, case_file, by).await
}

/// An unreadable scan keeps its state: it waits for a person wherever it is.
async fn into_tray(context: &WorkContext, claimed: &Claimed, mut scan: ScanRow) -> Result<(), JobFailure> {
    let from = scan.state;
    let mut tx = context.backends.database.begin().await?;
    if from == ScanState::Read {
        scan.state = ScanState::Tray;
        tx.scans().update(&scan, from).await?;
        tx.operation_log().append(&context.log_entry("place_scan", "scan", scan.id.uuid(), "tray")).await?;
    }
    claimed.complete(context, tx, &[]).await
}

async fn place_in(
    context: &WorkContext,
    claimed: &Claimed,
    mut scan: ScanRow,
    case_file: CaseFileRow,
    by: &'static str,
) -> Result<(), JobFailure> {
    let vault = &context.backends.vault;
    let scan_key = vault.required_key(scan.key_id).await?;
    let case_key = vault.required_key(case_file.key_id).await?;
    vault.hand_over(&scan_key, &case_key, context.now()).await?;
    fail::fail_point!("place_scan::handed_over");

    let mut tx = context.backends.database.begin().await?;
    // Loaded again inside the transaction: somebody may have changed it since the ladder looked.
    let mut case_file = tx.case_files().find(case_file.id).await?.ok_or_else(|| missing("the case file"))?;
    if !takes_scans(case_file.state) {
        drop(tx);
        return into_tray(context, claimed, scan).await;
    }
    let from = scan.state;
    let twin = same_bytes_in(tx.as_mut(), &scan, &case_file).await?;
    scan.case_file_id = Some(case_file.id);
    scan.placed_by = Some(by.to_owned());
    scan.placed_at = Some(context.now());
    scan.same_as = twin.as_ref().map(|twin| twin.id);
    scan.state = match (&twin, from) {
        (Some(_), _) => ScanState::Linked,
        (None, ScanState::Unreadable) => ScanState::Unreadable,
        (None, _) => ScanState::Placed,
    };
    tx.scans().update(&scan, from).await?;
    let mut follow_up = Vec::new();
    if twin.is_none() {
        reopen(context, tx.as_mut(), &mut case_file, &scan).await?;
        let check = context.job(JobName::CheckCaseFile, case_file.id.uuid(), TimeDelta::zero());
        follow_up.push(tx.jobs().enqueue(&check).await?);
    }
    follow_up.extend(try_neighbours_again(context, tx.as_mut(), &scan).await?);
    tx.operation_log().append(&context.log_entry("place_scan", "scan", scan.id.uuid(), by)).await?;
    fail::fail_point!("place_scan::before_commit");
    claimed.complete(context, tx, &follow_up).await?;
    fail::fail_point!("place_scan::after_commit");
    vault.release_from_root(scan.key_id).await?;
    if twin.is_some() {
        // The row says that nothing is stored here; the object goes after it.
        context.backends.blobs.delete(backends::blob_store::BlobKey::Scan(scan.id)).await?;
    }
    Ok(())
}

/// Nothing is added to what is on its way to destruction.
const fn takes_scans(state: CaseState) -> bool {
    state.may_become(CaseState::Reading) || matches!(state, CaseState::Reading)
}

async fn same_bytes_in(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    case_file: &CaseFileRow,
) -> Result<Option<ScanRow>, JobFailure> {
    let same = tx.scans().with_sha256(&scan.sha256).await?;
    Ok(same.into_iter().find(|other| {
        other.id != scan.id && other.case_file_id == Some(case_file.id) && other.same_as.is_none()
    }))
}

/// The verdict falls with the papers it was given on, and the case file is read anew.
async fn reopen(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &mut CaseFileRow,
    scan: &ScanRow,
) -> Result<(), JobFailure> {
    let now = context.now();
    if let Some(verdict) = case_file.verdict_id.take() {
        tx.findings().fell(verdict, now).await?;
    }
    case_file.papers_received_on.get_or_insert(office_day(scan.received_at));
    if case_file.outlet_code.is_none() {
        case_file.outlet_code.clone_from(&scan.outlet_code);
    }
    case_file.updated_at = now;
    tx.case_files().update(case_file).await?;
    if case_file.state != CaseState::Reading {
        tx.case_files().change_state(case_file, CaseState::Reading, "scan_placed", now).await?;
    }
    Ok(())
}

/// What was placed may show where the rest of its upload belongs.
async fn try_neighbours_again(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    scan: &ScanRow,
) -> Result<Vec<Ring>, JobFailure> {
    let mut again = Vec::new();
    for item in tx.scans().upload_items(scan.upload_id).await? {
        let Some(other) = item.scan_id.filter(|other| *other != scan.id) else { continue };
        let waits = tx.scans().find(other).await?.is_some_and(|other| other.state == ScanState::Tray);
        if waits {
            let job = context.job(JobName::PlaceScan, other.uuid(), TimeDelta::zero());
            again.push(tx.jobs().enqueue(&job).await?);
        }
    }
    Ok(again)
}
