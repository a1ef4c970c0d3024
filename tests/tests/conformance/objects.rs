//! Objects: created by one, visible when finished, gone with all their versions. On a local folder and on S3 with and
//! without versions.

use std::sync::Arc;

use archive_tests::seaweed::{self, Versions};
use backends::{
    blob_store::{BlobKey, BlobStore, StoredBlob},
    clock::{Clock, SystemClock, new_id},
    error::StorageError,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tempfile::TempDir;

struct StoreUnderTest {
    name: String,
    blobs: BlobStore,
    bucket: Option<String>,
    _folder: TempDir,
}

async fn all() -> Vec<StoreUnderTest> {
    let folder = tempfile::tempdir().unwrap();
    let blobs = BlobStore::local(folder.path()).unwrap();
    let mut every =
        vec![StoreUnderTest { name: "local folder".to_owned(), blobs, bucket: None, _folder: folder }];
    for versions in [Versions::NotKept, Versions::Kept] {
        every.push(on_seaweed(versions).await);
    }
    for one in &every {
        println!("conformance runs on {}", one.name);
    }
    every
}

async fn on_seaweed(versions: Versions) -> StoreUnderTest {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(versions).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let url = format!("s3://{bucket}/some/prefix");
    let blobs = BlobStore::s3(&url, &server.settings(), clock).await.unwrap();
    let name = format!("SeaweedFS, versions {versions:?}");
    StoreUnderTest { name, blobs, bucket: Some(bucket), _folder: tempfile::tempdir().unwrap() }
}

fn new_scan() -> BlobKey {
    BlobKey::Scan(new_id(SystemClock.now()))
}

async fn listed(blobs: &BlobStore) -> Vec<StoredBlob> {
    let mut listed: Vec<StoredBlob> = blobs.list().try_collect().await.unwrap();
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_create_the_same_object_one_wins() {
    for on in all().await {
        let key = new_scan();

        let attempts = (0..16_u8).map(|number| on.blobs.put(key, Bytes::from(vec![number; 4096])));
        let outcomes = futures_util::future::join_all(attempts).await;

        let winners: Vec<usize> = (0..16).filter(|number| outcomes[*number].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{}", on.name);
        let there = on.blobs.get(key).await.unwrap().unwrap();
        assert_eq!(there, vec![winners[0] as u8; 4096], "{}", on.name);
        let losers = outcomes.iter().filter(|outcome| matches!(outcome, Err(StorageError::Conflict { .. })));
        assert_eq!(losers.count(), 15, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_is_seen_when_it_is_finished_and_not_before() {
    for on in all().await {
        let (kept, given_up) = (new_scan(), new_scan());
        let bytes: Vec<u8> = (0..20 << 20).map(|index: u32| (index >> 8) as u8).collect();
        let mut writer = on.blobs.start(kept).await.unwrap();
        let mut other = on.blobs.start(given_up).await.unwrap();
        for piece in bytes.chunks(1 << 20) {
            writer.write(piece).await.unwrap();
            other.write(piece).await.unwrap();
        }

        let before = on.blobs.exists(kept).await.unwrap();
        writer.finish().await.unwrap();
        other.abort().await.unwrap();

        assert!(!before, "{}", on.name);
        assert!(on.blobs.get(kept).await.unwrap().unwrap() == bytes, "{}", on.name);
        let pieces: Vec<Bytes> =
            on.blobs.open(kept).await.unwrap().unwrap().pieces.try_collect().await.unwrap();
        assert!(pieces.concat() == bytes, "{}", on.name);
        assert_eq!(on.blobs.get(given_up).await.unwrap(), None, "{}", on.name);
        let listed = listed(&on.blobs).await;
        assert_eq!(listed.len(), 1, "{}", on.name);
        assert_eq!(listed[0].size_bytes, 20 << 20, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_read_whole_and_in_pieces_alike() {
    for on in all().await {
        let key = new_scan();
        let bytes = Bytes::from(vec![7_u8; 300_000]);
        on.blobs.put(key, bytes.clone()).await.unwrap();

        let reader = on.blobs.open(key).await.unwrap().unwrap();
        let size_bytes = reader.size_bytes;
        let pieces: Vec<Bytes> = reader.pieces.try_collect().await.unwrap();

        assert_eq!(size_bytes, 300_000, "{}", on.name);
        assert!(pieces.concat() == bytes, "{}", on.name);
        assert!(on.blobs.open(new_scan()).await.unwrap().is_none(), "{}", on.name);
        assert!(on.blobs.get(new_scan()).await.unwrap().is_none(), "{}", on.name);
        assert!(!on.blobs.exists(new_scan()).await.unwrap(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_twice_is_deleting_once() {
    for on in all().await {
        let key = new_scan();
        on.blobs.put(key, Bytes::from_static(b"once")).await.unwrap();

        on.blobs.delete(key).await.unwrap();
        on.blobs.delete(key).await.unwrap();

        assert_eq!(on.blobs.get(key).await.unwrap(), None, "{}", on.name);
        assert!(listed(&on.blobs).await.is_empty(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_listed_with_its_key_and_size() {
    for on in all().await {
        let keys = [new_scan(), BlobKey::Quarantine(new_id(SystemClock.now())), new_scan()];
        for (size, key) in (1..).zip(keys) {
            on.blobs.put(key, Bytes::from(vec![0; size])).await.unwrap();
        }

        let listed = listed(&on.blobs).await;

        for (size, key) in (1..).zip(keys) {
            let found: Vec<u64> =
                listed.iter().filter(|one| one.key == Some(key)).map(|one| one.size_bytes).collect();
            assert_eq!(found, [size], "{}", on.name);
        }
        assert_eq!(listed.len(), 3, "{}", on.name);
        let age = SystemClock.now() - listed[0].written_at;
        assert!(age.num_minutes().abs() < 5, "{}: {age}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_leaves_no_version_and_no_marker() {
    let server = seaweed::shared().await.unwrap();
    let on = on_seaweed(Versions::Kept).await;
    let bucket = on.bucket.unwrap();
    let (key, hidden) = (new_scan(), new_scan());
    for key in [key, hidden] {
        on.blobs.put(key, Bytes::from_static(b"first")).await.unwrap();
        server.overwrite(&bucket, &format!("some/prefix/{}", key.path()), "second").await.unwrap();
    }
    server.hide(&bucket, &format!("some/prefix/{}", hidden.path())).await.unwrap();
    assert_eq!(server.versions(&bucket, "some/prefix/").await.unwrap(), 5);
    assert_eq!(listed(&on.blobs).await.len(), 2, "what a marker hides is listed too");

    on.blobs.delete(key).await.unwrap();
    on.blobs.delete(hidden).await.unwrap();

    assert_eq!(server.versions(&bucket, "").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_were_never_put_together_are_removed() {
    let server = seaweed::shared().await.unwrap();
    let on = on_seaweed(Versions::NotKept).await;
    let bucket = on.bucket.unwrap();
    let mut writer = on.blobs.start(new_scan()).await.unwrap();
    writer.write(&vec![1; 9 << 20]).await.unwrap();
    drop(writer);
    assert_eq!(server.unfinished(&bucket).await.unwrap(), 1);

    let young = on.blobs.abandon_unfinished(SystemClock.now() - chrono::TimeDelta::hours(1)).await.unwrap();
    let old = on.blobs.abandon_unfinished(SystemClock.now() + chrono::TimeDelta::minutes(1)).await.unwrap();

    assert_eq!((young, old), (0, 1));
    assert_eq!(server.unfinished(&bucket).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_quarantine_is_listed_by_itself() {
    for on in all().await {
        let quarantined = BlobKey::Quarantine(new_id(SystemClock.now()));
        for key in [new_scan(), quarantined] {
            on.blobs.put(key, Bytes::from_static(b"paper")).await.unwrap();
        }

        let listed: Vec<_> =
            on.blobs.list_quarantine().map_ok(|object| object.key).try_collect().await.unwrap();

        assert_eq!(listed, [Some(quarantined)], "{}", on.name);
    }
}
