//! A network before the store that carries pieces twice and in the wrong order: encryption notices, and nothing altered
//! is kept or believed.

use std::time::Duration;

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    seaweed::{self, Versions},
    server::Setup,
    tcp_proxy::{TcpProxy, Weather},
    tls_proxy::TlsProxy,
};

use crate::archive::{OUTLET, credentials_file};

/// How long the network garbles.
const STORM: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_doubles_and_swaps_loses_nothing_and_alters_nothing() {
    let store = seaweed::shared().await.unwrap();
    let bucket = store.bucket(Versions::Kept).await.unwrap();
    let encrypted = TlsProxy::before(store.endpoint.trim_start_matches("http://")).await.unwrap();
    let network = TcpProxy::before(&encrypted.address).await.unwrap();
    let secrets = tempfile::tempdir().unwrap();
    let setup = Setup::for_drills()
        .with("OBJECTS__URL", &format!("s3://{bucket}/archive"))
        .with("OBJECTS__ENDPOINT", &network.address.replace("127.0.0.1", "https://localhost"))
        .with("OBJECTS__CREDENTIALS", &credentials_file(secrets.path()))
        .with("OBJECTS__CA_FILE", &encrypted.ca_file().display().to_string());
    let server = setup.start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();

    let mut seed = 0;
    for weather in [Weather::Doubled, Weather::Swapped] {
        network.turn(weather);
        let clearing = async {
            tokio::time::sleep(STORM).await;
            network.turn(Weather::Fair);
        };
        let sending = async {
            for file in
                [scans::small_page(seed + 1).unwrap(), scans::page_of_bytes(seed + 2, 9 << 20).unwrap()]
            {
                seed += 1;
                let upload = Upload::of(vec![file]).for_slip(&entries::slip_number(1, OUTLET));
                let upload = upload.with_key(&format!("key-{seed}"));
                // Sent again under the same key until it is answered.
                while clerk.upload(&upload).await.unwrap().outcomes() != ["received"] {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            }
        };
        tokio::join!(clearing, sending);
    }
    server.wait_until_settled().await.unwrap();

    let catalogue = server.catalogue().await.unwrap();
    assert_eq!(catalogue.scans().await.unwrap().len(), seed as usize);
    assert_eq!(catalogue.dead_jobs().await.unwrap(), [] as [String; 0]);
    drop(catalogue);
    server.verify().await.unwrap();
}
