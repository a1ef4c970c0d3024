//! What the timetable removes from the store, and what it leaves alone.

use std::{sync::Arc, time::Duration};

use archive_tests::{
    engines,
    s3_proxy::{Misbehaviour, S3Proxy},
    seaweed::{self, Versions},
};
use backends::{
    blob_store::{BlobKey, BlobStore, S3Settings},
    clock::{Clock, HandClock, SystemClock, new_id},
    connect::{Backends, BackendsConfig},
    database::{jobs::JobRow, organisation::AccountRow, upload_tickets::UploadTicketRow},
    vault::RootKey,
};
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{ids::UploadTicketId, job::JobName, upload_ticket::UploadTicketState};
use futures_util::TryStreamExt;
use uuid::Uuid;
use workers::timetable::{self, Timetable};

async fn ticket(backends: &Backends, account: &AccountRow, expires_in: TimeDelta) -> UploadTicketId {
    let now = backends.clock.now();
    let row = UploadTicketRow {
        id: new_id(now),
        account_id: account.id,
        state: UploadTicketState::Open,
        outlet_code: None,
        slip_number_given: None,
        slot_given: None,
        size_bytes: 5,
        sha256: [1; 32],
        issued_at: now,
        upload_by: now,
        expires_at: now + expires_in,
        settled_at: None,
        upload_id: None,
    };
    let mut tx = backends.database.begin().await.unwrap();
    tx.upload_tickets().insert(&row).await.unwrap();
    tx.commit().await.unwrap();
    backends.blobs.put(BlobKey::Quarantine(row.id), Bytes::from_static(b"paper")).await.unwrap();
    row.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_over_is_closed_and_its_file_removed_with_all_versions() {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::Kept).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = BackendsConfig::embedded(folder.path());
    config.objects_url = format!("s3://{bucket}");
    config.s3 = server.settings();
    std::fs::create_dir_all(folder.path().join("keys")).unwrap();
    RootKey::create(&config.root_key).unwrap();
    let backends = Backends::connect(&config, Arc::new(SystemClock)).await.unwrap();
    let account = AccountRow {
        id: new_id(SystemClock.now()),
        staff_number: "C1".to_owned(),
        role: "clerk".to_owned(),
        outlet_code: None,
        branch_code: None,
        created_at: SystemClock.now(),
        disabled_at: None,
    };
    let mut tx = backends.database.begin().await.unwrap();
    tx.organisation().insert_account(&account).await.unwrap();
    tx.commit().await.unwrap();
    let over = ticket(&backends, &account, TimeDelta::minutes(-1)).await;
    let open = ticket(&backends, &account, TimeDelta::minutes(30)).await;
    let path = BlobKey::Quarantine(over).path();
    server.overwrite(&bucket, &path, "again").await.unwrap();

    timetable::sweep_quarantine(&backends).await.unwrap();

    assert_eq!(server.versions(&bucket, &path).await.unwrap(), 0);
    let left: Vec<_> = backends.blobs.list().map_ok(|blob| blob.key).try_collect().await.unwrap();
    assert_eq!(left, [Some(BlobKey::Quarantine(open))]);
    let mut tx = backends.database.begin_read().await.unwrap();
    let closed = tx.upload_tickets().find(over).await.unwrap().unwrap();
    assert_eq!(closed.state, UploadTicketState::Closed);
    assert_eq!(tx.upload_tickets().find(open).await.unwrap().unwrap().state, UploadTicketState::Open);
}

/// A store that takes a night for its listing, or never ends it, as one that stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_stands_still_keeps_neither_bells_nor_the_turn_waiting() {
    let on = engines::postgres().await.unwrap();
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::NotKept).await.unwrap();
    let proxy = S3Proxy::before(&server.endpoint).await.unwrap();
    let timeout = Duration::from_hours(1);
    let settings = S3Settings { timeout, ..seaweed::settings_for(&proxy.endpoint) };
    let blobs = BlobStore::s3(&format!("s3://{bucket}"), &settings, Arc::new(SystemClock)).await.unwrap();
    let clock = Arc::new(HandClock::new(SystemClock.now()));
    let backends = Backends { blobs, clock: Arc::clone(&clock) as _, ..on.backends.clone() };
    let folder = tempfile::tempdir().unwrap();
    backends.queue.listen(&JobName::ALL, 1);
    proxy.misbehave(Misbehaviour::NeverAnswers);
    let before = proxy.requests();

    let timetable = Timetable::start(&backends, folder.path().join("heads.jsonl"));
    while proxy.requests() == before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Longer than a turn lasts that is not renewed.
    clock.advance(TimeDelta::seconds(50));
    let due = JobRow::due_at_once(JobName::ReadScan, Uuid::nil(), clock.now() - TimeDelta::minutes(1));
    let mut tx = backends.database.begin().await.unwrap();
    let ring = tx.jobs().enqueue(&due).await.unwrap();
    tx.commit().await.unwrap();

    let heard = tokio::time::timeout(Duration::from_mins(1), backends.queue.receive()).await;
    assert_eq!(heard.unwrap().unwrap().ring(), ring);
    let mut tx = backends.database.begin().await.unwrap();
    let (now, other) = (clock.now(), Uuid::from_u128(7));
    assert!(!tx.timetable().take_turn(other, now, now + TimeDelta::seconds(45)).await.unwrap());
    drop(tx);
    timetable.stop().await;
}
