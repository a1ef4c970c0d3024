//! From a sealed object to an index in a folder: every byte authenticated, every file held against its digest, and the
//! whole opened before it counts.

use std::{collections::VecDeque, fs::File, io::Write, path::Path};

use backends::{
    blob_store::BlobKey, connect::Backends, database::index_snapshots::IndexSnapshotRow,
    digest::Sha256Stream, error::StorageError, vault::OpenStream,
};
use bytes::Bytes;
use domain::blind_index::BlindKey;
use futures_util::StreamExt;
use indexer::{snapshot::Arrival, writer::IndexWriter};
use tokio::sync::mpsc;

use super::{
    SnapshotError, blocking,
    packing::{Manifest, ManifestFile},
};

/// Pieces that may wait for the disk.
const PIECES_WAITING: usize = 4;
/// No manifest is longer: an index has some hundred files.
const LONGEST_MANIFEST_BYTES: usize = 16 << 20;
const LENGTH_BYTES: usize = 4;

/// Brings one snapshot into `root`, and goes on as the writer of its index.
pub(super) async fn fetch(
    backends: &Backends,
    row: &IndexSnapshotRow,
    root: &Path,
    blind: &BlindKey,
) -> Result<IndexWriter, SnapshotError> {
    let blob = BlobKey::IndexSnapshot(row.id);
    let key = backends.vault.required_key(row.key_id).await?;
    let gone = SnapshotError::NotWhole { what: "its object is not there" };
    let object = backends.blobs.open(blob).await?.ok_or(gone)?;
    let (pieces, arriving) = mpsc::channel(PIECES_WAITING);
    let (root, blind, reached) = (root.to_owned(), blind.clone(), row.reached);
    let unpacking = blocking(move || {
        let taken = SnapshotError::NotWhole { what: "there is an index already" };
        let arrival = Arrival::start(&root, blind)?.ok_or(taken)?;
        unpack(arrival, OpenStream::start(&key, &blob.path()), arriving)?
            .finish(reached as u64)
            .map_err(Into::into)
    });
    let (writer, sent) = tokio::join!(unpacking, pass_on(object.pieces, pieces));
    // A piece that did not come explains why the rest was not whole.
    sent?;
    writer
}

async fn pass_on(
    mut object: futures_util::stream::BoxStream<'static, Result<Bytes, StorageError>>,
    pieces: mpsc::Sender<Bytes>,
) -> Result<(), StorageError> {
    while let Some(piece) = object.next().await {
        if pieces.send(piece?).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn unpack(
    arrival: Arrival,
    mut stream: OpenStream,
    mut arriving: mpsc::Receiver<Bytes>,
) -> Result<Arrival, SnapshotError> {
    let mut unpacker = Unpacker { arrival, waiting: Vec::new(), to_come: None, current: None };
    while let Some(piece) = arriving.blocking_recv() {
        unpacker.push(&stream.push(&piece)?)?;
    }
    unpacker.push(&stream.finish()?)?;
    unpacker.finish()
}

struct Unpacker {
    arrival: Arrival,
    /// Bytes of the manifest, until it is whole.
    waiting: Vec<u8>,
    /// Files that follow; nothing before the manifest is whole.
    to_come: Option<VecDeque<ManifestFile>>,
    current: Option<ArrivingFile>,
}

struct ArrivingFile {
    file: File,
    digest: Sha256Stream,
    missing_bytes: u64,
    sha256: [u8; 32],
}

impl Unpacker {
    fn push(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        if self.to_come.is_some() {
            return self.write(bytes);
        }
        self.waiting.extend_from_slice(bytes);
        let Some((manifest, rest)) = read_manifest(&self.waiting)? else { return Ok(()) };
        self.to_come = Some(manifest.files.into());
        self.waiting = Vec::new();
        self.write(&rest)
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), SnapshotError> {
        loop {
            self.open_next()?;
            let Some(current) = &mut self.current else { break };
            let now = bytes.len().min(usize::try_from(current.missing_bytes).unwrap_or(usize::MAX));
            let (these, later) = bytes.split_at(now);
            current.take(these)?;
            bytes = later;
            if current.missing_bytes > 0 {
                return Ok(());
            }
            self.end_current()?;
        }
        if bytes.is_empty() {
            Ok(())
        } else {
            Err(SnapshotError::NotWhole { what: "more came than was said" })
        }
    }

    fn open_next(&mut self) -> Result<(), SnapshotError> {
        if self.current.is_some() {
            return Ok(());
        }
        let Some(next) = self.to_come.as_mut().and_then(VecDeque::pop_front) else { return Ok(()) };
        let file = self.arrival.create(&next.name)?;
        self.current = Some(ArrivingFile {
            file,
            digest: Sha256Stream::default(),
            missing_bytes: next.size_bytes,
            sha256: next.sha256,
        });
        Ok(())
    }

    fn end_current(&mut self) -> Result<(), SnapshotError> {
        let Some(ended) = self.current.take() else { return Ok(()) };
        if ended.digest.finish() != ended.sha256 {
            return Err(SnapshotError::NotWhole { what: "a file has another digest" });
        }
        Ok(ended.file.sync_all()?)
    }

    fn finish(self) -> Result<Arrival, SnapshotError> {
        let is_whole = self.current.is_none() && self.to_come.is_some_and(|files| files.is_empty());
        if is_whole { Ok(self.arrival) } else { Err(SnapshotError::NotWhole { what: "its end is missing" }) }
    }
}

impl ArrivingFile {
    fn take(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.missing_bytes -= bytes.len() as u64;
        Ok(())
    }
}

/// The manifest and what follows it, once it is whole.
fn read_manifest(bytes: &[u8]) -> Result<Option<(Manifest, Vec<u8>)>, SnapshotError> {
    let wrong = |what| SnapshotError::NotWhole { what };
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if length > LONGEST_MANIFEST_BYTES {
        return Err(wrong("its manifest is too long"));
    }
    let Some((manifest, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let manifest = serde_json::from_slice(manifest).map_err(|_| wrong("its manifest cannot be read"))?;
    Ok(Some((manifest, rest.to_vec())))
}
