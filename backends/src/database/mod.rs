//! The catalogue: one transaction gives access to all repositories and ends with `commit`.
//!
//! SQL is written once where both engines understand it; `for_each_engine!` makes both implementations of it.
//! What differs stands in `sqlite/` and `postgres/`, file for file.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::StorageError;

/// Compiles the items inside once for each engine. They see `Engine` as sqlx calls it, `EngineTransaction`,
/// `EnginePool` and `ENGINE_SIZE`, which selects the size of a database.
macro_rules! for_each_engine {
    ($($item:item)*) => {
        mod on_sqlite {
            #[allow(unused_imports, clippy::wildcard_imports, clippy::allow_attributes, reason = "one text, two engines")]
            use super::*;
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every text needs both")]
            use {crate::database::sqlite::{SIZE as ENGINE_SIZE, SqliteTransaction as EngineTransaction}, sqlx::{Sqlite as Engine, SqlitePool as EnginePool}};
            $($item)*
        }
        mod on_postgres {
            #[allow(unused_imports, clippy::wildcard_imports, clippy::allow_attributes, reason = "one text, two engines")]
            use super::*;
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every text needs both")]
            use {crate::database::postgres::{PostgresTransaction as EngineTransaction, SIZE as ENGINE_SIZE}, sqlx::{PgPool as EnginePool, Postgres as Engine}};
            $($item)*
        }
    };
}

pub mod case_files;
mod copies;
pub mod entered_data;
pub mod figures;
pub mod findings;
pub mod holdings;
pub mod index_snapshots;
pub mod jobs;
pub(crate) mod keys;
mod many;
pub mod operation_log;
pub mod organisation;
pub mod pages;
pub mod readings;
pub mod scans;
pub mod timetable;
pub mod upload_tickets;
pub mod uploads_under_way;

pub(crate) mod postgres;
pub(crate) mod sqlite;

pub use case_files::CaseFileRepository;
pub use entered_data::EnteredDataRepository;
pub use figures::Figures;
pub use findings::FindingRepository;
pub use holdings::HoldingsRepository;
pub use index_snapshots::IndexSnapshotRepository;
pub use jobs::JobRepository;
pub use operation_log::OperationLogRepository;
pub use organisation::OrganisationRepository;
pub use pages::PageRepository;
pub use postgres::PostgresOptions;
pub use readings::ReadingRepository;
pub use scans::ScanRepository;
pub use timetable::TimetableRepository;
pub use upload_tickets::UploadTicketRepository;
pub use uploads_under_way::UploadUnderWayRepository;

/// The catalogue's engine.
#[async_trait]
pub trait Database: Send + Sync {
    /// Starts a transaction that may write. On SQLite writers queue here, so it must stay short.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError>;

    /// Starts a transaction that only reads: one consistent state, never blocks a writer.
    async fn begin_read(&self) -> Result<Box<dyn Transaction>, StorageError>;

    /// Brings deleted bytes off the disk as far as the engine keeps them (SQLite: truncates the WAL).
    async fn checkpoint(&self) -> Result<(), StorageError>;

    /// Whether processes beside this one may work on it. Where not, whoever holds the data folder is alone.
    fn is_shared(&self) -> bool;

    /// Makes room for the rows of every month from that of `first` to a few after `now`, where the engine keeps months
    /// apart; gives how many were new. Safe to repeat, and from several processes at once.
    async fn make_months(&self, first: DateTime<Utc>, now: DateTime<Utc>) -> Result<u32, StorageError>;

    /// The copy into this archive that was begun and has not ended; nothing may be served before it has.
    async fn unfinished_copy(&self) -> Result<Option<String>, StorageError>;

    /// Ends the copy of this name.
    async fn finish_copy(&self, source: &str, now: DateTime<Utc>) -> Result<(), StorageError>;

    /// What is to be watched at `now`: open jobs, jobs done lately, and the size on disk. Touches no finished row but
    /// recent ones.
    async fn figures(&self, now: DateTime<Utc>) -> Result<Figures, StorageError>;

    /// Which engine, for the log and `status`.
    fn name(&self) -> &'static str;
}

/// One transaction. Dropped without `commit`, everything done in it is undone.
#[async_trait]
pub trait Transaction: Send {
    /// Case files and their states.
    fn case_files(&mut self) -> &mut dyn CaseFileRepository;
    /// Versions of entered data.
    fn entered_data(&mut self) -> &mut dyn EnteredDataRepository;
    /// Uploads and scans.
    fn scans(&mut self) -> &mut dyn ScanRepository;
    /// Pages and their fingerprints.
    fn pages(&mut self) -> &mut dyn PageRepository;
    /// Readings.
    fn readings(&mut self) -> &mut dyn ReadingRepository;
    /// Verdicts and findings.
    fn findings(&mut self) -> &mut dyn FindingRepository;
    /// Jobs.
    fn jobs(&mut self) -> &mut dyn JobRepository;
    /// Whose turn the timetable is, and what nobody heard.
    fn timetable(&mut self) -> &mut dyn TimetableRepository;
    /// The operation log.
    fn operation_log(&mut self) -> &mut dyn OperationLogRepository;
    /// Outlets, branches, accounts and tokens.
    fn organisation(&mut self) -> &mut dyn OrganisationRepository;
    /// Holds, retention events and archival numbers.
    fn holdings(&mut self) -> &mut dyn HoldingsRepository;
    /// Upload tickets.
    fn upload_tickets(&mut self) -> &mut dyn UploadTicketRepository;
    /// Signs of life of uploads that take long.
    fn uploads_under_way(&mut self) -> &mut dyn UploadUnderWayRepository;
    /// Snapshots of the search index.
    fn index_snapshots(&mut self) -> &mut dyn IndexSnapshotRepository;
    /// Makes everything done in it durable, or nothing.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

/// Reads a stored term back, or says which column is corrupt.
pub(crate) fn term<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, StorageError> {
    text.parse().map_err(|_| StorageError::corrupt("catalogue", format!("column {column}")))
}

/// Reads a stored 32-byte digest back.
pub(crate) fn digest(bytes: &[u8], column: &'static str) -> Result<[u8; 32], StorageError> {
    bytes.try_into().map_err(|_| StorageError::corrupt("catalogue", format!("column {column}")))
}
