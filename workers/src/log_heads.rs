//! Signed heads of the operation log, kept in the catalogue and in at least one more place, so that editing,
//! reordering, forking and cutting off the end are all noticed.

use std::{
    fs::OpenOptions,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use backends::{
    connect::Backends,
    database::operation_log::{LogEntry, LogHead},
    error::StorageError,
};
use domain::merkle::MerkleFrontier;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Entries read at once.
const BATCH: i64 = 5_000;

/// Why the log is not what its heads say.
#[derive(Debug, Error)]
pub enum LogError {
    /// The catalogue failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file of heads cannot be read or written.
    #[error("the file of log heads cannot be read or written")]
    Io(#[from] io::Error),
    /// The log was changed.
    #[error("the operation log is not intact: {what}")]
    Broken {
        /// What is wrong, with the number of the first bad entry.
        what: String,
    },
}

/// What a log that verifies was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many entries it has.
    pub entries: i64,
    /// How many entries the last head in the file speaks for. Whoever can change the catalogue can cut off what comes
    /// after them. `None`: there is no file, or nothing in it.
    pub witnessed: Option<i64>,
}

impl Verified {
    /// Why the end of the log could not be looked at, and what to do; `None` when it could be.
    pub fn not_checked(&self, file: &Path) -> Option<String> {
        let is_alone = self.entries > 0 && self.witnessed.is_none();
        is_alone.then(|| {
            format!(
                "there are no signed heads in {}, so that an end that was cut off is not noticed; \
                 `--heads FILE` names a copy kept elsewhere",
                file.display()
            )
        })
    }
}

/// One line of the file of heads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    tree_size: i64,
    root_hash: String,
    signature: String,
}

/// Signs the log as it stands, if it grew, and keeps the head in the catalogue and in `file`.
pub async fn sign(backends: &Backends, file: &Path) -> Result<Option<LogHead>, LogError> {
    let mut look = backends.database.begin_read().await?;
    let last = look.operation_log().last_head().await?;
    let mut frontier = match &last {
        Some(head) => frontier_of(head)?,
        None => MerkleFrontier::default(),
    };
    loop {
        let rows = look.operation_log().after(frontier.size() as i64, BATCH).await?;
        let is_last = (rows.len() as i64) < BATCH;
        for row in rows {
            frontier.push(row.leaf_hash);
        }
        if is_last {
            break;
        }
    }
    drop(look);
    let tree_size = frontier.size() as i64;
    if tree_size == last.map_or(0, |head| head.tree_size) {
        return Ok(None);
    }
    let root_hash = frontier.root();
    let head = LogHead {
        tree_size,
        root_hash,
        frontier: frontier.peaks().concat(),
        signature: backends.vault.sign(&signed_text(tree_size, &root_hash)).to_vec(),
        signed_at: backends.clock.now(),
    };
    keep(file, head.clone()).await?;
    let mut tx = backends.database.begin().await?;
    tx.operation_log().insert_head(&head).await?;
    tx.commit().await?;
    Ok(Some(head))
}

/// Keeps the newest head that another process signed in `file` too, so that every machine is a witness.
pub async fn keep_copy(backends: &Backends, file: &Path) -> Result<(), LogError> {
    let last = backends.database.begin_read().await?.operation_log().last_head().await?;
    for head in checked_heads(backends, last.into_iter().collect())? {
        keep(file, head).await?;
    }
    Ok(())
}

/// Puts a head at the end of the file, unless the file has one that says as much.
async fn keep(file: &Path, head: LogHead) -> Result<(), LogError> {
    let file = file.to_owned();
    let kept = tokio::task::spawn_blocking(move || append_line(&file, &head)).await;
    kept.map_err(|error| LogError::Io(io::Error::other(error)))?
}

/// Reads the whole log again and holds it against every head, in the catalogue and in `file`; `visit` sees each entry.
pub async fn verify(
    backends: &Backends,
    file: &Path,
    mut visit: impl FnMut(&LogEntry),
) -> Result<Verified, LogError> {
    let mut look = backends.database.begin_read().await?;
    let mut heads = checked_heads(backends, look.operation_log().heads().await?)?;
    let kept = heads_in(backends, file)?;
    let witnessed = kept.iter().map(|head| head.tree_size).max();
    heads.extend(kept);
    heads.sort_by_key(|head| head.tree_size);
    let mut heads = heads.into_iter().peekable();
    let mut frontier = MerkleFrontier::default();
    loop {
        let rows = look.operation_log().after(frontier.size() as i64, BATCH).await?;
        let is_last = (rows.len() as i64) < BATCH;
        for row in rows {
            let expected = frontier.size() as i64 + 1;
            if row.sequence != expected {
                return Err(broken(format!("entry {expected} is missing")));
            }
            if row.expected_leaf_hash() != row.leaf_hash {
                return Err(broken(format!("entry {expected} was edited")));
            }
            frontier.push(row.leaf_hash);
            visit(&row.entry);
            while let Some(head) = heads.next_if(|head| head.tree_size <= expected) {
                if head.root_hash != frontier.root() {
                    return Err(broken(format!(
                        "an entry up to {expected} was rewritten, or the log was forked"
                    )));
                }
            }
        }
        if is_last {
            break;
        }
    }
    if let Some(head) = heads.next() {
        let what = format!(
            "its end was cut off: {} entries are left of at least {}",
            frontier.size(),
            head.tree_size
        );
        return Err(broken(what));
    }
    let promised = look.operation_log().size().await?;
    if promised != frontier.size() as i64 {
        return Err(broken(format!(
            "its end was cut off: {} entries are left of {promised}",
            frontier.size()
        )));
    }
    Ok(Verified { entries: promised, witnessed })
}

