//! Search nodes: what they answer, how new it is, where they start from, and that what is destroyed leaves them.

use std::{fs, path::PathBuf, time::Duration};

use archive_tests::{
    client::ApiClient,
    cluster::Cluster,
    entries::{self, Entry},
    search_node::SearchNode,
    server::TestServer,
};
use backends::connect::Backends;
use domain::case_file::CaseState;

use crate::load::{OUTLET, Sender};

/// A search node says more than a drill needs otherwise: where its index came from.
const TALKATIVE: [(&str, &str); 1] = [("LOG__FILTER", "info")];

async fn import(server: &TestServer, numbers: std::ops::Range<u64>) -> u64 {
    let all: Vec<Entry> = numbers.map(|number| Entry::of(number, OUTLET)).collect();
    let answer = server.archivist().unwrap().import(entries::csv(&all)).await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.change.unwrap()
}

/// How many case files a client finds, in an index that has followed to a change.
async fn found(client: &ApiClient, at_least: u64) -> u64 {
    let at_least = at_least.to_string();
    let query = [("at_least", at_least.as_str()), ("count", "exact"), ("limit", "1")];
    let answer = client.get("/api/v1/case-files", &query).await.unwrap();
    answer.document().unwrap()["count"].as_u64().unwrap()
}

async fn until_ready(node: &SearchNode) {
    while !node.client.get("/healthz/ready", &[]).await.unwrap().status.is_success() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_node_shows_what_was_just_changed_and_sends_everything_else_away() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let mut sender = Sender::new(&cluster).await.unwrap();
    let node = cluster.search_node(&[]).await.unwrap();
    let _worker = cluster.worker(&[]).await.unwrap();
    until_ready(&node).await;

    let before = found(&node.client, 0).await;
    for round in 0..5 {
        let change = import(&cluster.server, 100 + round * 10..110 + round * 10).await;
        assert_eq!(found(&node.client, change).await, before + (round + 1) * 10);
        assert_eq!(found(&cluster.server.archivist().unwrap(), change).await, before + (round + 1) * 10);
    }
    let upload = node.client.import(entries::csv(&[Entry::of(7, OUTLET)])).await.unwrap();
    let elsewhere = node.client.get("/api/v1/tray", &[]).await.unwrap();
    let posted = node.client.post("/api/v1/case-files", &serde_json::json!({})).await.unwrap();
    let never = node.client.get("/api/v1/case-files", &[("at_least", "99999999")]).await.unwrap();
    let health = node.client.get("/healthz/ready", &[]).await.unwrap();
    let stranger = ApiClient::new(&node.address, "gd_nobody").unwrap();
    let unknown = stranger.get("/api/v1/case-files", &[]).await.unwrap();

    for refused in [upload, elsewhere, posted] {
        assert_eq!((refused.status.as_u16(), refused.code()), (421, "search_node_only"), "{}", refused.text);
    }
    assert_eq!((never.status.as_u16(), never.code()), (400, "query_invalid"), "{}", never.text);
    assert_eq!(unknown.status.as_u16(), 401);
    let names: Vec<&str> = health.body["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["catalogue", "keys", "index"]);
    assert!(health.body["dependencies"][2]["behind"].is_u64(), "{}", health.text);
    sender.send(3).await.unwrap();
    sender.require_all_placed_once(&cluster).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_follow_says_where_it_is() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    // It looks at the catalogue once a minute, which is longer than a search waits.
    let node = cluster.search_node(&[("INDEX__COMMIT_MS", "60000")]).await.unwrap();
    until_ready(&node).await;

    let change = import(&cluster.server, 0..3).await;
    let at_least = change.to_string();
    let behind = node.client.get("/api/v1/case-files", &[("at_least", &at_least)]).await.unwrap();
    let health = node.client.get("/healthz/ready", &[]).await.unwrap();

    assert_eq!((behind.status.as_u16(), behind.code()), (503, "index_behind"), "{}", behind.text);
    assert_eq!(behind.body["last_change"].as_u64(), Some(change));
    assert!(behind.body["index_reached"].as_u64().unwrap() < change);
    assert_eq!(health.status.as_u16(), 200);
    assert!(health.body["dependencies"][2]["behind"].as_u64().unwrap() > 0, "{}", health.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_starts_from_a_snapshot_and_refuses_one_that_was_altered() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    import(&cluster.server, 0..300).await;
    let first = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&first).await;
    let said = first.process.command(&["index", "snapshot"]).await.unwrap();
    let again = first.process.command(&["index", "snapshot"]).await.unwrap();
    let change = import(&cluster.server, 300..340).await;

    let mut second = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&second).await;
    let of_second = found(&second.client, change).await;
    second.process.wait_until_logged("the index starts from a snapshot").await.unwrap();
    let object = snapshot_objects(&cluster).pop().unwrap();
    let mut bytes = fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&object, bytes).unwrap();
    let mut third = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&third).await;
    third.process.wait_until_logged("an index snapshot cannot be used").await.unwrap();

    assert!(said.starts_with("Snapshot ") && again.contains("already"), "{said}{again}");
    assert_eq!((of_second, found(&third.client, change).await), (340, 340));
    for node in [&first, &second, &third] {
        found(&node.client, change).await;
        let verified = node.process.command(&["index", "verify"]).await.unwrap();
        assert!(verified.contains("340 case files"), "{verified}");
    }
    cluster.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_clock_one_snapshot_is_made_and_a_new_node_starts_from_it() {
    let settings = [("INDEX__SNAPSHOT_HOURS", "1"), ("LOG__FILTER", "info")];
    let mut cluster = Cluster::start(&settings).await.unwrap();
    let change = import(&cluster.server, 0..60).await;
    found(&cluster.server.archivist().unwrap(), change).await;
    // It looks when it starts and every minute; there was nothing to copy the first time.
    cluster.server.stop().await.unwrap();
    cluster.server.restart().await.unwrap();
    while !cluster.server.log().contains("an index snapshot was made") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let first = snapshot_objects(&cluster);
    let later = import(&cluster.server, 60..70).await;

    let mut node = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&node).await;
    node.process.wait_until_logged("the index starts from a snapshot").await.unwrap();
    let of_node = found(&node.client, later).await;
    cluster.server.stop().await.unwrap();
    cluster.server.restart().await.unwrap();
    found(&cluster.server.archivist().unwrap(), later).await;

    assert_eq!((first.len(), of_node), (1, 70));
    assert_eq!(snapshot_objects(&cluster), first, "it is not an hour old, and neither process makes another");
    let verified = node.process.command(&["index", "verify"]).await.unwrap();
    assert!(verified.contains("70 case files"), "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_destroyed_leaves_every_index_and_every_snapshot() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    import(&cluster.server, 0..30).await;
    let node = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&node).await;
    node.process.command(&["index", "snapshot"]).await.unwrap();
    assert_eq!(snapshot_objects(&cluster).len(), 1);

    let change = destroy(&cluster, &entries::slip_number(7, OUTLET)).await;

    assert_eq!(found(&node.client, change).await, 29);
    assert_eq!(snapshot_objects(&cluster), [] as [PathBuf; 0]);
    let verified = node.process.command(&["index", "verify"]).await.unwrap();
    assert!(verified.contains("29 case files"), "{verified}");
    node.process.command(&["index", "snapshot"]).await.unwrap();
    let after = cluster.search_node(&TALKATIVE).await.unwrap();
    until_ready(&after).await;
    assert_eq!(found(&after.client, change).await, 29);
}

/// Leads a case file through its whole life by the catalogue itself, and destroys its key. Gives the change.
async fn destroy(cluster: &Cluster, slip_number: &str) -> u64 {
    let clock = std::sync::Arc::new(backends::clock::SystemClock);
    let backends = Backends::connect(&cluster.stores, clock).await.unwrap();
    let mut tx = backends.database.begin().await.unwrap();
    let mut case_file = tx.case_files().find_by_slip_number(slip_number).await.unwrap().unwrap();
    let life = [
        CaseState::Reading,
        CaseState::Checked,
        CaseState::Accepted,
        CaseState::Archived,
        CaseState::Due,
        CaseState::Appraised,
        CaseState::Approved,
        CaseState::Cooling,
        CaseState::Destroyed,
    ];
    for state in life {
        let now = backends.clock.now();
        tx.case_files().change_state(&mut case_file, state, "drill", now).await.unwrap();
    }
    backends.vault.destroy(case_file.key_id).await.unwrap();
    tx.commit().await.unwrap();
    case_file.change_sequence.unsigned_abs()
}

fn snapshot_objects(cluster: &Cluster) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in fs::read_dir(cluster.objects().join("index-snapshots")).into_iter().flatten().flatten() {
        found.extend(fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()));
    }
    found
}
