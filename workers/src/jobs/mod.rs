//! One file for each job. Every handler is idempotent: running twice equals running once.

mod archive_case_file;
mod check_case_file;
mod open_case_file;
mod place_scan;
mod read_scan;

use backends::{
    database::{Transaction, jobs::JobRow, readings::ReadingRow, scans::ScanRow},
    error::StorageError,
    placing,
};
use domain::{
    ids::{CaseFileId, PageId, ScanId},
    job::JobName,
    scan::ScanState,
};

use crate::context::{Claimed, JobFailure, WorkContext};

/// Does what the job names.
pub(crate) async fn run(context: &WorkContext, claimed: &Claimed) -> Result<(), JobFailure> {
    let subject = claimed.job.subject;
    match claimed.job.name {
        JobName::ReadScan => read_scan::run(context, claimed, ScanId::from_uuid(subject)).await,
        JobName::PlaceScan => place_scan::run(context, claimed, ScanId::from_uuid(subject)).await,
        JobName::CheckCaseFile => {
            check_case_file::run(context, claimed, CaseFileId::from_uuid(subject)).await
        }
        JobName::ArchiveCaseFile => {
            archive_case_file::run(context, claimed, CaseFileId::from_uuid(subject)).await
        }
    }
}

/// Stands in the operation log as the result of a job that was given up.
pub(crate) const GIVEN_UP: &str = "given_up";
/// Stands in `ScanRow::problem` of a scan whose reading was given up.
const READING_GIVEN_UP: &str = "reading_given_up";

/// Puts the scan of a job that was given up where a person finds it: nobody else will look at it again.
pub(crate) async fn hand_to_person(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    job: &JobRow,
) -> Result<(), StorageError> {
    let (from, to, problem) = match job.name {
        JobName::ReadScan => (ScanState::Received, ScanState::Unreadable, READING_GIVEN_UP),
        JobName::PlaceScan => (ScanState::Read, ScanState::Tray, placing::PLACING_GIVEN_UP),
        JobName::CheckCaseFile | JobName::ArchiveCaseFile => return Ok(()),
    };
    let Some(scan) = tx.scans().find(ScanId::from_uuid(job.subject)).await? else { return Ok(()) };
    if scan.state != from {
        return Ok(());
    }
    let waiting = ScanRow { state: to, problem: Some(problem.to_owned()), ..scan };
    tx.scans().update(&waiting, from).await?;
    let entry = context.log_entry(job.name.as_str(), "scan", job.subject, GIVEN_UP);
    tx.operation_log().append(&entry).await?;
    Ok(())
}

/// A subject that is not in the catalogue: the job was written with it, so this is damage.
pub(crate) fn missing(what: &str) -> JobFailure {
    JobFailure::Dead { reason: format!("{what} is not in the catalogue") }
}

/// Of all readings of a scan, oldest first, the last of each page; in the order of the pages' first reading.
pub(crate) fn readings_in_force(readings: Vec<ReadingRow>) -> Vec<ReadingRow> {
    let mut in_force: Vec<ReadingRow> = Vec::new();
    for reading in readings {
        let page: PageId = reading.page_id;
        match in_force.iter_mut().find(|kept| kept.page_id == page) {
            Some(kept) => *kept = reading,
            None => in_force.push(reading),
        }
    }
    in_force
}
