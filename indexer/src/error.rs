//! What can go wrong with an index, by what the caller can do about it.

use std::{io, path::PathBuf};

use tantivy::TantivyError;
use thiserror::Error;

/// An index that cannot be used as it is.
#[derive(Debug, Error)]
pub enum IndexError {
    /// Nothing has been indexed here yet; open a writer first.
    #[error("there is no index in {folder}")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Written by a program with other fields; rebuild.
    #[error("the index has format {found}, this program writes format {expected}; rebuild it")]
    OtherFormat {
        /// The format on disk.
        found: String,
        /// The format of this program.
        expected: String,
    },
    /// Its tokens were made with another key and would find nothing; rebuild.
    #[error("the index was made with another index key; rebuild it")]
    OtherKey,
    /// Files are missing or their content is wrong; rebuild.
    #[error("the index is damaged ({what}); rebuild it")]
    Damaged {
        /// What was found; names files, never content.
        what: String,
    },
    /// Somebody else holds the one place of writer.
    #[error("the index in {folder} is already being written")]
    Locked {
        /// The index.
        folder: PathBuf,
    },
    /// The engine refused; close the writer, free space if that is the cause, open it again and resume.
    #[error("the index engine failed")]
    Engine {
        /// What it said.
        source: TantivyError,
    },
    /// The file system refused.
    #[error("the index folder cannot be read or written")]
    Storage {
        /// What it said.
        #[from]
        source: io::Error,
    },
}

impl IndexError {
    /// Whether only a rebuild from the catalogue helps.
    pub const fn needs_rebuild(&self) -> bool {
        matches!(self, Self::OtherFormat { .. } | Self::OtherKey | Self::Damaged { .. })
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// An error while opening: what cannot be decoded is damage, the rest is storage.
    pub(crate) fn on_open(source: TantivyError) -> Self {
        match source {
            TantivyError::IoError(error) if is_damage(error.kind()) => {
                Self::damaged(error.kind().to_string())
            }
            TantivyError::OpenReadError(_)
            | TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::DeserializeError(_)
            | TantivyError::SchemaError(_)
            | TantivyError::FieldNotFound(_)
            | TantivyError::InternalError(_) => Self::damaged("a file of it cannot be decoded"),
            other => Self::from(other),
        }
    }
}

const fn is_damage(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::NotFound)
}

impl From<TantivyError> for IndexError {
    fn from(source: TantivyError) -> Self {
        match source {
            TantivyError::DataCorruption(_) => Self::damaged("a file of it cannot be decoded"),
            other => Self::Engine { source: other },
        }
    }
}
