//! What a store that fails may do to a single object.

use std::{sync::Arc, time::Duration};

use archive_tests::{
    s3_proxy::{Misbehaviour, S3Proxy},
    seaweed::{self, Versions},
};
use backends::{
    blob_store::{BlobKey, BlobStore, S3Settings},
    clock::{Clock, SystemClock, new_id},
    error::StorageError,
};
use bytes::Bytes;

async fn store(timeout: Duration) -> (S3Proxy, BlobStore) {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::NotKept).await.unwrap();
    let proxy = S3Proxy::before(&server.endpoint).await.unwrap();
    let settings = S3Settings { timeout, ..seaweed::settings_for(&proxy.endpoint) };
    let blobs = BlobStore::s3(&format!("s3://{bucket}"), &settings, Arc::new(SystemClock)).await.unwrap();
    (proxy, blobs)
}

fn new_scan() -> BlobKey {
    BlobKey::Scan(new_id(SystemClock.now()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_answer_was_lost_counts_as_written_once() {
    const LIMIT: Duration = Duration::from_secs(3);
    let (proxy, blobs) = store(LIMIT).await;
    let (small, large) = (new_scan(), new_scan());
    let mut writer = blobs.start(large).await.unwrap();
    writer.write(&vec![3; 9 << 20]).await.unwrap();

    proxy.misbehave(Misbehaviour::AnswersLate(LIMIT * 2));
    let healing = proxy.clone();
    tokio::spawn(async move {
        tokio::time::sleep(LIMIT / 2).await;
        healing.misbehave(Misbehaviour::None);
    });
    let (put, finished) = tokio::join!(blobs.put(small, Bytes::from_static(b"mine")), writer.finish());

    put.unwrap();
    finished.unwrap();
    assert_eq!(blobs.get(small).await.unwrap().unwrap(), Bytes::from_static(b"mine"));
    assert_eq!(blobs.get(large).await.unwrap().unwrap().len(), 9 << 20);
    let other = blobs.put(small, Bytes::from_static(b"not mine")).await;
    assert!(matches!(other, Err(StorageError::Conflict { .. })), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_now_and_then_are_survived_and_lasting_ones_are_told_apart() {
    let (proxy, blobs) = store(Duration::from_secs(10)).await;

    proxy.misbehave(Misbehaviour::AnswersNowAndThen(503));
    let key = new_scan();
    blobs.put(key, Bytes::from_static(b"kept")).await.unwrap();
    assert_eq!(blobs.get(key).await.unwrap().unwrap(), Bytes::from_static(b"kept"));
    blobs.delete(key).await.unwrap();

    proxy.misbehave(Misbehaviour::Answers(507));
    let full = blobs.put(new_scan(), Bytes::from_static(b"x")).await;
    proxy.misbehave(Misbehaviour::Answers(403));
    let gone = blobs.put(new_scan(), Bytes::from_static(b"x")).await.unwrap_err();

    assert!(matches!(full, Err(StorageError::Full { .. })), "{full:?}");
    assert!(matches!(gone, StorageError::Unavailable { .. }), "{gone:?}");
    let told = format!("{gone:?}");
    assert!(!told.contains("secret words"), "the store's document is passed on: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_breaks_off_is_an_error_or_whole_but_never_a_part() {
    let (proxy, blobs) = store(Duration::from_secs(10)).await;
    let key = new_scan();
    blobs.put(key, Bytes::from(vec![9; 100_000])).await.unwrap();

    proxy.misbehave(Misbehaviour::Cuts);
    let cut = blobs.get(key).await;

    assert!(cut.is_err() || cut.unwrap().unwrap().len() == 100_000);
}
