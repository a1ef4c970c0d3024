//! Invariants 3, 4, 6 and 8, as far as the catalogue alone proves them.

use std::collections::{HashMap, HashSet};

use backends::{connect::Backends, database::case_files::CaseFileRow, error::StorageError};
use domain::{case_file::CaseState, ids::CaseFileId, job::JobState, scan::ScanState};

use super::{Check, Violations};
use crate::jobs;

/// Rows read at once.
const BATCH: i64 = 2_000;

/// Every case file, in the order of the change sequence.
async fn for_each_case_file(
    backends: &Backends,
    mut visit: impl FnMut(&CaseFileRow),
) -> Result<u64, StorageError> {
    let (mut after, mut seen) = (0, 0);
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.case_files().changed_since(after, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(seen) };
        after = last.change_sequence;
        seen += rows.len() as u64;
        rows.iter().for_each(&mut visit);
    }
}

pub(super) async fn states(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let mut current: HashMap<CaseFileId, CaseState> = HashMap::new();
    for_each_case_file(backends, |row| {
        current.insert(row.id, row.state);
    })
    .await?;
    let (mut after, mut changes_seen) = (None, 0_u64);
    let mut last: Option<(CaseFileId, i64, CaseState)> = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let changes = tx.case_files().state_changes(after, BATCH).await?;
        let Some(end) = changes.last() else { break };
        after = Some((end.case_file_id, end.number));
        for change in &changes {
            changes_seen += 1;
            let before = last.filter(|(id, _, _)| *id == change.case_file_id);
            let is_legal = match (before, change.from) {
                (None, None) => change.number == 1,
                (Some((_, number, state)), Some(from)) => {
                    change.number == number + 1 && state == from && from.may_become(change.to)
                }
                _ => false,
            };
            if !is_legal {
                violations.add(format!(
                    "case file {}: change {} to {}",
                    change.case_file_id, change.number, change.to
                ));
            }
            finish_history(last, change.case_file_id, &current, &mut violations);
            last = Some((change.case_file_id, change.number, change.to));
        }
    }
    if let Some((id, _, state)) = last {
        ends_in_current_state(id, state, &current, &mut violations);
    }
    Ok(Check::of(
        4,
        "only legal state changes happened",
        format!("{} case files, {changes_seen} changes", current.len()),
        violations,
    ))
}

fn finish_history(
    last: Option<(CaseFileId, i64, CaseState)>,
    next: CaseFileId,
    current: &HashMap<CaseFileId, CaseState>,
    violations: &mut Violations,
) {
    if let Some((id, _, state)) = last.filter(|(id, _, _)| *id != next) {
        ends_in_current_state(id, state, current, violations);
    }
}

fn ends_in_current_state(
    id: CaseFileId,
    state: CaseState,
    current: &HashMap<CaseFileId, CaseState>,
    violations: &mut Violations,
) {
    if current.get(&id).is_some_and(|now| *now != state) {
        violations.add(format!("case file {id}: its history ends in {state}"));
    }
}

/// Whatever was read, placed, checked or archived left its entry, once for each time.
pub(super) async fn acts_are_logged(
    backends: &Backends,
    violations: &mut Violations,
) -> Result<(), StorageError> {
    let mut logged: HashMap<(String, String), u32> = HashMap::new();
    let mut after = 0;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.operation_log().after(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.sequence;
        for row in rows.into_iter().filter(|row| row.entry.result != "refused") {
            // What was given up may be done after all, once.
            let is_done = row.entry.result != jobs::GIVEN_UP;
            *logged.entry((row.entry.action, row.entry.subject_id)).or_default() += u32::from(is_done);
        }
    }
    let has = |action: &str, id: String| logged.contains_key(&(action.to_owned(), id));
    let mut after = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let scans = tx.scans().all(after, BATCH).await?;
        let Some(last) = scans.last() else { break };
        after = Some(last.id);
        for scan in &scans {
            if !matches!(scan.state, ScanState::Received | ScanState::Linked)
                && !has("read_scan", scan.id.to_string())
            {
                violations.add(format!("scan {} was read without an entry", scan.id));
            }
            if scan.placed_at.is_some() && !has("place_scan", scan.id.to_string()) {
                violations.add(format!("scan {} was placed without an entry", scan.id));
            }
        }
    }
    let mut missing = Vec::new();
    for_each_case_file(backends, |row| {
        if row.archived_at.is_some() && !has("archive_case_file", row.id.to_string()) {
            missing.push(row.id);
        }
    })
    .await?;
    for id in missing {
        violations.add(format!("case file {id} was archived without an entry"));
    }
    for ((action, id), count) in &logged {
        if action == "read_scan" && *count > 1 {
            violations.add(format!("scan {id} was read {count} times"));
        }
    }
    Ok(())
}

pub(super) async fn destroyed(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let (mut destroyed, mut codes) = (Vec::new(), HashSet::new());
    let mut doubled = Vec::new();
    let seen = for_each_case_file(backends, |row| {
        if row.state.is_destroyed() {
            destroyed.push(row.clone());
        }
        if let Some(code) = &row.archival_code
            && !codes.insert(code.clone())
        {
            doubled.push(row.id);
        }
    })
    .await?;
    for id in doubled {
        violations.add(format!("case file {id} shares its archival code"));
    }
    for row in &destroyed {
        if backends.vault.key(row.key_id).await?.is_some() {
            violations.add(format!("case file {} is destroyed but its key is not", row.id));
        }
        let mut tx = backends.database.begin_read().await?;
        if !tx.holdings().holds_on(row.id).await?.is_empty() {
            violations.add(format!("case file {} was destroyed while on hold", row.id));
        }
    }
    let keys = backends.vault.count().await?;
    Ok(Check::of(
        6,
        "nothing destroyed can be read, nothing on hold was destroyed",
        format!("{seen} case files, {} destroyed, {keys} wrapped keys", destroyed.len()),
        violations,
    ))
}

pub(super) async fn jobs(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let mut tx = backends.database.begin_read().await?;
    let counts = tx.jobs().counts().await?;
    let total: i64 = counts.iter().map(|count| count.count).sum();
    for job in tx.jobs().in_state(JobState::Dead, BATCH).await? {
        if job.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            violations.add(format!("job {} is dead without a reason", job.id));
        }
    }
    let latest = backends.clock.now() + chrono::TimeDelta::days(1);
    for state in [JobState::Waiting, JobState::Retrying, JobState::Running] {
        for job in tx.jobs().in_state(state, BATCH).await? {
            let is_unreachable =
                job.due_at > latest || (state == JobState::Running && job.lease_until.is_none());
            if is_unreachable {
                violations.add(format!("job {} will never be claimed", job.id));
            }
        }
    }
    // A scan that waits must have somebody who will do it.
    for state in [ScanState::Received, ScanState::Read] {
        for scan in tx.scans().in_state(state, None, None, BATCH).await? {
            let is_cared_for = tx.jobs().is_pending(scan.id.uuid()).await?
                || tx
                    .jobs()
                    .in_state(JobState::Dead, BATCH)
                    .await?
                    .iter()
                    .any(|job| job.subject == scan.id.uuid());
            if !is_cared_for {
                violations.add(format!("scan {} waits for a job that does not exist", scan.id));
            }
        }
    }
    Ok(Check::of(8, "every job is done, due, or dead with a reason", format!("{total} jobs"), violations))
}
