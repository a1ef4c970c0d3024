//! Messages that come twice, late, for jobs that never were, or that are no rings at all.

use std::{collections::BTreeSet, time::Duration};

use archive_tests::{
    catalogue::Catalogue,
    cluster::Cluster,
    queues::{self, TestQueue},
};
use backends::queue::Ring;
use domain::{ids::JobId, job::JobName};
use lapin::{BasicProperties, Connection, ConnectionProperties, options::BasicPublishOptions};
use uuid::Uuid;

use crate::load::Sender;

const STALE: u128 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn stale_doubled_and_poisonous_messages_by_the_thousand_do_no_harm() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    for number in 0..4 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();
    let done = cluster.server.catalogue().await.unwrap().done_rings().await.unwrap();

    let nobodys = (0..STALE).map(|number| Ring {
        job: JobId::from_uuid(Uuid::from_u128(number)),
        name: JobName::ALL[(number % 4) as usize],
    });
    let doubled = done.iter().copied().cycle().take(if done.is_empty() { 0 } else { STALE as usize });
    cluster.ring(&nobodys.chain(doubled).collect::<Vec<Ring>>()).await.unwrap();
    poison(&cluster.stores.queue_url, 1_000).await;
    for number in 10..18 {
        sender.send(number).await.unwrap();
    }

    assert!(done.len() >= 12, "{} jobs were done", done.len());
    sender.require_all_placed_once(&cluster).await.unwrap();
    let dead = cluster.server.command(&["jobs", "dead"]).await.unwrap();
    assert!(dead.contains("No job is dead."), "{dead}");
    while !cluster.server.command(&["jobs", "dead"]).await.unwrap().contains("1000 messages on the queue") {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_that_is_rung_for_twice_while_it_is_due_or_running_is_done_once() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    let bell = queues::rabbitmq_at(&cluster.stores.queue_url).await.unwrap();
    bell.queue.probe().await.unwrap();
    let catalogue = cluster.server.catalogue().await.unwrap();
    let mut rung = BTreeSet::new();

    for number in 0..12 {
        sender.send(number).await.unwrap();
        rung.extend(ring_twice(&catalogue, &bell).await);
    }
    while !catalogue.pending_jobs().await.unwrap().is_empty() {
        rung.extend(ring_twice(&catalogue, &bell).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    println!("{} jobs were rung for again and again", rung.len());
    assert!(rung.len() >= 12, "{} jobs were rung for twice", rung.len());
    sender.require_all_placed_once(&cluster).await.unwrap();
}

/// Rings twice for every job that is not done; says for which.
async fn ring_twice(catalogue: &Catalogue, bell: &TestQueue) -> Vec<JobId> {
    let open = catalogue.open_rings().await.unwrap();
    for _ in 0..2 {
        bell.queue.announce(&open, Duration::ZERO).await.unwrap();
    }
    open.into_iter().map(|ring| ring.job).collect()
}

async fn poison(url: &str, count: usize) {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let bodies: [&[u8]; 4] = [b"", b"{}", b"\xff\xfe\x00", b"{\"version\":2,\"name\":\"read_scan\"}"];
    for number in 0..count {
        let key = JobName::ALL[number % 4].as_str().into();
        let body = bodies[number / 4 % 4];
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel.basic_publish("guidang.jobs".into(), key, options, body, properties).await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}
