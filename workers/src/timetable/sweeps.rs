//! Sweeps: what is over is forgotten, what was interrupted is settled, and what no row names is removed.

use std::time::Duration;

use backends::{
    blob_store::{BlobKey, StoredBlob},
    connect::Backends,
    database::Transaction,
    error::StorageError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{scan::ScanState, upload_ticket::UploadTicketState};
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{GRACE, overdue_tickets, settled_keys};

/// How long a done job is kept for people to look at.
const KEEP_DONE: TimeDelta = TimeDelta::days(7);
/// Jobs forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;
/// Longer than any lease that can be configured (an hour), and than the longest that a job waits by itself.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(65);
const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);
/// How far the clocks of uploads and of the object store may be apart, with much to spare.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);
/// Objects whose rows are looked for in one transaction.
const OBJECTS_AT_ONCE: usize = 500;
/// How long others get the database between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// Forgets old done jobs, brings back what a clock that ran ahead put off, makes room for the months to come, settles
/// keys whose hand-over was interrupted, removes what large objects were begun and never finished, and removes objects
/// that no row names. It takes as long as the object store takes to list everything.
pub async fn sweep(backends: &Backends) -> Result<(), StorageError> {
    forget_done(backends).await?;
    return_from_future(backends).await?;
    let now = backends.clock.now();
    backends.database.make_months(now, now).await?;
    settled_keys::settle(backends).await?;
    forget_dead_uploads(backends).await?;
    backends.blobs.abandon_unfinished(old_enough(backends).await?).await?;
    remove_orphans(backends, backends.blobs.list()).await
}

/// Closes upload tickets that are over and empties quarantine of what belongs to none. What lies there is plaintext as
/// far as this program goes, so that it is looked after far more often than everything else.
pub async fn sweep_quarantine(backends: &Backends) -> Result<(), StorageError> {
    overdue_tickets::close(backends).await?;
    remove_orphans(backends, backends.blobs.list_quarantine()).await
}

/// Forgets what was done long ago, a little at a time: in a busy hour more is done than one transaction should remove.
async fn forget_done(backends: &Backends) -> Result<(), StorageError> {
    let before = backends.clock.now() - KEEP_DONE;
    loop {
        let mut tx = backends.database.begin().await?;
        let forgotten = tx.jobs().forget_done(before, FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        if forgotten < FORGOTTEN_AT_ONCE as u64 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn return_from_future(backends: &Backends) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    let brought_back = tx.timetable().return_from_future(now + LONGEST_LEASE, now + LONGEST_WAIT).await?;
    tx.commit().await?;
    if brought_back > 0 {
        tracing::warn!(jobs = brought_back, "a clock ran ahead: jobs it put off are taken up earlier");
    }
    Ok(())
}

/// Uploads that have not said for long that they live: what was stored for them may go.
async fn forget_dead_uploads(backends: &Backends) -> Result<(), StorageError> {
    let mut tx = backends.database.begin().await?;
    tx.uploads_under_way().forget_dead(backends.clock.now()).await?;
    tx.commit().await
}

/// What was written after this may belong to an upload under way, whose row is still to come.
///
/// # Errors
/// The catalogue failed.
pub(crate) async fn old_enough(backends: &Backends) -> Result<DateTime<Utc>, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    old_enough_in(tx.as_mut(), backends.clock.now()).await
}

async fn old_enough_in(tx: &mut dyn Transaction, now: DateTime<Utc>) -> Result<DateTime<Utc>, StorageError> {
    let oldest_upload = tx.uploads_under_way().oldest().await?.map(|began_at| began_at - CLOCKS_APART);
    Ok(oldest_upload.unwrap_or(now).min(now - GRACE))
}

/// An upload that ended between its object and its row left an object that nobody was told about.
async fn remove_orphans(
    backends: &Backends,
    objects: BoxStream<'static, Result<StoredBlob, StorageError>>,
) -> Result<(), StorageError> {
    let mut parts = objects.try_chunks(OBJECTS_AT_ONCE);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|broken_off| broken_off.1)?;
        let mut orphans = Vec::new();
        let mut tx = backends.database.begin_read().await?;
        // Asked before the rows: an upload that ends in between has its rows by then.
        let young = old_enough_in(tx.as_mut(), backends.clock.now()).await?;
        for object in part.into_iter().filter(|object| object.written_at <= young) {
            let Some(key) = object.key else { continue };
            if !is_named(tx.as_mut(), key).await? {
                orphans.push((key, object.path));
            }
        }
        drop(tx);
        for (key, path) in orphans {
            tracing::info!(path, "an object without a row is removed");
            backends.blobs.delete(key).await?;
        }
    }
    Ok(())
}

/// Whether a row says that the object must be there.
async fn is_named(tx: &mut dyn Transaction, key: BlobKey) -> Result<bool, StorageError> {
    Ok(match key {
        BlobKey::Scan(id) => tx.scans().find(id).await?.is_some_and(|scan| scan.state != ScanState::Linked),
        BlobKey::Quarantine(id) => {
            tx.upload_tickets().find(id).await?.is_some_and(|ticket| ticket.state == UploadTicketState::Open)
        }
        BlobKey::IndexSnapshot(id) => tx.index_snapshots().exists(id).await?,
        BlobKey::Probe(_) => false,
    })
}
