//! One file for each job. Every handler is idempotent: running twice equals running once.

mod archive_case_file;
mod check_case_file;
mod open_case_file;
mod place_scan;
mod read_scan;

use backends::database::readings::ReadingRow;
use domain::{
    ids::{CaseFileId, PageId, ScanId},
    job::JobName,
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
