//! Verdicts, the slots they saw filled, and findings.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    field::{Confidence, Slot},
    finding::{FindingCode, FindingState},
    geometry::Quad,
    ids::{AccountId, CaseFileId, FindingId, PageId, ReadingId, VerdictId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{digest, many, term};
use crate::{error::StorageError, vault::SealedPlace};

/// The outcome of one check, bound to what it was given on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRow {
    /// Its id.
    pub id: VerdictId,
    /// Which case file.
    pub case_file_id: CaseFileId,
    /// Digest of scans and entered data it was given on; it falls when that changes.
    pub case_digest: [u8; 32],
    /// `clean` or `findings`.
    pub outcome: String,
    /// When.
    pub given_at: DateTime<Utc>,
    /// When it fell.
    pub fallen_at: Option<DateTime<Utc>>,
}

/// A paper that fills a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotFilling {
    /// Which slot.
    pub slot: Slot,
    /// The reading that shows the paper.
    pub reading_id: ReadingId,
    /// Which paper of that reading, 0 for the first.
    pub paper_index: i64,
    /// The page.
    pub page_id: PageId,
    /// Where on the page.
    pub region: Quad,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// Its id.
    pub id: FindingId,
    /// Which case file.
    pub case_file_id: CaseFileId,
    /// The verdict that raised it.
    pub verdict_id: VerdictId,
    /// What kind.
    pub code: FindingCode,
    /// Field, slot or paper.
    pub subject: String,
    /// What became of it.
    pub state: FindingState,
    /// How sure.
    pub confidence: Option<Confidence>,
    /// `domain::finding::Evidence`, sealed at `FindingRow::place` under the key of the case file.
    pub evidence_sealed: Vec<u8>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// Who settled it.
    pub settled_by: Option<AccountId>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// Why, sealed at `FindingRow::place_of_reason` under the key of the case file.
    pub settled_reason_sealed: Option<Vec<u8>>,
}

impl FindingRow {
    /// Where the sealed evidence stands.
    pub const fn place(id: FindingId) -> SealedPlace {
        SealedPlace { column: "findings.evidence_sealed", row: id.uuid() }
    }

    /// Where the sealed reason of the settlement stands.
    pub const fn place_of_reason(id: FindingId) -> SealedPlace {
        SealedPlace { column: "findings.settled_reason_sealed", row: id.uuid() }
    }
}

/// Verdicts and findings.
#[async_trait]
pub trait FindingRepository: Send {
    /// Adds a verdict with the slots it saw and its findings.
    async fn insert_verdict(
        &mut self,
        verdict: &VerdictRow,
        slots: &[SlotFilling],
        findings: &[FindingRow],
    ) -> Result<(), StorageError>;
    /// The verdict with this id.
    async fn verdict(&mut self, id: VerdictId) -> Result<Option<VerdictRow>, StorageError>;
    /// Whether a verdict was given on a case file with this digest before, fallen or not.
    async fn was_judged(&mut self, id: CaseFileId, case_digest: &[u8; 32]) -> Result<bool, StorageError>;
    /// Marks a verdict as fallen and withdraws its findings that are still open.
    async fn fell(&mut self, id: VerdictId, at: DateTime<Utc>) -> Result<(), StorageError>;
    /// The slots a verdict saw filled.
    async fn slots(&mut self, id: VerdictId) -> Result<Vec<SlotFilling>, StorageError>;
    /// All findings of a case file, oldest first, withdrawn ones included.
    async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<FindingRow>, StorageError>;
    /// What was found in these case files, without the evidence; withdrawn ones included, in no order.
    async fn codes_of(&mut self, ids: &[CaseFileId]) -> Result<Vec<FindingInShort>, StorageError>;
    /// The finding with this id.
    async fn find(&mut self, id: FindingId) -> Result<Option<FindingRow>, StorageError>;
    /// Stores state and settlement of a finding that is in `from`. `Conflict`: it is not.
    async fn update(&mut self, finding: &FindingRow, from: FindingState) -> Result<(), StorageError>;
    /// How many case files this account has as tasks.
    async fn count_tasks(&mut self, account: AccountId) -> Result<i64, StorageError>;
    /// Findings that a person settled, by id, after `after`, at most `limit`.
    async fn settled(&mut self, after: Option<FindingId>, limit: i64)
    -> Result<Vec<FindingId>, StorageError>;
    /// Findings in force (not withdrawn) that the filter lets through, after `after`, by id, at most `limit`.
    async fn in_force(
        &mut self,
        filter: &FindingFilter,
        after: Option<FindingId>,
        limit: i64,
    ) -> Result<Vec<FindingRow>, StorageError>;
}

