//! The timetable: one process at a time, and what nobody heard is found.

use archive_tests::engines;
use backends::{connect::Backends, database::jobs::Claim, queue::Ring};
use chrono::TimeDelta;
use domain::job::JobName;
use uuid::Uuid;

use crate::rows;

async fn take_turn(backends: &Backends, owner: u128, after: TimeDelta) -> bool {
    let now = backends.clock.now() + after;
    let mut tx = backends.database.begin().await.unwrap();
    let taken =
        tx.timetable().take_turn(Uuid::from_u128(owner), now, now + TimeDelta::seconds(30)).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

/// A job that `rows::job` makes, claimed by `owner` for thirty seconds when there is one.
async fn enqueue(backends: &Backends, owner: Option<u128>) -> Ring {
    let mut tx = backends.database.begin().await.unwrap();
    let job = rows::job(backends, 7);
    let ring = tx.jobs().enqueue(&job).await.unwrap();
    tx.commit().await.unwrap();
    if let Some(owner) = owner {
        let now = backends.clock.now();
        let lease_until = now + TimeDelta::seconds(30);
        let owner = Uuid::from_u128(owner);
        let claim = Claim { names: &[ring.name], only: Some(ring.job), owner, now, lease_until };
        let mut tx = backends.database.begin().await.unwrap();
        assert!(tx.jobs().claim(claim).await.unwrap().is_some());
        tx.commit().await.unwrap();
    }
    ring
}

async fn unheard(backends: &Backends, name: JobName, since: TimeDelta) -> Vec<Ring> {
    let mut tx = backends.database.begin_read().await.unwrap();
    tx.timetable().unheard(name, backends.clock.now() + since, 10).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time_keeps_the_timetable() {
    for on in engines::all().await.unwrap() {
        assert!(take_turn(&on.backends, 1, TimeDelta::zero()).await, "{}", on.name);
        assert!(!take_turn(&on.backends, 2, TimeDelta::zero()).await, "{}", on.name);
        assert!(take_turn(&on.backends, 1, TimeDelta::seconds(20)).await, "{}: it keeps it", on.name);
        assert!(!take_turn(&on.backends, 2, TimeDelta::seconds(40)).await, "{}", on.name);
        assert!(take_turn(&on.backends, 2, TimeDelta::seconds(51)).await, "{}: the other died", on.name);

        let mut tx = on.backends.database.begin().await.unwrap();
        tx.timetable().end_turn(Uuid::from_u128(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(take_turn(&on.backends, 3, TimeDelta::zero()).await, "{}: it was given back", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_processes_one_gets_the_timetable() {
    for on in engines::all().await.unwrap() {
        let mut tasks = tokio::task::JoinSet::new();
        for owner in 1..=16 {
            let backends = on.backends.clone();
            tasks.spawn(async move { take_turn(&backends, owner, TimeDelta::zero()).await });
        }

        let taken = tasks.join_all().await;

        assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_and_nobody_runs_is_unheard() {
    for on in engines::all().await.unwrap() {
        let ring = enqueue(&on.backends, None).await;

        assert_eq!(
            unheard(&on.backends, ring.name, -TimeDelta::seconds(5)).await,
            [],
            "{}: just now",
            on.name
        );
        assert_eq!(unheard(&on.backends, ring.name, TimeDelta::zero()).await, [ring], "{}", on.name);
        assert_eq!(
            unheard(&on.backends, JobName::ArchiveCaseFile, TimeDelta::zero()).await,
            [],
            "{}",
            on.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_unheard_again_when_its_lease_is_over_or_was_ended() {
    for on in engines::all().await.unwrap() {
        let ring = enqueue(&on.backends, Some(1)).await;
        assert_eq!(unheard(&on.backends, ring.name, TimeDelta::seconds(5)).await, [], "{}", on.name);
        assert_eq!(unheard(&on.backends, ring.name, TimeDelta::seconds(31)).await, [ring], "{}", on.name);
        assert!(take_turn(&on.backends, 1, TimeDelta::zero()).await);

        let mut tx = on.backends.database.begin().await.unwrap();
        let ended = tx.timetable().end_all_leases(on.backends.clock.now()).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(ended, 1, "{}", on.name);
        assert_eq!(unheard(&on.backends, ring.name, TimeDelta::zero()).await, [ring], "{}", on.name);
        assert!(take_turn(&on.backends, 2, TimeDelta::zero()).await, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_that_heard_the_same_ring_one_gets_the_job() {
    for on in engines::all().await.unwrap() {
        let ring = enqueue(&on.backends, None).await;

        let mut tasks = tokio::task::JoinSet::new();
        for owner in 1..=16 {
            let backends = on.backends.clone();
            tasks.spawn(async move {
                let now = backends.clock.now();
                let lease_until = now + TimeDelta::seconds(30);
                let owner = Uuid::from_u128(owner);
                let claim = Claim { names: &[ring.name], only: Some(ring.job), owner, now, lease_until };
                let mut tx = backends.database.begin().await.unwrap();
                let job = tx.jobs().claim(claim).await.unwrap();
                tx.commit().await.unwrap();
                job
            });
        }
        let claims = tasks.join_all().await;

        assert_eq!(claims.into_iter().flatten().count(), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_ran_ahead_put_off_is_brought_back() {
    for on in engines::all().await.unwrap() {
        let running = enqueue(&on.backends, Some(1)).await;
        let mut ahead = rows::job(&on.backends, 8);
        ahead.due_at += TimeDelta::days(400);
        let now = on.backends.clock.now();
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.jobs().enqueue(&ahead).await.unwrap();
        assert!(tx.jobs().renew(running.job, Uuid::from_u128(1), now + TimeDelta::days(400)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(take_turn(&on.backends, 1, TimeDelta::days(400)).await);

        let mut tx = on.backends.database.begin().await.unwrap();
        let (lease, due) = (now + TimeDelta::hours(1), now + TimeDelta::days(1));
        let brought_back = tx.timetable().return_from_future(lease, due).await.unwrap();
        let again = tx.timetable().return_from_future(lease, due).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!((brought_back, again), (2, 0), "{}", on.name);
        let mut tx = on.backends.database.begin_read().await.unwrap();
        assert_eq!(
            tx.jobs().find(running.job).await.unwrap().unwrap().lease_until,
            Some(lease),
            "{}",
            on.name
        );
        assert_eq!(tx.jobs().find(ahead.id).await.unwrap().unwrap().due_at, due, "{}", on.name);
        drop(tx);
        assert!(take_turn(&on.backends, 2, TimeDelta::zero()).await, "{}: such a turn is over", on.name);
    }
}
