//! The timetable: what runs by the clock. Of many processes one at a time keeps it.
//!
//! Every round renews the turn, signs the log and rings bells again. Sweeps take as long as they take, so that they run
//! beside the rounds, and end when the turn is lost.

mod errand;
mod overdue_tickets;
mod settled_keys;
mod sweeps;

use std::{path::PathBuf, time::Duration};

use backends::{clock::new_id, connect::Backends, error::StorageError};
use chrono::TimeDelta;
use domain::{ids::JobKind, job::JobName};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use self::errand::Errand;
pub(crate) use self::sweeps::old_enough;
pub use self::sweeps::{sweep, sweep_quarantine};
use crate::log_heads;

/// How old an object without a row must be before it is an orphan: an upload may still be under way.
pub const GRACE: TimeDelta = TimeDelta::hours(1);
/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(10);
/// How long a process that says nothing is believed to keep it.
const TURN: TimeDelta = TimeDelta::seconds(45);
const SIGNS_EVERY: u32 = 3;
/// Rounds between the end of a sweep and the next one: an hour, and a minute.
const SWEEPS_EVERY: u32 = 360;
const SWEEPS_QUARANTINE_EVERY: u32 = 6;
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
        let round = Round {
            backends: backends.clone(),
            heads,
            owner,
            number: 0,
            sweep: Errand::default(),
            quarantine: Errand::default(),
        };
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
        } else {
            round.leave().await;
            round.witness().await;
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
    sweep: Errand,
    quarantine: Errand,
}

impl Round {
    /// Takes or keeps the turn. Where nobody else can be there is nothing to take, and nothing is written.
    async fn is_ours(&self) -> bool {
        if !self.backends.database.is_shared() {
            return true;
        }
        self.take_turn().await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "it is not known whose turn the timetable is");
            false
        })
    }

    async fn take_turn(&self) -> Result<bool, StorageError> {
        let now = self.backends.clock.now();
        let mut tx = self.backends.database.begin().await?;
        let is_ours = tx.timetable().take_turn(self.owner, now, now + TURN).await?;
        tx.commit().await?;
        Ok(is_ours)
    }

    async fn keep(&mut self, is_last: bool) {
        if is_last {
            self.leave().await;
        }
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
        let backends = &self.backends;
        self.quarantine.next_round(SWEEPS_QUARANTINE_EVERY, || {
            let backends = backends.clone();
            async move { report(sweep_quarantine(&backends).await) }
        });
        self.sweep.next_round(SWEEPS_EVERY, || {
            let backends = backends.clone();
            async move { report(sweep(&backends).await) }
        });
        self.number = self.number.wrapping_add(1);
    }

    /// Ends what runs beside the rounds: it belongs to whoever has the turn.
    async fn leave(&mut self) {
        self.number = 0;
        self.quarantine.stop().await;
        self.sweep.stop().await;
    }

    /// Keeps what the process signed whose turn it is: `audit verify` holds the log against heads on this machine.
    async fn witness(&self) {
        if let Err(error) = log_heads::keep_copy(&self.backends, &self.heads).await {
            tracing::warn!(error = %error, "the signed heads of the operation log could not be kept here");
        }
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

fn report(swept: Result<(), StorageError>) {
    if let Err(error) = swept {
        tracing::warn!(error = %error, "a sweep did not end; the next one goes on");
    }
}
