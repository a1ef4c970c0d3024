//! SQLite: WAL, `synchronous=FULL`, `secure_delete=ON`, one writing connection and a few that read.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{
    Connection, Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    CaseFileRepository, Database, EnteredDataRepository, Figures, FindingRepository, HoldingsRepository,
    IndexSnapshotRepository, JobRepository, OperationLogRepository, OrganisationRepository, PageRepository,
    ReadingRepository, ScanRepository, TimetableRepository, Transaction, UploadTicketRepository,
    UploadUnderWayRepository, copies::CopyMarks as _, figures::Watched as _, keys::KeyPool,
};
use crate::error::StorageError;

mod claim;

/// Selects the bytes of a database on disk.
pub(super) const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
const READERS: u32 = 6;
/// What a connection that only reads, or has small rows to write, may hold, as SQLite writes it: the file is mapped,
/// so that only what stands in the journal and beyond the map passes through this.
const SMALL_CACHE: &str = "-8192";

/// The embedded catalogue.
pub(crate) struct SqliteDatabase {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// How every connection to an embedded database is opened.
pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("mmap_size", "1073741824")
        .pragma("cache_size", "-32768")
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(256)
}

/// Connections that stay open, apart from those that a full disk has broken: SQLite then undoes the transaction by
/// itself, sqlx believes that it is still open, and every later `BEGIN` on that connection would be refused.
fn pool_options(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        // Whoever asks a connection to a file whether it is alive waits for a thread, and learns nothing.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

impl SqliteDatabase {
    /// Opens or makes the file and brings it to the present version.
    pub(crate) async fn open(path: &Path) -> Result<Self, StorageError> {
        let options = connect_options(path);
        let writer =
            pool_options(1).acquire_timeout(Duration::from_mins(1)).connect_with(options.clone()).await?;
        sqlx::migrate!("../migrations/sqlite").run(&writer).await.map_err(migration_failed)?;
        let for_reading = options.pragma("query_only", "ON").pragma("cache_size", SMALL_CACHE);
        let readers = pool_options(READERS).connect_with(for_reading).await?;
        Ok(Self { writer, readers })
    }
}

pub(crate) fn migration_failed(error: sqlx::migrate::MigrateError) -> StorageError {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        sqlx::migrate::MigrateError::VersionMissing(version) => StorageError::Unsupported {
            what: "catalogue",
            detail: format!("it was made by a newer release (migration {version}); install that release"),
        },
        error => StorageError::Internal { what: "migration", source: Box::new(error) },
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        let tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Box::new(SqliteTransaction { tx }))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>, StorageError> {
        Ok(Box::new(SqliteTransaction { tx: self.readers.begin().await? }))
    }

    async fn checkpoint(&self) -> Result<(), StorageError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn make_months(&self, _first: DateTime<Utc>, _now: DateTime<Utc>) -> Result<u32, StorageError> {
        Ok(0)
    }

    async fn unfinished_copy(&self) -> Result<Option<String>, StorageError> {
        self.readers.unfinished().await
    }

    async fn finish_copy(&self, source: &str, now: DateTime<Utc>) -> Result<(), StorageError> {
        self.writer.finish(source, now).await
    }

    async fn figures(&self, since: DateTime<Utc>) -> Result<Figures, StorageError> {
        self.readers.watch(since).await
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}

/// A transaction on SQLite.
pub(crate) struct SqliteTransaction {
    tx: sqlx::Transaction<'static, Sqlite>,
}

impl SqliteTransaction {
    pub(crate) fn connection(&mut self) -> &mut sqlx::SqliteConnection {
        &mut self.tx
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    fn case_files(&mut self) -> &mut dyn CaseFileRepository {
        self
    }
    fn entered_data(&mut self) -> &mut dyn EnteredDataRepository {
        self
    }
    fn scans(&mut self) -> &mut dyn ScanRepository {
        self
    }
    fn pages(&mut self) -> &mut dyn PageRepository {
        self
    }
    fn readings(&mut self) -> &mut dyn ReadingRepository {
        self
    }
    fn findings(&mut self) -> &mut dyn FindingRepository {
        self
    }
    fn jobs(&mut self) -> &mut dyn JobRepository {
        self
    }
    fn timetable(&mut self) -> &mut dyn TimetableRepository {
        self
    }
    fn operation_log(&mut self) -> &mut dyn OperationLogRepository {
        self
    }
    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self
    }
    fn holdings(&mut self) -> &mut dyn HoldingsRepository {
        self
    }
    fn index_snapshots(&mut self) -> &mut dyn IndexSnapshotRepository {
        self
    }
    fn upload_tickets(&mut self) -> &mut dyn UploadTicketRepository {
        self
    }
    fn uploads_under_way(&mut self) -> &mut dyn UploadUnderWayRepository {
        self
    }
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        Ok(self.tx.commit().await?)
    }
}

/// Opens the embedded key store.
pub(crate) async fn open_keys(path: &Path) -> Result<Arc<KeyPool<SqlitePool>>, StorageError> {
    let options = connect_options(path).pragma("cache_size", SMALL_CACHE);
    let pool = pool_options(3).connect_with(options).await?;
    sqlx::migrate!("../migrations/keys/sqlite").run(&pool).await.map_err(migration_failed)?;
    Ok(Arc::new(KeyPool { pool }))
}
