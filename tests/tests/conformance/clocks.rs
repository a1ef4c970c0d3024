//! Clocks that are set forward and back while there is work: it is done late or twice over, never lost.

use std::sync::Arc;

use archive_tests::engines;
use backends::{
    clock::{Clock, HandClock, SystemClock},
    connect::Backends,
    database::jobs::{Claim, JobRow},
    error::StorageError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::job::{JobName, JobState};
use uuid::Uuid;
use workers::log_heads;

use crate::rows;

/// Claims as a worker does whose clock stands at `now`.
async fn claim_at(backends: &Backends, owner: u128, now: DateTime<Utc>) -> Option<JobRow> {
    let lease_until = now + TimeDelta::seconds(30);
    let owner = Uuid::from_u128(owner);
    let claim = Claim { names: &[JobName::ReadScan], only: None, owner, now, lease_until };
    let mut tx = backends.database.begin().await.unwrap();
    let job = tx.jobs().claim(claim).await.unwrap();
    tx.commit().await.unwrap();
    job
}

async fn finish(backends: &Backends, job: &JobRow, owner: u128) -> Result<(), StorageError> {
    let mut tx = backends.database.begin().await?;
    let done = (JobState::Done, None);
    tx.jobs().finish(job.id, Uuid::from_u128(owner), done, backends.clock.now()).await?;
    tx.commit().await
}

async fn enqueue(backends: &Backends) {
    let mut tx = backends.database.begin().await.unwrap();
    tx.jobs().enqueue(&rows::job(backends, 7)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_clock_was_set_forward_takes_over_and_only_one_result_counts() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends).await;
        let now = on.backends.clock.now();

        let right = claim_at(&on.backends, 1, now).await.unwrap();
        let ahead = claim_at(&on.backends, 2, now + TimeDelta::hours(2)).await.unwrap();
        let late = finish(&on.backends, &right, 1).await;

        assert!(matches!(late, Err(StorageError::Conflict { .. })), "{}", on.name);
        finish(&on.backends, &ahead, 2).await.unwrap();
        assert_eq!(claim_at(&on.backends, 3, now + TimeDelta::hours(4)).await, None, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_makes_work_wait_until_it_is_right_again() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends).await;
        let now = on.backends.clock.now();

        let early = claim_at(&on.backends, 1, now - TimeDelta::hours(2)).await;
        let on_time = claim_at(&on.backends, 1, now + TimeDelta::seconds(1)).await;

        assert_eq!(early, None, "{}", on.name);
        assert!(on_time.is_some(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operation_log_holds_whatever_the_clock_does() {
    for on in engines::all().await.unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let heads = folder.path().join("heads.jsonl");
        for hours in [0, 30, -30, 5, -5] {
            let clock = HandClock::new(SystemClock.now() + TimeDelta::hours(hours));
            let backends = Backends { clock: Arc::new(clock), ..on.backends.clone() };
            let mut tx = backends.database.begin().await.unwrap();
            tx.operation_log().append(&rows::log_entry(&backends, "upload")).await.unwrap();
            tx.commit().await.unwrap();
            log_heads::sign(&backends, &heads).await.unwrap();
        }

        let elsewhere = folder.path().join("elsewhere").join("heads.jsonl");
        let alone = log_heads::verify(&on.backends, &elsewhere, |_| ()).await.unwrap();
        log_heads::keep_copy(&on.backends, &elsewhere).await.unwrap();
        for file in [&heads, &elsewhere] {
            let verified = log_heads::verify(&on.backends, file, |_| ()).await.unwrap();
            assert_eq!((verified.entries, verified.witnessed), (5, Some(5)), "{}", on.name);
        }
        assert_eq!((alone.entries, alone.witnessed), (5, None), "{}", on.name);
    }
}
