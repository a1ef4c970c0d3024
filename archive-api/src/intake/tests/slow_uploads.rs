//! Uploads that take long: they show that they live, and are never received when they did not.

use std::sync::Arc;

use async_trait::async_trait;
use backends::{
    clock::{Clock, HandClock},
    connect::Backends,
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::*;

/// Files between which time passes.
struct Slow {
    files: Files,
    backends: Backends,
    clock: Arc<HandClock>,
    steps: Vec<TimeDelta>,
    /// What was on record of the oldest upload under way before each file.
    seen: Vec<Option<DateTime<Utc>>>,
    /// Whether somebody takes every upload for dead after each step.
    takes_for_dead: bool,
}

impl Slow {
    fn new(archive: &TestArchive, minutes: &[i64]) -> Self {
        let clock = Arc::new(HandClock::new(archive.backends().clock.now()));
        let files = (0..minutes.len()).map(|shade| (labels(None), Some(png(shade as u8))));
        Self {
            files: Files::new(files.collect()),
            backends: Backends { clock: Arc::clone(&clock) as _, ..archive.backends().clone() },
            clock,
            steps: minutes.iter().rev().map(|minutes| TimeDelta::minutes(*minutes)).collect(),
            seen: Vec::new(),
            takes_for_dead: false,
        }
    }

    async fn receive(&mut self, archive: &TestArchive) -> Result<UploadReceipt, IntakeError> {
        let caller = archive.local().await;
        let intake = Intake::new(self.backends.clone(), *archive.state.intake.limits(), 1 << 20);
        intake.receive(&caller, UploadRequest::default(), self).await
    }
}

#[async_trait]
impl FileSource for Slow {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        let mut tx = self.backends.database.begin().await.unwrap();
        self.seen.push(tx.uploads_under_way().oldest().await.unwrap());
        if self.takes_for_dead {
            let later = self.clock.now() + TimeDelta::hours(1);
            tx.uploads_under_way().forget_dead(later).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.clock.advance(self.steps.pop().unwrap_or_default());
        self.files.next_file().await
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        self.files.next_piece().await
    }
}

async fn under_way(archive: &TestArchive) -> Option<DateTime<Utc>> {
    archive.backends().database.begin_read().await.unwrap().uploads_under_way().oldest().await.unwrap()
}

#[tokio::test]
async fn one_that_takes_long_says_so_and_is_received() {
    let archive = TestArchive::open().await;
    let began_at = archive.backends().clock.now();
    let mut slow = Slow::new(&archive, &[2, 10, 15, 15, 15, 15, 15, 15]);

    let receipt = slow.receive(&archive).await.unwrap();

    assert_eq!(receipt.files.len(), 8);
    assert_eq!(slow.seen[..2], [None, None], "one that is over soon writes nothing");
    assert!(slow.seen[2..].iter().all(|seen| *seen == Some(began_at)), "{:?}", slow.seen);
    assert_eq!(under_way(&archive).await, None);
}

#[tokio::test]
async fn one_that_could_not_say_so_is_given_up_and_keeps_nothing() {
    let archive = TestArchive::open().await;
    let mut silent = Slow::new(&archive, &[10, 25, 1]);
    let mut taken_for_dead = Slow { takes_for_dead: true, ..Slow::new(&archive, &[10, 10, 10]) };
    let hours: Vec<i64> = vec![15; 6 * 4 + 2];
    let mut endless = Slow::new(&archive, &hours);

    for slow in [&mut silent, &mut taken_for_dead, &mut endless] {
        let failed = slow.receive(&archive).await;

        assert!(matches!(failed, Err(IntakeError::Source(SourceError::TookTooLong))), "{failed:?}");
        assert_eq!((objects(&archive).await, under_way(&archive).await), (0, None));
    }
}
