//! The operation log (操作日志): append-only, in the transaction of the act, without personal data.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AccountId, KeyId},
    merkle,
};
use serde::Serialize;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{digest, many::ROWS};
use crate::{
    error::StorageError,
    vault::{DataKey, SealedPlace},
};

/// One act to be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the archive itself.
    pub account_id: Option<AccountId>,
    /// In which role; `system` for the archive itself.
    pub role: String,
    /// At which outlet.
    pub outlet_code: Option<String>,
    /// From where: a network address, `command` or `worker`.
    pub origin: String,
    /// What was done, as in `search`, `read_clear`, `place_scan`.
    pub action: String,
    /// What it was done to, as in `case_file`, `scan`, `query`.
    pub subject_kind: String,
    /// Its id, or the digest of a list or query.
    pub subject_id: String,
    /// Authority or reason given. What a person typed stands here as its keyed digest; the words are a `SealedReason`.
    pub reason: Option<String>,
    /// `done`, `refused` or a count.
    pub result: String,
}

/// One entry as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// 1 for the first; gapless.
    pub sequence: i64,
    /// The act.
    pub entry: LogEntry,
    /// Hash of the entry as a leaf of the Merkle tree (RFC 6962 §2.1).
    pub leaf_hash: [u8; 32],
}

impl LogRow {
    /// The hash that the stored entry must have.
    pub fn expected_leaf_hash(&self) -> [u8; 32] {
        leaf_hash(self.sequence, &self.entry)
    }
}

/// A signed statement of what the log held at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// How many entries.
    pub tree_size: i64,
    /// Root of the Merkle tree over them.
    pub root_hash: [u8; 32],
    /// Hashes of the perfect subtrees, from which the next root is computed; 32 bytes each, largest first.
    pub frontier: Vec<u8>,
    /// Ed25519 signature over size and root.
    pub signature: Vec<u8>,
    /// When.
    pub signed_at: DateTime<Utc>,
}

/// A reason that a person typed. It may name people, so that it can be read only while the key lives that seals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReason {
    /// Which entry it belongs to.
    pub sequence: i64,
    /// The key of the case file, or of a scan that stands in none.
    pub key_id: KeyId,
    /// The words, sealed under that key.
    pub reason_sealed: Vec<u8>,
}

impl SealedReason {
    const fn place(sequence: i64) -> SealedPlace {
        SealedPlace { column: "log_reasons.reason_sealed", row: Uuid::from_u128(sequence as u128) }
    }

    /// Seals the reason of an entry.
    ///
    /// # Errors
    /// It cannot be sealed.
    pub fn seal(sequence: i64, key: &DataKey, reason: &str) -> Result<Self, StorageError> {
        let reason_sealed = key.seal(Self::place(sequence), &reason)?;
        Ok(Self { sequence, key_id: key.id(), reason_sealed })
    }

    /// The words.
    ///
    /// # Errors
    /// They were sealed under another key, or changed.
    pub fn open(&self, key: &DataKey) -> Result<String, StorageError> {
        key.open(Self::place(self.sequence), &self.reason_sealed)
    }
}

/// How often an act was done to a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActCount {
    /// What was done.
    pub action: String,
    /// The id of the thing.
    pub subject_id: String,
    /// How it ended, as in the entries.
    pub result: String,
    /// How many entries say so.
    pub count: i64,
}

/// The log. There is no update and no delete.
#[async_trait]
pub trait OperationLogRepository: Send {
    /// Puts an act on record; the number is final when the transaction commits.
    async fn append(&mut self, entry: &LogEntry) -> Result<i64, StorageError>;
    /// Puts several acts on record in this order; gives the number of the last one.
    async fn append_all(&mut self, entries: &[LogEntry]) -> Result<i64, StorageError>;
    /// Entries after `sequence` in order, at most `limit`.
    async fn after(&mut self, sequence: i64, limit: i64) -> Result<Vec<LogRow>, StorageError>;
    /// Keeps the words of a reason whose digest stands in an entry.
    async fn keep_reason(&mut self, reason: &SealedReason) -> Result<(), StorageError>;
    /// The sealed reason of an entry.
    async fn reason_of(&mut self, sequence: i64) -> Result<Option<SealedReason>, StorageError>;
    /// What was done to these things, in no order.
    async fn acts_on(&mut self, subjects: &[String]) -> Result<Vec<ActCount>, StorageError>;
    /// How many entries have been promised so far.
    async fn size(&mut self) -> Result<i64, StorageError>;
    /// Keeps a signed head.
    async fn insert_head(&mut self, head: &LogHead) -> Result<(), StorageError>;
    /// Every signed head, smallest first.
    async fn heads(&mut self) -> Result<Vec<LogHead>, StorageError>;
    /// The last signed head.
    async fn last_head(&mut self) -> Result<Option<LogHead>, StorageError>;
}

