//! Uploads, scans and what each file of an upload became.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    field::Slot,
    ids::{AccountId, CaseFileId, KeyId, ScanId, UploadId},
    scan::ScanState,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{digest, many::ROWS, term};
use crate::{digest::ContentDigest, error::StorageError, vault::SealedPlace};

/// One request that brought scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// Who sent it.
    pub account_id: AccountId,
    /// The sender's key; the same key from the same account is the same upload.
    pub idempotency_key: Option<String>,
    /// The outlet it was sent for.
    pub outlet_code: Option<String>,
    /// The digest of its files in order; `None` for what came before it was kept.
    pub files_digest: Option<String>,
    /// When it was complete.
    pub received_at: DateTime<Utc>,
}

/// What one file of an upload became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadItem {
    /// 1 for the first file.
    pub item_number: i64,
    /// The scan; `None` when it was refused.
    pub scan_id: Option<ScanId>,
    /// `received`, `linked`, or the code of the refusal.
    pub outcome: String,
    /// The page that the refusal is about, from 1.
    pub page_number: Option<i64>,
}

/// One scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRow {
    /// Its id; also names its object.
    pub id: ScanId,
    /// The upload that brought it.
    pub upload_id: UploadId,
    /// The case file it belongs to, once placed.
    pub case_file_id: Option<CaseFileId>,
    /// The scan of the same case file that holds the same bytes; then this one has no object.
    pub same_as: Option<ScanId>,
    /// Where it stands.
    pub state: ScanState,
    /// Why it cannot be read, as a code of `docs/errors`.
    pub problem: Option<String>,
    /// The outlet it came from.
    pub outlet_code: Option<String>,
    /// The slip number its sender named.
    pub slip_number_given: Option<String>,
    /// The slot its sender named.
    pub slot_given: Option<Slot>,
    /// Media type found by content.
    pub media_type: String,
    /// Size as received.
    pub size_bytes: i64,
    /// Digest of the bytes as received.
    pub digest: ContentDigest,
    /// The key of its bytes and readings.
    pub key_id: KeyId,
    /// Its file name as sent, sealed at `ScanRow::name_place`.
    pub name_sealed: Option<Vec<u8>>,
    /// How its case file was found: `given`, `barcode`, `slip_number_read`, `file_name`, `id_number`, `name`,
    /// `upload`, `hand`; or `placing::TAKEN_OUT`.
    pub placed_by: Option<String>,
    /// When it was placed.
    pub placed_at: Option<DateTime<Utc>>,
    /// Who sent it.
    pub received_by: AccountId,
    /// When it was durable.
    pub received_at: DateTime<Utc>,
}

impl ScanRow {
    /// Where the sealed file name stands.
    pub const fn name_place(id: ScanId) -> SealedPlace {
        SealedPlace { column: "scans.name_sealed", row: id.uuid() }
    }
}

/// An upload to be written, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The upload.
    pub row: UploadRow,
    /// Its new scans.
    pub scans: Vec<ScanRow>,
    /// What its files became, in order.
    pub items: Vec<UploadItem>,
}

