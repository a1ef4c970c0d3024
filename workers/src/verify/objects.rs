//! Invariants 1 and 2: what was answered "received" is there and unaltered; rows and objects match.

use std::collections::HashSet;

use backends::{
    blob_store::BlobKey, connect::Backends, database::scans::ScanRow, error::StorageError, vault::OpenStream,
};
use domain::{
    ids::{IndexSnapshotId, ScanId, UploadTicketId},
    scan::ScanState,
    upload_ticket::UploadTicketState,
};
use futures_util::StreamExt;

use super::{Check, Violations};
use crate::timetable::old_enough;

pub(super) async fn check(backends: &Backends) -> Result<(Check, Check), StorageError> {
    let (mut received, mut matching) = (Violations::default(), Violations::default());
    let (mut scans_seen, mut bytes_seen) = (0_u64, 0_u64);
    let mut after = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let scans = tx.scans().all(after, 500).await?;
        drop(tx);
        let Some(last) = scans.last() else { break };
        after = Some(last.id);
        for scan in &scans {
            scans_seen += 1;
            if scan.same_as.is_none() {
                bytes_seen += scan_is_whole(backends, scan, &mut received, &mut matching).await?;
            } else {
                link_is_right(backends, scan, &mut received).await?;
            }
        }
    }
    let objects_seen = objects_have_rows(backends, &mut matching).await?;
    let received = Check::of(
        1,
        "every upload answered \"received\" exists exactly once, with the bytes that were received",
        format!("{scans_seen} scans, {bytes_seen} bytes"),
        received,
    );
    let matching = Check::of(
        2,
        "no row without its object, no object without its row",
        format!("{scans_seen} rows, {objects_seen} objects"),
        matching,
    );
    Ok((received, matching))
}

async fn scan_is_whole(
    backends: &Backends,
    scan: &ScanRow,
    received: &mut Violations,
    matching: &mut Violations,
) -> Result<u64, StorageError> {
    let blob = BlobKey::Scan(scan.id);
    let Some(key) = backends.vault.key(scan.key_id).await? else {
        if !was_destroyed(backends, scan).await? {
            received.add(format!("scan {} has no key", scan.id));
        }
        return Ok(0);
    };
    let Some(sealed) = backends.blobs.get(blob).await? else {
        received.add(format!("the bytes of scan {} are gone", scan.id));
        matching.add(format!("scan {} has no object", scan.id));
        return Ok(0);
    };
    match OpenStream::open(&key, &blob.path(), &sealed) {
        Ok(bytes) => {
            let is_right = scan.digest.is_of(&bytes) && bytes.len() as i64 == scan.size_bytes;
            if !is_right {
                received.add(format!("scan {} holds other bytes than were received", scan.id));
            }
            Ok(bytes.len() as u64)
        }
        Err(error) => {
            received.add(format!("scan {}: {error}", scan.id));
            Ok(0)
        }
    }
}

/// Whether the key of the scan, or that of its case file, is gone because it was destroyed.
async fn was_destroyed(backends: &Backends, scan: &ScanRow) -> Result<bool, StorageError> {
    if backends.vault.was_destroyed(scan.key_id).await? {
        return Ok(true);
    }
    let Some(case_file) = scan.case_file_id else { return Ok(false) };
    let mut tx = backends.database.begin_read().await?;
    let case_file = tx.case_files().find(case_file).await?;
    drop(tx);
    match case_file {
        Some(case_file) => backends.vault.was_destroyed(case_file.key_id).await,
        None => Ok(false),
    }
}

/// A link points to a scan of the same case file with the same bytes.
async fn link_is_right(
    backends: &Backends,
    scan: &ScanRow,
    received: &mut Violations,
) -> Result<(), StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let target = match scan.same_as {
        Some(id) => tx.scans().find(id).await?,
        None => None,
    };
    let is_right = target.is_some_and(|target| {
        target.digest == scan.digest && target.case_file_id == scan.case_file_id && target.same_as.is_none()
    });
    if !is_right || scan.state != ScanState::Linked {
        received.add(format!("scan {} points to a scan that does not hold its bytes", scan.id));
    }
    Ok(())
}

async fn objects_have_rows(backends: &Backends, matching: &mut Violations) -> Result<u64, StorageError> {
    let mut seen = 0;
    let old = old_enough(backends).await?;
    let snapshots = snapshots_have_objects(backends, matching).await?;
    let mut objects = backends.blobs.list();
    while let Some(object) = objects.next().await {
        let object = object?;
        seen += 1;
        let is_young = object.written_at > old;
        let is_named = match object.key {
            Some(BlobKey::Scan(id)) => is_young || holds_its_bytes(backends, id).await?,
            Some(BlobKey::Quarantine(id)) => ticket_is_open(backends, id).await?,
            Some(BlobKey::IndexSnapshot(id)) => snapshots.contains(&id),
            Some(BlobKey::Probe(_)) | None => false,
        };
        if !is_named && !is_young {
            matching.add(format!("object {} has no row", object.path));
        }
    }
    Ok(seen)
}

/// Whether there is a scan that points to no other one.
async fn holds_its_bytes(backends: &Backends, id: ScanId) -> Result<bool, StorageError> {
    let scan = backends.database.begin_read().await?.scans().find(id).await?;
    Ok(scan.is_some_and(|scan| scan.same_as.is_none()))
}

/// Every snapshot of the index there is; what is said to be whole has its object.
async fn snapshots_have_objects(
    backends: &Backends,
    matching: &mut Violations,
) -> Result<HashSet<IndexSnapshotId>, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let whole = tx.index_snapshots().finished().await?;
    let all = tx.index_snapshots().before(i64::MAX).await?;
    drop(tx);
    for snapshot in whole {
        if !backends.blobs.exists(BlobKey::IndexSnapshot(snapshot.id)).await?
            && is_there_still(backends, snapshot.id).await?
        {
            matching.add(format!("index snapshot {} has no object", snapshot.id));
        }
    }
    Ok(all.into_iter().map(|snapshot| snapshot.id).collect())
}

/// A snapshot that was removed meanwhile has no object, and is no loss.
async fn is_there_still(backends: &Backends, id: IndexSnapshotId) -> Result<bool, StorageError> {
    backends.database.begin_read().await?.index_snapshots().exists(id).await
}

async fn ticket_is_open(backends: &Backends, id: UploadTicketId) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let ticket = tx.upload_tickets().find(id).await?;
    Ok(ticket.is_some_and(|ticket| ticket.state == UploadTicketState::Open))
}
