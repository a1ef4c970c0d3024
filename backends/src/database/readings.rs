//! Readings: added, never changed; sealed under the key of their scan.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AccountId, PageId, ReadingId, ScanId},
    reading::EngineVersion,
};
use uuid::Uuid;

use crate::{error::StorageError, vault::SealedPlace};

/// One reading of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingRow {
    /// Its id.
    pub id: ReadingId,
    /// The page that was read.
    pub page_id: PageId,
    /// The scan of that page.
    pub scan_id: ScanId,
    /// Which engine, or `person`.
    pub engine: EngineVersion,
    /// Who corrected, when a person made it.
    pub corrected_by: Option<AccountId>,
    /// `domain::reading::PageReading`, sealed at `ReadingRow::place`.
    pub reading_sealed: Vec<u8>,
    /// CPU time it took.
    pub cpu_ms: i64,
    /// When.
    pub made_at: DateTime<Utc>,
}

impl ReadingRow {
    /// Where the sealed reading stands.
    pub const fn place(id: ReadingId) -> SealedPlace {
        SealedPlace { column: "readings.reading_sealed", row: id.uuid() }
    }
}

/// Readings.
#[async_trait]
pub trait ReadingRepository: Send {
    /// Adds a reading.
    async fn insert(&mut self, reading: &ReadingRow) -> Result<(), StorageError>;
    /// The reading with this id.
    async fn find(&mut self, id: ReadingId) -> Result<Option<ReadingRow>, StorageError>;
    /// All readings of a scan, oldest first. The last of a page is the one in force.
    async fn of_scan(&mut self, id: ScanId) -> Result<Vec<ReadingRow>, StorageError>;
    /// Readings that are corrections by a person, with their pages; by id, after `after`, at most `limit`.
    async fn corrections(
        &mut self,
        after: Option<ReadingId>,
        limit: i64,
    ) -> Result<Vec<(ReadingId, PageId)>, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    page_id: Uuid,
    scan_id: Uuid,
    engine: String,
    engine_version: String,
    corrected_by: Option<Uuid>,
    reading_sealed: Vec<u8>,
    cpu_ms: i64,
    made_at: DateTime<Utc>,
}

impl Stored {
    fn typed(self) -> ReadingRow {
        ReadingRow {
            id: ReadingId::from_uuid(self.id),
            page_id: PageId::from_uuid(self.page_id),
            scan_id: ScanId::from_uuid(self.scan_id),
            engine: EngineVersion { engine: self.engine, version: self.engine_version },
            corrected_by: self.corrected_by.map(AccountId::from_uuid),
            reading_sealed: self.reading_sealed,
            cpu_ms: self.cpu_ms,
            made_at: self.made_at,
        }
    }
}

for_each_engine! {
    #[async_trait]
    impl ReadingRepository for EngineTransaction {
        async fn insert(&mut self, reading: &ReadingRow) -> Result<(), StorageError> {
            let insert = "INSERT INTO readings (id, page_id, scan_id, engine, engine_version, corrected_by,
                    reading_sealed, cpu_ms, made_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            sqlx::query(insert)
                .bind(reading.id.uuid())
                .bind(reading.page_id.uuid())
                .bind(reading.scan_id.uuid())
                .bind(&reading.engine.engine)
                .bind(&reading.engine.version)
                .bind(reading.corrected_by.map(AccountId::uuid))
                .bind(&reading.reading_sealed)
                .bind(reading.cpu_ms)
                .bind(reading.made_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn find(&mut self, id: ReadingId) -> Result<Option<ReadingRow>, StorageError> {
            let select = "SELECT * FROM readings WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            Ok(found.map(Stored::typed))
        }

        async fn corrections(
            &mut self,
            after: Option<ReadingId>,
            limit: i64,
        ) -> Result<Vec<(ReadingId, PageId)>, StorageError> {
            let select = "SELECT id, page_id FROM readings WHERE corrected_by IS NOT NULL AND id > $1
                ORDER BY id LIMIT $2";
            let after = after.map_or(Uuid::nil(), ReadingId::uuid);
            let found: Vec<(Uuid, Uuid)> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            let typed = |(id, page): (Uuid, Uuid)| (ReadingId::from_uuid(id), PageId::from_uuid(page));
            Ok(found.into_iter().map(typed).collect())
        }

        async fn of_scan(&mut self, id: ScanId) -> Result<Vec<ReadingRow>, StorageError> {
            let select = "SELECT * FROM readings WHERE scan_id = $1 ORDER BY made_at, id";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            Ok(stored.into_iter().map(Stored::typed).collect())
        }
    }
}