/// Uploads and scans.
#[async_trait]
pub trait ScanRepository: Send {
    /// Adds uploads with their items and new scans, a few statements for all of them. `Conflict`: an idempotency key
    /// was used by its account; then none is added.
    async fn insert_uploads(&mut self, uploads: &[NewUpload]) -> Result<(), StorageError>;
    /// The upload with this id.
    async fn find_upload(&mut self, id: UploadId) -> Result<Option<UploadRow>, StorageError>;
    /// The upload this account made with this key.
    async fn upload_by_key(
        &mut self,
        account: AccountId,
        key: &str,
    ) -> Result<Option<UploadRow>, StorageError>;
    /// What the files of an upload became, in order.
    async fn upload_items(&mut self, id: UploadId) -> Result<Vec<UploadItem>, StorageError>;
    /// The scan with this id.
    async fn find(&mut self, id: ScanId) -> Result<Option<ScanRow>, StorageError>;
    /// Stores state, problem, case file, links and placing of a scan that is in `from`. `Conflict`: it is not.
    async fn update(&mut self, scan: &ScanRow, from: ScanState) -> Result<(), StorageError>;
    /// Scans of a case file, oldest first; links included.
    async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<ScanRow>, StorageError>;
    /// Scans with the same bytes, oldest first, at most 50.
    async fn with_digest(&mut self, digest: &ContentDigest) -> Result<Vec<ScanRow>, StorageError>;
    /// Scans in a state, oldest first, after `after`, at most `limit`; only of `outlets` when some are named.
    async fn in_state(
        &mut self,
        state: ScanState,
        outlets: Option<&[String]>,
        after: Option<ScanId>,
        limit: i64,
    ) -> Result<Vec<ScanRow>, StorageError>;
    /// Scans in a state that came without an outlet, oldest first, after `after`, at most `limit`.
    async fn without_outlet(
        &mut self,
        state: ScanState,
        after: Option<ScanId>,
        limit: i64,
    ) -> Result<Vec<ScanRow>, StorageError>;
    /// Scans that wait for a person, in the tray or unreadable and in no case file: those of `outlets`, of all when none
    /// are named, and those that came without an outlet from accounts of `senders`, a branch. Oldest first, after
    /// `after`, at most `limit`.
    async fn waiting(
        &mut self,
        outlets: Option<&[String]>,
        senders: Option<&str>,
        after: Option<ScanId>,
        limit: i64,
    ) -> Result<Vec<ScanRow>, StorageError>;
    /// Scans that point to this one, oldest first.
    async fn links_to(&mut self, id: ScanId) -> Result<Vec<ScanRow>, StorageError>;
    /// All scans by id, after `after`, at most `limit`; for `verify` and sweeps.
    async fn all(&mut self, after: Option<ScanId>, limit: i64) -> Result<Vec<ScanRow>, StorageError>;
    /// How many scans there are in each state.
    async fn count_by_state(&mut self) -> Result<Vec<(ScanState, i64)>, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    upload_id: Uuid,
    case_file_id: Option<Uuid>,
    same_as: Option<Uuid>,
    state: String,
    problem: Option<String>,
    outlet_code: Option<String>,
    slip_number_given: Option<String>,
    slot_given: Option<String>,
    media_type: String,
    size_bytes: i64,
    digest: Vec<u8>,
    digest_algorithm: String,
    key_id: Uuid,
    name_sealed: Option<Vec<u8>>,
    placed_by: Option<String>,
    placed_at: Option<DateTime<Utc>>,
    received_by: Uuid,
    received_at: DateTime<Utc>,
}

