//! Large files go through to S3 in parts: the server never holds them, and nothing is left of what is not taken.

use std::{path::Path, sync::Arc, time::Duration};

use archive_tests::{
    entries::{self, Entry},
    large_files::{self, Chain, LargeFile, MemoryWatch, Sender},
    s3_proxy::Misbehaviour,
    s3_signature::hex,
    scans, seaweed,
    server::Setup,
};
use backends::{
    blob_store::BlobStore,
    clock::{Clock, SystemClock},
};
use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;

use crate::archive::{OUTLET, OnS3};

/// By how much the server may grow for a file of whatever size; 28 to 43 MB were seen, what the allocator keeps included.
const MOST_GROWTH: u64 = 64 << 20;
/// Enough for several parts to be in the store.
const SOME_PARTS: usize = 40 << 20;

fn setup() -> Setup {
    // What reads scans holds them; the memory of the server that takes them in is looked at here.
    Setup::for_drills().with("INTAKE__MAX_BYTES", "268435456").without_work()
}

fn file(folder: &Path, pages: u32, chain: Chain) -> LargeFile {
    large_files::tiff(&folder.join("large.tif"), pages, chain).unwrap()
}

/// What the bucket holds of scans, whole and begun.
async fn in_bucket(on: &OnS3) -> (usize, usize) {
    let store = seaweed::shared().await.unwrap();
    let whole = store.versions(&on.bucket, "archive/scans/").await.unwrap();
    (whole, store.unfinished(&on.bucket).await.unwrap())
}

