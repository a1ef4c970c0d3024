//! What every job needs, and what its failure means.

use std::{sync::Arc, time::Duration};

use backends::{
    connect::Backends,
    database::{Transaction, jobs::JobRow, operation_log::LogEntry},
    error::StorageError,
    queue::Ring,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    archival_code::ArchivalCodePattern,
    blind_index::BlindKey,
    job::{JobName, JobState},
};
use thiserror::Error;
use uuid::Uuid;

use crate::reader_pool::ReaderPool;

/// What the operator may change about the work.
#[derive(Debug, Clone, Copy)]
pub struct WorkOptions {
    /// How many jobs run at once.
    pub slots: usize,
    /// How long a worker that says nothing is believed to work.
    pub lease: TimeDelta,
    /// How often a job is tried.
    pub max_attempts: i64,
    /// How many days before its arrival a scan's acceptance may lie.
    pub open_days: i64,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self { slots: 3, lease: TimeDelta::seconds(60), max_attempts: 5, open_days: 180 }
    }
}

/// Everything a job may use. Cheap to clone.
#[derive(Clone)]
pub struct WorkContext {
    /// Both sides of every seam.
    pub backends: Backends,
    /// The CPU pool that decodes and reads.
    pub readers: Arc<ReaderPool>,
    /// What the operator chose.
    pub options: WorkOptions,
    /// How archival codes look.
    pub archival_pattern: ArchivalCodePattern,
}

impl WorkContext {
    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.backends.clock.now()
    }

    /// The key of the blind index.
    pub fn blind_key(&self) -> BlindKey {
        BlindKey::new(self.backends.vault.blind_index_secret())
    }

    /// A row for a job that is due after `delay`.
    pub fn job(&self, name: JobName, subject: Uuid, delay: TimeDelta) -> JobRow {
        let now = self.now();
        JobRow { due_at: now + delay, ..JobRow::due_at_once(name, subject, now) }
    }

    /// Rings for jobs whose rows are committed. A ring that fails does no harm: the sweep rings again.
    pub async fn announce(&self, rings: &[Ring], delay: Duration) {
        if let Err(error) = self.backends.queue.announce(rings, delay).await {
            tracing::debug!(rings = rings.len(), error = %error, "the bell did not ring; the sweep will");
        }
    }

    /// A log entry of the archive itself.
    pub fn log_entry(&self, action: &str, subject_kind: &str, subject: Uuid, result: &str) -> LogEntry {
        LogEntry {
            at: self.now(),
            account_id: None,
            role: "system".to_owned(),
            outlet_code: None,
            origin: "worker".to_owned(),
            action: action.to_owned(),
            subject_kind: subject_kind.to_owned(),
            subject_id: subject.to_string(),
            reason: None,
            result: result.to_owned(),
        }
    }
}

/// A job that was claimed: who holds it, and how it ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The row.
    pub job: JobRow,
    /// The holder of the lease.
    pub owner: Uuid,
}

impl Claimed {
    /// Ends the job in the transaction that holds its results, commits, and rings for what follows.
    pub async fn complete(
        &self,
        context: &WorkContext,
        mut tx: Box<dyn Transaction>,
        follow_up: &[Ring],
    ) -> Result<(), JobFailure> {
        tx.jobs().finish(self.job.id, self.owner, (JobState::Done, None), context.now()).await?;
        tx.commit().await?;
        context.announce(follow_up, Duration::ZERO).await;
        Ok(())
    }
}

/// What the failure of a job means.
#[derive(Debug, Error)]
pub enum JobFailure {
    /// Try again after a back-off.
    #[error("{reason}")]
    Retry {
        /// Why, without personal data.
        reason: String,
        /// What was underneath.
        #[source]
        source: Option<StorageError>,
    },
    /// Something it needs is still under way; look again soon, without counting this as a failure.
    #[error("waits for {what}")]
    NotYet {
        /// What is awaited.
        what: &'static str,
    },
    /// It will never succeed; a person must look.
    #[error("{reason}")]
    Dead {
        /// Why, without personal data.
        reason: String,
    },
}

impl From<StorageError> for JobFailure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupt { .. } | StorageError::Unsupported { .. } => {
                Self::Dead { reason: error.to_string() }
            }
            _ => Self::Retry { reason: error.to_string(), source: Some(error) },
        }
    }
}
