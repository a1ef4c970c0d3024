//! A broker of three nodes loses the one that leads its queues, while rings are under way.

use std::time::{Duration, Instant};

use archive_tests::{
    cluster::Cluster,
    queues::{self, TestQueue},
};
use backends::queue::Ring;
use domain::{ids::JobId, job::JobName};
use uuid::Uuid;

use crate::load::Sender;

const QUEUE: &str = "guidang.jobs.read_scan";
/// Rings for jobs that never were: whoever hears them finds nothing to do.
const RINGS: u128 = 200;
/// How long rings are on their way before the leader dies; whoever awaits confirms is more patient.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// How long the broker may take to be itself again.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_while_its_confirms_are_awaited_loses_nothing() {
    let mut cluster = Cluster::start_on_three_brokers(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    let (rabbit, url) = (cluster.rabbit.clone(), cluster.stores.queue_url.clone());
    let bell = queues::rabbitmq_at(&url).await.unwrap();
    bell.queue.announce(&rings(0), Duration::ZERO).await.unwrap();
    let leader = rabbit.leader_of(&url, QUEUE).unwrap();

    // A leader that stands still has rings on their way to it and confirms none.
    leader.freeze().unwrap();
    let queue = bell.queue.clone();
    let ringing = tokio::spawn(async move { queue.announce(&rings(1), Duration::ZERO).await });
    let killing = async {
        tokio::time::sleep(UNDER_WAY).await;
        assert!(!ringing.is_finished(), "nothing was under way when the leader died");
        leader.kill().unwrap();
    };
    let sending = async {
        for number in 0..4 {
            sender.send(number).await.unwrap();
        }
    };
    tokio::join!(killing, sending);
    println!("rung when the leader died: {:?}", ringing.await.unwrap());
    for number in 10..14 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();
    rabbit.wait_until_led_by_others(leader, &url, QUEUE).unwrap();
    ring_until_confirmed(&bell, 2).await;

    rabbit.bring_back(leader).unwrap();
    for number in 20..24 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();
    require_silence(&cluster, &bell).await;
}

/// The two that still see one another go on; the third one stops serving by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_from_the_other_nodes_loses_nothing() {
    let mut cluster = Cluster::start_on_three_brokers(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    let (rabbit, url) = (cluster.rabbit.clone(), cluster.stores.queue_url.clone());
    let bell = queues::rabbitmq_at(&url).await.unwrap();
    bell.queue.announce(&rings(0), Duration::ZERO).await.unwrap();
    let leader = rabbit.leader_of(&url, QUEUE).unwrap();

    let cutting = async { tokio::task::block_in_place(|| leader.cut_off().unwrap()) };
    let sending = async {
        for number in 0..4 {
            sender.send(number).await.unwrap();
        }
    };
    let under_way = rings(1);
    let ringing = bell.queue.announce(&under_way, Duration::ZERO);
    let (rung, (), ()) = tokio::join!(ringing, cutting, sending);
    println!("rung when the leader was cut off: {rung:?}");
    rabbit.wait_until_missed(leader).unwrap();
    rabbit.wait_until_led_by_others(leader, &url, QUEUE).unwrap();
    ring_until_confirmed(&bell, 2).await;
    for number in 10..14 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();

    rabbit.let_in_again(leader).unwrap();
    for number in 20..24 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();
    require_silence(&cluster, &bell).await;
}

fn rings(batch: u128) -> Vec<Ring> {
    let ring = |number| Ring { job: JobId::from_uuid(Uuid::from_u128(number)), name: JobName::ReadScan };
    (batch * RINGS..(batch + 1) * RINGS).map(ring).collect()
}

async fn ring_until_confirmed(bell: &TestQueue, batch: u128) {
    let started = Instant::now();
    while let Err(error) = bell.queue.announce(&rings(batch), Duration::ZERO).await {
        assert!(started.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Every ring was heard and acknowledged, and nothing was refused or given up.
async fn require_silence(cluster: &Cluster, bell: &TestQueue) {
    let started = Instant::now();
    loop {
        let depths = bell.queue.depths().await;
        if let Ok(depths) = &depths
            && depths.rings.iter().all(|(_, count)| *count == 0)
        {
            assert_eq!(depths.refused, 0);
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{depths:?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let dead = cluster.server.command(&["jobs", "dead"]).await.unwrap();
    assert!(dead.contains("No job is dead."), "{dead}");
}
