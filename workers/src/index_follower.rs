//! Follows the catalogue's change sequence with the one writer of the index.
//!
//! Changes are read in order, gathered for a moment, committed together; the commit carries the number reached, so
//! a crash costs nothing but reading the last few again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use backends::{connect::Backends, error::StorageError};
use domain::blind_index::BlindKey;
use indexer::{
    error::IndexError,
    searcher::Searcher,
    writer::{Change, IndexWriter, Rebuild},
};
use thiserror::Error;
use tokio::{sync::watch, task::JoinHandle};

use crate::{case_document, index_snapshots};

/// Case files read from the catalogue at once.
const BATCH: i64 = 500;
/// Changes gathered before a commit while there are more to read.
const CHANGES_A_COMMIT: usize = 20_000;

/// Why the index cannot follow.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The catalogue failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The thread that writes ended without an answer.
    #[error("the thread that writes the index ended")]
    Lost,
}

/// The running follower.
pub struct IndexFollower {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    searcher: Arc<Searcher>,
}

impl IndexFollower {
    /// Opens the index (rebuilding it when it is missing, damaged or of another version), catches up, and follows.
    pub async fn start(backends: &Backends, root: &Path, every: Duration) -> Result<Self, FollowError> {
        let key = BlindKey::new(backends.vault.blind_index_secret());
        let writer = open_or_rebuild(backends, root, &key).await?;
        let (writer, _) = catch_up(backends, writer).await?;
        let searcher = Arc::new(Searcher::open(root, key)?);
        let stop = watch::Sender::new(false);
        let follower = Follow {
            backends: backends.clone(),
            root: root.to_owned(),
            searcher: Arc::clone(&searcher),
            every,
            stop: stop.subscribe(),
        };
        let task = tokio::spawn(follower.run(writer));
        Ok(Self { task, stop, searcher })
    }

    /// Answers questions about the index as of its last commit.
    pub fn searcher(&self) -> Arc<Searcher> {
        Arc::clone(&self.searcher)
    }

    /// Commits what was read, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::warn!("the index follower ended with a panic");
        }
    }
}

struct Follow {
    backends: Backends,
    root: PathBuf,
    searcher: Arc<Searcher>,
    every: Duration,
    stop: watch::Receiver<bool>,
}

impl Follow {
    async fn run(mut self, writer: IndexWriter) {
        let mut writer = Some(writer);
        while !*self.stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                _ = self.stop.changed() => {}
            }
            writer = match self.follow(writer.take()).await {
                Ok(writer) => Some(writer),
                Err(error) => {
                    // The writer is opened anew and resumes where its last commit stood.
                    tracing::error!(error = %error, "the index could not follow; trying again");
                    None
                }
            };
        }
        if let Some(writer) = writer {
            let closed = tokio::task::spawn_blocking(move || writer.close()).await;
            if !matches!(closed, Ok(Ok(()))) {
                tracing::warn!("the index writer did not end cleanly; its last commit stands");
            }
        }
    }

    async fn follow(&self, writer: Option<IndexWriter>) -> Result<IndexWriter, FollowError> {
        let writer = if let Some(writer) = writer {
            writer
        } else {
            let key = BlindKey::new(self.backends.vault.blind_index_secret());
            open_or_rebuild(&self.backends, &self.root, &key).await?
        };
        let (writer, is_changed) = catch_up(&self.backends, writer).await?;
        if is_changed || self.searcher.reached() < writer.reached() {
            let searcher = Arc::clone(&self.searcher);
            blocking(move || searcher.reload()).await?;
        }
        Ok(writer)
    }
}

/// Opens the writer. Where there is no index it starts from a snapshot, if there is one; what cannot be used is
/// rebuilt from the catalogue, which is always safe.
async fn open_or_rebuild(
    backends: &Backends,
    root: &Path,
    key: &BlindKey,
) -> Result<IndexWriter, FollowError> {
    if let Some(writer) = index_snapshots::fetch_newest(backends, root, key).await? {
        return Ok(writer);
    }
    let (folder, opened_with) = (root.to_owned(), key.clone());
    let opened = blocking(move || IndexWriter::open(&folder, opened_with)).await;
    let mut look = backends.database.begin_read().await?;
    let last = look.case_files().last_change().await?;
    drop(look);
    match opened {
        // An index ahead of its catalogue belongs to another one, or the catalogue was restored from a backup.
        Ok(writer) if writer.reached() <= last as u64 => Ok(writer),
        Ok(writer) => {
            tracing::warn!(
                index = writer.reached(),
                catalogue = last,
                "the index is ahead of the catalogue; rebuilding"
            );
            blocking(move || writer.close()).await?;
            rebuild(backends, root, |_, _| {}).await
        }
        Err(FollowError::Index(error)) if error.needs_rebuild() => {
            tracing::warn!(error = %error, "rebuilding the index");
            rebuild(backends, root, |_, _| {}).await
        }
        Err(error) => Err(error),
    }
}

