//! Upload tickets that nobody completed in time: they are over, and so is what was brought with them.

use backends::{
    blob_store::BlobKey, connect::Backends, database::operation_log::LogEntry, error::StorageError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::UploadTicketId, upload_ticket::UploadTicketState};

/// How long a settled ticket is kept for people to look at.
const KEEP_SETTLED: TimeDelta = TimeDelta::days(7);
/// Tickets closed in one transaction. Each writes a line of the operation log, for which others wait meanwhile.
const CLOSED_AT_ONCE: i64 = 100;
/// Tickets forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Closes tickets that are over, empties their places in quarantine, and forgets those settled long ago; all of them,
/// however many became so since the last time.
pub(super) async fn close(backends: &Backends) -> Result<(), StorageError> {
    forget_settled(backends).await?;
    loop {
        let closed = close_some(backends).await?;
        // What cannot be removed now has no open ticket any more: the next look for orphans removes it.
        for id in &closed {
            backends.blobs.delete(BlobKey::Quarantine(*id)).await?;
        }
        if closed.len() < CLOSED_AT_ONCE as usize {
            return Ok(());
        }
    }
}

async fn forget_settled(backends: &Backends) -> Result<(), StorageError> {
    let before = backends.clock.now() - KEEP_SETTLED;
    loop {
        let mut tx = backends.database.begin().await?;
        let forgotten = tx.upload_tickets().forget_settled(before, FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        if forgotten < FORGOTTEN_AT_ONCE as u64 {
            return Ok(());
        }
    }
}

async fn close_some(backends: &Backends) -> Result<Vec<UploadTicketId>, StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    let overdue = tx.upload_tickets().overdue(now, CLOSED_AT_ONCE).await?;
    for id in &overdue {
        tx.upload_tickets().settle(*id, UploadTicketState::Closed, None, now).await?;
        tx.operation_log().append(&entry(*id, now)).await?;
    }
    tx.commit().await?;
    Ok(overdue)
}

fn entry(id: UploadTicketId, now: DateTime<Utc>) -> LogEntry {
    LogEntry {
        at: now,
        account_id: None,
        role: "system".to_owned(),
        outlet_code: None,
        origin: "worker".to_owned(),
        action: "close_upload_ticket".to_owned(),
        subject_kind: "upload_ticket".to_owned(),
        subject_id: id.to_string(),
        reason: None,
        result: "expired".to_owned(),
    }
}
