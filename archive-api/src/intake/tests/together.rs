//! Uploads that become ready at the same time.

use futures_util::future::join_all;

use super::*;

/// Makes all of these uploads ready while somebody else is writing, so that they are written together.
async fn receive_together(
    archive: &TestArchive,
    caller: &Caller,
    uploads: Vec<(Option<&str>, Option<&str>, Vec<u8>)>,
) -> Vec<Result<UploadReceipt, IntakeError>> {
    let somebody_else = archive.backends().database.begin().await.unwrap();
    let receiving = uploads.into_iter().map(|(key, slip_number, file)| {
        receive(archive, caller, key, vec![(labels(slip_number), Some(file))])
    });
    let release = async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        drop(somebody_else);
    };
    let (receipts, ()) = tokio::join!(join_all(receiving), release);
    receipts
}

fn unwrapped(answers: Vec<Result<UploadReceipt, IntakeError>>) -> Vec<UploadReceipt> {
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn uploads_written_together_each_get_their_own_answer_and_entry() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;

    let uploads = (0..40).map(|shade| (None, None, png(shade))).collect();
    let receipts = unwrapped(receive_together(&archive, &caller, uploads).await);

    let mut tx = archive.backends().database.begin_read().await.unwrap();
    for receipt in &receipts {
        let [file] = receipt.files.as_slice() else { panic!("{receipt:?}") };
        let FileOutcome::Received(id) = file.outcome else { panic!("{receipt:?}") };
        let scan = tx.scans().find(id).await.unwrap().unwrap();
        assert_eq!(scan.upload_id, receipt.upload_id);
        assert!(tx.jobs().is_pending(id.uuid()).await.unwrap());
    }
    let log = tx.operation_log().after(0, 100).await.unwrap();
    let of_uploads: Vec<_> = log.iter().filter(|row| row.entry.action == "upload").collect();
    assert_eq!(of_uploads.len(), 40);
    assert!(of_uploads.iter().all(|row| row.entry.result == "received=1 linked=0 refused=0"));
    assert!(log.iter().zip(1..).all(|(row, sequence)| row.sequence == sequence));
    assert!(log.iter().all(|row| row.leaf_hash == row.expected_leaf_hash()));
}

#[tokio::test]
async fn of_the_same_bytes_for_one_acceptance_in_two_uploads_written_together_one_is_linked() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;

    let uploads = vec![
        (None, Some("S0"), png(0)),
        (None, Some("S1"), png(1)),
        (None, Some("S1"), png(1)),
        (None, Some("S2"), png(1)),
    ];
    let receipts = unwrapped(receive_together(&archive, &caller, uploads).await);

    let received =
        receipts.iter().filter(|receipt| matches!(receipt.files[0].outcome, FileOutcome::Received(_)));
    assert_eq!(received.count(), 3);
    let outcomes = [&receipts[1].files[0].outcome, &receipts[2].files[0].outcome];
    let ids = outcomes.map(|outcome| match outcome {
        FileOutcome::Received(id) | FileOutcome::Linked(id) => *id,
        FileOutcome::Refused { .. } => panic!("{outcome:?}"),
    });
    assert_eq!(ids[0], ids[1]);
    assert_eq!(objects(&archive).await, 3);
}

#[tokio::test]
async fn one_that_cannot_be_written_does_not_keep_the_others_from_it() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;

    let uploads = vec![
        (None, None, png(0)),
        (Some("k"), None, png(1)),
        (Some("k"), None, png(1)),
        (Some("other"), None, png(3)),
    ];
    let receipts = unwrapped(receive_together(&archive, &caller, uploads).await);

    assert_eq!(receipts[1], receipts[2]);
    assert_ne!(receipts[0].upload_id, receipts[3].upload_id);
    assert_eq!(objects(&archive).await, 3);
}

#[tokio::test]
async fn of_other_files_under_one_key_at_the_same_time_one_upload_is_refused() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;

    let uploads = vec![(Some("k"), None, png(1)), (Some("k"), None, png(2))];
    let answers = receive_together(&archive, &caller, uploads).await;

    let refused = answers.iter().filter(|answer| matches!(answer, Err(IntakeError::KeyUsed)));
    assert_eq!(refused.count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(objects(&archive).await, 1);
}
