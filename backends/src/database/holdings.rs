//! What belongs to the holdings: running numbers of archival codes, legal holds, retention events.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{AccountId, CaseFileId, HoldId};
use serde::{Deserialize, Serialize};
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

/// A legal hold with everything it covers, released or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHold {
    /// Its id.
    pub id: Uuid,
    /// Who may order it.
    pub authority: String,
    /// The order itself, sealed.
    pub document_sealed: Option<Vec<u8>>,
    /// Who placed it.
    pub owner: Uuid,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// When it must be looked at again.
    pub review_on: Option<NaiveDate>,
    /// When it was released.
    pub released_at: Option<DateTime<Utc>>,
    /// What it covers.
    pub case_files: Vec<Uuid>,
}

#[derive(sqlx::FromRow)]
struct StoredHold {
    id: Uuid,
    authority: String,
    document_sealed: Option<Vec<u8>>,
    owner: Uuid,
    placed_at: DateTime<Utc>,
    review_on: Option<NaiveDate>,
    released_at: Option<DateTime<Utc>>,
}

impl StoredHold {
    fn known(self, case_files: Vec<Uuid>) -> KnownHold {
        KnownHold {
            id: self.id,
            authority: self.authority,
            document_sealed: self.document_sealed,
            owner: self.owner,
            placed_at: self.placed_at,
            review_on: self.review_on,
            released_at: self.released_at,
            case_files,
        }
    }
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
    /// Every hold there ever was with what it covers, in the order of ids, after one of them, at most `limit`.
    async fn holds_after(
        &mut self,
        after: Option<HoldId>,
        limit: i64,
    ) -> Result<Vec<KnownHold>, StorageError>;
    /// Brings a hold to the state in which another copy of the archive knows it; case files that are not here are left
    /// out.
    async fn restore_hold(&mut self, hold: &KnownHold) -> Result<(), StorageError>;
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

        async fn holds_after(&mut self, after: Option<HoldId>, limit: i64) -> Result<Vec<KnownHold>, StorageError> {
            let select = "SELECT * FROM legal_holds WHERE id > $1 ORDER BY id LIMIT $2";
            let after = after.map_or(Uuid::nil(), HoldId::uuid);
            let stored: Vec<StoredHold> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            let mut holds = Vec::with_capacity(stored.len());
            for hold in stored {
                let select = "SELECT case_file_id FROM hold_coverage WHERE hold_id = $1 ORDER BY case_file_id";
                let covered: Vec<(Uuid,)> =
                    sqlx::query_as(select).bind(hold.id).fetch_all(self.connection()).await?;
                holds.push(hold.known(covered.into_iter().map(|(id,)| id).collect()));
            }
            Ok(holds)
        }

        async fn restore_hold(&mut self, hold: &KnownHold) -> Result<(), StorageError> {
            let upsert = "INSERT INTO legal_holds (id, authority, document_sealed, owner, placed_at, review_on, released_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (id) DO UPDATE SET review_on = excluded.review_on, released_at = excluded.released_at";
            sqlx::query(upsert)
                .bind(hold.id)
                .bind(&hold.authority)
                .bind(&hold.document_sealed)
                .bind(hold.owner)
                .bind(hold.placed_at)
                .bind(hold.review_on)
                .bind(hold.released_at)
                .execute(self.connection())
                .await?;
            let insert = "INSERT INTO hold_coverage (hold_id, case_file_id)
                SELECT $1, id FROM case_files WHERE id = $2 ON CONFLICT (hold_id, case_file_id) DO NOTHING";
            for case_file in &hold.case_files {
                sqlx::query(insert).bind(hold.id).bind(case_file).execute(self.connection()).await?;
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
