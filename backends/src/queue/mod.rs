//! The workers' bell. The job row is the truth; a lost or doubled ring is harmless.

use async_trait::async_trait;
use domain::ids::JobId;
use thiserror::Error;

mod in_process;

pub(crate) use in_process::InProcessQueue;

/// The bell cannot be rung or heard; the sweep rings again.
#[derive(Debug, Error)]
#[error("the job queue is not available")]
pub struct QueueError {
    /// What the broker said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// One ring: a job may be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// Which job; a worker still claims from the catalogue.
    pub job: JobId,
}

/// Rings the workers' bell.
///
/// Not ordered, not exactly once: a worker that hears a ring claims whatever is due, and a sweep looks for what is
/// due without any ring.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Rings for a job. Never waits for a worker.
    async fn announce(&self, job: JobId) -> Result<(), QueueError>;
    /// Waits for the next ring; `None` means the queue has been closed.
    async fn receive(&self) -> Result<Option<Ring>, QueueError>;
    /// Lets every `receive` return `None`.
    async fn close(&self);
}
