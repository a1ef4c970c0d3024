//! The timetable: what runs by the clock. Bells rung again, signed heads of the log, done jobs forgotten, keys and
//! objects settled. Of many processes one at a time keeps it.

use std::{path::PathBuf, time::Duration};

use backends::{blob_store::BlobKey, clock::new_id, connect::Backends, error::StorageError};
use chrono::TimeDelta;
use domain::{ids::JobKind, job::JobName, scan::ScanState, upload_ticket::UploadTicketState};
use futures_util::StreamExt;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use crate::{log_heads, overdue_tickets};

/// How old an object without a row must be before it is an orphan: an upload may still be under way.
pub const GRACE: TimeDelta = TimeDelta::hours(1);
/// How long a done job is kept for people to look at.
const KEEP_DONE: TimeDelta = TimeDelta::days(7);
/// Longer than any lease that can be configured (an hour), and than the longest that a job waits by itself.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(65);
const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);
/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(10);
/// How long a process that says nothing is believed to keep it.
const TURN: TimeDelta = TimeDelta::seconds(45);
const SIGNS_EVERY: u32 = 3;
const SWEEPS_EVERY: u32 = 360;
/// How long a job may be due before the bell is rung for it again.
const UNHEARD: TimeDelta = TimeDelta::seconds(5);
/// Rings of one kind that may wait at the queue when it is rung again. With more there, workers have enough to hear,
/// and however long the backlog is, never more than this is added to it.
const RUNG_AGAIN: u64 = 200;

/// The running timetable.
pub struct Timetable {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Timetable {
    /// Starts it. `heads` is where signed heads are kept beside the catalogue.
    pub fn start(backends: &Backends, heads: PathBuf) -> Self {
        let stop = watch::Sender::new(false);
        let owner = new_id::<JobKind>(backends.clock.now()).uuid();
        let round = Round { backends: backends.clone(), heads, owner, number: 0 };
        let task = tokio::spawn(run(round, stop.subscribe()));
        Self { task, stop }
    }

    /// Signs the log once more where it was this process's turn, gives the turn back, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::warn!("the timetable ended with a panic");
        }
    }
}

async fn run(mut round: Round, mut stop: watch::Receiver<bool>) {
    loop {
        let is_stopping = *stop.borrow();
        if round.is_ours().await {
            round.keep(is_stopping).await;
        }
        if is_stopping {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

struct Round {
    backends: Backends,
    heads: PathBuf,
    owner: Uuid,
    number: u32,
}

impl Round {
    /// Takes or keeps the turn. Where nobody else can be there is nothing to take, and nothing is written.
    async fn is_ours(&mut self) -> bool {
        if !self.backends.database.is_shared() {
            return true;
        }
        match self.take_turn().await {
            Ok(is_ours) => {
                self.number = if is_ours { self.number } else { 0 };
                is_ours
            }
            Err(error) => {
                tracing::warn!(error = %error, "it is not known whose turn the timetable is");
                false
            }
        }
    }

    async fn take_turn(&self) -> Result<bool, StorageError> {
        let now = self.backends.clock.now();
        let mut tx = self.backends.database.begin().await?;
        let is_ours = tx.timetable().take_turn(self.owner, now, now + TURN).await?;
        tx.commit().await?;
        Ok(is_ours)
    }

    async fn keep(&mut self, is_last: bool) {
        if (is_last || self.number.is_multiple_of(SIGNS_EVERY))
            && let Err(error) = log_heads::sign(&self.backends, &self.heads).await
        {
            tracing::error!(error = %error, "the operation log could not be signed");
        }
        if is_last {
            self.end_turn().await;
            return;
        }
        if let Err(error) = ring_again(&self.backends).await {
            tracing::warn!(error = %error, "what nobody heard could not be looked for");
        }
        if self.number.is_multiple_of(SWEEPS_EVERY)
            && let Err(error) = sweep(&self.backends).await
        {
            tracing::warn!(error = %error, "a sweep did not end; the next one goes on");
        }
        self.number = self.number.wrapping_add(1);
    }

    async fn end_turn(&self) {
        let ending = async {
            let mut tx = self.backends.database.begin().await?;
            tx.timetable().end_turn(self.owner).await?;
            tx.commit().await
        };
        if let Err(error) = ending.await {
            tracing::warn!(error = %error, "the timetable waits until its lease is over");
        }
    }
}

/// Rings again for what has been due for a while and nobody runs: its ring was lost, or could not be rung.
pub async fn ring_again(backends: &Backends) -> Result<(), StorageError> {
    let depths = match backends.queue.depths().await {
        Ok(depths) => depths,
        Err(error) => {
            tracing::debug!(error = %error, "the queue does not answer; workers look by themselves");
            return Ok(());
        }
    };
    let since = backends.clock.now() - UNHEARD;
    for name in JobName::ALL {
        let room = RUNG_AGAIN.saturating_sub(depths.of(name));
        if room == 0 {
            continue;
        }
        let mut tx = backends.database.begin_read().await?;
        let rings = tx.timetable().unheard(name, since, room as i64).await?;
        drop(tx);
        if let Err(error) = backends.queue.announce(&rings, Duration::ZERO).await {
            tracing::debug!(error = %error, "the bell did not ring; the next round rings again");
        }
    }
    Ok(())
}

/// Forgets old done jobs, brings back what a clock that ran ahead put off, makes room for the months to come, settles
/// keys whose hand-over was interrupted, closes upload tickets that are over, removes what large objects were begun and
/// never finished, and removes objects that no row names.
pub async fn sweep(backends: &Backends) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    tx.jobs().forget_done(now - KEEP_DONE, 10_000).await?;
    let brought_back = tx.timetable().return_from_future(now + LONGEST_LEASE, now + LONGEST_WAIT).await?;
    tx.commit().await?;
    if brought_back > 0 {
        tracing::warn!(jobs = brought_back, "a clock ran ahead: jobs it put off are taken up earlier");
    }
    backends.database.make_months(now, now).await?;
    settle_keys(backends).await?;
    overdue_tickets::close(backends).await?;
    backends.blobs.abandon_unfinished(backends.clock.now() - GRACE).await?;
    remove_orphans(backends).await
}

async fn settle_keys(backends: &Backends) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let scans = tx.scans().all(after, 1_000).await?;
        drop(tx);
        let Some(last) = scans.last() else { return Ok(()) };
        after = Some(last.id);
        for scan in scans.iter().filter(|scan| scan.case_file_id.is_some()) {
            backends.vault.settle(scan.key_id).await?;
        }
    }
}

/// An upload that ended between its object and its row left an object that nobody was told about.
async fn remove_orphans(backends: &Backends) -> Result<(), StorageError> {
    let mut objects = backends.blobs.list();
    while let Some(object) = objects.next().await {
        let object = object?;
        let Some(key) = object.key else { continue };
        if object.written_at > backends.clock.now() - GRACE {
            continue;
        }
        if !is_named(backends, key).await? {
            tracing::info!(path = object.path, "an object without a row is removed");
            backends.blobs.delete(key).await?;
        }
    }
    Ok(())
}

/// Whether a row says that the object must be there.
async fn is_named(backends: &Backends, key: BlobKey) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    Ok(match key {
        BlobKey::Scan(id) => tx.scans().find(id).await?.is_some_and(|scan| scan.state != ScanState::Linked),
        BlobKey::Quarantine(id) => {
            tx.upload_tickets().find(id).await?.is_some_and(|ticket| ticket.state == UploadTicketState::Open)
        }
        BlobKey::IndexSnapshot(id) => tx.index_snapshots().exists(id).await?,
        BlobKey::Probe(_) => false,
    })
}
