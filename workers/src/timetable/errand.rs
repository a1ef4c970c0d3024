//! Work beside the rounds of the timetable: one of its kind at a time, and none that keeps a round waiting.

use tokio::task::JoinHandle;

/// Work that is begun again and again, each time after a rest.
#[derive(Debug, Default)]
pub(super) struct Errand {
    task: Option<JoinHandle<()>>,
    /// Rounds until it is begun again.
    rest: u32,
}

impl Errand {
    /// Begins the work, unless it is under way, or ended less than `every` rounds ago.
    pub(super) fn next_round<F>(&mut self, every: u32, work: impl FnOnce() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if self.task.take().is_some() {
            self.rest = every;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        self.task = Some(tokio::spawn(work()));
    }

    /// Ends it where it stands. What it has not committed is undone; whoever begins it next goes on from there.
    pub(super) async fn stop(&mut self) {
        self.rest = 0;
        if let Some(task) = self.task.take() {
            task.abort();
            // That it was ended is no news.
            drop(task.await);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn it_is_begun_once_and_again_after_its_rest() {
        let begun = Arc::new(AtomicU32::new(0));
        let mut errand = Errand::default();
        let mut counts = Vec::new();

        for _ in 0..6 {
            let begun_here = Arc::clone(&begun);
            errand.next_round(2, || async move {
                begun_here.fetch_add(1, Ordering::Relaxed);
            });
            while errand.task.as_ref().is_some_and(|task| !task.is_finished()) {
                tokio::task::yield_now().await;
            }
            counts.push(begun.load(Ordering::Relaxed));
        }

        assert_eq!(counts, [1, 1, 1, 2, 2, 2]);
    }

    #[tokio::test]
    async fn while_it_is_under_way_it_is_not_begun_again_and_it_can_be_ended() {
        let mut errand = Errand::default();

        errand.next_round(0, std::future::pending);
        errand.next_round(0, || async { panic!("it is under way") });
        errand.stop().await;

        assert!(errand.task.is_none());
    }
}
