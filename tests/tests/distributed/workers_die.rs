//! Workers are killed in the middle of a job, and stopped while they work.

use archive_tests::{
    cluster::Cluster,
    entries::{self, Entry},
    scans,
};
use domain::case_file::CaseState;

use crate::load::{OUTLET, Sender};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_another_one_finishes() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    for (round, place) in
        ["read_scan::read", "place_scan::handed_over", "check_case_file::judged"].into_iter().enumerate()
    {
        let mut doomed = cluster.worker(&[]).await.unwrap();
        doomed.stand_still_at(place).unwrap();

        for number in 0..4 {
            sender.send(round as u64 * 100 + number).await.unwrap();
        }
        doomed.wait_until_standing_at(place).await.unwrap();
        let _other = cluster.worker(&[]).await.unwrap();
        doomed.kill().await.unwrap();

        sender.require_all_placed_once(&cluster).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_frozen_comes_too_late_with_its_result() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    for (round, place) in
        ["read_scan::read", "place_scan::handed_over", "check_case_file::judged"].into_iter().enumerate()
    {
        let mut frozen = cluster.worker_with(&[("WORKERS__SLOTS", "1")]).await.unwrap();
        frozen.stand_still_at(place).unwrap();
        for number in 0..3 {
            sender.send(round as u64 * 100 + number).await.unwrap();
        }
        frozen.wait_until_standing_at(place).await.unwrap();
        frozen.freeze().await.unwrap();

        let other = cluster.worker(&[]).await.unwrap();
        cluster.server.wait_until_settled().await.unwrap();
        frozen.go_on().unwrap();
        frozen.thaw().await.unwrap();
        // Its result is refused, or its heartbeat was refused first.
        frozen.wait_until_logged("the end of a job could not be stored").await.unwrap();

        sender.require_all_placed_once(&cluster).await.unwrap();
        drop(other);
    }
}

/// It stands inside its transaction there: what it holds, others get when the database sees that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_whose_worker_dies_while_archiving_gets_one_code() {
    const PLACE: &str = "archive_case_file::before_commit";
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let auditor = cluster.server.account("auditor", "A1", &[]).await.unwrap();
    let mut doomed = cluster.worker(&[]).await.unwrap();
    sender.send(0).await.unwrap();
    cluster.server.wait_until_settled().await.unwrap();
    doomed.stand_still_at(PLACE).unwrap();

    sender.accept_everything(&cluster, &auditor, 0).await.unwrap();
    doomed.wait_until_standing_at(PLACE).await.unwrap();
    doomed.kill().await.unwrap();
    let _other = cluster.worker(&[]).await.unwrap();

    sender.require_all_placed_once(&cluster).await.unwrap();
    let catalogue = cluster.server.catalogue().await.unwrap();
    let case_file = catalogue.case_file(&entries::slip_number(0, OUTLET)).await.unwrap();
    assert_eq!(case_file.state, CaseState::Archived);
    assert!(case_file.archival_code.is_some_and(|code| code.ends_with("0001")));
    assert_eq!(catalogue.total("archive_case_file").await.unwrap(), 1);
}

/// Before its transaction it holds its lease and nothing else. Inside it holds rows as well, until the database ends the
/// session of whoever says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_frozen_while_archiving_comes_too_late_and_no_code_is_lost_or_given_twice() {
    const INSIDE: &str = "archive_case_file::before_commit";
    let mut cluster = Cluster::start(&[]).await.unwrap();
    // All of one day: they share its running numbers.
    let entered = [0, 28, 56, 84].map(|number| Entry::of(number, OUTLET));
    let mut sender = Sender::of(&cluster, &entered).await.unwrap();
    let auditor = cluster.server.account("auditor", "A1", &[]).await.unwrap();
    let mut reader = cluster.worker(&[]).await.unwrap();
    for number in 0..4 {
        sender.send(number).await.unwrap();
    }
    cluster.server.wait_until_settled().await.unwrap();
    reader.stop().await.unwrap();

    for (first, place) in [(0, "archive_case_file::begun"), (2, INSIDE)] {
        let mut frozen = cluster.worker_with(&[("WORKERS__SLOTS", "1")]).await.unwrap();
        frozen.stand_still_at(place).unwrap();
        // Inside its transaction it keeps auditors waiting too: they are done before it begins.
        frozen.freeze().await.unwrap();
        for number in [first, first + 1] {
            sender.accept_everything(&cluster, &auditor, number).await.unwrap();
        }
        frozen.thaw().await.unwrap();
        frozen.wait_until_standing_at(place).await.unwrap();
        frozen.freeze().await.unwrap();
        let _other = cluster.worker(&[]).await.unwrap();
        if place == INSIDE {
            cluster.postgres.end_silent_transactions("catalogue").await.unwrap();
        }
        cluster.server.wait_until_settled().await.unwrap();
        frozen.go_on().unwrap();
        frozen.thaw().await.unwrap();
        frozen.wait_until_logged("the end of a job could not be stored").await.unwrap();
    }

    sender.require_all_placed_once(&cluster).await.unwrap();
    let catalogue = cluster.server.catalogue().await.unwrap();
    let mut codes = Vec::new();
    for number in 0..4 {
        let case_file = catalogue.case_file(sender.slip(number)).await.unwrap();
        assert_eq!(case_file.state, CaseState::Archived, "{number}");
        codes.push(case_file.archival_code.unwrap());
    }
    codes.sort();
    let endings: Vec<&str> = codes.iter().map(|code| &code[code.len() - 4..]).collect();
    assert_eq!(endings, ["0001", "0002", "0003", "0004"]);
    assert_eq!(catalogue.total("archive_case_file").await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_finishes_its_work_or_gives_it_back() {
    // Nobody waits for the end of such leases: what is not given back stays undone.
    let mut cluster =
        Cluster::start(&[("WORKERS__LEASE_SECONDS", "3600"), ("SERVER__STOP_SECONDS", "1")]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let mut leaving = cluster.worker(&[]).await.unwrap();
    for number in 0..6 {
        let slow = scans::page_of_bytes(number, 1 << 20).unwrap();
        sender.send_file(number, slow).await.unwrap();
    }
    let catalogue = cluster.server.catalogue().await.unwrap();
    while !catalogue.pending_jobs().await.unwrap().iter().any(|line| line.ends_with("running")) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    leaving.stop().await.unwrap();
    let _other = cluster.worker(&[]).await.unwrap();

    sender.require_all_placed_once(&cluster).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_may_share_the_kinds_of_jobs_among_them() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _reader = cluster.worker(&["--only", "read"]).await.unwrap();
    for number in 0..4 {
        sender.send(number).await.unwrap();
    }
    let catalogue = cluster.server.catalogue().await.unwrap();
    loop {
        let pending = catalogue.pending_jobs().await.unwrap();
        if pending.iter().any(|line| line == "4 place_scan waiting") {
            assert!(!pending.iter().any(|line| line.contains("read_scan")), "{pending:?}");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    let _others = cluster.worker(&["--only", "place,check,archive"]).await.unwrap();

    sender.require_all_placed_once(&cluster).await.unwrap();
}
