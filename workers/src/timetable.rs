//! The timetable: what runs by the clock. Signed heads of the log, done jobs forgotten, keys and objects settled.

use std::{path::PathBuf, time::Duration};

use backends::{blob_store::BlobKey, error::StorageError};
use chrono::TimeDelta;
use domain::{scan::ScanState, upload_ticket::UploadTicketState};
use futures_util::StreamExt;
use tokio::{sync::watch, task::JoinHandle};

use crate::{context::WorkContext, log_heads};

/// How old an object without a row must be before it is an orphan: an upload may still be under way.
pub const GRACE: TimeDelta = TimeDelta::hours(1);
/// How long a done job is kept for people to look at.
const KEEP_DONE: TimeDelta = TimeDelta::days(7);
const EVERY: Duration = Duration::from_secs(30);
const SWEEPS_EVERY: u32 = 120;

/// The running timetable.
pub struct Timetable {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Timetable {
    /// Starts it. `heads` is where signed heads are kept beside the catalogue.
    pub fn start(context: &WorkContext, heads: PathBuf) -> Self {
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(run(context.clone(), heads, stop.subscribe()));
        Self { task, stop }
    }

    /// Signs the log once more, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::warn!("the timetable ended with a panic");
        }
    }
}

async fn run(context: WorkContext, heads: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut round = 0_u32;
    loop {
        let is_stopping = *stop.borrow();
        if let Err(error) = log_heads::sign(&context.backends, &heads).await {
            tracing::error!(error = %error, "the operation log could not be signed");
        }
        if is_stopping {
            return;
        }
        if round.is_multiple_of(SWEEPS_EVERY)
            && let Err(error) = sweep(&context).await
        {
            tracing::warn!(error = %error, "a sweep did not end; the next one goes on");
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Forgets old done jobs, settles keys whose hand-over was interrupted, closes tickets that are over, removes objects
/// that no row names.
pub async fn sweep(context: &WorkContext) -> Result<(), StorageError> {
    let mut tx = context.backends.database.begin().await?;
    tx.jobs().forget_done(context.now() - KEEP_DONE, 10_000).await?;
    tx.commit().await?;
    settle_keys(context).await?;
    close_overdue_tickets(context).await?;
    context.backends.blobs.abandon_unfinished(context.now() - GRACE).await?;
    remove_orphans(context).await
}

/// Tickets that nobody completed in time are over, and so is what was brought with them.
async fn close_overdue_tickets(context: &WorkContext) -> Result<(), StorageError> {
    const AT_ONCE: i64 = 1_000;
    let now = context.now();
    let mut tx = context.backends.database.begin().await?;
    tx.upload_tickets().forget_settled(now - KEEP_DONE).await?;
    let overdue = tx.upload_tickets().overdue(now, AT_ONCE).await?;
    for id in &overdue {
        tx.upload_tickets().settle(*id, UploadTicketState::Closed, None, now).await?;
        let entry = context.log_entry("close_upload_ticket", "upload_ticket", id.uuid(), "expired");
        tx.operation_log().append(&entry).await?;
    }
    tx.commit().await?;
    for id in overdue {
        context.backends.blobs.delete(BlobKey::Quarantine(id)).await?;
    }
    Ok(())
}

async fn settle_keys(context: &WorkContext) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let mut tx = context.backends.database.begin_read().await?;
        let scans = tx.scans().all(after, 1_000).await?;
        drop(tx);
        let Some(last) = scans.last() else { return Ok(()) };
        after = Some(last.id);
        for scan in scans.iter().filter(|scan| scan.case_file_id.is_some()) {
            context.backends.vault.settle(scan.key_id).await?;
        }
    }
}

/// An upload that ended between its object and its row left an object that nobody was told about.
async fn remove_orphans(context: &WorkContext) -> Result<(), StorageError> {
    let mut objects = context.backends.blobs.list();
    while let Some(object) = objects.next().await {
        let object = object?;
        let Some(key) = object.key else { continue };
        if object.written_at > context.now() - GRACE {
            continue;
        }
        if !is_named(context, key).await? {
            tracing::info!(path = object.path, "an object without a row is removed");
            context.backends.blobs.delete(key).await?;
        }
    }
    Ok(())
}

/// Whether a row says that the object must be there.
async fn is_named(context: &WorkContext, key: BlobKey) -> Result<bool, StorageError> {
    let mut tx = context.backends.database.begin_read().await?;
    Ok(match key {
        BlobKey::Scan(id) => tx.scans().find(id).await?.is_some_and(|scan| scan.state != ScanState::Linked),
        BlobKey::Quarantine(id) => {
            tx.upload_tickets().find(id).await?.is_some_and(|ticket| ticket.state == UploadTicketState::Open)
        }
        BlobKey::Probe(_) => false,
    })
}
