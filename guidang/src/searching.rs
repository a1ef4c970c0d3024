//! The index of this process: followed beside whatever else it does, and copied to the object store by the clock.

use std::{path::PathBuf, sync::Arc, time::Duration};

use backends::connect::Backends;
use chrono::TimeDelta;
use indexer::searcher::Searcher;
use tokio::{sync::watch, task::JoinHandle};
use workers::{index_follower::IndexFollower, index_snapshots::SnapshotKeeper};

use crate::{service::Duty, settings::Settings};

/// What is done with the index.
struct Following {
    folder: PathBuf,
    every: Duration,
    /// How old the newest snapshot may become; `None`: none is made.
    snapshot_every: Option<TimeDelta>,
}

/// Opens the index beside the running process, since catching up after a crash may take longer than a client waits, and
/// follows the catalogue until it is told to stop.
pub fn start(
    settings: &Settings,
    duty: Duty,
    backends: Backends,
    searchers: watch::Sender<Option<Arc<Searcher>>>,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let section = &settings.configuration.index;
    let makes_snapshots = section.snapshot_hours > 0 && duty != Duty::AnswersOnly;
    let following = Following {
        folder: settings.data.index(&settings.configuration),
        every: Duration::from_millis(section.commit_ms),
        snapshot_every: makes_snapshots.then(|| TimeDelta::hours(section.snapshot_hours.into())),
    };
    tokio::spawn(follow(following, backends, searchers, stop))
}

async fn follow(
    following: Following,
    backends: Backends,
    searchers: watch::Sender<Option<Arc<Searcher>>>,
    mut stop: watch::Receiver<bool>,
) {
    const RETRY: Duration = Duration::from_secs(5);
    let follower = loop {
        match IndexFollower::start(&backends, &following.folder, following.every).await {
            Ok(follower) => break follower,
            Err(error) => tracing::error!(error = %error, "the index cannot be opened; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    };
    searchers.send_replace(Some(follower.searcher()));
    let snapshots =
        following.snapshot_every.map(|every| SnapshotKeeper::start(&backends, following.folder, every));
    let _ = stop.wait_for(|stop| *stop).await;
    if let Some(snapshots) = snapshots {
        snapshots.stop().await;
    }
    follower.stop().await;
}
