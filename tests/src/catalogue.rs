//! What a server left behind, seen past its API.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, Result};
use backends::{
    clock::SystemClock,
    connect::{Backends, BackendsConfig},
    database::{
        case_files::CaseFileRow, findings::FindingRow, jobs::JobRow, operation_log::LogEntry, scans::ScanRow,
    },
    queue::Ring,
};
use chrono::{DateTime, Utc};
use domain::job::{JobName, JobState};
use uuid::Uuid;

/// Rows read at once.
const BATCH: i64 = 1_000;

/// A look into the stores of an archive, beside the running server or without one.
pub struct Catalogue {
    backends: Backends,
}

impl Catalogue {
    /// Opens the stores in a data folder.
    pub async fn open(data: &Path) -> Result<Self> {
        Self::open_at(&BackendsConfig::embedded(data)).await
    }

    /// Opens the stores at these addresses.
    pub async fn open_at(config: &BackendsConfig) -> Result<Self> {
        Ok(Self { backends: Backends::connect(config, Arc::new(SystemClock)).await? })
    }

    /// The stores themselves.
    pub const fn backends(&self) -> &Backends {
        &self.backends
    }

    /// Jobs that are neither done nor dead, as `3 read_scan waiting`.
    pub async fn pending_jobs(&self) -> Result<Vec<String>> {
        let mut tx = self.backends.database.begin_read().await?;
        let counts = tx.jobs().counts().await?;
        let pending = counts.iter().filter(|count| !matches!(count.state, JobState::Done | JobState::Dead));
        Ok(pending
            .map(|count| format!("{} {} {}", count.count, count.name.as_str(), count.state.as_str()))
            .collect())
    }

    /// The rings of jobs that are done.
    pub async fn done_rings(&self) -> Result<Vec<Ring>> {
        let mut tx = self.backends.database.begin_read().await?;
        let done = tx.jobs().in_state(JobState::Done, BATCH).await?;
        Ok(done.into_iter().map(|job| Ring { job: job.id, name: job.name }).collect())
    }

    /// The rings of jobs that are due or running.
    pub async fn open_rings(&self) -> Result<Vec<Ring>> {
        let mut tx = self.backends.database.begin_read().await?;
        let mut open = Vec::new();
        for state in [JobState::Waiting, JobState::Retrying, JobState::Running] {
            open.extend(tx.jobs().in_state(state, BATCH).await?);
        }
        Ok(open.into_iter().map(|job| Ring { job: job.id, name: job.name }).collect())
    }

    /// Why jobs were given up.
    pub async fn dead_jobs(&self) -> Result<Vec<String>> {
        let mut tx = self.backends.database.begin_read().await?;
        let dead = tx.jobs().in_state(JobState::Dead, BATCH).await?;
        Ok(dead
            .into_iter()
            .map(|job| format!("{}: {}", job.name.as_str(), job.reason.unwrap_or_default()))
            .collect())
    }

    /// Puts a job into the catalogue; the sweep rings for it.
    pub async fn enqueue(&self, name: JobName, subject: Uuid) -> Result<()> {
        let mut tx = self.backends.database.begin().await?;
        tx.jobs().enqueue(&JobRow::due_at_once(name, subject, self.backends.clock.now())).await?;
        Ok(tx.commit().await?)
    }

    /// Every scan.
    pub async fn scans(&self) -> Result<Vec<ScanRow>> {
        let mut scans: Vec<ScanRow> = Vec::new();
        loop {
            let mut tx = self.backends.database.begin_read().await?;
            let more = tx.scans().all(scans.last().map(|scan| scan.id), BATCH).await?;
            if more.is_empty() {
                return Ok(scans);
            }
            scans.extend(more);
        }
    }

    /// The scan with this id.
    pub async fn scan(&self, id: &str) -> Result<ScanRow> {
        let mut tx = self.backends.database.begin_read().await?;
        let scan = tx.scans().find(id.parse().ok().context("not an id")?).await?;
        scan.with_context(|| format!("scan {id} is missing"))
    }

    /// The case file of a slip number.
    pub async fn case_file(&self, slip_number: &str) -> Result<CaseFileRow> {
        let mut tx = self.backends.database.begin_read().await?;
        let case_file = tx.case_files().find_by_slip_number(slip_number).await?;
        case_file.with_context(|| format!("case file {slip_number} is missing"))
    }

    /// Findings of a case file, those of fallen verdicts included.
    pub async fn findings(&self, case_file: &CaseFileRow) -> Result<Vec<FindingRow>> {
        let mut tx = self.backends.database.begin_read().await?;
        Ok(tx.findings().of_case_file(case_file.id).await?)
    }

    /// Number of the last change of any case file.
    pub async fn last_change(&self) -> Result<i64> {
        let mut tx = self.backends.database.begin_read().await?;
        Ok(tx.case_files().last_change().await?)
    }

    /// How many case files there are.
    pub async fn case_file_count(&self) -> Result<i64> {
        let mut tx = self.backends.database.begin_read().await?;
        Ok(tx.case_files().count_by_state().await?.iter().map(|(_, count)| count).sum())
    }

    /// How often each act on each subject is on the operation log.
    pub async fn acts(&self) -> Result<BTreeMap<(String, String), usize>> {
        let mut acts = BTreeMap::new();
        for entry in self.operation_log().await? {
            *acts.entry((entry.action, entry.subject_id)).or_insert(0) += 1;
        }
        Ok(acts)
    }

    /// When workers did what they did, as their clocks said.
    pub async fn worker_instants(&self) -> Result<Vec<DateTime<Utc>>> {
        let log = self.operation_log().await?;
        Ok(log.into_iter().filter(|entry| entry.origin == "worker").map(|entry| entry.at).collect())
    }

    async fn operation_log(&self) -> Result<Vec<LogEntry>> {
        let (mut log, mut after) = (Vec::new(), 0);
        loop {
            let mut tx = self.backends.database.begin_read().await?;
            let rows = tx.operation_log().after(after, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(log) };
            after = last.sequence;
            log.extend(rows.into_iter().map(|row| row.entry));
        }
    }

    /// How often one act on one subject is on the operation log.
    pub async fn times(&self, action: &str, subject: &str) -> Result<usize> {
        let acts = self.acts().await?;
        Ok(acts.get(&(action.to_owned(), subject.to_owned())).copied().unwrap_or(0))
    }

    /// How often an act is on the operation log, whatever it was done to.
    pub async fn total(&self, action: &str) -> Result<usize> {
        let acts = self.acts().await?;
        Ok(acts.iter().filter(|((name, _), _)| name == action).map(|(_, count)| count).sum())
    }
}
