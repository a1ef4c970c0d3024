//! Snapshots by the clock, made by whichever process that has an index notices first.

use std::{path::PathBuf, time::Duration};

use backends::{connect::Backends, error::StorageError};
use chrono::TimeDelta;
use tokio::{sync::watch, task::JoinHandle};

use super::{Taken, take};

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Makes a snapshot of this process's index whenever the newest one is too old.
pub struct SnapshotKeeper {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl SnapshotKeeper {
    /// Starts it. `every` is how old the newest snapshot may become.
    pub fn start(backends: &Backends, root: PathBuf, every: TimeDelta) -> Self {
        let stop = watch::Sender::new(false);
        let keeping = keep(backends.clone(), root, every, stop.subscribe());
        Self { task: tokio::spawn(keeping), stop }
    }

    /// Ends; a snapshot that is being made is given up, and removed by whoever makes the next one.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::warn!("the keeper of index snapshots ended with a panic");
        }
    }
}

async fn keep(backends: Backends, root: PathBuf, every: TimeDelta, mut stop: watch::Receiver<bool>) {
    loop {
        let making = async {
            match is_due(&backends, every).await {
                Ok(true) => make(&backends, &root).await,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "it is not known whether an index snapshot is due");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        tokio::select! {
            () = making => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// The newest is too old, nobody is making one, and something has changed since.
async fn is_due(backends: &Backends, every: TimeDelta) -> Result<bool, StorageError> {
    let mut look = backends.database.begin_read().await?;
    let given_up = look.index_snapshots().given_up(backends.clock.now()).await?;
    let mut all = look.index_snapshots().before(i64::MAX).await?;
    all.retain(|one| !given_up.contains(one));
    let last = look.case_files().last_change().await?;
    let newest = all.iter().max_by_key(|one| one.made_at);
    let is_old = |made_at| made_at + every <= backends.clock.now();
    Ok(newest.is_none_or(|newest| is_old(newest.made_at) && newest.reached < last))
}

async fn make(backends: &Backends, root: &std::path::Path) {
    match take(backends, root).await {
        Ok(Taken::Whole(row)) => {
            tracing::info!(snapshot.id = %row.id, reached = row.reached, row.size_bytes, "an index snapshot was made");
        }
        Ok(Taken::ThereAlready(_) | Taken::Nothing | Taken::ByAnother) => {}
        Err(error) => tracing::warn!(error = %error, "no index snapshot was made; the next look tries again"),
    }
}
