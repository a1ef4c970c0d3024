use backends::blob_store::BlobKey;
use domain::{access::Role, ids::ScanId};
use futures_util::TryStreamExt;

use super::*;
use crate::testing::{Files, TestArchive, png};

mod large_files;
mod slow_uploads;
mod together;

fn labels(slip_number: Option<&str>) -> Labels {
    Labels { slip_number: slip_number.map(str::to_owned), ..Labels::default() }
}

async fn objects(archive: &TestArchive) -> usize {
    archive.backends().blobs.list().try_collect::<Vec<_>>().await.unwrap().len()
}

async fn receive(
    archive: &TestArchive,
    caller: &Caller,
    key: Option<&str>,
    files: Vec<(Labels, Option<Vec<u8>>)>,
) -> Result<UploadReceipt, IntakeError> {
    let request = UploadRequest { idempotency_key: key.map(str::to_owned), ..UploadRequest::default() };
    archive.state.intake.receive(caller, request, &mut Files::new(files)).await
}

#[tokio::test]
async fn what_is_received_is_stored_sealed_and_has_its_job() {
    use backends::vault::OpenStream;
    let archive = TestArchive::open().await;
    let caller = archive.local().await;

    let receipt = receive(&archive, &caller, None, vec![(labels(None), Some(png(1)))]).await.unwrap();

    let FileOutcome::Received(id) = receipt.files[0].outcome else { panic!("{receipt:?}") };
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let scan = tx.scans().find(id).await.unwrap().unwrap();
    let key = archive.backends().vault.required_key(scan.key_id).await.unwrap();
    let blob = BlobKey::Scan(id);
    let sealed = archive.backends().blobs.get(blob).await.unwrap().unwrap();
    assert_eq!(OpenStream::open(&key, &blob.path(), &sealed).unwrap(), png(1));
    assert_eq!(scan.upload_id, receipt.upload_id);
    assert!(tx.jobs().is_pending(id.uuid()).await.unwrap());
    assert_eq!(tx.operation_log().size().await.unwrap(), 2);
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_again() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let first = receive(&archive, &caller, Some("k"), vec![(labels(None), Some(png(1)))]).await.unwrap();

    let again = receive(&archive, &caller, Some("k"), vec![(labels(None), Some(png(1)))]).await.unwrap();

    assert_eq!(again, first);
    assert_eq!(objects(&archive).await, 1);
}

#[tokio::test]
async fn other_files_under_the_same_key_are_refused_and_not_kept() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    // The second one is not taken, and counts all the same.
    let file = |bytes: &[u8]| (labels(None), Some(bytes.to_vec()));
    let first = vec![file(&png(1)), file(b"GIF89a...")];
    let receipt = receive(&archive, &caller, Some("k"), first.clone()).await.unwrap();

    for other in [
        vec![file(&png(2)), file(b"GIF89a...")],
        vec![file(&png(1)), file(b"GIF89a,,,")],
        vec![file(&png(1))],
        vec![file(&png(1)), file(b"GIF89a..."), file(&png(1))],
        vec![file(b"GIF89a..."), file(&png(1))],
    ] {
        let refused = receive(&archive, &caller, Some("k"), other).await;
        assert!(matches!(refused, Err(IntakeError::KeyUsed)), "{refused:?}");
    }

    assert_eq!(receive(&archive, &caller, Some("k"), first).await.unwrap(), receipt);
    assert_eq!(objects(&archive).await, 1);
}

#[tokio::test]
async fn other_labels_under_the_same_key_are_refused_and_not_kept() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let of = |labels: Labels| vec![(labels, Some(png(1)))];
    let said = Labels {
        slip_number: Some("S1".to_owned()),
        outlet: Some("TJ01".to_owned()),
        slot: Some(Slot::IdFront),
    };
    let receipt = receive(&archive, &caller, Some("k"), of(said.clone())).await.unwrap();

    for other in [
        Labels { slip_number: Some("S2".to_owned()), ..said.clone() },
        Labels { outlet: Some("TJ02".to_owned()), ..said.clone() },
        Labels { slot: Some(Slot::IdBack), ..said.clone() },
        Labels::default(),
    ] {
        let refused = receive(&archive, &caller, Some("k"), of(other)).await;
        assert!(matches!(refused, Err(IntakeError::KeyUsed)), "{refused:?}");
    }

    assert_eq!(receive(&archive, &caller, Some("k"), of(said)).await.unwrap(), receipt);
    assert_eq!(objects(&archive).await, 1);
}

