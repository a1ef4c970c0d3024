//! What belongs to the holdings: running numbers of archival codes, legal holds, retention events.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{AccountId, CaseFileId, HoldId};
use uuid::Uuid;

use crate::error::StorageError;

/// A legal hold (冻结) on case files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Its id.
    pub id: HoldId,
    /// Who may order it.
    pub authority: String,
    /// Who placed it.
    pub owner: AccountId,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// When it must be looked at again.
    pub review_on: Option<NaiveDate>,
}

/// Numbers, holds and events.
#[async_trait]
pub trait HoldingsRepository: Send {
    /// The next running number under a prefix; 1 for the first. Given back when the transaction is undone.
    async fn next_archival_number(&mut self, prefix: &str) -> Result<i64, StorageError>;
    /// Places a hold on case files.
    async fn place_hold(&mut self, hold: &HoldRow, case_files: &[CaseFileId]) -> Result<(), StorageError>;
    /// Holds in force on a case file.
    async fn holds_on(&mut self, id: CaseFileId) -> Result<Vec<HoldRow>, StorageError>;
    /// Puts an event that starts or stops a retention clock on record.
    async fn record_event(
        &mut self,
        case_file: CaseFileId,
        id: Uuid,
        event: &str,
        happened_on: NaiveDate,
        received_at: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Events of a case file, oldest first.
    async fn events_of(&mut self, id: CaseFileId) -> Result<Vec<(String, NaiveDate)>, StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl HoldingsRepository for EngineTransaction {
        async fn next_archival_number(&mut self, prefix: &str) -> Result<i64, StorageError> {
            let upsert = "INSERT INTO archival_numbers (prefix, last_number) VALUES ($1, 1)
                ON CONFLICT (prefix) DO UPDATE SET last_number = archival_numbers.last_number + 1
                RETURNING last_number";
            let (number,): (i64,) = sqlx::query_as(upsert).bind(prefix).fetch_one(self.connection()).await?;
            Ok(number)
        }

        async fn place_hold(&mut self, hold: &HoldRow, case_files: &[CaseFileId]) -> Result<(), StorageError> {
            let insert = "INSERT INTO legal_holds (id, authority, owner, placed_at, review_on)
                VALUES ($1, $2, $3, $4, $5)";
            sqlx::query(insert)
                .bind(hold.id.uuid())
                .bind(&hold.authority)
                .bind(hold.owner.uuid())
                .bind(hold.placed_at)
                .bind(hold.review_on)
                .execute(self.connection())
                .await?;
            let insert = "INSERT INTO hold_coverage (hold_id, case_file_id) VALUES ($1, $2)";
            for case_file in case_files {
                sqlx::query(insert)
                    .bind(hold.id.uuid())
                    .bind(case_file.uuid())
                    .execute(self.connection())
                    .await?;
            }
            Ok(())
        }

        async fn holds_on(&mut self, id: CaseFileId) -> Result<Vec<HoldRow>, StorageError> {
            let select = "SELECT h.id, h.authority, h.owner, h.placed_at, h.review_on FROM hold_coverage c
                JOIN legal_holds h ON h.id = c.hold_id WHERE c.case_file_id = $1 AND h.released_at IS NULL
                ORDER BY h.id";
            let stored: Vec<(Uuid, String, Uuid, DateTime<Utc>, Option<NaiveDate>)> =
                sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            let hold = |(id, authority, owner, placed_at, review_on)| HoldRow {
                id: HoldId::from_uuid(id),
                authority,
                owner: AccountId::from_uuid(owner),
                placed_at,
                review_on,
            };
            Ok(stored.into_iter().map(hold).collect())
        }

        async fn record_event(
            &mut self,
            case_file: CaseFileId,
            id: Uuid,
            event: &str,
            happened_on: NaiveDate,
            received_at: DateTime<Utc>,
        ) -> Result<(), StorageError> {
            let insert = "INSERT INTO retention_events (id, case_file_id, event, happened_on, received_at)
                VALUES ($1, $2, $3, $4, $5)";
            sqlx::query(insert)
                .bind(id)
                .bind(case_file.uuid())
                .bind(event)
                .bind(happened_on)
                .bind(received_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn events_of(&mut self, id: CaseFileId) -> Result<Vec<(String, NaiveDate)>, StorageError> {
            let select = "SELECT event, happened_on FROM retention_events WHERE case_file_id = $1
                ORDER BY happened_on, id";
            Ok(sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?)
        }
    }
}
