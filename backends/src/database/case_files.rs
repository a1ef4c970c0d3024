//! Case files: their state, their place in the change sequence, the tokens by which scans find them.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    blind_index::{BlindField, BlindKey, whole_token},
    case_file::CaseState,
    entered_data::EnteredData,
    ids::{AccountId, CaseFileId, EnteredDataId, KeyId, VerdictId},
};
use uuid::Uuid;

use super::{many, organisation::OutletRow, term};
use crate::{clock::new_id, error::StorageError, vault::DataKey};

/// One case file as the catalogue keeps it; nothing here is personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFileRow {
    /// Its id.
    pub id: CaseFileId,
    /// Number of the acceptance.
    pub slip_number: String,
    /// Outlet; unknown while only scans without an outlet have come.
    pub outlet_code: Option<String>,
    /// Branch of the outlet.
    pub branch_code: Option<String>,
    /// Sales channel, as in `deadlines.toml`.
    pub channel: Option<String>,
    /// Day of acceptance; unknown until entered data came.
    pub accepted_on: Option<NaiveDate>,
    /// Class of records in the retention schedule.
    pub series: String,
    /// Where it stands.
    pub state: CaseState,
    /// 档号, once archived.
    pub archival_code: Option<String>,
    /// When it became part of the holdings.
    pub archived_at: Option<DateTime<Utc>>,
    /// Day it was returned to the outlet.
    pub returned_on: Option<NaiveDate>,
    /// Day its first scan came.
    pub papers_received_on: Option<NaiveDate>,
    /// The auditor who has it as a task, until it is accepted.
    pub assigned_to: Option<AccountId>,
    /// The key of its personal data.
    pub key_id: KeyId,
    /// The version of entered data in force.
    pub entered_data_id: Option<EnteredDataId>,
    /// The verdict in force.
    pub verdict_id: Option<VerdictId>,
    /// Its place in the change sequence.
    pub change_sequence: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The class of the retention schedule that acceptances belong to.
pub const CUSTOMER_ENTRY: &str = "customer_entry";