#[tokio::test]
async fn a_key_is_not_kept_as_it_was_sent_and_one_that_cannot_be_read_is_refused() {
    let archive = TestArchive::open().await;
    let (clerk, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let send = async |key: &str, head: &[u8]| {
        let body = [b"--b\r\n".as_slice(), head, b"\r\n\r\n", &png(1), b"\r\n--b--\r\n"].concat();
        let request = axum::http::Request::post("/api/v1/scans")
            .header("content-type", "multipart/form-data; boundary=b")
            .header("idempotency-key", axum::http::HeaderValue::from_bytes(key.as_bytes()).unwrap());
        crate::testing::read(archive.send(&token, request.body(body.into()).unwrap()).await).await
    };
    let file = b"Content-Disposition: form-data; name=\"file\"; filename=\"\xcb\xef.png\"";
    let key = "120111198409105819-front";

    let first = send(key, file).await;
    let again = send(key, b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%E5%AD%99").await;
    let unreadable = send("流水一", file).await;

    assert_eq!((first.0.as_u16(), &first.1), (201, &again.1), "{first:?}");
    assert_eq!((unreadable.0.as_u16(), &unreadable.1["code"]), (400, &"invalid_request".into()));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    assert!(tx.scans().upload_by_key(clerk.account.id, key).await.unwrap().is_none());
    assert_eq!(objects(&archive).await, 1);
}

#[test]
fn an_outlet_is_named_as_entered_data_name_it() {
    let mut labels = Labels::default();
    for wrong in ["a/b", "TJ 01", "-TJ01", &"9".repeat(65)] {
        assert!(
            matches!(labels.set("outlet", wrong), Err(SourceError::BadLabel { name: "outlet" })),
            "{wrong}"
        );
    }

    labels.set("outlet", "TJ-01").unwrap();

    assert_eq!(labels.outlet.as_deref(), Some("TJ-01"));
}

#[tokio::test]
async fn the_sentence_of_a_page_that_is_too_large_names_page_and_limit() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    // Two directories of a TIFF; the second one claims four million dots a side.
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    for (side, next) in [(1_u32, 8 + 66_u32), (4_000_000, 0)] {
        tiff.extend(5_u16.to_le_bytes());
        for (tag, value) in [(256_u16, side), (257, side), (258, 8), (273, 8), (279, 1)] {
            tiff.extend(tag.to_le_bytes());
            tiff.extend(4_u16.to_le_bytes());
            tiff.extend(1_u32.to_le_bytes());
            tiff.extend(value.to_le_bytes());
        }
        tiff.extend(next.to_le_bytes());
    }

    let receipt = receive(&archive, &caller, None, vec![(labels(None), Some(tiff))]).await.unwrap();

    let FileOutcome::Refused { refusal: Some(refusal), .. } = receipt.files[0].outcome else {
        panic!("{receipt:?}")
    };
    assert_eq!(refusal, Refusal::PageTooLarge { page_number: 2, limit_pixels: 100_000_000 });
    assert_eq!(refusal.message_zh(), "第 2 页超过 10000 万像素。请用 300 dpi 重新扫描。");
}

#[tokio::test]
async fn an_outlet_that_nothing_names_yet_is_doubted_and_its_files_are_taken() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    archive.account(Role::Clerk, Some("TJ01"), None).await;
    let from = |outlet: &str| Labels { outlet: Some(outlet.to_owned()), ..Labels::default() };
    let files = vec![(from("TJ01"), Some(png(1))), (from("TJO1"), Some(png(2)))];

    let receipt = receive(&archive, &caller, Some("k"), files.clone()).await.unwrap();

    assert_eq!(receipt.unknown_outlets, ["TJO1"]);
    assert!(matches!(receipt.files[1].outcome, FileOutcome::Received(_)));
    assert_eq!(receive(&archive, &caller, Some("k"), files).await.unwrap(), receipt);
}

