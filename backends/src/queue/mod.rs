//! The workers' bell. The job row is the truth; a lost or doubled ring is harmless.

use std::time::Duration;

use async_trait::async_trait;
use domain::{ids::JobId, job::JobName};
use thiserror::Error;

mod arrivals;
mod in_process;
mod rabbitmq;

pub(crate) use in_process::InProcessQueue;
pub(crate) use rabbitmq::RabbitQueue;

/// The bell cannot be rung or heard; the sweep rings again.
#[derive(Debug, Clone, Error)]
pub enum QueueError {
    /// Nothing can be rung now; later it may.
    #[error("the job queue is not available: {reason}")]
    Unavailable {
        /// Why, and what to do.
        reason: String,
    },
    /// It will not work before somebody changes something.
    #[error("the job queue cannot be used: {advice}")]
    Unusable {
        /// What to change.
        advice: String,
    },
}

/// One ring: a job may be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// Which job; a worker still claims from the catalogue.
    pub job: JobId,
    /// What it does, so that only those hear it who can do it.
    pub name: JobName,
}

/// A ring that was handed over once. Dropped without a word it is heard again.
#[derive(Debug)]
pub struct Delivery {
    ring: Ring,
    receipt: Receipt,
}

#[derive(Debug)]
enum Receipt {
    InProcess(in_process::Receipt),
    RabbitMq(rabbitmq::Receipt),
}

impl Delivery {
    /// For which job it rings.
    pub fn ring(&self) -> Ring {
        self.ring
    }

    /// Done with it. Given after the commit; when it is lost the ring comes again and finds nothing to do.
    pub async fn ack(self) {
        match self.receipt {
            Receipt::InProcess(receipt) => receipt.ack(),
            Receipt::RabbitMq(receipt) => receipt.ack().await,
        }
    }

    /// Not done with it: it is heard again, here or elsewhere.
    pub async fn nack(self) {
        match self.receipt {
            Receipt::InProcess(receipt) => drop(receipt),
            Receipt::RabbitMq(receipt) => receipt.nack().await,
        }
    }
}

/// How much waits on the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepths {
    /// Rings that nobody has heard yet, by kind of job.
    pub rings: Vec<(JobName, u64)>,
    /// Messages that were refused: they are no rings, or were handed over too often.
    pub refused: u64,
}

impl QueueDepths {
    /// Rings for one kind of job.
    pub fn of(&self, name: JobName) -> u64 {
        self.rings.iter().find(|(this, _)| *this == name).map_or(0, |(_, count)| *count)
    }
}

/// Rings the workers' bell.
///
/// At least once, not ordered: a worker that hears a ring claims the job's row, which says whether there is anything
/// to do. Whoever rings need not care whether it worked, since a sweep rings again for whatever stays due.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Rings for jobs, once `delay` is over. Never waits for a worker. When it returns without an error the rings
    /// survive the end of this process, as far as the queue does.
    async fn announce(&self, rings: &[Ring], delay: Duration) -> Result<(), QueueError>;

    /// Says which kinds of jobs this process does, and how many at once.
    fn listen(&self, names: &[JobName], slots: usize);

    /// Waits for the next ring for a job that this process does, the more urgent kinds first; `None` means that
    /// listening has ended. A call that is dropped while it waits loses nothing.
    async fn receive(&self) -> Option<Delivery>;

    /// Says whether the queue can be used now, and what to do if not.
    async fn probe(&self) -> Result<(), QueueError>;

    /// Counts what waits.
    async fn depths(&self) -> Result<QueueDepths, QueueError>;

    /// Ends listening: every `receive` returns `None`, and rings that were not handed over yet go back. Rings already
    /// handed over can still be acknowledged, and the bell can still be rung.
    async fn close(&self);
}
