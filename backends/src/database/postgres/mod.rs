//! PostgreSQL: claims with `SKIP LOCKED`, a bounded pool, statement time-outs.

use std::{str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{
    PgPool, Postgres,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    CaseFileRepository, Database, EnteredDataRepository, FindingRepository, HoldingsRepository,
    JobRepository, OperationLogRepository, OrganisationRepository, PageRepository, ReadingRepository,
    ScanRepository, TimetableRepository, Transaction, UploadTicketRepository, keys::KeyPool,
    sqlite::migration_failed,
};
use crate::error::StorageError;

mod claim;

const CONNECTIONS: u32 = 16;

/// The distributed catalogue.
pub(crate) struct PostgresDatabase {
    pool: PgPool,
}

impl PostgresDatabase {
    /// Connects, refuses a read replica, and brings the schema to the present version.
    pub(crate) async fn connect(url: &str) -> Result<Self, StorageError> {
        let pool = pool(url).await?;
        let (is_replica,): (bool,) = sqlx::query_as("SELECT pg_is_in_recovery()").fetch_one(&pool).await?;
        if is_replica {
            let detail = "database.url points to a read replica; point it to the primary".to_owned();
            return Err(StorageError::Unsupported { what: "catalogue", detail });
        }
        sqlx::migrate!("../migrations/postgres").run(&pool).await.map_err(migration_failed)?;
        Ok(Self { pool })
    }
}

async fn pool(url: &str) -> Result<PgPool, StorageError> {
    let options =
        PgConnectOptions::from_str(url)?.options([("statement_timeout", "60000"), ("timezone", "UTC")]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await?;
    Ok(pool)
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        Ok(Box::new(PostgresTransaction { tx: self.pool.begin().await? }))
    }

    async fn begin_read(&self) -> Result<Box<dyn Transaction>, StorageError> {
        let tx = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(Box::new(PostgresTransaction { tx }))
    }

    async fn checkpoint(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}

/// A transaction on PostgreSQL.
pub(crate) struct PostgresTransaction {
    tx: sqlx::Transaction<'static, Postgres>,
}

impl PostgresTransaction {
    pub(crate) fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.tx
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
    fn upload_tickets(&mut self) -> &mut dyn UploadTicketRepository {
        self
    }
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        Ok(self.tx.commit().await?)
    }
}

/// Opens the key store on PostgreSQL; a database of its own, with backups of its own.
pub(crate) async fn open_keys(url: &str) -> Result<Arc<KeyPool<PgPool>>, StorageError> {
    let pool = pool(url).await?;
    sqlx::migrate!("../migrations/keys/postgres").run(&pool).await.map_err(migration_failed)?;
    Ok(Arc::new(KeyPool { pool }))
}