/// Things that one statement asks for at most.
const SUBJECTS: usize = 128;

/// The canonical form that is hashed: JSON with keys in this order, instants in microseconds since 1970.
#[derive(Serialize)]
struct Canonical<'a> {
    sequence: i64,
    at: i64,
    account: Option<Uuid>,
    role: &'a str,
    outlet: Option<&'a str>,
    origin: &'a str,
    action: &'a str,
    subject_kind: &'a str,
    subject_id: &'a str,
    reason: Option<&'a str>,
    result: &'a str,
}

fn leaf_hash(sequence: i64, entry: &LogEntry) -> [u8; 32] {
    let canonical = Canonical {
        sequence,
        at: entry.at.timestamp_micros(),
        account: entry.account_id.map(AccountId::uuid),
        role: &entry.role,
        outlet: entry.outlet_code.as_deref(),
        origin: &entry.origin,
        action: &entry.action,
        subject_kind: &entry.subject_kind,
        subject_id: &entry.subject_id,
        reason: entry.reason.as_deref(),
        result: &entry.result,
    };
    // Strings, numbers and options of them always have a JSON form; an empty one would fail verification.
    let json = serde_json::to_vec(&canonical).unwrap_or_default();
    merkle::leaf_hash(&json)
}

#[derive(sqlx::FromRow)]
struct Stored {
    sequence: i64,
    at: DateTime<Utc>,
    account_id: Option<Uuid>,
    role: String,
    outlet_code: Option<String>,
    origin: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    reason: Option<String>,
    result: String,
    leaf_hash: Vec<u8>,
}

impl Stored {
    fn typed(self) -> Result<LogRow, StorageError> {
        let entry = LogEntry {
            at: self.at,
            account_id: self.account_id.map(AccountId::from_uuid),
            role: self.role,
            outlet_code: self.outlet_code,
            origin: self.origin,
            action: self.action,
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            reason: self.reason,
            result: self.result,
        };
        let leaf_hash = digest(&self.leaf_hash, "operation_log.leaf_hash")?;
        Ok(LogRow { sequence: self.sequence, entry, leaf_hash })
    }
}

type StoredHead = (i64, Vec<u8>, Vec<u8>, Vec<u8>, DateTime<Utc>);

fn typed_head(
    (tree_size, root, frontier, signature, signed_at): StoredHead,
) -> Result<LogHead, StorageError> {
    let root_hash = digest(&root, "log_heads.root_hash")?;
    Ok(LogHead { tree_size, root_hash, frontier, signature, signed_at })
}

