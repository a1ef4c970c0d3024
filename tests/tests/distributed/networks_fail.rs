//! The network between the processes, the database and the broker is slow, falls silent and breaks.

use std::time::Duration;

use archive_tests::{
    cluster::Cluster,
    tcp_proxy::{TcpProxy, Weather},
};

use crate::load::Sender;

/// How long the weather is bad.
const STORM: Duration = Duration::from_secs(6);

const BAD: [Weather; 5] = [
    Weather::Slow(Duration::from_millis(40)),
    Weather::Crumbs,
    Weather::Silent,
    Weather::OneWay,
    Weather::Down,
];
/// TCP lets neither happen: to whoever reads it is another text. Encryption is what notices.
const GARBLED: [Weather; 2] = [Weather::Doubled, Weather::Swapped];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_behind_a_bad_network_loses_nothing() {
    let (cluster, network) = Cluster::start_over_network(&[]).await.unwrap();
    storms(cluster, &network.database, &BAD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_behind_a_bad_network_loses_nothing() {
    let (cluster, network) = Cluster::start_over_network(&[]).await.unwrap();
    storms(cluster, &network.broker, &BAD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_network_doubles_and_swaps_loses_nothing() {
    let (cluster, network) = Cluster::start_over_encrypted_network(&[]).await.unwrap();
    storms(cluster, &network.database, &GARBLED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_network_doubles_and_swaps_loses_nothing() {
    let (cluster, network) = Cluster::start_over_encrypted_network(&[]).await.unwrap();
    storms(cluster, &network.broker, &GARBLED).await;
}

/// The server reaches its database by new connections, but of those it had it hears nothing any more, and nobody tells
/// it: a firewall that forgot them.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_connections_were_forgotten_is_reached_again() {
    let limits = [("DATABASE__STATEMENT_SECONDS", "3"), ("DATABASE__LOCK_SECONDS", "2")];
    let (mut cluster, network) = Cluster::start_over_network(&limits).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];

    for number in 0..4 {
        let forgetting = async {
            tokio::time::sleep(Duration::from_millis(10 * number)).await;
            network.database.strand();
        };
        let (sent, ()) = tokio::join!(sender.send_until_received(number), forgetting);
        sent.unwrap();
    }
    // The server kept every forgotten session until here; so many of them leave no room for new ones.
    network.database.cut();

    sender.require_all_placed_once(&cluster).await.unwrap();
}

/// Sends through every weather before one of the engines; what was not answered is sent again under the same key.
async fn storms(mut cluster: Cluster, proxy: &TcpProxy, weathers: &[Weather]) {
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    for (round, weather) in weathers.iter().copied().enumerate() {
        let first = round as u64 * 100;
        sender.send(first).await.unwrap();
        proxy.turn(weather);
        let storm = async {
            tokio::time::sleep(STORM).await;
            proxy.turn(Weather::Fair);
            // Whoever still waits for an answer that was lost in the storm is told that the connection is gone.
            if matches!(weather, Weather::Silent | Weather::OneWay) {
                proxy.cut();
            }
        };
        let sending = async {
            for number in 1..4 {
                sender.send_until_received(first + number).await.unwrap();
            }
        };
        tokio::join!(storm, sending);
    }
    assert!(proxy.met() > 5, "nothing went through the network");

    sender.require_all_placed_once(&cluster).await.unwrap();
}
