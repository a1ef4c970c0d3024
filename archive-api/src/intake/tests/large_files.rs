//! Files that are too large to be held: the same answers as for small ones, and nothing left of what is not taken.

use std::{io::Cursor, path::Path};

use async_trait::async_trait;
use backends::vault::OpenStream;
use bytes::Bytes;
use image::{GrayImage, ImageFormat, Luma};

use super::*;

/// One page of about 6 MiB whose directory stands at the end.
fn tiff(shade: u8) -> Vec<u8> {
    let page = GrayImage::from_fn(3000, 2100, |x, y| Luma([shade ^ (x.wrapping_mul(y) >> 3) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Tiff).unwrap();
    bytes.into_inner()
}

/// What looks like a PDF of so many bytes, with its table at the end.
fn pdf(size_bytes: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(size_bytes, b' ');
    bytes.extend(b"xref\n0 1\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n");
    bytes
}

/// Everything that lies in the folder, seen or unseen by the store.
fn files_in(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files_in(&path) } else { 1 })
        .sum()
}

/// Requires that the archive holds so many objects, whole or begun, and so many keys.
async fn requires(archive: &TestArchive, objects: usize, keys: i64) {
    assert_eq!(files_in(&archive.folder().join("objects")), objects);
    assert_eq!(files_in(&archive.folder().join("spool")), 0);
    assert_eq!(archive.backends().vault.count().await.unwrap(), keys);
}

async fn opened(archive: &TestArchive, id: ScanId) -> Vec<u8> {
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let scan = tx.scans().find(id).await.unwrap().unwrap();
    let key = archive.backends().vault.required_key(scan.key_id).await.unwrap();
    let blob = BlobKey::Scan(id);
    let sealed = archive.backends().blobs.get(blob).await.unwrap().unwrap();
    let bytes = OpenStream::open(&key, &blob.path(), &sealed).unwrap();
    assert_eq!(scan.size_bytes as usize, bytes.len());
    assert!(scan.digest.is_of(&bytes));
    bytes
}

#[tokio::test]
async fn they_come_back_whole_beside_small_ones() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let sent = [png(1), tiff(2), pdf(9 << 20), png(3)];
    let files = sent.iter().map(|bytes| (labels(None), Some(bytes.clone()))).collect();

    let receipt = receive(&archive, &caller, None, files).await.unwrap();

    for (file, bytes) in receipt.files.iter().zip(sent) {
        let FileOutcome::Received(id) = file.outcome else { panic!("{receipt:?}") };
        assert!(opened(&archive, id).await == bytes, "file {}", file.number);
    }
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_refused() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let keys = archive.backends().vault.count().await.unwrap();
    let mut cut = tiff(1);
    cut.truncate(cut.len() - 200);
    let ends_nowhere = vec![b' '; 6 << 20];
    for (bytes, expected) in [
        (cut, "damaged_file"),
        ([pdf(5 << 20), b"PK\x05\x06".to_vec(), vec![0; 18]].concat(), "mixed_formats"),
        ([b"%PDF-1.7\n".to_vec(), ends_nowhere].concat(), "damaged_file"),
        (pdf(archive.state.settings.limits.max_bytes as usize), "file_too_large"),
    ] {
        let receipt = receive(&archive, &caller, None, vec![(labels(None), Some(bytes))]).await.unwrap();

        let FileOutcome::Refused { code, .. } = &receipt.files[0].outcome else { panic!("{receipt:?}") };
        assert_eq!(code, expected);
        requires(&archive, 0, keys).await;
    }
}

/// Files whose sender leaves when so many bytes have come.
struct LeavesAfter(Files, usize);

#[async_trait]
impl FileSource for LeavesAfter {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        self.0.next_file().await
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        let piece = self.0.next_piece().await?;
        let come = piece.as_ref().map_or(0, Bytes::len);
        let gone = || SourceError::Broken { source: "cut".into() };
        self.1 = self.1.checked_sub(come).ok_or_else(gone)?;
        Ok(piece)
    }
}

#[tokio::test]
async fn nothing_is_left_of_one_whose_sender_leaves() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let keys = archive.backends().vault.count().await.unwrap();
    // The first one is whole, the second one is not.
    let files = vec![(labels(None), Some(tiff(1))), (labels(None), Some(pdf(30 << 20)))];
    let mut source = LeavesAfter(Files::new(files), 28 << 20);

    let failed = archive.state.intake.receive(&caller, UploadRequest::default(), &mut source).await;

    assert!(matches!(failed, Err(IntakeError::Source(SourceError::Broken { .. }))), "{failed:?}");
    requires(&archive, 0, keys).await;
}

#[tokio::test]
async fn the_same_bytes_for_the_same_acceptance_are_stored_once() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let of = |slip| (labels(Some(slip)), Some(tiff(1)));
    let first = receive(&archive, &caller, None, vec![of("S1"), of("S1")]).await.unwrap();
    let FileOutcome::Received(id) = first.files[0].outcome else { panic!("{first:?}") };
    let keys = archive.backends().vault.count().await.unwrap();

    let again = receive(&archive, &caller, None, vec![of("S1")]).await.unwrap();

    assert_eq!(first.files[1].outcome, FileOutcome::Linked(id));
    assert_eq!(again.files[0].outcome, FileOutcome::Linked(id));
    requires(&archive, 1, keys).await;
    let other = receive(&archive, &caller, None, vec![of("S2")]).await.unwrap();
    assert!(matches!(other.files[0].outcome, FileOutcome::Received(_)));
    requires(&archive, 2, keys + 1).await;
}

#[tokio::test]
async fn uploads_never_wait_for_room_that_they_hold_themselves() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    // Room for one file.
    let intake = Intake::new(archive.backends().clone(), *archive.state.intake.limits(), 0);
    let upload = |first: u8| {
        let files = (first..first + 3).map(|shade| (labels(None), Some(png(shade))));
        Files::new(files.chain([(labels(None), Some(tiff(first)))]).collect())
    };
    let (mut one, mut two) = (upload(1), upload(11));

    let (one, two) = tokio::join!(
        intake.receive(&caller, UploadRequest::default(), &mut one),
        intake.receive(&caller, UploadRequest::default(), &mut two),
    );

    let received = |receipt: UploadReceipt| {
        receipt.files.iter().filter(|file| matches!(file.outcome, FileOutcome::Received(_))).count()
    };
    assert_eq!((received(one.unwrap()), received(two.unwrap())), (4, 4));
}

#[tokio::test]
async fn a_store_that_is_full_or_away_is_told_and_keeps_nothing() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let keys = archive.backends().vault.count().await.unwrap();
    // Nobody can make a folder where a file is.
    std::fs::write(archive.folder().join("objects/scans"), b"in the way").unwrap();

    let failed = receive(&archive, &caller, None, vec![(labels(None), Some(tiff(1)))]).await;

    assert!(matches!(failed, Err(IntakeError::Storage(_))), "{failed:?}");
    requires(&archive, 1, keys).await;
}