async fn until_in_bucket(on: &OnS3, expected: (usize, usize)) {
    const PATIENCE: u32 = 600;
    for _ in 0..PATIENCE {
        if in_bucket(on).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the bucket holds {:?}, not {expected:?}", in_bucket(on).await);
}

/// Rows of scans, and keys.
async fn rows_and_keys(on: &OnS3) -> (usize, i64) {
    let catalogue = on.server.catalogue().await.unwrap();
    (catalogue.scans().await.unwrap().len(), catalogue.backends().vault.count().await.unwrap())
}

/// A server that has made its first keys, and a folder for files.
async fn start() -> (OnS3, TempDir) {
    let on = OnS3::start_as(setup()).await;
    on.clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let first = archive_tests::client::Upload::of(vec![scans::small_page(1).unwrap()]);
    on.clerk.upload(&first).await.unwrap().document().unwrap();
    (on, tempfile::tempdir().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_many_megabytes_passes_through_little_memory() {
    let (mut on, folder) = start().await;
    let large = file(folder.path(), 13, Chain::Whole);
    let slip = entries::slip_number(1, OUTLET);

    let watch = MemoryWatch::start(on.server.pid().unwrap()).unwrap();
    let answer = large_files::send(&on.clerk, &large, &[("slip_number", &slip)]).await.unwrap();
    let growth = watch.growth();
    let again = large_files::send(&on.clerk, &large, &[("slip_number", &slip)]).await.unwrap();

    println!("{} bytes were taken in; the server grew by {growth} bytes", large.size_bytes);
    assert!(large.size_bytes > 100 << 20);
    assert_eq!(answer.outcomes(), ["received"], "{}", answer.text);
    assert!(growth < MOST_GROWTH, "the server grew by {growth} bytes");
    assert_eq!(again.outcomes(), ["linked"], "{}", again.text);
    assert_eq!(again.scan_ids(), answer.scan_ids());
    assert_eq!(in_bucket(&on).await, (2, 0));
    let catalogue = on.server.catalogue().await.unwrap();
    let scan = catalogue.scan(&answer.scan_ids()[0]).await.unwrap();
    assert_eq!((scan.size_bytes as u64, scan.digest), (large.size_bytes, large.digest));
    drop(catalogue);
    // Opens the object and holds its bytes against size and digest of the row.
    on.server.verify().await.unwrap();
    on.server.kill_and_restart().await.unwrap();
    on.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_large_file_that_is_refused_or_whose_sender_leaves() {
    let (on, folder) = start().await;
    let before = rows_and_keys(&on).await;
    let large = file(folder.path(), 8, Chain::BitesItsTail);

    let refused = large_files::send(&on.clerk, &large, &[]).await.unwrap();
    let after_refusal = (in_bucket(&on).await, rows_and_keys(&on).await);
    let mut sender = Sender::start(&on.clerk, &large, &[]).await.unwrap();
    sender.send(SOME_PARTS).await.unwrap();
    until_in_bucket(&on, (1, 1)).await;
    sender.leave().await;
    until_in_bucket(&on, (1, 0)).await;

    assert_eq!(
        (refused.status.as_u16(), refused.outcomes()),
        (422, vec!["damaged_file"]),
        "{}",
        refused.text
    );
    assert_eq!(after_refusal, ((1, 0), before));
    assert_eq!(rows_and_keys(&on).await, before);
    on.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_in_the_middle_takes_nothing_and_the_file_can_be_sent_again() {
    let (on, folder) = start().await;
    let before = rows_and_keys(&on).await;
    let large = file(folder.path(), 8, Chain::Whole);

    let mut sender = Sender::start(&on.clerk, &large, &[]).await.unwrap();
    sender.send(SOME_PARTS).await.unwrap();
    until_in_bucket(&on, (1, 1)).await;
    on.proxy.misbehave(Misbehaviour::Answers(503));
    let failed = sender.finish().await.unwrap();
    on.proxy.misbehave(Misbehaviour::None);
    let after_failure = rows_and_keys(&on).await;
    // A store that does not answer cannot be told to forget what it has; the sweep tells it later.
    sweep(&on).await;
    let swept = in_bucket(&on).await;
    let again = large_files::send(&on.clerk, &large, &[]).await.unwrap();

    assert_eq!((failed.status.as_u16(), failed.code()), (503, "unavailable"), "{}", failed.text);
    assert_eq!(after_failure, before);
    assert_eq!(swept, (1, 0));
    assert_eq!(again.outcomes(), ["received"], "{}", again.text);
    on.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_killed_in_the_middle_left_is_removed_by_the_sweep() {
    let (mut on, folder) = start().await;
    let before = rows_and_keys(&on).await;
    let large = file(folder.path(), 8, Chain::Whole);

    let mut sender = Sender::start(&on.clerk, &large, &[]).await.unwrap();
    sender.send(SOME_PARTS).await.unwrap();
    until_in_bucket(&on, (1, 1)).await;
    on.server.kill().await.unwrap();
    sender.leave().await;
    on.server.restart().await.unwrap();
    let after = rows_and_keys(&on).await;
    sweep(&on).await;

    assert_eq!(after, before);
    assert_eq!(in_bucket(&on).await, (1, 0));
    on.server.verify().await.unwrap();
}

/// What the hourly sweep does about parts, an hour later.
async fn sweep(on: &OnS3) {
    let store = seaweed::shared().await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let url = format!("s3://{}/archive", on.bucket);
    let blobs = BlobStore::s3(&url, &store.settings(), Arc::clone(&clock)).await.unwrap();
    blobs.abandon_unfinished(clock.now() + TimeDelta::minutes(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_brought_by_ticket_is_sealed_without_being_held() {
    let (on, folder) = start().await;
    let large = file(folder.path(), 13, Chain::Whole);
    let request = json!({ "size_bytes": large.size_bytes, "sha256": hex(&large.sha256) });
    let ticket = on.clerk.post("/api/v1/upload-tickets", &request).await.unwrap().document().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut put = client.put(ticket["put"]["url"].as_str().unwrap());
    for (name, value) in ticket["put"]["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    let brought = put.body(tokio::fs::File::open(&large.path).await.unwrap()).send().await.unwrap();
    assert!(brought.status().is_success(), "{}", brought.status());

    let watch = MemoryWatch::start(on.server.pid().unwrap()).unwrap();
    let complete = ticket["complete"].as_str().unwrap();
    let answer = on.clerk.post(complete, &json!({ "name": "large.tif" })).await.unwrap();
    let growth = watch.growth();

    println!("{} bytes were taken in by ticket; the server grew by {growth} bytes", large.size_bytes);
    assert_eq!(answer.outcomes(), ["received"], "{}", answer.text);
    assert!(growth < MOST_GROWTH, "the server grew by {growth} bytes");
    let catalogue = on.server.catalogue().await.unwrap();
    let scan = catalogue.scan(&answer.scan_ids()[0]).await.unwrap();
    assert_eq!((scan.size_bytes as u64, scan.digest), (large.size_bytes, large.digest));
    drop(catalogue);
    on.server.verify().await.unwrap();
}
