//! Queues: what is rung is heard by whoever can do it, once it is acknowledged never again, and otherwise again.

use std::{collections::BTreeSet, time::Duration};

use archive_tests::queues::{self, TestQueue};
use backends::queue::{Delivery, Ring};
use domain::{ids::JobId, job::JobName};
use uuid::Uuid;

/// How long a ring may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it is waited for what must not come.
const SILENCE: Duration = Duration::from_millis(1_500);

pub fn ring(number: u128, name: JobName) -> Ring {
    Ring { job: JobId::from_uuid(Uuid::from_u128(number)), name }
}

/// The next ring; its absence fails the test.
pub async fn hear(on: &TestQueue) -> Delivery {
    let heard = tokio::time::timeout(PATIENCE, on.queue.receive()).await;
    heard.unwrap_or_else(|_| panic!("{}: nothing was heard", on.name)).unwrap()
}

pub async fn hears_nothing(on: &TestQueue) {
    let heard = tokio::time::timeout(SILENCE, on.queue.receive()).await;
    assert!(heard.is_err(), "{}: {heard:?}", on.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_heard_and_when_acknowledged_not_again() {
    for on in queues::all().await.unwrap() {
        on.queue.probe().await.unwrap();
        on.queue.listen(&JobName::ALL, 2);

        on.queue.announce(&[ring(1, JobName::ReadScan)], Duration::ZERO).await.unwrap();
        let heard = hear(&on).await;

        assert_eq!(heard.ring(), ring(1, JobName::ReadScan), "{}", on.name);
        heard.ack().await;
        hears_nothing(&on).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_is_given_back_or_dropped_is_heard_again() {
    for on in queues::all().await.unwrap() {
        on.queue.listen(&JobName::ALL, 1);
        on.queue.announce(&[ring(1, JobName::PlaceScan)], Duration::ZERO).await.unwrap();

        hear(&on).await.nack().await;
        drop(hear(&on).await);
        let again = hear(&on).await;

        assert_eq!(again.ring(), ring(1, JobName::PlaceScan), "{}", on.name);
        again.ack().await;
        hears_nothing(&on).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_hear_a_ring_who_do_that_kind_of_job() {
    for on in queues::all().await.unwrap() {
        on.queue.listen(&[JobName::CheckCaseFile], 1);
        let rings = [ring(1, JobName::ReadScan), ring(2, JobName::CheckCaseFile)];

        on.queue.announce(&rings, Duration::ZERO).await.unwrap();
        let heard = hear(&on).await;

        assert_eq!(heard.ring(), rings[1], "{}", on.name);
        heard.ack().await;
        hears_nothing(&on).await;
        assert_eq!(on.queue.depths().await.unwrap().of(JobName::ReadScan), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_with_a_delay_is_heard_after_one_without() {
    for on in queues::all().await.unwrap() {
        on.queue.listen(&JobName::ALL, 2);

        on.queue.announce(&[ring(1, JobName::ReadScan)], Duration::from_secs(4)).await.unwrap();
        on.queue.announce(&[ring(2, JobName::ReadScan)], Duration::ZERO).await.unwrap();

        for number in [2, 1] {
            let heard = hear(&on).await;
            assert_eq!(heard.ring(), ring(number, JobName::ReadScan), "{}", on.name);
            heard.ack().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_wakes_whoever_listens_and_the_bell_can_still_be_rung() {
    for on in queues::all().await.unwrap() {
        on.queue.listen(&JobName::ALL, 1);
        on.queue.announce(&[ring(1, JobName::ReadScan)], Duration::ZERO).await.unwrap();
        let held = hear(&on).await;
        let waiting = {
            let queue = std::sync::Arc::clone(&on.queue);
            tokio::spawn(async move { queue.receive().await.is_none() })
        };

        on.queue.close().await;

        assert!(waiting.await.unwrap(), "{}", on.name);
        held.ack().await;
        on.queue.announce(&[ring(2, JobName::ReadScan)], Duration::ZERO).await.unwrap();
        assert_eq!(on.queue.depths().await.unwrap().of(JobName::ReadScan), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_gives_up_waiting_loses_no_ring() {
    for on in queues::all().await.unwrap() {
        on.queue.listen(&JobName::ALL, 4);
        let all: Vec<Ring> = (1..=50).map(|number| ring(number, JobName::ReadScan)).collect();

        on.queue.announce(&all, Duration::ZERO).await.unwrap();
        let mut heard = BTreeSet::new();
        while heard.len() < all.len() {
            match tokio::time::timeout(Duration::ZERO, on.queue.receive()).await {
                Ok(Some(delivery)) => {
                    heard.insert(delivery.ring().job);
                    delivery.ack().await;
                }
                Ok(None) => panic!("{}: it was closed", on.name),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }

        hears_nothing(&on).await;
    }
}