for_each_engine! {
    #[async_trait]
    impl OperationLogRepository for EngineTransaction {
        async fn append(&mut self, entry: &LogEntry) -> Result<i64, StorageError> {
            self.append_all(std::slice::from_ref(entry)).await
        }

        async fn append_all(&mut self, entries: &[LogEntry]) -> Result<i64, StorageError> {
            let update = "UPDATE counters SET value = value + $1 WHERE name = 'operation_log' RETURNING value";
            let (last,): (i64,) =
                sqlx::query_as(update).bind(entries.len() as i64).fetch_one(self.connection()).await?;
            let numbered: Vec<(i64, &LogEntry)> = (last - entries.len() as i64 + 1..).zip(entries).collect();
            for entries in numbered.chunks(ROWS) {
                let mut insert: QueryBuilder<Engine> = QueryBuilder::new(
                    "INSERT INTO operation_log (sequence, at, account_id, role, outlet_code, origin, action,
                        subject_kind, subject_id, reason, result, leaf_hash) ",
                );
                insert.push_values(entries, |mut values, (sequence, entry)| {
                    values
                        .push_bind(*sequence)
                        .push_bind(entry.at)
                        .push_bind(entry.account_id.map(AccountId::uuid))
                        .push_bind(&entry.role)
                        .push_bind(&entry.outlet_code)
                        .push_bind(&entry.origin)
                        .push_bind(&entry.action)
                        .push_bind(&entry.subject_kind)
                        .push_bind(&entry.subject_id)
                        .push_bind(&entry.reason)
                        .push_bind(&entry.result)
                        .push_bind(leaf_hash(*sequence, entry).to_vec());
                });
                insert.build().execute(self.connection()).await?;
            }
            Ok(last)
        }

        async fn after(&mut self, sequence: i64, limit: i64) -> Result<Vec<LogRow>, StorageError> {
            let select = "SELECT * FROM operation_log WHERE sequence > $1 ORDER BY sequence LIMIT $2";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(sequence).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn keep_reason(&mut self, reason: &SealedReason) -> Result<(), StorageError> {
            let insert = "INSERT INTO log_reasons (sequence, key_id, reason_sealed) VALUES ($1, $2, $3)";
            sqlx::query(insert)
                .bind(reason.sequence)
                .bind(reason.key_id.uuid())
                .bind(&reason.reason_sealed)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn reason_of(&mut self, sequence: i64) -> Result<Option<SealedReason>, StorageError> {
            let select = "SELECT key_id, reason_sealed FROM log_reasons WHERE sequence = $1";
            let found: Option<(Uuid, Vec<u8>)> =
                sqlx::query_as(select).bind(sequence).fetch_optional(self.connection()).await?;
            Ok(found.map(|(key_id, reason_sealed)| SealedReason {
                sequence,
                key_id: KeyId::from_uuid(key_id),
                reason_sealed,
            }))
        }

        async fn acts_on(&mut self, subjects: &[String]) -> Result<Vec<ActCount>, StorageError> {
            let mut found = Vec::new();
            for part in subjects.chunks(SUBJECTS) {
                let mut select: QueryBuilder<Engine> = QueryBuilder::new(
                    "SELECT action, subject_id, result, count(*) FROM operation_log WHERE subject_id IN (",
                );
                let mut places = select.separated(", ");
                for subject in part {
                    places.push_bind(subject);
                }
                select.push(") GROUP BY action, subject_id, result");
                let counts: Vec<(String, String, String, i64)> =
                    select.build_query_as().fetch_all(self.connection()).await?;
                found.extend(counts.into_iter().map(|(action, subject_id, result, count)| ActCount {
                    action,
                    subject_id,
                    result,
                    count,
                }));
            }
            Ok(found)
        }

        async fn size(&mut self) -> Result<i64, StorageError> {
            let select = "SELECT value FROM counters WHERE name = 'operation_log'";
            let (value,): (i64,) = sqlx::query_as(select).fetch_one(self.connection()).await?;
            Ok(value)
        }

        async fn insert_head(&mut self, head: &LogHead) -> Result<(), StorageError> {
            let insert = "INSERT INTO log_heads (tree_size, root_hash, frontier, signature, signed_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tree_size) DO NOTHING";
            sqlx::query(insert)
                .bind(head.tree_size)
                .bind(head.root_hash.as_slice())
                .bind(&head.frontier)
                .bind(&head.signature)
                .bind(head.signed_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn heads(&mut self) -> Result<Vec<LogHead>, StorageError> {
            let select = "SELECT tree_size, root_hash, frontier, signature, signed_at FROM log_heads ORDER BY tree_size";
            let stored: Vec<StoredHead> = sqlx::query_as(select).fetch_all(self.connection()).await?;
            stored.into_iter().map(typed_head).collect()
        }

        async fn last_head(&mut self) -> Result<Option<LogHead>, StorageError> {
            let select = "SELECT tree_size, root_hash, frontier, signature, signed_at FROM log_heads
                ORDER BY tree_size DESC LIMIT 1";
            let stored: Option<StoredHead> = sqlx::query_as(select).fetch_optional(self.connection()).await?;
            stored.map(typed_head).transpose()
        }
    }
}
