//! The broker is killed and started again while scans keep coming.

use archive_tests::cluster::Cluster;

use crate::load::Sender;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_restarted_under_load_loses_nothing() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];

    for round in 0..3 {
        for number in 0..8 {
            sender.send(round * 100 + number).await.unwrap();
        }
        cluster.rabbit.kill().unwrap();
        for number in 8..12 {
            sender.send(round * 100 + number).await.unwrap();
        }
        cluster.rabbit.run().unwrap();
    }

    sender.require_all_placed_once(&cluster).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_uploads_are_answered_and_work_goes_on() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];

    cluster.rabbit.kill().unwrap();
    for number in 0..6 {
        sender.send(number).await.unwrap();
    }

    sender.require_all_placed_once(&cluster).await.unwrap();
    cluster.rabbit.run().unwrap();
    sender.send(100).await.unwrap();
    sender.require_all_placed_once(&cluster).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_disk_is_full_stops_no_upload_and_no_work() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    sender.send(0).await.unwrap();

    cluster.rabbit.fill_disk().unwrap();
    for number in 1..8 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();
    cluster.rabbit.empty_disk().unwrap();
    for number in 10..14 {
        sender.send(number).await.unwrap();
    }

    sender.require_all_placed_once(&cluster).await.unwrap();
}
