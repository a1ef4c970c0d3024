//! What can go wrong with storage, by what a caller can do about it.

use thiserror::Error;

use crate::blob_store::Refusal;

/// A failure of the catalogue, the object store or the key store.
///
/// The kind decides between retry and dead letter in `workers` and the status in `archive-api`.
#[derive(Debug, Error)]
pub enum StorageError {
    /// Somebody else changed the same thing first, or it exists already; load again and decide again.
    #[error("{what} was changed or taken by somebody else")]
    Conflict {
        /// Which thing, by kind.
        what: &'static str,
    },
    /// The engine does not answer now; try again later.
    #[error("{what} is not available")]
    Unavailable {
        /// Which engine.
        what: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No room is left; nothing was kept.
    #[error("{what} is full")]
    Full {
        /// Which engine.
        what: &'static str,
    },
    /// What is stored cannot be understood or fails its authentication.
    #[error("{what} is corrupt: {detail}")]
    Corrupt {
        /// Table or store.
        what: &'static str,
        /// Column, row or key, never content.
        detail: String,
    },
    /// This engine or version cannot do what is needed.
    #[error("{what}: {detail}")]
    Unsupported {
        /// Which engine.
        what: &'static str,
        /// What is missing and what to do.
        detail: String,
    },
    /// Anything else; a defect.
    #[error("{what} failed")]
    Internal {
        /// Which engine.
        what: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StorageError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Unavailable { .. } | Self::Full { .. })
    }

    /// The same failure for somebody else whom it struck as well; what was underneath is kept as its text.
    #[must_use]
    pub fn for_another(&self) -> Self {
        let text = |source: &(dyn std::error::Error + Send + Sync)| source.to_string().into();
        match self {
            Self::Conflict { what } => Self::Conflict { what },
            Self::Unavailable { what, source } => Self::Unavailable { what, source: text(source.as_ref()) },
            Self::Full { what } => Self::Full { what },
            Self::Corrupt { what, detail } => Self::Corrupt { what, detail: detail.clone() },
            Self::Unsupported { what, detail } => Self::Unsupported { what, detail: detail.clone() },
            Self::Internal { what, source } => Self::Internal { what, source: text(source.as_ref()) },
        }
    }

    /// What a file on a disk of this machine said.
    pub(crate) fn of_disk(what: &'static str, error: std::io::Error) -> Self {
        if is_disk_full(&error) {
            Self::Full { what }
        } else {
            Self::Unavailable { what, source: Box::new(error) }
        }
    }

    pub(crate) fn corrupt(what: &'static str, detail: impl Into<String>) -> Self {
        Self::Corrupt { what, detail: detail.into() }
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        const WHAT: &str = "catalogue";
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict { what: WHAT }
            }
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                let message = database.message();
                // SQLite 13: disk full; PostgreSQL 53100: disk full.
                if code == "13" || code == "53100" || message.contains("disk is full") {
                    return Self::Full { what: WHAT };
                }
                // SQLite 5 and 6: busy, locked; 10 and its extended codes: input or output failed.
                // PostgreSQL 40001, 40P01: serialisation, deadlock; 55P03: lock time-out; 57xxx: statement time-out or
                // shutting down; 08xxx: connection; 53300: too many of them; 25006: it became a replica; 25P03: idle
                // for too long.
                let busy = [
                    "5", "6", "10", "261", "517", "778", "1034", "4874", "40001", "40P01", "55P03", "53300",
                    "25006", "25P03",
                ];
                if busy.contains(&code.as_str()) || code.starts_with("57") || code.starts_with("08") {
                    return Self::Unavailable { what: WHAT, source: Box::new(error) };
                }
                if let Some(advice) = advice_on_login(&code) {
                    let source = format!("{advice}; the server says: {message}").into();
                    return Self::Unavailable { what: WHAT, source };
                }
                Self::Internal { what: WHAT, source: Box::new(error) }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_) => Self::Unavailable { what: WHAT, source: Box::new(error) },
            sqlx::Error::ColumnDecode { index, .. } => Self::corrupt(WHAT, format!("column {index}")),
            _ => Self::Internal { what: WHAT, source: Box::new(error) },
        }
    }
}

/// What to do when PostgreSQL lets nobody in, by its code. Passing as far as jobs go: whoever runs the server mends it.
fn advice_on_login(code: &str) -> Option<&'static str> {
    Some(match code {
        "3D000" => {
            "the database that the address names is not there; make it with `createdb`, or correct the address"
        }
        "28P01" => "the server refuses user or password; correct the address",
        "28000" => {
            "the server does not let this user in from here; correct the address, or pg_hba.conf of the server"
        }
        "42501" => "this user may not do that; make it the owner of the database and of its schema",
        _ => return None,
    })
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        const WHAT: &str = "object store";
        match &error {
            object_store::Error::NotFound { .. } => Self::corrupt(WHAT, "an object is missing"),
            object_store::Error::AlreadyExists { .. } => Self::Conflict { what: WHAT },
            _ if is_disk_full(&error) => Self::Full { what: WHAT },
            _ => match refusal_of_store(&error) {
                Some(refusal) if refusal.is_full() => Self::Full { what: WHAT },
                Some(refusal) => Self::Unavailable { what: WHAT, source: refusal.to_string().into() },
                None => Self::Unavailable { what: WHAT, source: Box::new(error) },
            },
        }
    }
}

/// What a remote store answered. Its error document must not go on: it may quote keys and signatures.
fn refusal_of_store(error: &object_store::Error) -> Option<Refusal> {
    let text = error.to_string();
    let rest = text.split_once("status code: ").map(|(_, rest)| rest);
    let status = rest.and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok());
    if status.is_none() && !text.contains("<Error>") {
        return None;
    }
    Some(Refusal { status: status.unwrap_or_default(), code: Refusal::code_in(&text), said_at: None })
}

/// Whether an operating system error behind `error` says that no room is left.
fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(io) = this.downcast_ref::<std::io::Error>()
            && matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        cause = this.source();
    }
    false
}
