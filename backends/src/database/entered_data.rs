//! Versions of entered data; the personal part is sealed under the key of the case file.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{AccountId, CaseFileId, EnteredDataId};
use uuid::Uuid;

use super::{digest, many};
use crate::{error::StorageError, vault::SealedPlace};

/// One version of the entered data of a case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredDataRow {
    /// Its id.
    pub id: EnteredDataId,
    /// Whose data.
    pub case_file_id: CaseFileId,
    /// 1 for the first.
    pub version: i64,
    /// Digest of the canonical form; equal digests are equal data.
    pub digest: [u8; 32],
    /// `domain::entered_data::EnteredData`, sealed at `EnteredDataRow::place`.
    pub entered_sealed: Vec<u8>,
    /// Where it came from: `csv`, `json`, `api`.
    pub source: String,
    /// Who brought it.
    pub received_by: Option<AccountId>,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

impl EnteredDataRow {
    /// Where the sealed data stand.
    pub const fn place(id: EnteredDataId) -> SealedPlace {
        SealedPlace { column: "entered_data.entered_sealed", row: id.uuid() }
    }
}

/// Entered data. Versions are added, never changed.
#[async_trait]
pub trait EnteredDataRepository: Send {
    /// Adds a version. `Conflict`: that version exists.
    async fn insert(&mut self, row: &EnteredDataRow) -> Result<(), StorageError>;
    /// The version with this id.
    async fn find(&mut self, id: EnteredDataId) -> Result<Option<EnteredDataRow>, StorageError>;
    /// The versions with these ids, in no order.
    async fn find_many(&mut self, ids: &[EnteredDataId]) -> Result<Vec<EnteredDataRow>, StorageError>;
    /// All versions of a case file, oldest first.
    async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<EnteredDataRow>, StorageError>;
    /// How many versions there are of all case files.
    async fn count(&mut self) -> Result<i64, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    case_file_id: Uuid,
    version: i64,
    digest: Vec<u8>,
    entered_sealed: Vec<u8>,
    source: String,
    received_by: Option<Uuid>,
    received_at: DateTime<Utc>,
}

impl Stored {
    fn typed(self) -> Result<EnteredDataRow, StorageError> {
        Ok(EnteredDataRow {
            id: EnteredDataId::from_uuid(self.id),
            case_file_id: CaseFileId::from_uuid(self.case_file_id),
            version: self.version,
            digest: digest(&self.digest, "entered_data.digest")?,
            entered_sealed: self.entered_sealed,
            source: self.source,
            received_by: self.received_by.map(AccountId::from_uuid),
            received_at: self.received_at,
        })
    }
}

for_each_engine! {
    #[async_trait]
    impl EnteredDataRepository for EngineTransaction {
        async fn insert(&mut self, row: &EnteredDataRow) -> Result<(), StorageError> {
            let insert = "INSERT INTO entered_data (id, case_file_id, version, digest, entered_sealed, source,
                    received_by, received_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            sqlx::query(insert)
                .bind(row.id.uuid())
                .bind(row.case_file_id.uuid())
                .bind(row.version)
                .bind(row.digest.as_slice())
                .bind(&row.entered_sealed)
                .bind(&row.source)
                .bind(row.received_by.map(AccountId::uuid))
                .bind(row.received_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn find(&mut self, id: EnteredDataId) -> Result<Option<EnteredDataRow>, StorageError> {
            let select = "SELECT * FROM entered_data WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn find_many(&mut self, ids: &[EnteredDataId]) -> Result<Vec<EnteredDataRow>, StorageError> {
            let mut found = Vec::with_capacity(ids.len());
            for part in many::parts(ids.iter().map(|id| id.uuid())) {
                let select = many::select_in("SELECT * FROM entered_data WHERE id IN", &part);
                let query = part.iter().fold(sqlx::query_as(select), |query, id| query.bind(*id));
                let stored: Vec<Stored> = query.fetch_all(self.connection()).await?;
                found.extend(stored);
            }
            found.into_iter().map(Stored::typed).collect()
        }

        async fn count(&mut self) -> Result<i64, StorageError> {
            let select = "SELECT count(*) FROM entered_data";
            let (count,): (i64,) = sqlx::query_as(select).fetch_one(self.connection()).await?;
            Ok(count)
        }

        async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<EnteredDataRow>, StorageError> {
            let select = "SELECT * FROM entered_data WHERE case_file_id = $1 ORDER BY version";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }
    }
}