impl Stored {
    fn typed(self) -> Result<ScanRow, StorageError> {
        Ok(ScanRow {
            id: ScanId::from_uuid(self.id),
            upload_id: UploadId::from_uuid(self.upload_id),
            case_file_id: self.case_file_id.map(CaseFileId::from_uuid),
            same_as: self.same_as.map(ScanId::from_uuid),
            state: term(&self.state, "scans.state")?,
            problem: self.problem,
            outlet_code: self.outlet_code,
            slip_number_given: self.slip_number_given,
            slot_given: self.slot_given.map(|slot| term(&slot, "scans.slot_given")).transpose()?,
            media_type: self.media_type,
            size_bytes: self.size_bytes,
            digest: ContentDigest {
                algorithm: term(&self.digest_algorithm, "scans.digest_algorithm")?,
                bytes: digest(&self.digest, "scans.digest")?,
            },
            key_id: KeyId::from_uuid(self.key_id),
            name_sealed: self.name_sealed,
            placed_by: self.placed_by,
            placed_at: self.placed_at,
            received_by: AccountId::from_uuid(self.received_by),
            received_at: self.received_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct StoredUpload {
    id: Uuid,
    account_id: Uuid,
    idempotency_key: Option<String>,
    outlet_code: Option<String>,
    files_digest: Option<String>,
    received_at: DateTime<Utc>,
}

impl StoredUpload {
    fn typed(self) -> UploadRow {
        UploadRow {
            id: UploadId::from_uuid(self.id),
            account_id: AccountId::from_uuid(self.account_id),
            idempotency_key: self.idempotency_key,
            outlet_code: self.outlet_code,
            files_digest: self.files_digest,
            received_at: self.received_at,
        }
    }
}

for_each_engine! {
    #[async_trait]
    impl ScanRepository for EngineTransaction {
        async fn insert_uploads(&mut self, uploads: &[NewUpload]) -> Result<(), StorageError> {
            insert_upload_rows(self, uploads).await?;
            let scans: Vec<&ScanRow> = uploads.iter().flat_map(|upload| &upload.scans).collect();
            insert_scans(self, &scans).await?;
            insert_items(self, uploads).await
        }

        async fn find_upload(&mut self, id: UploadId) -> Result<Option<UploadRow>, StorageError> {
            let select = "SELECT * FROM uploads WHERE id = $1";
            let found: Option<StoredUpload> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            Ok(found.map(StoredUpload::typed))
        }

        async fn upload_by_key(&mut self, account: AccountId, key: &str) -> Result<Option<UploadRow>, StorageError> {
            let select = "SELECT * FROM uploads WHERE account_id = $1 AND idempotency_key = $2";
            let found: Option<StoredUpload> =
                sqlx::query_as(select).bind(account.uuid()).bind(key).fetch_optional(self.connection()).await?;
            Ok(found.map(StoredUpload::typed))
        }

        async fn upload_items(&mut self, id: UploadId) -> Result<Vec<UploadItem>, StorageError> {
            let select = "SELECT item_number, scan_id, outcome, page_number FROM upload_items WHERE upload_id = $1
                ORDER BY item_number";
            let stored: Vec<(i64, Option<Uuid>, String, Option<i64>)> =
                sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            let item = |(item_number, scan_id, outcome, page_number): (i64, Option<Uuid>, String, Option<i64>)| {
                UploadItem { item_number, scan_id: scan_id.map(ScanId::from_uuid), outcome, page_number }
            };
            Ok(stored.into_iter().map(item).collect())
        }

        async fn find(&mut self, id: ScanId) -> Result<Option<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn update(&mut self, scan: &ScanRow, from: ScanState) -> Result<(), StorageError> {
            let update = "UPDATE scans SET case_file_id = $1, same_as = $2, state = $3, problem = $4, outlet_code = $5,
                    placed_by = $6, placed_at = $7, key_id = $8, slot_given = $9
                WHERE id = $10 AND state = $11";
            let done = sqlx::query(update)
                .bind(scan.case_file_id.map(CaseFileId::uuid))
                .bind(scan.same_as.map(ScanId::uuid))
                .bind(scan.state.as_str())
                .bind(&scan.problem)
                .bind(&scan.outlet_code)
                .bind(&scan.placed_by)
                .bind(scan.placed_at)
                .bind(scan.key_id.uuid())
                .bind(scan.slot_given.map(Slot::as_str))
                .bind(scan.id.uuid())
                .bind(from.as_str())
                .execute(self.connection())
                .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(StorageError::Conflict { what: "scan" }) }
        }

        async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE case_file_id = $1 ORDER BY id";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn with_digest(&mut self, digest: &ContentDigest) -> Result<Vec<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE digest = $1 ORDER BY id LIMIT 50";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(digest.bytes.as_slice()).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn in_state(
            &mut self,
            state: ScanState,
            outlets: Option<&[String]>,
            after: Option<ScanId>,
            limit: i64,
        ) -> Result<Vec<ScanRow>, StorageError> {
            let after = after.map_or(Uuid::nil(), ScanId::uuid);
            let mut found = Vec::new();
            // One query for each outlet keeps the text the same on both engines; a scope names few outlets.
            let one: [Option<&String>; 1] = [None];
            let scopes: Vec<Option<&String>> =
                outlets.map_or_else(|| one.to_vec(), |outlets| outlets.iter().map(Some).collect());
            for outlet in scopes {
                let select = "SELECT * FROM scans WHERE state = $1 AND ($2 IS NULL OR outlet_code = $2) AND id > $3
                    ORDER BY id LIMIT $4";
                let stored: Vec<Stored> = sqlx::query_as(select)
                    .bind(state.as_str())
                    .bind(outlet)
                    .bind(after)
                    .bind(limit)
                    .fetch_all(self.connection())
                    .await?;
                for row in stored {
                    found.push(row.typed()?);
                }
            }
            found.sort_by_key(|scan| scan.id);
            found.truncate(usize::try_from(limit).unwrap_or_default());
            Ok(found)
        }

        async fn without_outlet(
            &mut self,
            state: ScanState,
            after: Option<ScanId>,
            limit: i64,
        ) -> Result<Vec<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE state = $1 AND outlet_code IS NULL AND id > $2
                ORDER BY id LIMIT $3";
            let after = after.map_or(Uuid::nil(), ScanId::uuid);
            let query = sqlx::query_as(select).bind(state.as_str()).bind(after).bind(limit);
            let stored: Vec<Stored> = query.fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn waiting(
            &mut self,
            outlets: Option<&[String]>,
            senders: Option<&str>,
            after: Option<ScanId>,
            limit: i64,
        ) -> Result<Vec<ScanRow>, StorageError> {
            let after = after.map_or(Uuid::nil(), ScanId::uuid);
            let mut found: Vec<Stored> = Vec::new();
            let one: [Option<&String>; 1] = [None];
            let scopes: Vec<Option<&String>> =
                outlets.map_or_else(|| one.to_vec(), |outlets| outlets.iter().map(Some).collect());
            for outlet in scopes {
                // The condition of the index `scans_waiting`, word for word.
                let select = "SELECT * FROM scans WHERE case_file_id IS NULL AND state IN ('tray', 'unreadable')
                    AND ($1 IS NULL OR outlet_code = $1) AND id > $2 ORDER BY id LIMIT $3";
                let query = sqlx::query_as(select).bind(outlet).bind(after).bind(limit);
                found.extend(query.fetch_all(self.connection()).await?);
            }
            if let Some(branch) = senders {
                let select = "SELECT scans.* FROM scans JOIN accounts ON accounts.id = scans.received_by
                    WHERE scans.case_file_id IS NULL AND scans.state IN ('tray', 'unreadable')
                        AND scans.outlet_code IS NULL AND accounts.branch_code = $1 AND scans.id > $2
                    ORDER BY scans.id LIMIT $3";
                let query = sqlx::query_as(select).bind(branch).bind(after).bind(limit);
                found.extend(query.fetch_all(self.connection()).await?);
            }
            let mut scans: Vec<ScanRow> = found.into_iter().map(Stored::typed).collect::<Result<_, _>>()?;
            scans.sort_by_key(|scan| scan.id);
            scans.truncate(usize::try_from(limit).unwrap_or_default());
            Ok(scans)
        }

        async fn links_to(&mut self, id: ScanId) -> Result<Vec<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE same_as = $1 ORDER BY id";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn all(&mut self, after: Option<ScanId>, limit: i64) -> Result<Vec<ScanRow>, StorageError> {
            let select = "SELECT * FROM scans WHERE id > $1 ORDER BY id LIMIT $2";
            let after = after.map_or(Uuid::nil(), ScanId::uuid);
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn count_by_state(&mut self) -> Result<Vec<(ScanState, i64)>, StorageError> {
            let select = "SELECT state, count(*) FROM scans GROUP BY state";
            let counts: Vec<(String, i64)> = sqlx::query_as(select).fetch_all(self.connection()).await?;
            counts.into_iter().map(|(state, count)| Ok((term(&state, "scans.state")?, count))).collect()
        }
    }

    async fn insert_upload_rows(tx: &mut EngineTransaction, uploads: &[NewUpload]) -> Result<(), StorageError> {
        let insert = "INSERT INTO uploads (id, account_id, idempotency_key, outlet_code, files_digest, received_at) ";
        for uploads in uploads.chunks(ROWS) {
            let mut insert: QueryBuilder<Engine> = QueryBuilder::new(insert);
            insert.push_values(uploads, |mut values, NewUpload { row, .. }| {
                values
                    .push_bind(row.id.uuid())
                    .push_bind(row.account_id.uuid())
                    .push_bind(&row.idempotency_key)
                    .push_bind(&row.outlet_code)
                    .push_bind(&row.files_digest)
                    .push_bind(row.received_at);
            });
            insert.build().execute(tx.connection()).await?;
        }
        Ok(())
    }

    async fn insert_scans(tx: &mut EngineTransaction, scans: &[&ScanRow]) -> Result<(), StorageError> {
        let insert = "INSERT INTO scans (id, upload_id, case_file_id, same_as, state, problem, outlet_code,
                slip_number_given, slot_given, media_type, size_bytes, digest, digest_algorithm, key_id, name_sealed,
                placed_by, placed_at, received_by, received_at) ";
        for scans in scans.chunks(ROWS) {
            let mut insert: QueryBuilder<Engine> = QueryBuilder::new(insert);
            insert.push_values(scans, |mut values, scan| {
                values
                    .push_bind(scan.id.uuid())
                    .push_bind(scan.upload_id.uuid())
                    .push_bind(scan.case_file_id.map(CaseFileId::uuid))
                    .push_bind(scan.same_as.map(ScanId::uuid))
                    .push_bind(scan.state.as_str())
                    .push_bind(&scan.problem)
                    .push_bind(&scan.outlet_code)
                    .push_bind(&scan.slip_number_given)
                    .push_bind(scan.slot_given.map(Slot::as_str))
                    .push_bind(&scan.media_type)
                    .push_bind(scan.size_bytes)
                    .push_bind(scan.digest.bytes.as_slice())
                    .push_bind(scan.digest.algorithm.as_str())
                    .push_bind(scan.key_id.uuid())
                    .push_bind(&scan.name_sealed)
                    .push_bind(&scan.placed_by)
                    .push_bind(scan.placed_at)
                    .push_bind(scan.received_by.uuid())
                    .push_bind(scan.received_at);
            });
            insert.build().execute(tx.connection()).await?;
        }
        Ok(())
    }

    async fn insert_items(tx: &mut EngineTransaction, uploads: &[NewUpload]) -> Result<(), StorageError> {
        let insert = "INSERT INTO upload_items (upload_id, item_number, scan_id, outcome, page_number) ";
        let items: Vec<(UploadId, &UploadItem)> = uploads
            .iter()
            .flat_map(|upload| upload.items.iter().map(|item| (upload.row.id, item)))
            .collect();
        for items in items.chunks(ROWS) {
            let mut insert: QueryBuilder<Engine> = QueryBuilder::new(insert);
            insert.push_values(items, |mut values, (upload, item)| {
                values
                    .push_bind(upload.uuid())
                    .push_bind(item.item_number)
                    .push_bind(item.scan_id.map(ScanId::uuid))
                    .push_bind(&item.outcome)
                    .push_bind(item.page_number);
            });
            insert.build().execute(tx.connection()).await?;
        }
        Ok(())
    }
}
