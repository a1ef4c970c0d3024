//! Snapshots of the index in the object store: a node that has no index starts from the newest one instead of from the
//! first change.
//!
//! A snapshot is one object, sealed with a key of its own. What is destroyed later may still be in it, so the follower
//! that passes a destruction removes every snapshot before it, keys first.

mod keeping;
mod packing;
mod unpacking;

use std::{io, path::Path, time::Duration};

use backends::{
    blob_store::BlobKey,
    clock::new_id,
    connect::Backends,
    database::index_snapshots::IndexSnapshotRow,
    error::StorageError,
    vault::{DataKey, KeyPurpose},
};
use chrono::TimeDelta;
use domain::blind_index::BlindKey;
use indexer::{
    error::IndexError,
    snapshot::{self, HeldCommit},
    writer::IndexWriter,
};
use thiserror::Error;

pub use self::keeping::SnapshotKeeper;

/// How long a process that says nothing is believed to make a snapshot.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How often it says something.
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// Snapshots kept; the older one is for a node that is fetching it.
const KEPT: usize = 2;

/// Why a snapshot was not made, or cannot be used.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Catalogue, keys or objects failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file of the index cannot be read or written.
    #[error("a file of the index cannot be read or written")]
    Io(#[from] io::Error),
    /// It is not what was sent.
    #[error("the snapshot is not whole: {what}")]
    NotWhole {
        /// What is wrong; never content.
        what: &'static str,
    },
    /// It was removed while it was being made: something was destroyed, or this process was believed dead.
    #[error("the snapshot was removed while it was being made")]
    Removed,
    /// The thread that reads or writes files ended without an answer.
    #[error("the thread that copies the index ended")]
    Lost,
}

/// What became of the wish for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is in the object store.
    Whole(IndexSnapshotRow),
    /// There is one of the same state already.
    ThereAlready(IndexSnapshotRow),
    /// The index holds nothing yet.
    Nothing,
    /// Another process is making one.
    ByAnother,
}

/// Puts a snapshot of the index in `root` into the object store, beside the running writer, and removes old ones.
pub async fn take(backends: &Backends, root: &Path) -> Result<Taken, SnapshotError> {
    let now = backends.clock.now();
    let mut look = backends.database.begin_read().await?;
    let given_up = look.index_snapshots().given_up(now).await?;
    drop(look);
    remove_all(backends, &given_up).await?;
    let blind = BlindKey::new(backends.vault.blind_index_secret());
    let format = snapshot::format_of(&blind);
    let folder = root.to_owned();
    let held = match blocking(move || Ok(HeldCommit::take(&folder, &blind)?)).await {
        Err(SnapshotError::Index(IndexError::Locked { .. })) => return Ok(Taken::ByAnother),
        held => held?,
    };
    if held.reached() == 0 {
        return Ok(Taken::Nothing);
    }
    let reached = held.reached() as i64;
    let mut look = backends.database.begin_read().await?;
    let same = look.index_snapshots().finished().await?.into_iter().find(|one| one.reached == reached);
    drop(look);
    if let Some(same) = same.filter(|same| same.format == format) {
        return Ok(Taken::ThereAlready(same));
    }
    let key = backends.vault.new_key(KeyPurpose::IndexSnapshot, now).await?;
    let size_bytes = held.files().iter().map(|file| file.size_bytes as i64).sum();
    let row =
        IndexSnapshotRow { id: new_id(now), reached, format, key_id: key.id(), size_bytes, made_at: now };
    if !begin(backends, &row).await? {
        backends.vault.destroy(key.id()).await?;
        return Ok(Taken::ByAnother);
    }
    match send(backends, &row, key, held).await {
        Ok(()) => {
            remove_old(backends).await?;
            Ok(Taken::Whole(row))
        }
        Err(error) => {
            remove(backends, &row).await?;
            Err(error)
        }
    }
}

