//! `place_scan`: finds the case file a scan belongs to, or puts it into the tray.
//!
//! The ladder: the slip number given, the barcode, the slip number read, the file name, the identity number or
//! name among the outlet's open cases of those days, the other scans of the same upload.

mod evidence;
mod ladder;

use backends::{
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    placing,
    queue::Ring,
};
use chrono::TimeDelta;
use domain::{ids::ScanId, job::JobName, scan::ScanState};

use self::{evidence::Evidence, ladder::Place};
use super::{missing, open_case_file};
use crate::context::{Claimed, JobFailure, WorkContext};

/// Places one scan. Done already when it is placed, or when a person took it out of where it was.
pub(super) async fn run(context: &WorkContext, claimed: &Claimed, id: ScanId) -> Result<(), JobFailure> {
    let mut look = context.backends.database.begin_read().await?;
    let scan = look.scans().find(id).await?.ok_or_else(|| missing("the scan"))?;
    let waits = matches!(scan.state, ScanState::Read | ScanState::Tray | ScanState::Unreadable);
    let was_taken_out = scan.placed_by.as_deref() == Some(placing::TAKEN_OUT);
    if !waits || was_taken_out || scan.case_file_id.is_some() {
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
    let case_file = open_case_file::open(context, slip_number, &scan).await?;
    place_in(context, claimed, scan, case_file, by).await
}

/// An unreadable scan keeps its state: it waits for a person wherever it is.
async fn into_tray(context: &WorkContext, claimed: &Claimed, mut scan: ScanRow) -> Result<(), JobFailure> {
    let from = scan.state;
    let mut tx = context.backends.database.begin().await?;
    if from == ScanState::Read || placing::was_given_up(&scan) {
        scan.state = ScanState::Tray;
        scan.problem = placing::problem_of_pages(tx.as_mut(), &scan).await?;
        tx.scans().update(&scan, from).await?;
        tx.operation_log().append(&context.log_entry("place_scan", "scan", scan.id.uuid(), "tray")).await?;
    }
    claimed.complete(context, tx, &[]).await
}

async fn place_in(
    context: &WorkContext,
    claimed: &Claimed,
    scan: ScanRow,
    case_file: CaseFileRow,
    by: &'static str,
) -> Result<(), JobFailure> {
    placing::hand_over_key(&context.backends, &scan, &case_file, context.now()).await?;
    fail::fail_point!("place_scan::handed_over");

    let mut tx = context.backends.database.begin().await?;
    let placed = placing::place(tx.as_mut(), &scan, case_file.id, by, context.now()).await?;
    let Some(placement) = placed else {
        drop(tx);
        return into_tray(context, claimed, scan).await;
    };
    let mut next: Vec<Ring> = placement.check.iter().copied().collect();
    next.extend(try_neighbours_again(context, tx.as_mut(), &scan).await?);
    tx.operation_log().append(&context.log_entry("place_scan", "scan", scan.id.uuid(), by)).await?;
    fail::fail_point!("place_scan::before_commit");
    claimed.complete(context, tx, &next).await?;
    fail::fail_point!("place_scan::after_commit");
    placing::finish(&context.backends, &scan, &placement).await;
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
