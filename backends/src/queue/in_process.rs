//! The bell inside one process. A ring too many of a kind is dropped, since workers are awake.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use domain::job::JobName;

use super::{Delivery, JobQueue, QueueDepths, QueueError, Ring, arrivals::Arrivals};

/// Rings of one kind that are remembered.
const RINGS: usize = 1024;

/// A bell for the workers of this process.
pub(crate) struct InProcessQueue {
    arrivals: Arc<Arrivals<()>>,
}

impl InProcessQueue {
    pub(crate) fn new() -> Self {
        Self { arrivals: Arc::new(Arrivals::new()) }
    }
}

/// Puts its ring back when it is dropped.
#[derive(Debug)]
pub(super) struct Receipt {
    arrivals: Weak<Arrivals<()>>,
    ring: Option<Ring>,
}

impl Receipt {
    pub(super) fn ack(mut self) {
        self.ring = None;
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let (Some(arrivals), Some(ring)) = (self.arrivals.upgrade(), self.ring) {
            arrivals.push(ring, (), RINGS);
        }
    }
}

#[async_trait]
impl JobQueue for InProcessQueue {
    async fn announce(&self, rings: &[Ring], delay: Duration) -> Result<(), QueueError> {
        let (arrivals, rings) = (Arc::downgrade(&self.arrivals), rings.to_vec());
        let ring_now = move || {
            let Some(arrivals) = arrivals.upgrade() else { return };
            for ring in rings {
                arrivals.push(ring, (), RINGS);
            }
        };
        if delay.is_zero() {
            ring_now();
        } else {
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                ring_now();
            });
        }
        Ok(())
    }

    fn listen(&self, names: &[JobName], _slots: usize) {
        self.arrivals.listen(names);
    }

    async fn receive(&self) -> Option<Delivery> {
        let (ring, ()) = self.arrivals.next().await?;
        let receipt = Receipt { arrivals: Arc::downgrade(&self.arrivals), ring: Some(ring) };
        Some(Delivery { ring, receipt: super::Receipt::InProcess(receipt) })
    }

    async fn probe(&self) -> Result<(), QueueError> {
        Ok(())
    }

    async fn depths(&self) -> Result<QueueDepths, QueueError> {
        let count = |name: JobName| (name, self.arrivals.count(name) as u64);
        Ok(QueueDepths { rings: JobName::ALL.into_iter().map(count).collect(), refused: 0 })
    }

    async fn close(&self) {
        self.arrivals.close();
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::JobId;

    use super::*;

    fn ring(number: u128, name: JobName) -> Ring {
        Ring { job: JobId::from_uuid(uuid::Uuid::from_u128(number)), name }
    }

    #[tokio::test]
    async fn ringing_never_waits_even_when_nobody_listens() {
        let queue = InProcessQueue::new();
        queue.listen(&JobName::ALL, 1);

        for number in 0..5_000 {
            queue.announce(&[ring(number, JobName::ReadScan)], Duration::ZERO).await.unwrap();
        }

        assert!(queue.receive().await.is_some());
    }

    #[tokio::test]
    async fn what_finishes_a_case_file_is_heard_before_what_reads_more() {
        let queue = InProcessQueue::new();
        queue.listen(&JobName::ALL, 1);
        let rings = [ring(1, JobName::ReadScan), ring(2, JobName::CheckCaseFile)];

        queue.announce(&rings, Duration::ZERO).await.unwrap();

        assert_eq!(queue.receive().await.map(|delivery| delivery.ring()), Some(rings[1]));
    }
}
