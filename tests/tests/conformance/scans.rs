//! Uploads and scans: an idempotency key is used once, a scan changes only from the state it was loaded in.

use archive_tests::engines;
use backends::{database::scans::ScanRow, digest::DigestAlgorithm, error::StorageError};
use domain::scan::ScanState;

use crate::rows;

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_belongs_to_one_upload_of_an_account() {
    for on in engines::all().await.unwrap() {
        let (one, two) = (rows::account(&on.backends).await, rows::account(&on.backends).await);
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.scans()
            .insert_uploads(&[rows::new_upload(rows::upload(&on.backends, one, Some("k")), &[])])
            .await
            .unwrap();
        tx.scans()
            .insert_uploads(&[rows::new_upload(rows::upload(&on.backends, two, Some("k")), &[])])
            .await
            .unwrap();
        tx.scans()
            .insert_uploads(&[rows::new_upload(rows::upload(&on.backends, one, None), &[])])
            .await
            .unwrap();
        tx.scans()
            .insert_uploads(&[rows::new_upload(rows::upload(&on.backends, one, None), &[])])
            .await
            .unwrap();

        let again = tx
            .scans()
            .insert_uploads(&[rows::new_upload(rows::upload(&on.backends, one, Some("k")), &[])])
            .await;

        assert!(matches!(again, Err(StorageError::Conflict { .. })), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_changes_only_from_the_state_it_was_loaded_in() {
    for on in engines::all().await.unwrap() {
        let account = rows::account(&on.backends).await;
        let upload = rows::upload(&on.backends, account, None);
        let mut scan = rows::scan(&on.backends, upload.id, account, [7; 32]);
        // As one that came before BLAKE3 was used.
        scan.digest.algorithm = DigestAlgorithm::Sha256;
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.scans().insert_uploads(&[rows::new_upload(upload, std::slice::from_ref(&scan))]).await.unwrap();

        scan.state = ScanState::Read;
        tx.scans().update(&scan, ScanState::Received).await.unwrap();
        let late = tx.scans().update(&scan, ScanState::Received).await;

        assert!(matches!(late, Err(StorageError::Conflict { .. })), "{}", on.name);
        assert_eq!(tx.scans().find(scan.id).await.unwrap(), Some(scan.clone()), "{}", on.name);
        assert_eq!(tx.scans().with_digest(&scan.digest).await.unwrap(), [scan], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_in_a_state_are_listed_by_outlet() {
    for on in engines::all().await.unwrap() {
        let account = rows::account(&on.backends).await;
        let upload = rows::upload(&on.backends, account, None);
        let mut here = rows::scan(&on.backends, upload.id, account, [1; 32]);
        here.outlet_code = Some("A".to_owned());
        let nowhere = rows::scan(&on.backends, upload.id, account, [2; 32]);
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.scans().insert_uploads(&[rows::new_upload(upload, &[here.clone(), nowhere])]).await.unwrap();

        let all = tx.scans().in_state(ScanState::Received, None, None, 10).await.unwrap();
        let of_a = tx.scans().in_state(ScanState::Received, Some(&["A".to_owned()]), None, 10).await.unwrap();
        let of_b = tx.scans().in_state(ScanState::Received, Some(&["B".to_owned()]), None, 10).await.unwrap();

        assert_eq!((all.len(), of_b.len()), (2, 0), "{}", on.name);
        assert_eq!(of_a, [here], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_without_an_outlet_are_listed_by_the_branch_of_their_sender() {
    for on in engines::all().await.unwrap() {
        let (of_branch, of_none) =
            (rows::account_of(&on.backends, Some("TJ")).await, rows::account(&on.backends).await);
        let upload = rows::upload(&on.backends, of_branch, None);
        let sent = rows::scan(&on.backends, upload.id, of_branch, [1; 32]);
        let mut at_outlet = rows::scan(&on.backends, upload.id, of_branch, [2; 32]);
        at_outlet.outlet_code = Some("A".to_owned());
        let by_another = rows::scan(&on.backends, upload.id, of_none, [3; 32]);
        let mut tx = on.backends.database.begin().await.unwrap();
        let scans = [sent, at_outlet, by_another].map(|scan| ScanRow { state: ScanState::Tray, ..scan });
        tx.scans().insert_uploads(&[rows::new_upload(upload, &scans)]).await.unwrap();
        let [sent, at_outlet, by_another] = scans;

        let listed = tx.scans().waiting(Some(&[]), Some("TJ"), None, 10).await.unwrap();
        let with_outlet = tx.scans().waiting(Some(&["A".to_owned()]), Some("TJ"), None, 10).await.unwrap();
        let elsewhere = tx.scans().waiting(Some(&[]), Some("BJ"), None, 10).await.unwrap();

        let of_all = tx.scans().without_outlet(ScanState::Tray, None, 10).await.unwrap();

        assert_eq!((listed, elsewhere), (vec![sent.clone()], vec![]), "{}", on.name);
        assert_eq!(of_all, [sent.clone(), by_another], "{}", on.name);
        assert_eq!(with_outlet, [sent, at_outlet], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_case_file_does_not_stand_in_the_way_of_what_waits() {
    for on in engines::all().await.unwrap() {
        let account = rows::account(&on.backends).await;
        let case_file = rows::case_file(&on.backends, "S-TRAY");
        let upload = rows::upload(&on.backends, account, None);
        let scan = |number| ScanRow {
            state: ScanState::Unreadable,
            ..rows::scan(&on.backends, upload.id, account, [number; 32])
        };
        let placed = ScanRow { case_file_id: Some(case_file.id), ..scan(1) };
        let (waits, link) =
            (scan(2), ScanRow { same_as: Some(placed.id), state: ScanState::Linked, ..scan(3) });
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&case_file).await.unwrap();
        let scans = [placed.clone(), waits.clone(), link.clone()];
        tx.scans().insert_uploads(&[rows::new_upload(upload.clone(), &scans)]).await.unwrap();

        let first = tx.scans().waiting(None, None, None, 1).await.unwrap();
        let next = tx.scans().waiting(None, None, Some(waits.id), 1).await.unwrap();
        let links = tx.scans().links_to(placed.id).await.unwrap();

        assert_eq!((first, next), (vec![waits], vec![]), "{}", on.name);
        assert_eq!(links, [link], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_one_statement_come_all_or_none() {
    for on in engines::all().await.unwrap() {
        let account = rows::account(&on.backends).await;
        let upload = |key: Option<&str>, scans: u8| {
            let row = rows::upload(&on.backends, account, key);
            let scans: Vec<_> =
                (0..scans).map(|number| rows::scan(&on.backends, row.id, account, [number; 32])).collect();
            rows::new_upload(row, &scans)
        };
        // More of everything than one statement takes.
        let mut uploads: Vec<_> = (0..20).map(|_| upload(None, 1)).collect();
        uploads.push(upload(Some("k"), 40));
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.scans().insert_uploads(&uploads).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = on.backends.database.begin().await.unwrap();
        let refused = tx.scans().insert_uploads(&[upload(None, 1), upload(Some("k"), 1)]).await;
        drop(tx);

        assert!(matches!(refused, Err(StorageError::Conflict { .. })), "{}", on.name);
        let mut tx = on.backends.database.begin_read().await.unwrap();
        let all = tx.scans().all(None, 1000).await.unwrap();
        let mut wanted: Vec<_> = uploads.iter().flat_map(|upload| upload.scans.clone()).collect();
        wanted.sort_by_key(|scan| scan.id);
        assert_eq!(all, wanted, "{}", on.name);
        for upload in &uploads {
            assert_eq!(tx.scans().upload_items(upload.row.id).await.unwrap(), upload.items, "{}", on.name);
        }
    }
}
