//! Putting a scan into a case file and taking it out: which keys and rows change, and in which order.
//!
//! Whether a worker or a person decided where the scan belongs makes no difference here. Keys go first and are
//! released last, so that whatever happens in between, the scan can be read.

use chrono::{DateTime, Utc};
use domain::{
    case_file::CaseState,
    ids::{CaseFileId, ScanId},
    job::JobName,
    scan::ScanState,
};

use crate::{
    blob_store::BlobKey,
    clock::office_day,
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, jobs::JobRow, scans::ScanRow},
    error::StorageError,
    queue::Ring,
};

/// Stands in `ScanRow::placed_by` of a scan that a person took out of a case file: only a person puts it anywhere.
pub const TAKEN_OUT: &str = "taken_out";

/// Stands in `ScanRow::problem` of a scan that waits in the tray because the job that was to place it was given up.
pub const PLACING_GIVEN_UP: &str = "placing_given_up";

/// Whether a scan waits for a person because the job that was to place it was given up.
pub fn was_given_up(scan: &ScanRow) -> bool {
    scan.problem.as_deref() == Some(PLACING_GIVEN_UP)
}

/// What is wrong with the pages of a scan, once nothing is wrong with its placing: a code of `docs/errors`.
///
/// # Errors
/// The catalogue failed.
pub async fn problem_of_pages(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
) -> Result<Option<String>, StorageError> {
    if !was_given_up(scan) {
        return Ok(scan.problem.clone());
    }
    Ok(tx.pages().of_scan(scan.id).await?.into_iter().find_map(|page| page.problem))
}

/// What placing came to.
#[derive(Debug)]
pub struct Placement {
    /// The bytes were in the case file already: the scan points to them, and its own object goes.
    pub is_linked: bool,
    /// For the check that became necessary, unless nothing new came in.
    pub check: Option<Ring>,
}

/// Wraps the key of the scan under that of the case file; before the rows change.
///
/// # Errors
/// A key is gone, or the key store failed.
pub async fn hand_over_key(
    backends: &Backends,
    scan: &ScanRow,
    case_file: &CaseFileRow,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let scan_key = backends.vault.required_key(scan.key_id).await?;
    let case_key = backends.vault.required_key(case_file.key_id).await?;
    backends.vault.hand_over(&scan_key, &case_key, now).await
}

/// Changes the rows: the scan stands in the case file, whose verdict falls unless the bytes were there already.
/// `by` names who or what decided. Gives `None`, and changes nothing, when the case file takes no scans any more.
///
/// # Errors
/// The case file is gone, somebody changed the scan meanwhile, or the catalogue failed.
pub async fn place(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    case_file: CaseFileId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<Placement>, StorageError> {
    // Loaded here: somebody may have changed it since it was chosen.
    let found = tx.case_files().find(case_file).await?;
    let mut case_file = found.ok_or_else(|| StorageError::corrupt("catalogue", "a case file is gone"))?;
    if !case_file.state.takes_scans() {
        return Ok(None);
    }
    let twin = same_bytes_in(tx, scan, case_file.id).await?;
    let state = match (twin, scan.state) {
        (Some(_), _) => ScanState::Linked,
        (None, ScanState::Unreadable) => ScanState::Unreadable,
        (None, _) => ScanState::Placed,
    };
    let placed = ScanRow {
        case_file_id: Some(case_file.id),
        same_as: twin,
        state,
        problem: problem_of_pages(tx, scan).await?,
        placed_by: Some(by.to_owned()),
        placed_at: Some(now),
        ..scan.clone()
    };
    tx.scans().update(&placed, scan.state).await?;
    take_links_along(tx, &placed).await?;
    let mut check = None;
    if twin.is_none() {
        case_file.papers_received_on.get_or_insert(office_day(scan.received_at));
        if case_file.outlet_code.is_none() {
            case_file.outlet_code.clone_from(&scan.outlet_code);
        }
        check = Some(reopen(tx, &mut case_file, "scan_placed", now).await?);
    }
    Ok(Some(Placement { is_linked: twin.is_some(), check }))
}

/// After the rows are committed: the root no longer opens the scan, and of bytes that were there already the second
/// copy goes. The scan is placed whatever comes of this; what fails is left to the sweeps.
pub async fn finish(backends: &Backends, scan: &ScanRow, placement: &Placement) {
    left_to_sweeps(scan, backends.vault.release_from_root(scan.key_id).await);
    if placement.is_linked {
        left_to_sweeps(scan, backends.blobs.delete(BlobKey::Scan(scan.id)).await);
    }
}

/// After the rows of a scan that was taken out are committed: the case file no longer opens it. What fails is left to
/// the sweeps.
pub async fn leave(backends: &Backends, scan: &ScanRow, former: &CaseFileRow) {
    left_to_sweeps(scan, backends.vault.release_from_case_file(scan.key_id, former.key_id).await);
}

fn left_to_sweeps(scan: &ScanRow, released: Result<(), StorageError>) {
    if let Err(error) = released {
        tracing::warn!(scan.id = %scan.id, error = %error, "what a scan left behind is released by the next sweep");
    }
}

/// The verdict falls with what it was given on, the case file is read anew, and a check becomes necessary.
///
/// # Errors
/// The catalogue failed.
pub async fn reopen(
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
    tx.jobs().enqueue(&JobRow::due_at_once(JobName::CheckCaseFile, case_file.id.uuid(), now)).await
}

/// Scans that point to this one hold its bytes: they go where it goes, and point to whatever it points to now.
async fn take_links_along(tx: &mut dyn Transaction, placed: &ScanRow) -> Result<(), StorageError> {
    for link in tx.scans().links_to(placed.id).await? {
        let moved = ScanRow {
            case_file_id: placed.case_file_id,
            same_as: placed.same_as.or(Some(placed.id)),
            placed_by: placed.placed_by.clone(),
            placed_at: placed.placed_at,
            ..link.clone()
        };
        tx.scans().update(&moved, link.state).await?;
    }
    Ok(())
}

async fn same_bytes_in(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    case_file: CaseFileId,
) -> Result<Option<ScanId>, StorageError> {
    let same = tx.scans().with_digest(&scan.digest).await?;
    let twin = same.into_iter().find(|other| {
        other.id != scan.id && other.case_file_id == Some(case_file) && other.same_as.is_none()
    });
    Ok(twin.map(|twin| twin.id))
}
