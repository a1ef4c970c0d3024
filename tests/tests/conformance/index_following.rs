//! The index follows the catalogue, whatever a row of it looks like.

use std::time::Duration;

use archive_tests::engines;
use backends::{
    clock::new_id,
    connect::Backends,
    database::{case_files::CaseFileRow, entered_data::EnteredDataRow},
    vault::KeyPurpose,
};
use domain::ids::CaseFileId;
use workers::index_follower::IndexFollower;

use crate::rows;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_case_file_keeps_none_that_comes_after_it_from_being_found() {
    for on in engines::all().await.unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let damaged_key = case_file(&on.backends, "S1", b"sealed").await;
        let damage = "UPDATE data_keys SET wrapped = substr(wrapped, 2) WHERE purpose = 'case_file'";
        engines::execute(&on.config.keys_url, damage).await.unwrap();
        let damaged_data = case_file(&on.backends, "S2", b"damaged").await;
        let sound = case_file(&on.backends, "S3", &[]).await;

        let every = Duration::from_millis(50);
        let follower = IndexFollower::start(&on.backends, folder.path(), every).await.unwrap();

        let mut found = follower.searcher().ids();
        found.sort_unstable();
        let mut all = [damaged_key, damaged_data, sound];
        all.sort_unstable();
        assert_eq!(found, all, "{}", on.name);
        follower.stop().await;
    }
}

async fn case_file(backends: &Backends, slip_number: &str, entered: &[u8]) -> CaseFileId {
    let now = backends.clock.now();
    let key = backends.vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();
    let version = EnteredDataRow {
        id: new_id(now),
        case_file_id: new_id(now),
        version: 1,
        digest: [0; 32],
        entered_sealed: entered.to_vec(),
        source: "csv".to_owned(),
        received_by: None,
        received_at: now,
    };
    let case_file = CaseFileRow {
        id: version.case_file_id,
        key_id: key.id(),
        entered_data_id: (!entered.is_empty()).then_some(version.id),
        ..rows::case_file(backends, slip_number)
    };
    let mut tx = backends.database.begin().await.unwrap();
    tx.case_files().insert(&case_file).await.unwrap();
    tx.entered_data().insert(&version).await.unwrap();
    tx.commit().await.unwrap();
    case_file.id
}
