//! What one thread of the pool does now, and since when.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{PoolError, ReadOutcome};

/// Who waits for a scan.
pub(super) type Answer = oneshot::Sender<Result<ReadOutcome, PoolError>>;

/// Shared by a thread and the watch over it. Whoever takes the answer out gives it.
#[derive(Default)]
pub(super) struct Turn {
    work: Mutex<Option<Work>>,
}

struct Work {
    answer: Answer,
    since: Instant,
}

impl Turn {
    /// The thread has taken a scan.
    pub(super) fn begin(&self, answer: Answer) {
        self.change(|work| *work = Some(Work { answer, since: Instant::now() }));
    }

    /// It is getting somewhere.
    pub(super) fn goes_on(&self) {
        self.change(|work| {
            if let Some(work) = work {
                work.since = Instant::now();
            }
        });
    }

    /// It is done; `None` when it was given up meanwhile, and another thread has taken its place.
    pub(super) fn end(&self) -> Option<Answer> {
        self.change(Option::take).map(|work| work.answer)
    }

    /// Gives up what has got nowhere for `limit`.
    pub(super) fn give_up_after(&self, limit: Duration) -> Option<Answer> {
        self.change(|work| work.take_if(|work| work.since.elapsed() > limit)).map(|work| work.answer)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Option<Work>) -> T) -> T {
        change(&mut self.work.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
