//! The bell inside one process: a bounded channel. A ring that finds it full is dropped, since workers are awake.

use async_trait::async_trait;
use domain::ids::JobId;
use tokio::sync::{Mutex, mpsc, watch};

use super::{JobQueue, QueueError, Ring};

const RINGS: usize = 1024;

/// A bell for the workers of this process.
pub(crate) struct InProcessQueue {
    sender: mpsc::Sender<Ring>,
    receiver: Mutex<mpsc::Receiver<Ring>>,
    closed: watch::Sender<bool>,
}

impl InProcessQueue {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(RINGS);
        Self { sender, receiver: Mutex::new(receiver), closed: watch::Sender::new(false) }
    }
}

#[async_trait]
impl JobQueue for InProcessQueue {
    async fn announce(&self, job: JobId) -> Result<(), QueueError> {
        // A full channel means that workers have more rings than they can answer; the row is not lost.
        let _ = self.sender.try_send(Ring { job });
        Ok(())
    }

    async fn receive(&self) -> Result<Option<Ring>, QueueError> {
        let mut closed = self.closed.subscribe();
        let closing = async move {
            // An error means that the bell itself is gone, which is as closed as can be.
            let _ = closed.wait_for(|closed| *closed).await;
        };
        let ring = async { self.receiver.lock().await.recv().await };
        tokio::select! {
            biased;
            () = closing => Ok(None),
            ring = ring => Ok(ring),
        }
    }

    async fn close(&self) {
        self.closed.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u128) -> JobId {
        JobId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn a_ring_is_heard_and_closing_wakes_everybody() {
        let queue = InProcessQueue::new();

        queue.announce(job(1)).await.unwrap();
        let heard = queue.receive().await.unwrap();
        queue.close().await;

        assert_eq!(heard, Some(Ring { job: job(1) }));
        assert_eq!(queue.receive().await.unwrap(), None);
    }

    #[tokio::test]
    async fn ringing_never_waits_even_when_nobody_listens() {
        let queue = InProcessQueue::new();

        for number in 0..5_000 {
            queue.announce(job(number)).await.unwrap();
        }

        assert!(queue.receive().await.unwrap().is_some());
    }
}
