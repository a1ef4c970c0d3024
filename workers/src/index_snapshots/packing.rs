//! From a held commit to one sealed object: the length of the manifest, the manifest, then every file.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use backends::{
    blob_store::{BlobKey, BlobWriter},
    connect::Backends,
    database::index_snapshots::IndexSnapshotRow,
    digest::Sha256Stream,
    vault::{DataKey, SealStream},
};
use indexer::snapshot::{HeldCommit, HeldFile};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{SnapshotError, blocking};

/// Bytes read, sealed and sent at once.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces that may wait for the object store.
const PIECES_WAITING: usize = 4;

/// What a snapshot holds, in the order in which it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Number of the last change in the index.
    pub reached: i64,
    /// Format of the index, and of the key of its tokens.
    pub format: String,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    pub name: String,
    pub size_bytes: u64,
    pub sha256: [u8; 32],
}

/// Seals a held commit and sends it.
pub(super) async fn send(
    backends: &Backends,
    row: &IndexSnapshotRow,
    key: DataKey,
    held: HeldCommit,
) -> Result<(), SnapshotError> {
    let blob = BlobKey::IndexSnapshot(row.id);
    let (pieces, arriving) = mpsc::channel(PIECES_WAITING);
    let (reached, format) = (row.reached, row.format.clone());
    let seal = SealStream::start(&key, &blob.path())?;
    let packing = blocking(move || pack(&held, (reached, format), seal, &pieces));
    let writer = backends.blobs.start(blob).await?;
    let (packed, written) = tokio::join!(packing, write(writer, arriving));
    let writer = written?;
    match packed {
        Ok(()) => Ok(writer.finish().await?),
        Err(error) => {
            writer.abort().await?;
            Err(error)
        }
    }
}

/// Writes pieces until there are no more. What was begun and fails is given up by the sweep.
async fn write(
    mut writer: BlobWriter,
    mut arriving: mpsc::Receiver<Vec<u8>>,
) -> Result<BlobWriter, SnapshotError> {
    while let Some(piece) = arriving.recv().await {
        writer.write(&piece).await?;
    }
    Ok(writer)
}

fn pack(
    held: &HeldCommit,
    (reached, format): (i64, String),
    (mut seal, head): (SealStream, Vec<u8>),
    pieces: &mpsc::Sender<Vec<u8>>,
) -> Result<(), SnapshotError> {
    let files = held.files().iter().map(described).collect::<Result<_, SnapshotError>>()?;
    let manifest = serde_json::to_vec(&Manifest { reached, format, files }).map_err(io::Error::from)?;
    let mut sealed = head;
    seal.push(&(manifest.len() as u32).to_be_bytes(), &mut sealed)?;
    seal.push(&manifest, &mut sealed)?;
    pass_on(pieces, sealed)?;
    for file in held.files() {
        each_piece(&file.path, |piece| {
            let mut sealed = Vec::new();
            seal.push(piece, &mut sealed)?;
            pass_on(pieces, sealed)
        })?;
    }
    let mut last = Vec::new();
    seal.finish(&mut last)?;
    pass_on(pieces, last)
}

/// A failure means that writing has ended, with an error of its own.
fn pass_on(pieces: &mpsc::Sender<Vec<u8>>, piece: Vec<u8>) -> Result<(), SnapshotError> {
    pieces.blocking_send(piece).map_err(|_| SnapshotError::Lost)
}

fn described(file: &HeldFile) -> Result<ManifestFile, SnapshotError> {
    let mut digest = Sha256Stream::default();
    each_piece(&file.path, |piece| {
        digest.update(piece);
        Ok(())
    })?;
    Ok(ManifestFile { name: file.name.clone(), size_bytes: file.size_bytes, sha256: digest.finish() })
}

fn each_piece(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        match piece.get(..read) {
            Some(bytes) if read > 0 => take(bytes)?,
            _ => return Ok(()),
        }
    }
}
