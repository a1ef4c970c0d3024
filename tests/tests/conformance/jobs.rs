//! Jobs: one claim wins, leases run out, twins merge, nothing is lost.

use archive_tests::engines;
use backends::{
    connect::Backends,
    database::jobs::{Claim, JobRow},
    error::StorageError,
    trace::TraceParent,
};
use chrono::TimeDelta;
use domain::job::{JobName, JobState};
use uuid::Uuid;

use crate::rows;

const NAMES: &[JobName] = &[JobName::ReadScan, JobName::PlaceScan];

async fn claim_at(backends: &Backends, owner: u128, after: TimeDelta) -> Option<JobRow> {
    let now = backends.clock.now() + after;
    let claim = Claim {
        names: NAMES,
        only: None,
        owner: Uuid::from_u128(owner),
        now,
        lease_until: now + TimeDelta::seconds(30),
    };
    let mut tx = backends.database.begin().await.unwrap();
    let job = tx.jobs().claim(claim).await.unwrap();
    tx.commit().await.unwrap();
    job
}

async fn enqueue(backends: &Backends, subject: u128) {
    let mut tx = backends.database.begin().await.unwrap();
    tx.jobs().enqueue(&rows::job(backends, subject)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_workers_one_gets_the_job() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;

        let mut tasks = tokio::task::JoinSet::new();
        for owner in 1..=16 {
            let backends = on.backends.clone();
            tasks.spawn(async move { claim_at(&backends, owner, TimeDelta::zero()).await });
        }
        let claims = tasks.join_all().await;

        assert_eq!(claims.into_iter().flatten().count(), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_work_waits_once_and_may_wait_again_while_it_runs() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        enqueue(&on.backends, 7).await;

        let first = claim_at(&on.backends, 1, TimeDelta::zero()).await;
        enqueue(&on.backends, 7).await;
        let second = claim_at(&on.backends, 2, TimeDelta::zero()).await;

        assert!(first.is_some(), "{}", on.name);
        assert_eq!(second, None, "{}: never beside its twin", on.name);
        let mut tx = on.backends.database.begin_read().await.unwrap();
        assert_eq!(tx.jobs().in_state(JobState::Waiting, 10).await.unwrap().len(), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_belongs_to_the_trace_that_made_it_necessary_first() {
    let in_trace = |digit: &str| {
        TraceParent::parse(&format!("00-{}-{}-01", digit.repeat(32), digit.repeat(16))).unwrap()
    };
    for on in engines::all().await.unwrap() {
        for digit in ["a", "b"] {
            let job = JobRow { trace: Some(in_trace(digit)), ..rows::job(&on.backends, 7) };
            let mut tx = on.backends.database.begin().await.unwrap();
            tx.jobs().enqueue(&job).await.unwrap();
            tx.commit().await.unwrap();
        }

        let claimed = claim_at(&on.backends, 1, TimeDelta::zero()).await.unwrap();

        assert_eq!(claimed.trace, Some(in_trace("a")), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_goes_to_the_next_and_its_holder_cannot_finish() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let lost = claim_at(&on.backends, 1, TimeDelta::zero()).await.unwrap();

        let taken = claim_at(&on.backends, 2, TimeDelta::seconds(31)).await.unwrap();

        let mut tx = on.backends.database.begin().await.unwrap();
        let now = on.backends.clock.now();
        let late = tx.jobs().finish(lost.id, Uuid::from_u128(1), (JobState::Done, None), now).await;
        assert!(matches!(late, Err(StorageError::Conflict { .. })), "{}", on.name);
        assert!(!tx.jobs().renew(lost.id, Uuid::from_u128(1), now).await.unwrap(), "{}", on.name);
        assert_eq!((taken.id, taken.attempts), (lost.id, 2), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_counts_and_waiting_does_not() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let now = on.backends.clock.now();
        for reason in [None, Some("the engine failed")] {
            let job = claim_at(&on.backends, 1, TimeDelta::seconds(1)).await.unwrap();
            let mut tx = on.backends.database.begin().await.unwrap();
            tx.jobs().put_back(job.id, Uuid::from_u128(1), now, reason).await.unwrap();
            tx.commit().await.unwrap();
        }

        let job = claim_at(&on.backends, 1, TimeDelta::seconds(1)).await.unwrap();

        assert_eq!(job.attempts, 2, "{}", on.name);
        assert_eq!(job.reason.as_deref(), Some("the engine failed"), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_put_back_beside_its_twin_merges_with_it() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let job = claim_at(&on.backends, 1, TimeDelta::zero()).await.unwrap();
        enqueue(&on.backends, 7).await;

        let mut tx = on.backends.database.begin().await.unwrap();
        let now = on.backends.clock.now();
        tx.jobs().put_back(job.id, Uuid::from_u128(1), now, Some("failed")).await.unwrap();
        tx.commit().await.unwrap();

        assert!(claim_at(&on.backends, 2, TimeDelta::seconds(1)).await.is_some(), "{}", on.name);
        assert_eq!(claim_at(&on.backends, 3, TimeDelta::seconds(1)).await, None, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_keeps_its_reason_and_can_be_revived() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let job = claim_at(&on.backends, 1, TimeDelta::zero()).await.unwrap();
        let mut tx = on.backends.database.begin().await.unwrap();
        let now = on.backends.clock.now();
        tx.jobs()
            .finish(job.id, Uuid::from_u128(1), (JobState::Dead, Some("cannot be decoded")), now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim_at(&on.backends, 1, TimeDelta::hours(1)).await, None, "{}", on.name);

        let mut tx = on.backends.database.begin().await.unwrap();
        let dead = tx.jobs().in_state(JobState::Dead, 10).await.unwrap();
        assert_eq!(dead[0].reason.as_deref(), Some("cannot be decoded"), "{}", on.name);
        assert!(tx.jobs().revive(job.id, now).await.unwrap(), "{}", on.name);
        tx.commit().await.unwrap();

        let again = claim_at(&on.backends, 1, TimeDelta::seconds(1)).await.unwrap();
        assert_eq!(again.attempts, 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jobs_are_made_necessary_at_once_and_twins_merge() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let jobs: Vec<_> = (0..40).map(|subject| rows::job(&on.backends, subject)).collect();

        let mut tx = on.backends.database.begin().await.unwrap();
        let rings = tx.jobs().enqueue_all(&jobs).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = on.backends.database.begin_read().await.unwrap();
        let waiting = tx.jobs().in_state(JobState::Waiting, 100).await.unwrap();
        assert_eq!((rings.len(), waiting.len()), (40, 40), "{}", on.name);
        assert!(rings.iter().all(|ring| waiting.iter().any(|job| job.id == ring.job)), "{}", on.name);
        let merged = jobs.iter().filter(|job| !waiting.iter().any(|waits| waits.id == job.id));
        assert_eq!(merged.map(|job| job.subject).collect::<Vec<_>>(), [Uuid::from_u128(7)], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_whose_twin_waits_is_revived_by_leaving_the_work_to_it() {
    for on in engines::all().await.unwrap() {
        enqueue(&on.backends, 7).await;
        let dead = claim_at(&on.backends, 1, TimeDelta::zero()).await.unwrap();
        enqueue(&on.backends, 7).await;
        let now = on.backends.clock.now();
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.jobs().finish(dead.id, Uuid::from_u128(1), (JobState::Dead, Some("failed")), now).await.unwrap();

        let is_revived = tx.jobs().revive(dead.id, now).await;
        tx.commit().await.unwrap();

        assert!(matches!(is_revived, Ok(true)), "{}: {is_revived:?}", on.name);
        let twin = claim_at(&on.backends, 2, TimeDelta::seconds(1)).await.unwrap();
        assert_ne!(twin.id, dead.id, "{}", on.name);
        assert_eq!(claim_at(&on.backends, 3, TimeDelta::seconds(1)).await, None, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finishes_a_case_file_goes_before_reading_more_and_then_what_is_due_longest() {
    for on in engines::all().await.unwrap() {
        let now = on.backends.clock.now();
        let names = [JobName::ReadScan, JobName::PlaceScan, JobName::ReadScan, JobName::PlaceScan];
        let mut jobs: Vec<JobRow> = names
            .into_iter()
            .zip(1..)
            .map(|(name, subject)| JobRow { name, ..rows::job(&on.backends, subject) })
            .collect();
        for (job, age) in jobs.iter_mut().zip([9, 3, 8, 4]) {
            job.due_at = now - TimeDelta::seconds(age);
        }
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.jobs().enqueue_all(&jobs).await.unwrap();
        tx.commit().await.unwrap();

        let mut order = Vec::new();
        while let Some(job) = claim_at(&on.backends, 1, TimeDelta::zero()).await {
            order.push(job.subject.as_u128());
        }

        assert_eq!(order, [4, 2, 1, 3], "{}", on.name);
    }
}
