//! The network between the processes, the database and the broker is slow, falls silent and breaks.

use std::time::Duration;

use archive_tests::{
    cluster::{Cluster, Network},
    tcp_proxy::{TcpProxy, Weather},
};

use crate::load::Sender;

/// How long the weather is bad.
const STORM: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_behind_a_bad_network_loses_nothing() {
    storms(|network| &network.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_behind_a_bad_network_loses_nothing() {
    storms(|network| &network.broker).await;
}

/// Sends through every weather before one of the engines; what was not answered is sent again under the same key.
async fn storms(before: impl Fn(&Network) -> &TcpProxy) {
    let (mut cluster, network) = Cluster::start_over_network(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let _workers = [cluster.worker(&[]).await.unwrap(), cluster.worker(&[]).await.unwrap()];
    let proxy = before(&network);
    let weathers = [
        Weather::Slow(Duration::from_millis(40)),
        Weather::Crumbs,
        Weather::Silent,
        Weather::OneWay,
        Weather::Down,
    ];
    for (round, weather) in weathers.into_iter().enumerate() {
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
    assert!(proxy.met() > 10, "nothing went through the network");

    sender.require_all_placed_once(&cluster).await.unwrap();
}
