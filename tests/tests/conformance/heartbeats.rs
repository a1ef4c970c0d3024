//! The heartbeat of a job: it goes on beside the work, whatever the work holds.

use std::time::Duration;

use archive_tests::engines;
use backends::{connect::Backends, database::jobs::Claim};
use chrono::TimeDelta;
use domain::job::{JobName, JobState};
use uuid::Uuid;
use workers::{
    context::{Claimed, JobFailure},
    heartbeat::with_heartbeat,
};

use crate::rows;

const LEASE: TimeDelta = TimeDelta::milliseconds(300);
/// Longer than two beats.
const LONG: Duration = Duration::from_millis(250);
/// Much longer than the work takes, and shorter than any engine lets a connection or a lock be waited for.
const PATIENCE: Duration = Duration::from_secs(8);

async fn claimed(backends: &Backends, owner: u128, after: TimeDelta) -> Claimed {
    let (owner, now) = (Uuid::from_u128(owner), backends.clock.now() + after);
    let claim = Claim { names: &[JobName::ReadScan], only: None, owner, now, lease_until: now + LEASE };
    let mut tx = backends.database.begin().await.unwrap();
    let job = tx.jobs().claim(claim).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    Claimed { job, owner }
}

async fn enqueued(backends: &Backends) {
    let mut tx = backends.database.begin().await.unwrap();
    tx.jobs().enqueue(&rows::job(backends, 7)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_holds_its_row_and_the_writer_across_beats_comes_to_its_end() {
    for on in engines::all().await.unwrap() {
        enqueued(&on.backends).await;
        let claimed = claimed(&on.backends, 1, TimeDelta::zero()).await;
        let work = async {
            let mut tx = on.backends.database.begin().await?;
            let now = on.backends.clock.now();
            tx.jobs().finish(claimed.job.id, claimed.owner, (JobState::Done, None), now).await?;
            tokio::time::sleep(LONG).await;
            tx.commit().await?;
            // What follows the commit, such as releasing a key, is not broken off either.
            tokio::time::sleep(LONG).await;
            Ok(())
        };

        let outcome =
            tokio::time::timeout(PATIENCE, with_heartbeat(&on.backends, LEASE, &claimed, work)).await;

        assert!(matches!(outcome, Ok(Ok(()))), "{}: {outcome:?}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_takes_many_beats_keeps_its_lease() {
    for on in engines::all().await.unwrap() {
        enqueued(&on.backends).await;
        let claimed = claimed(&on.backends, 1, TimeDelta::zero()).await;
        let until = async || {
            let mut tx = on.backends.database.begin_read().await.unwrap();
            tx.jobs().find(claimed.job.id).await.unwrap().and_then(|job| job.lease_until)
        };
        let before = until().await;
        let work = async {
            while until().await <= before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };

        let outcome =
            tokio::time::timeout(PATIENCE, with_heartbeat(&on.backends, LEASE, &claimed, work)).await;

        assert!(matches!(outcome, Ok(Ok(()))), "{}: {outcome:?}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_ends_when_its_lease_is_somebody_elses() {
    for on in engines::all().await.unwrap() {
        enqueued(&on.backends).await;
        let lost = claimed(&on.backends, 1, TimeDelta::zero()).await;
        claimed(&on.backends, 2, TimeDelta::seconds(1)).await;

        let work = std::future::pending();
        let outcome = tokio::time::timeout(PATIENCE, with_heartbeat(&on.backends, LEASE, &lost, work)).await;

        assert!(matches!(outcome, Ok(Err(JobFailure::Retry { .. }))), "{}: {outcome:?}", on.name);
    }
}
