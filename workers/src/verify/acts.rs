//! Invariant 3, its second half: what rows say was done stands in the operation log.
//!
//! Rows are read first and the log after them: both are written in one transaction, so that whatever a row says is in
//! the log by then, beside a working server too.

use std::collections::HashMap;

use backends::{
    connect::Backends,
    database::{case_files::CaseFileRow, operation_log::LogEntry, scans::ScanRow},
    error::StorageError,
    placing::TAKEN_OUT,
};
use domain::scan::ScanState;

use super::Violations;
use crate::jobs;

/// Rows whose acts are asked for together.
const BATCH: i64 = 500;

/// What the log says was done to some things.
struct Acts(HashMap<(String, String), i64>);

impl Acts {
    async fn on(backends: &Backends, mut subjects: Vec<String>) -> Result<Self, StorageError> {
        subjects.sort_unstable();
        subjects.dedup();
        let mut counts = HashMap::new();
        let acts = backends.database.begin_read().await?.operation_log().acts_on(&subjects).await?;
        for act in acts.into_iter().filter(|act| act.result != "refused") {
            // What was given up may be done after all, once.
            let done = if act.result == jobs::GIVEN_UP { 0 } else { act.count };
            *counts.entry((act.subject_id, act.action)).or_default() += done;
        }
        Ok(Self(counts))
    }

    fn times(&self, subject: &str, action: &str) -> Option<i64> {
        self.0.get(&(subject.to_owned(), action.to_owned())).copied()
    }

    fn has_one_of(&self, subject: &str, actions: &[&str]) -> bool {
        actions.iter().any(|action| self.times(subject, action).is_some())
    }
}

/// Counts what imports say they entered, entry after entry.
#[derive(Default)]
pub(super) struct Imports {
    entered: i64,
}

impl Imports {
    pub(super) fn see(&mut self, entry: &LogEntry) {
        if entry.action == "import_entries" {
            let counts = entry.result.split(' ').filter_map(|part| part.split_once('='));
            self.entered += counts.filter_map(|(_, count)| count.parse::<i64>().ok()).sum::<i64>();
        }
    }

    /// `versions` of entered data were there before the log was read.
    pub(super) fn check(&self, versions: i64, violations: &mut Violations) {
        if versions > self.entered {
            let missing = versions - self.entered;
            violations.add(format!("{missing} versions of entered data were imported without an entry"));
        }
    }
}

/// Uploads, readings, placings, verdicts, filings, tasks, settlements and corrections.
pub(super) async fn check(backends: &Backends, violations: &mut Violations) -> Result<(), StorageError> {
    scans(backends, violations).await?;
    case_files(backends, violations).await?;
    findings(backends, violations).await?;
    corrections(backends, violations).await
}

async fn scans(backends: &Backends, violations: &mut Violations) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let scans = backends.database.begin_read().await?.scans().all(after, BATCH).await?;
        let Some(last) = scans.last() else { return Ok(()) };
        after = Some(last.id);
        let of_scan = |scan: &ScanRow| [scan.id.to_string(), scan.upload_id.to_string()];
        let acts = Acts::on(backends, scans.iter().flat_map(of_scan).collect()).await?;
        for scan in &scans {
            check_scan(scan, &acts, violations);
        }
    }
}

fn check_scan(scan: &ScanRow, acts: &Acts, violations: &mut Violations) {
    let id = scan.id.to_string();
    if !acts.has_one_of(&scan.upload_id.to_string(), &["upload"]) {
        violations.add(format!("scan {id} was received without an entry"));
    }
    let was_read = !matches!(scan.state, ScanState::Received | ScanState::Linked);
    match acts.times(&id, "read_scan") {
        None if was_read => violations.add(format!("scan {id} was read without an entry")),
        Some(times) if times > 1 => violations.add(format!("scan {id} was read {times} times")),
        _ => {}
    }
    // A scan that points to another one goes with that one, and only the other one has the entry.
    let is_out = scan.placed_by.as_deref() == Some(TAKEN_OUT) && scan.same_as.is_none();
    let placing: &[&str] = if is_out { &["unplace_scan"] } else { &["place_scan", "unplace_scan"] };
    if scan.placed_at.is_some() && !acts.has_one_of(&id, placing) {
        let what = if is_out { "taken out" } else { "placed" };
        violations.add(format!("scan {id} was {what} without an entry"));
    }
}

async fn case_files(backends: &Backends, violations: &mut Violations) -> Result<(), StorageError> {
    let mut after = 0;
    loop {
        let rows = backends.database.begin_read().await?.case_files().changed_since(after, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.change_sequence;
        let acts = Acts::on(backends, rows.iter().map(|row| row.id.to_string()).collect()).await?;
        for row in &rows {
            check_case_file(row, &acts, violations);
        }
    }
}

fn check_case_file(row: &CaseFileRow, acts: &Acts, violations: &mut Violations) {
    let id = row.id.to_string();
    let done: [(bool, &[&str], &str); 3] = [
        (row.archived_at.is_some(), &["archive_case_file"], "archived"),
        (row.verdict_id.is_some(), &["check_case_file"], "judged"),
        (row.assigned_to.is_some(), &["take_case_file", "take_over_case_file"], "taken as a task"),
    ];
    for (is_done, actions, what) in done {
        if is_done && !acts.has_one_of(&id, actions) {
            violations.add(format!("case file {id} was {what} without an entry"));
        }
    }
}

async fn findings(backends: &Backends, violations: &mut Violations) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let settled = backends.database.begin_read().await?.findings().settled(after, BATCH).await?;
        let Some(last) = settled.last() else { return Ok(()) };
        after = Some(*last);
        let acts = Acts::on(backends, settled.iter().map(ToString::to_string).collect()).await?;
        for id in settled.iter().map(ToString::to_string) {
            if !acts.has_one_of(&id, &["accept_finding", "return_finding"]) {
                violations.add(format!("finding {id} was settled without an entry"));
            }
        }
    }
}

async fn corrections(backends: &Backends, violations: &mut Violations) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let corrected = backends.database.begin_read().await?.readings().corrections(after, BATCH).await?;
        let Some((last, _)) = corrected.last() else { return Ok(()) };
        after = Some(*last);
        let acts = Acts::on(backends, corrected.iter().map(|(_, page)| page.to_string()).collect()).await?;
        for (id, page) in &corrected {
            if !acts.has_one_of(&page.to_string(), &["correct_reading"]) {
                violations.add(format!("reading {id} was corrected without an entry"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(known: &[(&str, &str, i64)]) -> Acts {
        let entry = |(subject, action, count): &(&str, &str, i64)| {
            (((*subject).to_owned(), (*action).to_owned()), *count)
        };
        Acts(known.iter().map(entry).collect())
    }

    #[test]
    fn what_was_given_up_counts_as_an_entry_and_not_as_done() {
        let acts = acts(&[("s1", "read_scan", 0), ("s2", "read_scan", 2)]);

        assert!(acts.has_one_of("s1", &["place_scan", "read_scan"]));
        assert!(!acts.has_one_of("s1", &["place_scan"]));
        assert_eq!((acts.times("s1", "read_scan"), acts.times("s2", "read_scan")), (Some(0), Some(2)));
        assert_eq!(acts.times("s3", "read_scan"), None);
    }

    #[test]
    fn more_versions_than_imports_say_are_told() {
        let check = |versions, expected: usize| {
            let mut violations = Violations::default();
            Imports { entered: 4 }.check(versions, &mut violations);
            assert_eq!(violations.into_list().len(), expected, "{versions}");
        };

        check(4, 0);
        check(3, 0);
        check(5, 1);
    }
}