#[tokio::test]
async fn the_same_bytes_for_the_same_acceptance_are_linked_and_for_another_one_are_not() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let first = receive(&archive, &caller, None, vec![(labels(Some("S1")), Some(png(1)))]).await.unwrap();
    let FileOutcome::Received(id) = first.files[0].outcome else { panic!("{first:?}") };

    let files = vec![
        (labels(Some("S1")), Some(png(1))),
        (labels(Some("S2")), Some(png(1))),
        (labels(Some("S2")), Some(png(1))),
    ];
    let second = receive(&archive, &caller, None, files).await.unwrap();

    assert_eq!(second.files[0].outcome, FileOutcome::Linked(id));
    let FileOutcome::Received(other) = second.files[1].outcome else { panic!("{second:?}") };
    assert_eq!(second.files[2].outcome, FileOutcome::Linked(other));
    assert_eq!(objects(&archive).await, 2);
}

#[tokio::test]
async fn a_refused_file_does_not_refuse_its_neighbours() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let files = vec![(labels(None), Some(b"GIF89a...".to_vec())), (labels(None), Some(png(1)))];

    let receipt = receive(&archive, &caller, None, files).await.unwrap();

    let FileOutcome::Refused { code, refusal } = &receipt.files[0].outcome else { panic!("{receipt:?}") };
    assert_eq!(code, "gif_not_supported");
    assert!(refusal.is_some());
    assert!(matches!(receipt.files[1].outcome, FileOutcome::Received(_)));
    assert!(!receipt.is_refused());
}

#[tokio::test]
async fn nothing_is_left_of_an_upload_that_breaks_off() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut files: Vec<_> = (0..20).map(|shade| (labels(None), Some(png(shade)))).collect();
    files.push((labels(None), None));

    let failed = receive(&archive, &caller, Some("k"), files).await;

    assert!(matches!(failed, Err(IntakeError::Source(SourceError::Broken { .. }))));
    assert_eq!(objects(&archive).await, 0);
    let again = receive(&archive, &caller, Some("k"), vec![(labels(None), Some(png(1)))]).await.unwrap();
    assert!(matches!(again.files[0].outcome, FileOutcome::Received(_)));
}

#[tokio::test]
async fn a_clerk_uploads_for_the_own_outlet_only() {
    let archive = TestArchive::open().await;
    let (clerk, _) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let elsewhere = Labels { outlet: Some("TJ02".to_owned()), ..Labels::default() };

    let refused = receive(&archive, &clerk, None, vec![(elsewhere, Some(png(1)))]).await;
    let taken = receive(&archive, &clerk, None, vec![(labels(None), Some(png(1)))]).await.unwrap();

    assert!(matches!(refused, Err(IntakeError::NotAllowed)));
    let FileOutcome::Received(id) = taken.files[0].outcome else { panic!("{taken:?}") };
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    assert_eq!(tx.scans().find(id).await.unwrap().unwrap().outlet_code.as_deref(), Some("TJ01"));
}

#[tokio::test]
async fn large_files_are_written_in_parts_and_come_back_whole() {
    use backends::vault::OpenStream;
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut bytes = png(9);
    // A comment chunk far larger than the picture, before the end chunk.
    let end = bytes.split_off(bytes.len() - 12);
    let text = vec![b'x'; 9 << 20];
    bytes.extend((text.len() as u32).to_be_bytes());
    let mut chunk = b"tEXt".to_vec();
    chunk.extend(&text);
    bytes.extend(&chunk);
    bytes.extend(crc(&chunk).to_be_bytes());
    bytes.extend(end);

    let receipt = receive(&archive, &caller, None, vec![(labels(None), Some(bytes.clone()))]).await.unwrap();

    let FileOutcome::Received(id) = receipt.files[0].outcome else { panic!("{receipt:?}") };
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let scan = tx.scans().find(id).await.unwrap().unwrap();
    let key = archive.backends().vault.required_key(scan.key_id).await.unwrap();
    let sealed = archive.backends().blobs.get(BlobKey::Scan(id)).await.unwrap().unwrap();
    assert!(OpenStream::open(&key, &BlobKey::Scan(id).path(), &sealed).unwrap() == bytes);
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(u32::MAX, step)
}
