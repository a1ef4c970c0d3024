//! PostgreSQL: claims with `SKIP LOCKED`, a bounded pool, statement time-outs.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Postgres};

use super::{
    CaseFileRepository, Database, EnteredDataRepository, Figures, FindingRepository, HoldingsRepository,
    IndexSnapshotRepository, JobRepository, OperationLogRepository, OrganisationRepository, PageRepository,
    ReadingRepository, ScanRepository, TimetableRepository, Transaction, UploadTicketRepository,
    UploadUnderWayRepository, copies::CopyMarks as _, figures::Watched as _, keys::KeyPool,
    sqlite::migration_failed,
};
use crate::{clock::Clock, error::StorageError};

mod bounded;
mod claim;
mod connecting;
mod months;

use bounded::{Bounded, BoundedKeys, Patience};
pub use connecting::PostgresOptions;

/// Selects the bytes of a database on disk.
pub(super) const SIZE: &str = "SELECT pg_database_size(current_database())";
static CATALOGUE: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres");
static KEYS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/keys/postgres");

/// The distributed catalogue.
pub(crate) struct PostgresDatabase {
    pool: PgPool,
    patience: Patience,
}

impl PostgresDatabase {
    /// Connects, refuses a server that must not be relied on, and brings the schema to the present version.
    pub(crate) async fn connect(
        url: &str,
        options: &PostgresOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StorageError> {
        let connect = connecting::connect_options(url, options)?;
        let mut connection = connecting::prepare(&connect, clock, "database.url", &CATALOGUE).await?;
        months::make(&mut connection, clock.now(), clock.now()).await?;
        connecting::close(connection).await;
        Ok(Self { pool: connecting::pool(connect, options), patience: Patience::of(options) })
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        let tx = self.patience.wait(self.pool.begin()).await?;
        Ok(Box::new(PostgresTransaction { tx, patience: self.patience }))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>, StorageError> {
        let begun = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let tx = self.patience.wait(begun).await?;
        Ok(Box::new(PostgresTransaction { tx, patience: self.patience }))
    }

    async fn checkpoint(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn make_months(&self, first: DateTime<Utc>, now: DateTime<Utc>) -> Result<u32, StorageError> {
        let mut connection = self.pool.acquire().await?;
        self.patience.wait(months::make(&mut connection, first, now)).await
    }

    async fn unfinished_copy(&self) -> Result<Option<String>, StorageError> {
        self.patience.wait(self.pool.unfinished()).await
    }

    async fn finish_copy(&self, source: &str, now: DateTime<Utc>) -> Result<(), StorageError> {
        self.patience.wait(self.pool.finish(source, now)).await
    }

    async fn figures(&self, since: DateTime<Utc>) -> Result<Figures, StorageError> {
        self.patience.wait(self.pool.watch(since)).await
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}

/// A transaction on PostgreSQL.
pub(crate) struct PostgresTransaction {
    tx: sqlx::Transaction<'static, Postgres>,
    patience: Patience,
}

impl PostgresTransaction {
    pub(crate) fn connection(&mut self) -> Bounded<'_> {
        self.patience.on(&mut self.tx)
    }
}

#[async_trait]
impl Transaction for PostgresTransaction {
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
        Ok(self.patience.wait(self.tx.commit()).await?)
    }
}

/// Opens the key store on PostgreSQL; a database of its own, with backups of its own.
pub(crate) async fn open_keys(
    url: &str,
    options: &PostgresOptions,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<BoundedKeys<KeyPool<PgPool>>>, StorageError> {
    let connect = connecting::connect_options(url, options)?;
    connecting::close(connecting::prepare(&connect, clock, "keys.url", &KEYS).await?).await;
    let table = KeyPool { pool: connecting::pool(connect, options) };
    Ok(Arc::new(BoundedKeys { table, patience: Patience::of(options) }))
}

/// Opens one connection to a database of this program, without time limits and brought to the present version, for
/// whoever fills it. `key` is `database.url` or `keys.url`.
pub(crate) async fn open_alone(
    url: &str,
    options: &PostgresOptions,
    clock: &Arc<dyn Clock>,
    key: &'static str,
) -> Result<PgConnection, StorageError> {
    let migrations = if key == "keys.url" { &KEYS } else { &CATALOGUE };
    connecting::prepare(&connecting::connect_options(url, options)?, clock, key, migrations).await
}

/// Makes the partitions of readings from the month of `first` on.
pub(crate) async fn make_months_since(
    connection: &mut PgConnection,
    first: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u32, StorageError> {
    months::make(connection, first, now).await
}

/// Opens one connection to a database as it is.
pub(crate) async fn connect_alone(
    url: &str,
    options: &PostgresOptions,
) -> Result<PgConnection, StorageError> {
    let mut connection = connecting::open(&connecting::connect_options(url, options)?).await?;
    connecting::lift_limits(&mut connection).await?;
    Ok(connection)
}
