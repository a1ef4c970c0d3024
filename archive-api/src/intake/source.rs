//! Where files come from: a multipart request, or paths on this machine.

use async_trait::async_trait;
use backends::error::StorageError;
use bytes::Bytes;
use domain::field::Slot;

/// What a sender says about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The acceptance it belongs to, normalised.
    pub slip_number: Option<String>,
    /// The outlet it comes from.
    pub outlet: Option<String>,
    /// The slot it fills.
    pub slot: Option<Slot>,
}

impl Labels {
    /// These, and the other ones where these say nothing.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            slip_number: self.slip_number.or_else(|| other.slip_number.clone()),
            outlet: self.outlet.or_else(|| other.outlet.clone()),
            slot: self.slot.or(other.slot),
        }
    }
}

/// The beginning of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileHead {
    /// Its name as sent; kept sealed.
    pub name: Option<String>,
    /// What the sender says about it.
    pub labels: Labels,
}

/// Why no more bytes come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It ended before its end.
    #[error("the upload broke off")]
    Broken {
        /// What was underneath.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing came for too long.
    #[error("the upload stood still for too long")]
    TimedOut,
    /// The upload as a whole lasted too long.
    #[error("the upload took too long")]
    TookTooLong,
    /// The store that holds it does not answer.
    #[error("the file cannot be fetched")]
    Unavailable {
        /// What it said.
        source: StorageError,
    },
    /// It is not the file that was announced.
    #[error("the file is not the one that was announced")]
    NotAsPromised,
    /// More files than one upload may have.
    #[error("the upload has too many files")]
    TooManyFiles,
    /// There is no such label: whatever was meant by it would be lost.
    #[error("there is no such field")]
    UnknownLabel {
        /// Its name, where that may be repeated.
        name: Option<String>,
    },
    /// A label cannot be understood.
    #[error("the field {name} is not valid")]
    BadLabel {
        /// Which.
        name: &'static str,
    },
}

/// Files one after the other, each in pieces.
#[async_trait]
pub trait FileSource: Send {
    /// Moves on to the next file; `None` after the last. What is left of the file before is passed over.
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError>;
    /// The next piece of this file; `None` at its end.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError>;
}