/// A finding as lists of case files need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingInShort {
    /// Whose finding.
    pub case_file_id: CaseFileId,
    /// Its kind.
    pub code: FindingCode,
    /// How far it is.
    pub state: FindingState,
}

/// Which findings are listed; what is `None` lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Of this kind.
    pub code: Option<FindingCode>,
    /// In this state.
    pub state: Option<FindingState>,
    /// Of this case file.
    pub case_file_id: Option<CaseFileId>,
    /// Of this outlet, as was asked.
    pub outlet_code: Option<String>,
    /// Of this outlet, as far as the account reaches.
    pub within_outlet: Option<String>,
    /// Of this branch, as far as the account reaches.
    pub within_branch: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    case_file_id: Uuid,
    verdict_id: Uuid,
    code: String,
    subject: String,
    state: String,
    confidence: Option<f32>,
    evidence_sealed: Vec<u8>,
    raised_at: DateTime<Utc>,
    settled_by: Option<Uuid>,
    settled_at: Option<DateTime<Utc>>,
    settled_reason_sealed: Option<Vec<u8>>,
}

impl Stored {
    fn typed(self) -> Result<FindingRow, StorageError> {
        Ok(FindingRow {
            id: FindingId::from_uuid(self.id),
            case_file_id: CaseFileId::from_uuid(self.case_file_id),
            verdict_id: VerdictId::from_uuid(self.verdict_id),
            code: term(&self.code, "findings.code")?,
            subject: self.subject,
            state: term(&self.state, "findings.state")?,
            confidence: self.confidence.map(Confidence::new),
            evidence_sealed: self.evidence_sealed,
            raised_at: self.raised_at,
            settled_by: self.settled_by.map(AccountId::from_uuid),
            settled_at: self.settled_at,
            settled_reason_sealed: self.settled_reason_sealed,
        })
    }
}

#[derive(sqlx::FromRow)]
struct StoredSlot {
    slot: String,
    reading_id: Uuid,
    paper_index: i64,
    page_id: Uuid,
    region: String,
}

impl StoredSlot {
    fn typed(self) -> Result<SlotFilling, StorageError> {
        let region = serde_json::from_str(&self.region)
            .map_err(|_| StorageError::corrupt("catalogue", "column slot_fillings.region"))?;
        Ok(SlotFilling {
            slot: term(&self.slot, "slot_fillings.slot")?,
            reading_id: ReadingId::from_uuid(self.reading_id),
            paper_index: self.paper_index,
            page_id: PageId::from_uuid(self.page_id),
            region,
        })
    }
}

type StoredVerdict = (Uuid, Uuid, Vec<u8>, String, DateTime<Utc>, Option<DateTime<Utc>>);

fn typed_verdict(stored: StoredVerdict) -> Result<VerdictRow, StorageError> {
    let (id, case_file_id, case_digest, outcome, given_at, fallen_at) = stored;
    Ok(VerdictRow {
        id: VerdictId::from_uuid(id),
        case_file_id: CaseFileId::from_uuid(case_file_id),
        case_digest: digest(&case_digest, "verdicts.case_digest")?,
        outcome,
        given_at,
        fallen_at,
    })
}

