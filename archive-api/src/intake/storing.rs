//! Sealing files and writing them to the object store, several at a time.

use std::sync::Arc;

use backends::{
    blob_store::{BlobKey, BlobStore},
    connect::Backends,
    database::{Transaction, scans::ScanRow},
    digest::ContentDigest,
    error::StorageError,
    vault::{DataKey, SealStream},
};
use bytes::Bytes;
use domain::{
    access::{Action, Permission},
    ids::{AccountId, ScanId, UploadId},
    scan::ScanState,
};
use futures_util::{StreamExt, stream};
use ingest::MediaType;

use super::{keys::KeyReserve, source::Labels, taking::HeldFile};
use crate::{caller::Caller, scans::may_unplaced};

/// Objects written at once.
const WRITES_AT_ONCE: usize = 8;

/// What a file became.
pub(super) enum StoredFile {
    /// A new scan; its object is durable, its row is not yet written.
    New(Box<ScanRow>),
    /// The same bytes were there already.
    Linked(ScanId),
}

impl StoredFile {
    pub(super) fn scan_id(&self) -> ScanId {
        match self {
            Self::New(row) => row.id,
            Self::Linked(id) => *id,
        }
    }

    pub(super) fn new_scan(&self) -> Option<&ScanRow> {
        match self {
            Self::New(row) => Some(row),
            Self::Linked(_) => None,
        }
    }
}

/// Stores a batch. When one file fails, none of the batch is left.
pub(super) async fn store_batch(
    backends: &Backends,
    keys: &Arc<KeyReserve>,
    caller: &Caller,
    batch: Vec<HeldFile>,
) -> Result<Vec<(usize, StoredFile)>, StorageError> {
    let mut stored = Vec::with_capacity(batch.len());
    let mut new = Vec::with_capacity(batch.len());
    if batch.iter().any(|held| held.labels.slip_number.is_some()) {
        let mut look = backends.database.begin_read().await?;
        for held in batch {
            match twin_of(look.as_mut(), caller, &held.digest, &held.labels).await? {
                Some(twin) => stored.push((held.index, StoredFile::Linked(twin))),
                None => new.push(held),
            }
        }
    } else {
        new = batch;
    }
    let keys = keys.take(new.len()).await?;
    let writes =
        new.into_iter().zip(keys).map(|(held, key)| store_one(backends, caller.account.id, held, key));
    let outcomes: Vec<_> = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).collect().await;
    let mut failure = None;
    for outcome in outcomes {
        match outcome {
            Ok((index, row)) => stored.push((index, StoredFile::New(Box::new(row)))),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        None => Ok(stored),
        Some(error) => {
            let rows: Vec<&ScanRow> = stored.iter().filter_map(|(_, file)| file.new_scan()).collect();
            remove(backends, &rows).await;
            Err(error)
        }
    }
}

async fn store_one(
    backends: &Backends,
    account: AccountId,
    held: HeldFile,
    key: DataKey,
) -> Result<(usize, ScanRow), StorageError> {
    let facts = Facts {
        id: held.id,
        name: held.name.as_deref(),
        labels: &held.labels,
        media_type: held.media_type,
        size_bytes: held.bytes.len() as u64,
        digest: held.digest,
    };
    let row = scan_row(backends, account, &facts, &key)?;
    if let Err(error) = put(&backends.blobs, row.id, key, held.bytes).await {
        remove(backends, &[&row]).await;
        return Err(error);
    }
    drop(held.memory);
    Ok((held.index, row))
}

/// What is known of a file when its row is made.
pub(super) struct Facts<'a> {
    pub id: ScanId,
    pub name: Option<&'a str>,
    pub labels: &'a Labels,
    pub media_type: MediaType,
    pub size_bytes: u64,
    pub digest: ContentDigest,
}

