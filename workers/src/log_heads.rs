//! Signed heads of the operation log, kept in the catalogue and in at least one more place, so that editing,
//! reordering, forking and cutting off the end are all noticed.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use backends::{connect::Backends, database::operation_log::LogHead, error::StorageError};
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
    append_line(file, &head)?;
    let mut tx = backends.database.begin().await?;
    tx.operation_log().insert_head(&head).await?;
    tx.commit().await?;
    Ok(Some(head))
}

/// Reads the whole log again and holds it against every head, in the catalogue and in `file`. Gives its size.
pub async fn verify(backends: &Backends, file: &Path) -> Result<i64, LogError> {
    let mut look = backends.database.begin_read().await?;
    let mut heads = checked_heads(backends, look.operation_log().heads().await?)?;
    heads.extend(heads_in(backends, file)?);
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
    Ok(promised)
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
    let line =
        Line { tree_size: head.tree_size, root_hash: hex(&head.root_hash), signature: hex(&head.signature) };
    let mut text = serde_json::to_string(&line).map_err(io::Error::from)?;
    text.push('\n');
    repair_torn_end(file)?;
    let mut open = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    Ok(())
}

/// Ends a line that a crash cut short, so that the next one stands alone; the torn head is in no catalogue.
fn repair_torn_end(file: &Path) -> Result<(), LogError> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        std::fs::OpenOptions::new().write(true).open(file)?.set_len(whole as u64)?;
    }
    Ok(())
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
