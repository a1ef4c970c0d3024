//! Upload tickets that nobody completed in time: they are over, and so is what was brought with them.

use backends::{
    blob_store::BlobKey, connect::Backends, database::operation_log::LogEntry, error::StorageError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::UploadTicketId, upload_ticket::UploadTicketState};

/// How long a settled ticket is kept for people to look at.
const KEEP_SETTLED: TimeDelta = TimeDelta::days(7);
/// Tickets closed at once.
const AT_ONCE: i64 = 1_000;

/// Closes tickets that are over, empties their places in quarantine, and forgets those settled long ago.
pub(crate) async fn close(backends: &Backends) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    tx.upload_tickets().forget_settled(now - KEEP_SETTLED).await?;
    let overdue = tx.upload_tickets().overdue(now, AT_ONCE).await?;
    for id in &overdue {
        tx.upload_tickets().settle(*id, UploadTicketState::Closed, None, now).await?;
        tx.operation_log().append(&entry(*id, now)).await?;
    }
    tx.commit().await?;
    // What cannot be removed now has no open ticket any more: the next look for orphans removes it.
    for id in overdue {
        backends.blobs.delete(BlobKey::Quarantine(id)).await?;
    }
    Ok(())
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