pub(super) fn scan_row(
    backends: &Backends,
    account: AccountId,
    facts: &Facts<'_>,
    key: &DataKey,
) -> Result<ScanRow, StorageError> {
    let name = facts.name.map(|name| key.seal(ScanRow::name_place(facts.id), &name)).transpose()?;
    Ok(ScanRow {
        id: facts.id,
        upload_id: UploadId::from_uuid(facts.id.uuid()),
        case_file_id: None,
        same_as: None,
        state: ScanState::Received,
        problem: None,
        outlet_code: facts.labels.outlet.clone(),
        slip_number_given: facts.labels.slip_number.clone(),
        slot_given: facts.labels.slot,
        media_type: facts.media_type.as_mime().to_owned(),
        size_bytes: facts.size_bytes as i64,
        digest: facts.digest,
        key_id: key.id(),
        name_sealed: name,
        placed_by: None,
        placed_at: None,
        received_by: account,
        received_at: backends.clock.now(),
    })
}

async fn put(blobs: &BlobStore, id: ScanId, key: DataKey, bytes: Bytes) -> Result<(), StorageError> {
    let blob = BlobKey::Scan(id);
    let seal = move || {
        let (mut stream, mut sealed) = SealStream::start(&key, &blob.path())?;
        stream.push(&bytes, &mut sealed)?;
        stream.finish(&mut sealed)?;
        Ok(sealed.into())
    };
    blobs.put_made(blob, seal).await
}

/// The scan that holds the same bytes and belongs to the acceptance whose slip number is named, if this sender may know
/// of it.
///
/// Without a slip number nothing is known yet: the same bytes may be another customer's paper copied again. Placing
/// finds that out, and links them then if they came for the same case file.
pub(super) async fn twin_of(
    tx: &mut dyn Transaction,
    caller: &Caller,
    digest: &ContentDigest,
    labels: &Labels,
) -> Result<Option<ScanId>, StorageError> {
    if labels.slip_number.is_none() {
        return Ok(None);
    }
    for scan in tx.scans().with_digest(digest).await? {
        if scan.same_as.is_none() && is_of_acceptance(tx, caller, &scan, labels).await? {
            return Ok(Some(scan.id));
        }
    }
    Ok(None)
}

/// Whether a scan belongs to the acceptance whose slip number the labels name, and this sender may know of it.
pub(super) async fn is_of_acceptance(
    tx: &mut dyn Transaction,
    caller: &Caller,
    scan: &ScanRow,
    labels: &Labels,
) -> Result<bool, StorageError> {
    // Where it was placed decides; what its sender said may have been wrong.
    let Some(id) = scan.case_file_id else {
        return Ok(scan.slip_number_given == labels.slip_number
            && is_in_scope(labels, scan.outlet_code.as_deref())
            && may_unplaced(tx, caller, Action::SeeCaseFile, scan).await? == Permission::Allowed);
    };
    let Some(case_file) = tx.case_files().find(id).await? else { return Ok(false) };
    Ok(labels.slip_number.as_ref() == Some(&case_file.slip_number)
        && is_in_scope(labels, case_file.outlet_code.as_deref())
        && caller.may(Action::SeeCaseFile, &case_file) == Permission::Allowed)
}

/// What came from one outlet is never linked to what another one has: it goes the way of every scan, to the tray.
fn is_in_scope(labels: &Labels, outlet: Option<&str>) -> bool {
    labels.outlet.is_none() || labels.outlet.as_deref() == outlet
}

/// Removes objects and keys of scans whose rows will not be written. What cannot be removed is found by the sweep.
pub(super) async fn remove(backends: &Backends, scans: &[&ScanRow]) {
    for scan in scans {
        if let Err(error) = backends.blobs.delete(BlobKey::Scan(scan.id)).await {
            tracing::warn!(scan.id = %scan.id, %error, "object of a failed upload was left behind");
        }
        if let Err(error) = backends.vault.destroy(scan.key_id).await {
            tracing::warn!(scan.id = %scan.id, %error, "key of a failed upload was left behind");
        }
    }
}
