//! The database is stopped without a word and started again while scans keep coming.

use std::{sync::Arc, time::Duration};

use archive_tests::cluster::Cluster;

use crate::load::Sender;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_stopped_without_a_word_under_load_loses_nothing() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];

    for round in 0..3 {
        let sending = async {
            for number in 0..8 {
                sender.send_until_received(round * 100 + number).await.unwrap();
            }
        };
        let postgres = Arc::clone(&cluster.postgres);
        let restarting = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(100 * round));
            postgres.restart_without_a_word()
        });
        let ((), restarted) = tokio::join!(sending, restarting);
        restarted.unwrap().unwrap();
    }

    sender.require_all_placed_once(&cluster).await.unwrap();
}
