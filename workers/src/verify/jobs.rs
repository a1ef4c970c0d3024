//! Invariant 8: every job is done, due, or dead with a reason, and nothing waits for a job that does not exist.

use backends::{
    connect::Backends,
    database::{case_files::CaseFileRow, jobs::JobRow, scans::ScanRow},
    error::StorageError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{case_file::CaseState, job::JobState, scan::ScanState};

use super::{Check, Violations};

/// Rows read at once.
const BATCH: i64 = 2_000;

pub(super) async fn check(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let jobs = open_jobs(backends, &mut violations).await?;
    let scans = waiting_scans(backends, &mut violations).await?;
    let case_files = waiting_case_files(backends, &mut violations).await?;
    let looked_at =
        format!("{jobs} jobs that are not done, {scans} scans and {case_files} case files that wait");
    Ok(Check::of(8, "every job is done, due, or dead with a reason", looked_at, violations))
}

async fn open_jobs(backends: &Backends, violations: &mut Violations) -> Result<u64, StorageError> {
    let (mut after, mut seen) = (None, 0);
    loop {
        let jobs = backends.database.begin_read().await?.jobs().not_done(after, BATCH).await?;
        let Some(last) = jobs.last() else { return Ok(seen) };
        after = Some(last.id);
        seen += jobs.len() as u64;
        let now = backends.clock.now();
        for job in &jobs {
            if let Some(what) = wrong_with(job, now) {
                violations.add(format!("job {} {what}", job.id));
            }
        }
    }
}

fn wrong_with(job: &JobRow, now: DateTime<Utc>) -> Option<&'static str> {
    let has_reason = job.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    match job.state {
        JobState::Dead if !has_reason => Some("is dead without a reason"),
        JobState::Dead | JobState::Done => None,
        JobState::Running if job.lease_until.is_none() => Some("will never be claimed"),
        _ if job.due_at > now + TimeDelta::days(1) => Some("will never be claimed"),
        _ => None,
    }
}

/// A scan that waits must have somebody who will do it.
async fn waiting_scans(backends: &Backends, violations: &mut Violations) -> Result<u64, StorageError> {
    let mut seen = 0;
    for state in [ScanState::Received, ScanState::Read] {
        let mut after = None;
        loop {
            let mut tx = backends.database.begin_read().await?;
            let scans = tx.scans().in_state(state, None, after, BATCH).await?;
            drop(tx);
            let Some(last) = scans.last() else { break };
            after = Some(last.id);
            seen += scans.len() as u64;
            for scan in &scans {
                if !is_scan_cared_for(backends, scan).await? {
                    violations.add(format!("scan {} waits for a job that does not exist", scan.id));
                }
            }
        }
    }
    Ok(seen)
}

/// Its job may have ended since the row was read; then the row has changed with it.
async fn is_scan_cared_for(backends: &Backends, scan: &ScanRow) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    if tx.jobs().is_cared_for(scan.id.uuid()).await? {
        return Ok(true);
    }
    drop(tx);
    let mut tx = backends.database.begin_read().await?;
    Ok(tx.scans().find(scan.id).await?.is_none_or(|now| now.state != scan.state))
}

/// So must a case file that is to be checked or archived.
async fn waiting_case_files(backends: &Backends, violations: &mut Violations) -> Result<u64, StorageError> {
    let (mut after, mut seen) = (0, 0);
    loop {
        let rows = backends.database.begin_read().await?.case_files().changed_since(after, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(seen) };
        after = last.change_sequence;
        let waits = |row: &&CaseFileRow| {
            matches!(row.state, CaseState::Reading | CaseState::Checked | CaseState::Accepted)
        };
        for row in rows.iter().filter(waits) {
            seen += 1;
            if !is_case_file_cared_for(backends, row).await? {
                violations.add(format!("case file {} waits for a job that does not exist", row.id));
            }
        }
    }
}

async fn is_case_file_cared_for(backends: &Backends, row: &CaseFileRow) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    if tx.jobs().is_cared_for(row.id.uuid()).await? {
        return Ok(true);
    }
    drop(tx);
    let mut tx = backends.database.begin_read().await?;
    let now = tx.case_files().find(row.id).await?;
    Ok(now.is_none_or(|now| now.change_sequence != row.change_sequence))
}

#[cfg(test)]
mod tests {
    use domain::job::JobName;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_job_that_nobody_will_claim_is_told() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let job = |state| JobRow { state, ..JobRow::due_at_once(JobName::ReadScan, Uuid::nil(), now) };
        let late = JobRow { due_at: now + TimeDelta::days(2), ..job(JobState::Waiting) };
        let explained = JobRow { reason: Some("no engine".to_owned()), ..job(JobState::Dead) };

        assert_eq!(wrong_with(&job(JobState::Waiting), now), None);
        assert_eq!(wrong_with(&late, now), Some("will never be claimed"));
        assert_eq!(wrong_with(&job(JobState::Running), now), Some("will never be claimed"));
        assert_eq!(wrong_with(&job(JobState::Dead), now), Some("is dead without a reason"));
        assert_eq!(wrong_with(&explained, now), None);
    }
}
