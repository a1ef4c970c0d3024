//! Copying a whole archive: an embedded one into a distributed one (`migrate`), any into a backup and back.
//!
//! Rows are copied table by table in the order of their keys, objects one by one, all in constant memory.
//! The target is marked while a copy is under way, and nothing is served from it before the copy has ended.
//! Start with `migrate`, `backup` and `restore`.

pub mod backup;
mod lines;
mod manifest;
mod migrate;
mod newest;
mod objects;
mod postgres;
pub mod restore;
mod sqlite;
mod tables;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use manifest::Manifest;
pub use migrate::{Migration, migrate};

use crate::{connect::ConnectError, error::StorageError};

/// How far a copy has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is being copied or compared: a table, or the objects.
    pub what: String,
    /// Rows or objects done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// What was copied under one name, and found the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// A table, or the objects.
    pub what: String,
    /// Rows or objects.
    pub count: u64,
    /// Digest of them in the order of their keys.
    pub digest: String,
}

/// Hears how far a copy has come.
pub type OnStep<'a> = &'a mut (dyn FnMut(Step) + Send);

/// Why a copy did not end.
#[derive(Debug, Error)]
pub enum CopyError {
    /// An engine cannot be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// An engine failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file or folder cannot be read or written.
    #[error("{path} cannot be read or written")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The target is not empty, and what it holds is not an earlier part of this copy.
    #[error("{what} holds other data; name an empty target")]
    TargetInUse {
        /// Which part of the target.
        what: &'static str,
    },
    /// It was asked for in a way that cannot work.
    #[error("{0}")]
    Unusable(String),
    /// What arrived is not what was sent.
    #[error("{what} is not what was written: {detail}")]
    Differs {
        /// File, table or objects.
        what: String,
        /// How.
        detail: String,
    },
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Names the file in the error of an operation on it.
pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Io { path: path.clone(), source }
}
