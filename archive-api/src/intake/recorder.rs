//! The recorder: writes uploads that are ready at the same time in one transaction.
//!
//! Whoever is ready first writes; whoever becomes ready meanwhile waits for that commit, and the next one of them
//! writes for all who waited. Nobody waits for company, and a lone upload is written at once.

use std::sync::Arc;

use backends::{connect::Backends, error::StorageError};
use tokio::sync::{
    Mutex,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
    oneshot,
};

use super::recording::{Failure, ReadyUpload, Written, write};

/// Uploads written together at most, so that others come to write to the catalogue as well.
const TOGETHER: usize = 32;

/// An upload that waits for being written.
struct Waiting {
    upload: Arc<ReadyUpload>,
    answer: oneshot::Sender<Result<Written, Failure>>,
}

/// Writes the rows of uploads.
pub(super) struct Recorder {
    backends: Backends,
    ready: UnboundedSender<Waiting>,
    /// Whoever holds it writes.
    turn: Mutex<UnboundedReceiver<Waiting>>,
}

impl Recorder {
    pub(super) fn new(backends: Backends) -> Self {
        let (ready, turn) = mpsc::unbounded_channel();
        Self { backends, ready, turn: Mutex::new(turn) }
    }

    /// Makes this upload received, alone or with others. The answer concerns this one only.
    pub(super) async fn record(&self, upload: Arc<ReadyUpload>) -> Result<Written, Failure> {
        let (answer, mut answered) = oneshot::channel();
        self.ready.send(Waiting { upload, answer }).map_err(|_| lost())?;
        loop {
            tokio::select! {
                biased;
                written = &mut answered => return written.unwrap_or_else(|_| Err(lost())),
                mut waiting = self.turn.lock() => self.write_waiting(&mut waiting).await,
            }
        }
    }

    async fn write_waiting(&self, waiting: &mut UnboundedReceiver<Waiting>) {
        let mut group = Vec::new();
        while group.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        if group.is_empty() {
            return;
        }
        let uploads: Vec<&ReadyUpload> = group.iter().map(|waiting| waiting.upload.as_ref()).collect();
        match write(&self.backends, &uploads).await {
            Ok(written) => {
                for (waiting, written) in group.into_iter().zip(written) {
                    waiting.tell(Ok(written));
                }
            }
            // What one of them cannot have must not keep the others from what they can.
            Err(Failure::BeforeCommit(error)) if group.len() > 1 => {
                tracing::debug!(uploads = group.len(), %error, "uploads are written one by one");
                for waiting in group {
                    let written = write(&self.backends, &[&waiting.upload]).await;
                    waiting.tell(written.and_then(|mut written| written.pop().ok_or_else(lost)));
                }
            }
            Err(failure) => {
                for waiting in group {
                    waiting.tell(Err(failure.for_another()));
                }
            }
        }
    }
}

impl Waiting {
    fn tell(self, written: Result<Written, Failure>) {
        // Whoever left meanwhile finds the upload by its key.
        let _ = self.answer.send(written);
    }
}

/// Whoever was to write it left without a word: nobody knows how far it came.
fn lost() -> Failure {
    let source = "whoever was writing this upload stopped".into();
    Failure::InCommit(StorageError::Unavailable { what: "intake", source })
}
