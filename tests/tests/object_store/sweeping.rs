//! What the timetable removes from the store, and what it leaves alone.

use std::sync::Arc;

use archive_tests::seaweed::{self, Versions};
use backends::{
    blob_store::BlobKey,
    clock::{Clock, SystemClock, new_id},
    connect::{Backends, BackendsConfig},
    database::{organisation::AccountRow, upload_tickets::UploadTicketRow},
    vault::RootKey,
};
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{ids::UploadTicketId, upload_ticket::UploadTicketState};
use futures_util::TryStreamExt;
use workers::timetable;

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

    timetable::sweep(&backends).await.unwrap();

    assert_eq!(server.versions(&bucket, &path).await.unwrap(), 0);
    let left: Vec<_> = backends.blobs.list().map_ok(|blob| blob.key).try_collect().await.unwrap();
    assert_eq!(left, [Some(BlobKey::Quarantine(open))]);
    let mut tx = backends.database.begin_read().await.unwrap();
    let closed = tx.upload_tickets().find(over).await.unwrap().unwrap();
    assert_eq!(closed.state, UploadTicketState::Closed);
    assert_eq!(tx.upload_tickets().find(open).await.unwrap().unwrap().state, UploadTicketState::Open);
}
