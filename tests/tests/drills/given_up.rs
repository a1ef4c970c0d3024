//! Jobs that fail as often as they may: what they were for comes to a person.

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};
use serde_json::{Value, json};

const OUTLET: &str = "TJHX0101";

/// A server whose only attempt at a job for the only scan ended at `place`; and the id of that scan.
async fn given_up_at(place: &str) -> (TestServer, String) {
    let mut server = Setup::for_drills().with("WORKERS__MAX_ATTEMPTS", "1").start().await.unwrap();
    let archivist = server.archivist().unwrap();
    archivist.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.stand_still_at(place).unwrap();
    let upload = Upload::of(vec![scans::small_page(1).unwrap()]).from_outlet(OUTLET);
    let scan_id = archivist.upload(&upload).await.unwrap().scan_ids().remove(0);
    server.wait_until_standing_at(place).await.unwrap();
    server.kill_and_restart().await.unwrap();
    server.wait_until_settled().await.unwrap();
    assert_eq!(server.catalogue().await.unwrap().dead_jobs().await.unwrap().len(), 1);
    (server, scan_id)
}

async fn in_tray(server: &TestServer) -> Value {
    let mut tray = server.archivist().unwrap().get("/api/v1/tray", &[]).await.unwrap().document().unwrap();
    tray["items"][0].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_placing_was_given_up_waits_in_the_tray_and_is_placed_by_hand() {
    let (server, scan_id) = given_up_at("place_scan::decided").await;
    let waiting = in_tray(&server).await;
    assert_eq!((&waiting["id"], &waiting["state"]), (&json!(scan_id), &json!("tray")), "{waiting}");
    assert_eq!((&waiting["problem"], &waiting["settled"]), (&json!("placing_given_up"), &json!(true)));
    let listed = server.command(&["tray", "list"]).await.unwrap();
    assert!(listed.contains("failed again and again"), "{listed}");
    server.verify().await.unwrap();

    let slip_number = entries::slip_number(1, OUTLET);
    server.command(&["tray", "place", &scan_id, "--slip", &slip_number]).await.unwrap();
    server.wait_until_settled().await.unwrap();

    let scan = server.catalogue().await.unwrap().scan(&scan_id).await.unwrap();
    assert_eq!((scan.state.as_str(), scan.problem), ("placed", None));
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_reading_was_given_up_waits_in_the_tray_and_is_read_when_tried_again() {
    let (server, scan_id) = given_up_at("read_scan::read").await;
    let waiting = in_tray(&server).await;
    assert_eq!((&waiting["id"], &waiting["state"]), (&json!(scan_id), &json!("unreadable")), "{waiting}");
    assert_eq!(waiting["problem"], "reading_given_up");
    server.verify().await.unwrap();

    server.command(&["jobs", "retry", "--all"]).await.unwrap();
    server.wait_until_settled().await.unwrap();

    let scan = server.catalogue().await.unwrap().scan(&scan_id).await.unwrap();
    assert_eq!((scan.state.as_str(), scan.problem), ("tray", None));
    server.verify().await.unwrap();
}
