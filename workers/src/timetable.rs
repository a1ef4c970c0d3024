//! The timetable: what runs by the clock. Signed heads of the log, done jobs forgotten, keys and objects settled.

use std::{path::PathBuf, time::Duration};

use backends::{blob_store::BlobKey, error::StorageError};
use chrono::TimeDelta;
use domain::scan::ScanState;
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

/// Forgets old done jobs, makes room for the months to come, settles keys whose hand-over was interrupted, removes objects that no row names.
pub async fn sweep(context: &WorkContext) -> Result<(), StorageError> {
    let mut tx = context.backends.database.begin().await?;
    tx.jobs().forget_done(context.now() - KEEP_DONE, 10_000).await?;
    tx.commit().await?;
    context.backends.database.make_months(context.now(), context.now()).await?;
    settle_keys(context).await?;
    remove_orphans(context).await
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
        let Some(key @ BlobKey::Scan(id)) = object.key else { continue };
        if object.written_at > context.now() - GRACE {
            continue;
        }
        let mut tx = context.backends.database.begin_read().await?;
        let is_named = tx.scans().find(id).await?.is_some_and(|scan| scan.state != ScanState::Linked);
        drop(tx);
        if !is_named {
            tracing::info!(scan.id = %id, "an object without a row is removed");
            context.backends.blobs.delete(key).await?;
        }
    }
    Ok(())
}