impl CaseFileRow {
    /// A case file that is opened now and waits for whatever has not come yet. Its key must be durable already.
    pub fn opened(slip_number: String, outlet: Option<OutletRow>, key: &DataKey, now: DateTime<Utc>) -> Self {
        let (outlet_code, branch_code, channel) = match outlet {
            Some(outlet) => (Some(outlet.code), Some(outlet.branch_code), Some(outlet.channel)),
            None => (None, None, None),
        };
        Self {
            id: new_id(now),
            slip_number,
            outlet_code,
            branch_code,
            channel,
            accepted_on: None,
            series: CUSTOMER_ENTRY.to_owned(),
            state: CaseState::Assembling,
            archival_code: None,
            archived_at: None,
            returned_on: None,
            papers_received_on: None,
            assigned_to: None,
            key_id: key.id(),
            entered_data_id: None,
            verdict_id: None,
            change_sequence: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

/// One change of state on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Which case file.
    pub case_file_id: CaseFileId,
    /// 1, 2, 3 … within the case file.
    pub number: i64,
    /// `None` at the beginning.
    pub from: Option<CaseState>,
    /// The new state.
    pub to: CaseState,
    /// Why, without personal data.
    pub reason: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Where a case file stands, and where its history ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateOnRecord {
    /// Which case file.
    pub case_file_id: CaseFileId,
    /// Its state.
    pub state: CaseState,
    /// The state that the last change on record led to; `None`: there is no history.
    pub recorded: Option<CaseState>,
}

/// A keyed hash of a whole value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseToken {
    /// What was hashed: `id_number`, `name`, `phone`.
    pub kind: &'static str,
    /// 16 bytes.
    pub token: [u8; 16],
}

/// Case files. Every change gives the case file the next number of the change sequence.
#[async_trait]
pub trait CaseFileRepository: Send {
    /// Adds a case file in the state it has, and its first state change. `Conflict`: the slip number is taken.
    async fn insert(&mut self, case_file: &CaseFileRow) -> Result<(), StorageError>;
    /// The case file with this id.
    async fn find(&mut self, id: CaseFileId) -> Result<Option<CaseFileRow>, StorageError>;
    /// The case file of this acceptance.
    async fn find_by_slip_number(&mut self, slip_number: &str) -> Result<Option<CaseFileRow>, StorageError>;
    /// Many at once; the order is that of `ids`, what does not exist is left out.
    async fn find_many(&mut self, ids: &[CaseFileId]) -> Result<Vec<CaseFileRow>, StorageError>;
    /// Stores every column but the state and id. `Conflict`: somebody changed it since it was loaded.
    async fn update(&mut self, case_file: &mut CaseFileRow) -> Result<(), StorageError>;
    /// Moves from the state loaded to `to` and puts that on record; acceptance ends the task of an auditor.
    /// `Conflict`: it is in another state by now, or the life of a case file does not know this change.
    async fn change_state(
        &mut self,
        case_file: &mut CaseFileRow,
        to: CaseState,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Every change of state, oldest first, after `after` (case file and number), at most `limit`.
    async fn state_changes(
        &mut self,
        after: Option<(CaseFileId, i64)>,
        limit: i64,
    ) -> Result<Vec<StateChange>, StorageError>;
    /// Each case file with the end of its history, read in one statement; by id, after `after`, at most `limit`.
    async fn states_on_record(
        &mut self,
        after: Option<CaseFileId>,
        limit: i64,
    ) -> Result<Vec<StateOnRecord>, StorageError>;
    /// Case files changed after `sequence`, in order, at most `limit`.
    async fn changed_since(&mut self, sequence: i64, limit: i64) -> Result<Vec<CaseFileRow>, StorageError>;
    /// The last number of the change sequence.
    async fn last_change(&mut self) -> Result<i64, StorageError>;
    /// Replaces the tokens by which scans find this case file.
    async fn put_tokens(&mut self, id: CaseFileId, tokens: &[CaseToken]) -> Result<(), StorageError>;
    /// Case files that carry the token, newest acceptance first, at most `limit`.
    async fn with_token(&mut self, token: &CaseToken, limit: i64) -> Result<Vec<CaseFileRow>, StorageError>;
    /// How many different numbers (`phone`) the case files with this token have, among the first `looked_at`: an
    /// organisation may have a hundred thousand.
    async fn numbers_with_token(&mut self, token: &CaseToken, looked_at: i64) -> Result<i64, StorageError>;
    /// How many case files there are in each state.
    async fn count_by_state(&mut self) -> Result<Vec<(CaseState, i64)>, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    slip_number: String,
    outlet_code: Option<String>,
    branch_code: Option<String>,
    channel: Option<String>,
    accepted_on: Option<NaiveDate>,
    series: String,
    state: String,
    archival_code: Option<String>,
    archived_at: Option<DateTime<Utc>>,
    returned_on: Option<NaiveDate>,
    papers_received_on: Option<NaiveDate>,
    assigned_to: Option<Uuid>,
    key_id: Uuid,
    entered_data_id: Option<Uuid>,
    verdict_id: Option<Uuid>,
    change_sequence: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Stored {
    fn typed(self) -> Result<CaseFileRow, StorageError> {
        Ok(CaseFileRow {
            id: CaseFileId::from_uuid(self.id),
            slip_number: self.slip_number,
            outlet_code: self.outlet_code,
            branch_code: self.branch_code,
            channel: self.channel,
            accepted_on: self.accepted_on,
            series: self.series,
            state: term(&self.state, "case_files.state")?,
            archival_code: self.archival_code,
            archived_at: self.archived_at,
            returned_on: self.returned_on,
            papers_received_on: self.papers_received_on,
            assigned_to: self.assigned_to.map(AccountId::from_uuid),
            key_id: KeyId::from_uuid(self.key_id),
            entered_data_id: self.entered_data_id.map(EnteredDataId::from_uuid),
            verdict_id: self.verdict_id.map(VerdictId::from_uuid),
            change_sequence: self.change_sequence,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

type StoredChange = (Uuid, i64, Option<String>, String, String, DateTime<Utc>);

fn typed_change(stored: StoredChange) -> Result<StateChange, StorageError> {
    let (case_file_id, number, from, to, reason, changed_at) = stored;
    Ok(StateChange {
        case_file_id: CaseFileId::from_uuid(case_file_id),
        number,
        from: from.map(|from| term(&from, "case_state_changes.from_state")).transpose()?,
        to: term(&to, "case_state_changes.to_state")?,
        reason,
        changed_at,
    })
}

/// Loading one by one keeps the order and the text the same on both engines; result pages are short.
const SELECT_BY_ID: &str = "SELECT * FROM case_files WHERE id = $1";

for_each_engine! {
    #[async_trait]
    impl CaseFileRepository for EngineTransaction {
        async fn insert(&mut self, case_file: &CaseFileRow) -> Result<(), StorageError> {
            let sequence = next_change(self).await?;
            let insert = "INSERT INTO case_files (id, slip_number, outlet_code, branch_code, channel, accepted_on,
                    series, state, archival_code, archived_at, returned_on, papers_received_on, assigned_to, key_id,
                    entered_data_id, verdict_id, change_sequence, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
            sqlx::query(insert)
                .bind(case_file.id.uuid())
                .bind(&case_file.slip_number)
                .bind(&case_file.outlet_code)
                .bind(&case_file.branch_code)
                .bind(&case_file.channel)
                .bind(case_file.accepted_on)
                .bind(&case_file.series)
                .bind(case_file.state.as_str())
                .bind(&case_file.archival_code)
                .bind(case_file.archived_at)
                .bind(case_file.returned_on)
                .bind(case_file.papers_received_on)
                .bind(case_file.assigned_to.map(AccountId::uuid))
                .bind(case_file.key_id.uuid())
                .bind(case_file.entered_data_id.map(EnteredDataId::uuid))
                .bind(case_file.verdict_id.map(VerdictId::uuid))
                .bind(sequence)
                .bind(case_file.created_at)
                .bind(case_file.updated_at)
                .execute(self.connection())
                .await?;
            record_change(self, case_file.id, None, case_file.state, "opened", case_file.created_at).await
        }

        async fn find(&mut self, id: CaseFileId) -> Result<Option<CaseFileRow>, StorageError> {
            let found: Option<Stored> =
                sqlx::query_as(SELECT_BY_ID).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn find_by_slip_number(&mut self, slip_number: &str) -> Result<Option<CaseFileRow>, StorageError> {
            let select = "SELECT * FROM case_files WHERE slip_number = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(slip_number).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn find_many(&mut self, ids: &[CaseFileId]) -> Result<Vec<CaseFileRow>, StorageError> {
            let mut found = HashMap::with_capacity(ids.len());
            for part in many::parts(ids.iter().map(|id| id.uuid())) {
                let select = many::select_in("SELECT * FROM case_files WHERE id IN", &part);
                let query = part.iter().fold(sqlx::query_as(select), |query, id| query.bind(*id));
                let stored: Vec<Stored> = query.fetch_all(self.connection()).await?;
                found.extend(stored.into_iter().map(|stored| (stored.id, stored)));
            }
            ids.iter().filter_map(|id| found.remove(&id.uuid())).map(Stored::typed).collect()
        }

        async fn update(&mut self, case_file: &mut CaseFileRow) -> Result<(), StorageError> {
            let sequence = next_change(self).await?;
            let update = "UPDATE case_files SET outlet_code = $1, branch_code = $2, channel = $3, accepted_on = $4,
                    series = $5, archival_code = $6, archived_at = $7, returned_on = $8, papers_received_on = $9,
                    assigned_to = $10, key_id = $11, entered_data_id = $12, verdict_id = $13, change_sequence = $14,
                    updated_at = $15
                WHERE id = $16 AND change_sequence = $17";
            let done = sqlx::query(update)
                .bind(&case_file.outlet_code)
                .bind(&case_file.branch_code)
                .bind(&case_file.channel)
                .bind(case_file.accepted_on)
                .bind(&case_file.series)
                .bind(&case_file.archival_code)
                .bind(case_file.archived_at)
                .bind(case_file.returned_on)
                .bind(case_file.papers_received_on)
                .bind(case_file.assigned_to.map(AccountId::uuid))
                .bind(case_file.key_id.uuid())
                .bind(case_file.entered_data_id.map(EnteredDataId::uuid))
                .bind(case_file.verdict_id.map(VerdictId::uuid))
                .bind(sequence)
                .bind(case_file.updated_at)
                .bind(case_file.id.uuid())
                .bind(case_file.change_sequence)
                .execute(self.connection())
                .await?;
            if done.rows_affected() != 1 {
                return Err(StorageError::Conflict { what: "case file" });
            }
            case_file.change_sequence = sequence;
            Ok(())
        }

        async fn change_state(
            &mut self,
            case_file: &mut CaseFileRow,
            to: CaseState,
            reason: &str,
            at: DateTime<Utc>,
        ) -> Result<(), StorageError> {
            if !case_file.state.may_become(to) {
                return Err(StorageError::Conflict { what: "case file" });
            }
            let sequence = next_change(self).await?;
            let assigned_to = case_file.assigned_to.filter(|_| to.keeps_task());
            let update = "UPDATE case_files SET state = $1, change_sequence = $2, updated_at = $3, assigned_to = $4
                WHERE id = $5 AND change_sequence = $6";
            let done = sqlx::query(update)
                .bind(to.as_str())
                .bind(sequence)
                .bind(at)
                .bind(assigned_to.map(AccountId::uuid))
                .bind(case_file.id.uuid())
                .bind(case_file.change_sequence)
                .execute(self.connection())
                .await?;
            if done.rows_affected() != 1 {
                return Err(StorageError::Conflict { what: "case file" });
            }
            record_change(self, case_file.id, Some(case_file.state), to, reason, at).await?;
            case_file.state = to;
            case_file.assigned_to = assigned_to;
            case_file.change_sequence = sequence;
            case_file.updated_at = at;
            Ok(())
        }

        async fn state_changes(
            &mut self,
            after: Option<(CaseFileId, i64)>,
            limit: i64,
        ) -> Result<Vec<StateChange>, StorageError> {
            let (id, number) = after.map_or((Uuid::nil(), 0), |(id, number)| (id.uuid(), number));
            let select = "SELECT case_file_id, number, from_state, to_state, reason, changed_at FROM case_state_changes
                WHERE case_file_id > $1 OR (case_file_id = $1 AND number > $2)
                ORDER BY case_file_id, number LIMIT $3";
            let stored: Vec<StoredChange> =
                sqlx::query_as(select).bind(id).bind(number).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(typed_change).collect()
        }

        async fn states_on_record(
            &mut self,
            after: Option<CaseFileId>,
            limit: i64,
        ) -> Result<Vec<StateOnRecord>, StorageError> {
            let select = "SELECT c.id, c.state, (SELECT s.to_state FROM case_state_changes s WHERE s.case_file_id = c.id
                    ORDER BY s.number DESC LIMIT 1)
                FROM case_files c WHERE c.id > $1 ORDER BY c.id LIMIT $2";
            let after = after.map_or(Uuid::nil(), CaseFileId::uuid);
            let stored: Vec<(Uuid, String, Option<String>)> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            let typed = |(id, state, recorded): (Uuid, String, Option<String>)| {
                Ok(StateOnRecord {
                    case_file_id: CaseFileId::from_uuid(id),
                    state: term(&state, "case_files.state")?,
                    recorded: recorded.map(|state| term(&state, "case_state_changes.to_state")).transpose()?,
                })
            };
            stored.into_iter().map(typed).collect()
        }

        async fn changed_since(&mut self, sequence: i64, limit: i64) -> Result<Vec<CaseFileRow>, StorageError> {
            let select = "SELECT * FROM case_files WHERE change_sequence > $1 ORDER BY change_sequence LIMIT $2";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(sequence).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn last_change(&mut self) -> Result<i64, StorageError> {
            let select = "SELECT value FROM counters WHERE name = 'change'";
            let (value,): (i64,) = sqlx::query_as(select).fetch_one(self.connection()).await?;
            Ok(value)
        }

        async fn put_tokens(&mut self, id: CaseFileId, tokens: &[CaseToken]) -> Result<(), StorageError> {
            let delete = "DELETE FROM case_file_tokens WHERE case_file_id = $1";
            sqlx::query(delete).bind(id.uuid()).execute(self.connection()).await?;
            let insert = "INSERT INTO case_file_tokens (kind, token, case_file_id) VALUES ($1, $2, $3)
                ON CONFLICT DO NOTHING";
            for token in tokens {
                sqlx::query(insert)
                    .bind(token.kind)
                    .bind(token.token.as_slice())
                    .bind(id.uuid())
                    .execute(self.connection())
                    .await?;
            }
            Ok(())
        }

        async fn with_token(&mut self, token: &CaseToken, limit: i64) -> Result<Vec<CaseFileRow>, StorageError> {
            let select = "SELECT c.* FROM case_file_tokens t JOIN case_files c ON c.id = t.case_file_id
                WHERE t.kind = $1 AND t.token = $2 ORDER BY c.accepted_on DESC, c.id DESC LIMIT $3";
            let stored: Vec<Stored> = sqlx::query_as(select)
                .bind(token.kind)
                .bind(token.token.as_slice())
                .bind(limit)
                .fetch_all(self.connection())
                .await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn numbers_with_token(&mut self, token: &CaseToken, looked_at: i64) -> Result<i64, StorageError> {
            // The empty text keeps SQLite from walking through every phone instead of those of a case file.
            let select = "SELECT count(DISTINCT token) FROM (SELECT n.token FROM case_file_tokens t
                JOIN case_file_tokens n ON n.case_file_id = t.case_file_id AND n.kind || '' = 'phone'
                WHERE t.kind = $1 AND t.token = $2 LIMIT $3) counted";
            let (count,): (i64,) = sqlx::query_as(select)
                .bind(token.kind)
                .bind(token.token.as_slice())
                .bind(looked_at)
                .fetch_one(self.connection())
                .await?;
            Ok(count)
        }

        async fn count_by_state(&mut self) -> Result<Vec<(CaseState, i64)>, StorageError> {
            let select = "SELECT state, count(*) FROM case_files GROUP BY state";
            let counts: Vec<(String, i64)> = sqlx::query_as(select).fetch_all(self.connection()).await?;
            counts.into_iter().map(|(state, count)| Ok((term(&state, "case_files.state")?, count))).collect()
        }
    }

    /// Takes the next number of the change sequence. The row lock it leaves until the end of the transaction
    /// is what keeps numbers in the order of commits: an indexer that saw n has seen everything below n.
    async fn next_change(tx: &mut EngineTransaction) -> Result<i64, StorageError> {
        let update = "UPDATE counters SET value = value + 1 WHERE name = 'change' RETURNING value";
        let (value,): (i64,) = sqlx::query_as(update).fetch_one(tx.connection()).await?;
        Ok(value)
    }

    async fn record_change(
        tx: &mut EngineTransaction,
        id: CaseFileId,
        from: Option<CaseState>,
        to: CaseState,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let insert = "INSERT INTO case_state_changes (case_file_id, number, from_state, to_state, reason, changed_at)
            VALUES ($1, (SELECT coalesce(max(number), 0) + 1 FROM case_state_changes WHERE case_file_id = $1),
                $2, $3, $4, $5)";
        sqlx::query(insert)
            .bind(id.uuid())
            .bind(from.map(CaseState::as_str))
            .bind(to.as_str())
            .bind(reason)
            .bind(at)
            .execute(tx.connection())
            .await?;
        Ok(())
    }
}

impl CaseToken {
    /// The tokens by which scans and searches by whole value find the case file of these entered data.
    pub fn of(key: &BlindKey, entered: &EnteredData) -> Vec<Self> {
        let numbers = [
            ("id_number", BlindField::IdNumber, &entered.id_number),
            ("name", BlindField::Name, &entered.customer_name),
            ("agent_id_number", BlindField::IdNumber, &entered.agent_id_number),
            ("agent_name", BlindField::Name, &entered.agent_name),
        ];
        let phones = entered.service_numbers.iter().map(|phone| ("phone", BlindField::Phone, phone));
        let token = |(kind, field, value): (&'static str, BlindField, &String)| {
            whole_token(key, field, value).map(|token| Self { kind, token })
        };
        numbers.into_iter().chain(phones).filter_map(token).collect()
    }

    /// The token of the customer's identity number; `None` when none was typed.
    pub fn of_identity(key: &BlindKey, entered: &EnteredData) -> Option<Self> {
        let token = whole_token(key, BlindField::IdNumber, &entered.id_number)?;
        Some(Self { kind: "id_number", token })
    }
}