fn checked_heads(backends: &Backends, heads: Vec<LogHead>) -> Result<Vec<LogHead>, LogError> {
    for head in &heads {
        if !backends.vault.verifies(&signed_text(head.tree_size, &head.root_hash), &head.signature) {
            return Err(broken(format!("the signature of the head at {} is false", head.tree_size)));
        }
    }
    Ok(heads)
}

/// A crash may have torn the last line; any other line that cannot be read is damage.
fn heads_in(backends: &Backends, file: &Path) -> Result<Vec<LogHead>, LogError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut heads = Vec::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let head = parse_line(line).ok_or_else(|| broken("the file of heads is damaged".to_owned()))?;
        heads.push(head);
    }
    checked_heads(backends, heads)
}

fn parse_line(line: &str) -> Option<LogHead> {
    let line: Line = serde_json::from_str(line.trim()).ok()?;
    Some(LogHead {
        tree_size: line.tree_size,
        root_hash: unhex(&line.root_hash)?.try_into().ok()?,
        frontier: Vec::new(),
        signature: unhex(&line.signature)?,
        signed_at: chrono::DateTime::UNIX_EPOCH,
    })
}

fn append_line(file: &Path, head: &LogHead) -> Result<(), LogError> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let is_new = !file.exists();
    if repair_torn_end(file)?.is_some_and(|kept| kept.tree_size >= head.tree_size) {
        return Ok(());
    }
    let line =
        Line { tree_size: head.tree_size, root_hash: hex(&head.root_hash), signature: hex(&head.signature) };
    let mut text = serde_json::to_string(&line).map_err(io::Error::from)?;
    text.push('\n');
    let mut open = OpenOptions::new().create(true).append(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    if is_new && let Some(folder) = file.parent() {
        // A file that is only in a folder not yet written is gone after a power cut.
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// No line is nearly as long.
const LONGEST_LINE: u64 = 4096;

/// Ends a line that a crash cut short, so that the next one stands alone; the torn head is in no catalogue. Gives the
/// last whole one. Only the end of the file is read.
fn repair_torn_end(file: &Path) -> Result<Option<LogHead>, LogError> {
    let mut open = match OpenOptions::new().read(true).write(true).open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = open.metadata()?.len();
    let start = length.saturating_sub(LONGEST_LINE);
    open.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    open.read_to_end(&mut end)?;
    let torn = end.iter().rev().take_while(|byte| **byte != b'\n').count();
    if torn == end.len() && start > 0 {
        return Err(broken("the file of heads is damaged".to_owned()));
    }
    if torn > 0 {
        open.set_len(length - torn as u64)?;
        end.truncate(end.len() - torn);
    }
    let last = end.split_inclusive(|byte| *byte == b'\n').next_back();
    Ok(last.and_then(|line| parse_line(std::str::from_utf8(line).ok()?)))
}

fn frontier_of(head: &LogHead) -> Result<MerkleFrontier, LogError> {
    let (peaks, rest) = head.frontier.as_chunks::<32>();
    let frontier = MerkleFrontier::from_parts(head.tree_size as u64, peaks.to_vec());
    frontier
        .filter(|_| rest.is_empty())
        .ok_or_else(|| broken(format!("the head at {} is damaged", head.tree_size)))
}

fn signed_text(tree_size: i64, root_hash: &[u8; 32]) -> Vec<u8> {
    let mut text = b"guidang operation log head 1".to_vec();
    text.extend_from_slice(&tree_size.to_be_bytes());
    text.extend_from_slice(root_hash);
    text
}

fn broken(what: String) -> LogError {
    LogError::Broken { what }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Where heads are kept beside the catalogue, inside a data folder.
pub fn default_file(data: &Path) -> PathBuf {
    data.join("log-heads").join("heads.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(tree_size: i64) -> LogHead {
        LogHead {
            tree_size,
            root_hash: [7; 32],
            frontier: Vec::new(),
            signature: vec![9; 64],
            signed_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn sizes(file: &Path) -> Vec<i64> {
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().map(|line| parse_line(line).unwrap().tree_size).collect()
    }

    #[test]
    fn a_torn_end_is_taken_off_and_what_is_there_already_is_not_kept_twice() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log-heads").join("heads.jsonl");
        for tree_size in (1..60).chain([59, 12]) {
            append_line(&file, &head(tree_size)).unwrap();
        }
        let mut open = OpenOptions::new().append(true).open(&file).unwrap();
        open.write_all(b"{\"tree_size\":60,\"root").unwrap();

        append_line(&file, &head(61)).unwrap();

        assert_eq!(sizes(&file), (1..60).chain([61]).collect::<Vec<_>>());
    }

    #[test]
    fn a_log_without_a_witness_is_said_not_to_be_checked() {
        let check = |entries, witnessed, expected| {
            let said = Verified { entries, witnessed }.not_checked(Path::new("heads.jsonl"));
            assert_eq!(said.is_some(), expected, "{entries} {witnessed:?}");
        };

        check(0, None, false);
        check(5, None, true);
        check(5, Some(3), false);
    }
}