async fn begin(backends: &Backends, row: &IndexSnapshotRow) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin().await?;
    let is_begun = tx.index_snapshots().begin(row, row.made_at + LEASE).await?;
    tx.commit().await?;
    Ok(is_begun)
}

/// Sends the object while the row says that somebody does, then says that it is whole.
async fn send(
    backends: &Backends,
    row: &IndexSnapshotRow,
    key: DataKey,
    held: HeldCommit,
) -> Result<(), SnapshotError> {
    tokio::select! {
        sent = packing::send(backends, row, key, held) => sent?,
        removed = keep_lease(backends, row) => return Err(removed),
    }
    let mut tx = backends.database.begin().await?;
    let is_finished = tx.index_snapshots().finish(row.id).await?;
    tx.commit().await?;
    if is_finished { Ok(()) } else { Err(SnapshotError::Removed) }
}

/// Ends only when the snapshot is no longer this process's to make.
async fn keep_lease(backends: &Backends, row: &IndexSnapshotRow) -> SnapshotError {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let renewing = async {
            let mut tx = backends.database.begin().await?;
            let is_ours = tx.index_snapshots().renew(row.id, backends.clock.now() + LEASE).await?;
            tx.commit().await?;
            Ok::<bool, StorageError>(is_ours)
        };
        match renewing.await {
            Ok(true) => {}
            Ok(false) => return SnapshotError::Removed,
            Err(error) => tracing::warn!(error = %error, "an index snapshot could not be claimed further"),
        }
    }
}

/// Brings the newest snapshot that fits into `root`, where no index is yet. `None`: there is none that can be used.
pub(crate) async fn fetch_newest(
    backends: &Backends,
    root: &Path,
    blind: &BlindKey,
) -> Result<Option<IndexWriter>, StorageError> {
    if snapshot::is_there(root) {
        return Ok(None);
    }
    let mut look = backends.database.begin_read().await?;
    let whole = look.index_snapshots().finished().await?;
    let last = look.case_files().last_change().await?;
    drop(look);
    let format = snapshot::format_of(blind);
    for row in whole {
        if row.format != format || row.reached > last {
            tracing::info!(snapshot.id = %row.id, "an index snapshot does not fit this archive");
            continue;
        }
        match unpacking::fetch(backends, &row, root, blind).await {
            Ok(writer) => {
                tracing::info!(snapshot.id = %row.id, reached = row.reached, "the index starts from a snapshot");
                return Ok(Some(writer));
            }
            Err(error) => {
                tracing::warn!(snapshot.id = %row.id, error = %error, "an index snapshot cannot be used");
            }
        }
    }
    Ok(None)
}

/// Removes every snapshot that does not know of change `change`.
pub(crate) async fn remove_before(backends: &Backends, change: i64) -> Result<(), StorageError> {
    let mut look = backends.database.begin_read().await?;
    let unfit = look.index_snapshots().before(change).await?;
    drop(look);
    remove_all(backends, &unfit).await
}

async fn remove_old(backends: &Backends) -> Result<(), StorageError> {
    let mut look = backends.database.begin_read().await?;
    let mut old = look.index_snapshots().finished().await?;
    drop(look);
    old.drain(..KEPT.min(old.len()));
    remove_all(backends, &old).await
}

async fn remove_all(backends: &Backends, rows: &[IndexSnapshotRow]) -> Result<(), StorageError> {
    for row in rows {
        remove(backends, row).await?;
    }
    Ok(())
}

/// The key first: from then on no copy of the object can be read, wherever it is.
async fn remove(backends: &Backends, row: &IndexSnapshotRow) -> Result<(), StorageError> {
    backends.vault.destroy(row.key_id).await?;
    let mut tx = backends.database.begin().await?;
    tx.index_snapshots().remove(row.id).await?;
    tx.commit().await?;
    backends.blobs.delete(BlobKey::IndexSnapshot(row.id)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| SnapshotError::Lost)?
}
