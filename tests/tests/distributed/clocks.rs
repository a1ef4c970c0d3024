//! Clocks of workers are set forward and back while they work: by so much that every lease seems to be over, or no job
//! to be due.

use std::time::{Duration, Instant};

use archive_tests::{catalogue::Catalogue, cluster::Cluster, fake_clock::FakeClock};
use chrono::{DateTime, TimeDelta, Utc};

use crate::load::Sender;

const OFF: TimeDelta = TimeDelta::minutes(15);
/// How long work may be waited for, or a refusal.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_ahead_takes_over_and_what_one_behind_holds_counts_once() {
    // No such lease ends by itself while the drill lasts, and is never renewed.
    let slowly = [("WORKERS__LEASE_SECONDS", "600"), ("WORKERS__SLOTS", "1")];
    let mut cluster = Cluster::start(&slowly).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let clocks = [FakeClock::new().unwrap(), FakeClock::new().unwrap()];
    let mut one = cluster.worker_by(&clocks[0], &[]).await.unwrap();
    one.stand_still_at("read_scan::read").unwrap();
    for number in 0..3 {
        sender.send(number).await.unwrap();
    }
    one.wait_until_standing_at("read_scan::read").await.unwrap();

    let mut other = cluster.worker_by(&clocks[1], &[]).await.unwrap();
    clocks[1].set(OFF).unwrap();
    cluster.server.wait_until_settled().await.unwrap();
    clocks[0].set(-OFF).unwrap();
    one.go_on().unwrap();
    one.wait_until_logged("the end of a job could not be stored").await.unwrap();

    other.stand_still_at("place_scan::decided").unwrap();
    for number in 10..13 {
        sender.send(number).await.unwrap();
    }
    other.wait_until_standing_at("place_scan::decided").await.unwrap();
    clocks[0].set(OFF).unwrap();
    clocks[1].set(-OFF).unwrap();
    other.go_on().unwrap();

    sender.require_all_placed_once(&cluster).await.unwrap();
    let (ahead, behind) = off(&cluster.server.catalogue().await.unwrap()).await;
    println!("{ahead} acts of a worker that was ahead, {behind} of one that was behind");
    assert!(ahead > 3 && behind > 0, "{ahead} {behind}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_jump_under_load_lose_nothing_and_whoever_starts_with_them_is_refused() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let clocks = [FakeClock::new().unwrap(), FakeClock::new().unwrap()];
    let mut jumping = cluster.worker_by(&clocks[0], &[]).await.unwrap();
    let _others = [cluster.worker_by(&clocks[1], &[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    let catalogue = cluster.server.catalogue().await.unwrap();

    for round in 0..4 {
        let (ahead, behind) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        let (done_ahead, _) = off(&catalogue).await;
        clocks[ahead].set(OFF).unwrap();
        clocks[behind].set(-OFF).unwrap();
        for number in 0..6 {
            sender.send(round as u64 * 100 + number).await.unwrap();
        }
        let started = Instant::now();
        while off(&catalogue).await.0 == done_ahead {
            assert!(started.elapsed() < PATIENCE, "the worker that is ahead does nothing in round {round}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    // One of them stays ahead until the end: what it put off is due by its clock alone.
    sender.require_all_placed_once(&cluster).await.unwrap();

    jumping.stop().await.unwrap();
    for off_by in [OFF, -OFF] {
        clocks[0].set(off_by).unwrap();
        let started = tokio::time::timeout(PATIENCE, jumping.command(&["work"])).await.unwrap();
        let refusal = started.unwrap_err().to_string();
        assert!(refusal.contains("differs from this machine's by"), "{refusal}");
        assert!(refusal.contains("set both by NTP, then start again"), "{refusal}");
    }
}

/// How many acts on the operation log were done by workers that were ahead of this machine, and by workers behind it.
async fn off(catalogue: &Catalogue) -> (usize, usize) {
    let instants = catalogue.worker_instants().await.unwrap();
    let now = catalogue.backends().clock.now();
    let count = |is_off: &dyn Fn(DateTime<Utc>) -> bool| instants.iter().filter(|at| is_off(**at)).count();
    (count(&|at| at > now + OFF / 2), count(&|at| at < now - OFF / 2))
}