for_each_engine! {
    #[async_trait]
    impl FindingRepository for EngineTransaction {
        async fn insert_verdict(
            &mut self,
            verdict: &VerdictRow,
            slots: &[SlotFilling],
            findings: &[FindingRow],
        ) -> Result<(), StorageError> {
            let insert = "INSERT INTO verdicts (id, case_file_id, case_digest, outcome, given_at, fallen_at)
                VALUES ($1, $2, $3, $4, $5, $6)";
            sqlx::query(insert)
                .bind(verdict.id.uuid())
                .bind(verdict.case_file_id.uuid())
                .bind(verdict.case_digest.as_slice())
                .bind(&verdict.outcome)
                .bind(verdict.given_at)
                .bind(verdict.fallen_at)
                .execute(self.connection())
                .await?;
            for filling in slots {
                insert_slot(self, verdict.id, filling).await?;
            }
            for finding in findings {
                insert_finding(self, finding).await?;
            }
            Ok(())
        }

        async fn verdict(&mut self, id: VerdictId) -> Result<Option<VerdictRow>, StorageError> {
            let select = "SELECT id, case_file_id, case_digest, outcome, given_at, fallen_at FROM verdicts WHERE id = $1";
            let found: Option<StoredVerdict> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(typed_verdict).transpose()
        }

        async fn was_judged(&mut self, id: CaseFileId, case_digest: &[u8; 32]) -> Result<bool, StorageError> {
            let select = "SELECT count(*) FROM verdicts WHERE case_file_id = $1 AND case_digest = $2";
            let (count,): (i64,) = sqlx::query_as(select)
                .bind(id.uuid())
                .bind(case_digest.as_slice())
                .fetch_one(self.connection())
                .await?;
            Ok(count > 0)
        }

        async fn fell(&mut self, id: VerdictId, at: DateTime<Utc>) -> Result<(), StorageError> {
            let update = "UPDATE verdicts SET fallen_at = $1 WHERE id = $2 AND fallen_at IS NULL";
            sqlx::query(update).bind(at).bind(id.uuid()).execute(self.connection()).await?;
            let update = "UPDATE findings SET state = 'withdrawn', settled_at = $1
                WHERE verdict_id = $2 AND state IN ('open', 'returned')";
            sqlx::query(update).bind(at).bind(id.uuid()).execute(self.connection()).await?;
            Ok(())
        }

        async fn slots(&mut self, id: VerdictId) -> Result<Vec<SlotFilling>, StorageError> {
            let select = "SELECT slot, reading_id, paper_index, page_id, region FROM slot_fillings WHERE verdict_id = $1
                ORDER BY slot, reading_id, paper_index";
            let stored: Vec<StoredSlot> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            let mut fillings: Vec<SlotFilling> =
                stored.into_iter().map(StoredSlot::typed).collect::<Result<_, _>>()?;
            // The order of filing, which the names of slots do not have.
            fillings.sort_by_key(|filling| filling.slot);
            Ok(fillings)
        }

        async fn of_case_file(&mut self, id: CaseFileId) -> Result<Vec<FindingRow>, StorageError> {
            let select = "SELECT * FROM findings WHERE case_file_id = $1 ORDER BY raised_at, id";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn codes_of(&mut self, ids: &[CaseFileId]) -> Result<Vec<FindingInShort>, StorageError> {
            let mut found = Vec::new();
            for part in many::parts(ids.iter().map(|id| id.uuid())) {
                let select =
                    many::select_in("SELECT case_file_id, code, state FROM findings WHERE case_file_id IN", &part);
                let query = part.iter().fold(sqlx::query_as(select), |query, id| query.bind(*id));
                let stored: Vec<(Uuid, String, String)> = query.fetch_all(self.connection()).await?;
                for (case_file_id, code, state) in stored {
                    found.push(FindingInShort {
                        case_file_id: CaseFileId::from_uuid(case_file_id),
                        code: term(&code, "findings.code")?,
                        state: term(&state, "findings.state")?,
                    });
                }
            }
            Ok(found)
        }

        async fn find(&mut self, id: FindingId) -> Result<Option<FindingRow>, StorageError> {
            let select = "SELECT * FROM findings WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn update(&mut self, finding: &FindingRow, from: FindingState) -> Result<(), StorageError> {
            let update = "UPDATE findings SET state = $1, settled_by = $2, settled_at = $3, settled_reason_sealed = $4
                WHERE id = $5 AND state = $6";
            let done = sqlx::query(update)
                .bind(finding.state.as_str())
                .bind(finding.settled_by.map(AccountId::uuid))
                .bind(finding.settled_at)
                .bind(&finding.settled_reason_sealed)
                .bind(finding.id.uuid())
                .bind(from.as_str())
                .execute(self.connection())
                .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(StorageError::Conflict { what: "finding" }) }
        }

        async fn count_tasks(&mut self, account: AccountId) -> Result<i64, StorageError> {
            let select = "SELECT count(*) FROM case_files WHERE assigned_to = $1";
            let (count,): (i64,) =
                sqlx::query_as(select).bind(account.uuid()).fetch_one(self.connection()).await?;
            Ok(count)
        }

        async fn settled(&mut self, after: Option<FindingId>, limit: i64) -> Result<Vec<FindingId>, StorageError> {
            let select = "SELECT id FROM findings WHERE settled_by IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
            let after = after.map_or(Uuid::nil(), FindingId::uuid);
            let found: Vec<(Uuid,)> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            Ok(found.into_iter().map(|(id,)| FindingId::from_uuid(id)).collect())
        }

        async fn in_force(
            &mut self,
            filter: &FindingFilter,
            after: Option<FindingId>,
            limit: i64,
        ) -> Result<Vec<FindingRow>, StorageError> {
            // A condition that may be left out hides from the engine which index serves it; the index on state and id
            // leads from one finding that waits to the next, past everything that was ever settled.
            let state = if filter.state.is_some() { "f.state = $3" } else { "f.state <> 'withdrawn' AND $3 IS NULL" };
            let of = if filter.case_file_id.is_some() { "f.case_file_id = $4" } else { "$4 IS NULL" };
            let select = format!(
                "SELECT f.* FROM findings f JOIN case_files c ON c.id = f.case_file_id
                WHERE {state} AND {of} AND f.state <> 'withdrawn' AND f.id > $1 AND ($2 IS NULL OR f.code = $2)
                    AND ($5 IS NULL OR c.outlet_code = $5)
                    AND ($6 IS NULL OR c.outlet_code = $6) AND ($7 IS NULL OR c.branch_code = $7)
                ORDER BY f.id LIMIT $8"
            );
            let stored: Vec<Stored> = sqlx::query_as(AssertSqlSafe(select))
                .bind(after.map_or(Uuid::nil(), FindingId::uuid))
                .bind(filter.code.map(FindingCode::as_str))
                .bind(filter.state.map(FindingState::as_str))
                .bind(filter.case_file_id.map(CaseFileId::uuid))
                .bind(filter.outlet_code.as_deref())
                .bind(filter.within_outlet.as_deref())
                .bind(filter.within_branch.as_deref())
                .bind(limit)
                .fetch_all(self.connection())
                .await?;
            stored.into_iter().map(Stored::typed).collect()
        }
    }

    async fn insert_slot(
        tx: &mut EngineTransaction,
        verdict: VerdictId,
        filling: &SlotFilling,
    ) -> Result<(), StorageError> {
        let region = serde_json::to_string(&filling.region)
            .map_err(|error| StorageError::Internal { what: "catalogue", source: Box::new(error) })?;
        let insert = "INSERT INTO slot_fillings (verdict_id, slot, reading_id, paper_index, page_id, region)
            VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(insert)
            .bind(verdict.uuid())
            .bind(filling.slot.as_str())
            .bind(filling.reading_id.uuid())
            .bind(filling.paper_index)
            .bind(filling.page_id.uuid())
            .bind(region)
            .execute(tx.connection())
            .await?;
        Ok(())
    }

    async fn insert_finding(tx: &mut EngineTransaction, finding: &FindingRow) -> Result<(), StorageError> {
        let insert = "INSERT INTO findings (id, case_file_id, verdict_id, code, subject, state, confidence,
                evidence_sealed, raised_at, settled_by, settled_at, settled_reason_sealed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        sqlx::query(insert)
            .bind(finding.id.uuid())
            .bind(finding.case_file_id.uuid())
            .bind(finding.verdict_id.uuid())
            .bind(finding.code.as_str())
            .bind(&finding.subject)
            .bind(finding.state.as_str())
            .bind(finding.confidence.map(Confidence::value))
            .bind(&finding.evidence_sealed)
            .bind(finding.raised_at)
            .bind(finding.settled_by.map(AccountId::uuid))
            .bind(finding.settled_at)
            .bind(&finding.settled_reason_sealed)
            .execute(tx.connection())
            .await?;
        Ok(())
    }
}