/// Makes the index anew from the catalogue beside the current one, then puts it in its place.
/// `progress` gets the changes done and the last change number.
pub async fn rebuild(
    backends: &Backends,
    root: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<IndexWriter, FollowError> {
    let key = BlindKey::new(backends.vault.blind_index_secret());
    let folder = root.to_owned();
    let mut rebuild = blocking(move || Rebuild::start(&folder, key)).await?;
    let mut look = backends.database.begin_read().await?;
    let last = look.case_files().last_change().await?;
    drop(look);
    let mut reached = 0;
    loop {
        let read = read_changes(backends, reached, last).await?;
        if read.changes.is_empty() {
            break;
        }
        reached = read.reached;
        rebuild = blocking(move || rebuild.apply(&read.changes).map(|()| rebuild)).await?;
        progress(reached as u64, last as u64);
    }
    let writer = blocking(move || rebuild.finish(last as u64)).await?;
    progress(last as u64, last as u64);
    Ok(writer)
}

/// Applies everything the catalogue has beyond the writer, committing as it goes; whether there was anything.
async fn catch_up(backends: &Backends, mut writer: IndexWriter) -> Result<(IndexWriter, bool), FollowError> {
    let mut look = backends.database.begin_read().await?;
    let last = look.case_files().last_change().await?;
    drop(look);
    let mut reached = writer.reached() as i64;
    let is_changed = reached < last;
    let mut gathered = Gathered::default();
    while reached < last {
        let read = read_changes(backends, reached, last).await?;
        gathered.count += read.changes.len();
        gathered.first_removal = gathered.first_removal.or(read.first_removal);
        // Numbers that later changes of the same case files took over have no row of their own any more.
        reached = if read.changes.is_empty() { last } else { read.reached };
        let safe = gathered.safe_to_reach(reached) as u64;
        writer = blocking(move || writer.apply(&read.changes, safe).map(|()| writer)).await?;
        if gathered.count >= CHANGES_A_COMMIT || reached >= last {
            writer = commit(backends, writer, std::mem::take(&mut gathered), reached).await?;
        }
    }
    Ok((writer, is_changed))
}

/// What was applied since the last commit.
#[derive(Default)]
struct Gathered {
    count: usize,
    /// The first change by which a case file left the index.
    first_removal: Option<i64>,
}

impl Gathered {
    /// How far a commit may say that it reached while what was removed is still on disk.
    fn safe_to_reach(&self, reached: i64) -> i64 {
        self.first_removal.map_or(reached, |first| first - 1)
    }
}

/// Makes what was applied durable and visible.
///
/// What is destroyed must be gone from the disk and from every snapshot before the index says that it has passed the
/// destruction: then a crash in between repeats it.
async fn commit(
    backends: &Backends,
    mut writer: IndexWriter,
    gathered: Gathered,
    reached: i64,
) -> Result<IndexWriter, FollowError> {
    let is_removed = gathered.first_removal.is_some();
    if is_removed {
        index_snapshots::remove_before(backends, reached).await?;
    }
    blocking(move || {
        if is_removed {
            writer.purge()?;
            writer.apply(&[], reached as u64)?;
        }
        writer.commit()?;
        writer.collect_garbage()?;
        Ok(writer)
    })
    .await
}

/// Changes in their order.
struct ReadChanges {
    changes: Vec<Change>,
    reached: i64,
    first_removal: Option<i64>,
}

async fn read_changes(backends: &Backends, after: i64, last: i64) -> Result<ReadChanges, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let mut rows = tx.case_files().changed_since(after, BATCH).await?;
    rows.retain(|row| row.change_sequence <= last);
    let changes = Vec::with_capacity(rows.len());
    let mut read = ReadChanges { changes, reached: after, first_removal: None };
    for row in &rows {
        let change = case_document::describe(backends, tx.as_mut(), row).await?;
        if matches!(change, Change::Delete(_)) {
            read.first_removal = read.first_removal.or(Some(row.change_sequence));
        }
        read.changes.push(change);
        read.reached = row.change_sequence;
    }
    Ok(read)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, FollowError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| FollowError::Lost)?.map_err(FollowError::Index)
}
