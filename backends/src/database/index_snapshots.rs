//! Snapshots of the search index: which there are, and the one that is being made.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{IndexSnapshotId, KeyId};
use uuid::Uuid;

use crate::error::StorageError;

/// A snapshot of the search index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSnapshotRow {
    /// Its id; also names its object.
    pub id: IndexSnapshotId,
    /// Number of the last change in it.
    pub reached: i64,
    /// Format of the index, and of the key of its tokens.
    pub format: String,
    /// The key it is sealed with; destroyed before the snapshot is removed.
    pub key_id: KeyId,
    /// Bytes of its files.
    pub size_bytes: i64,
    /// When it was begun.
    pub made_at: DateTime<Utc>,
}

/// Snapshots of the search index.
#[async_trait]
pub trait IndexSnapshotRepository: Send {
    /// Puts down that a snapshot is being made, until `lease_until` at first. `false`: another process makes one.
    async fn begin(
        &mut self,
        snapshot: &IndexSnapshotRow,
        lease_until: DateTime<Utc>,
    ) -> Result<bool, StorageError>;
    /// Makes the time longer in which it may be made. `false`: it was removed meanwhile, or given up.
    async fn renew(&mut self, id: IndexSnapshotId, lease_until: DateTime<Utc>) -> Result<bool, StorageError>;
    /// Says that its object is whole. `false`: it was removed meanwhile.
    async fn finish(&mut self, id: IndexSnapshotId) -> Result<bool, StorageError>;
    /// Those that are whole, newest first.
    async fn finished(&mut self) -> Result<Vec<IndexSnapshotRow>, StorageError>;
    /// Every one, whole or not, that a change after it makes unfit: those that reached less than `change`.
    async fn before(&mut self, change: i64) -> Result<Vec<IndexSnapshotRow>, StorageError>;
    /// Those whose maker has died.
    async fn given_up(&mut self, now: DateTime<Utc>) -> Result<Vec<IndexSnapshotRow>, StorageError>;
    /// Whether there is one with this id, whole or not.
    async fn exists(&mut self, id: IndexSnapshotId) -> Result<bool, StorageError>;
    /// Forgets one.
    async fn remove(&mut self, id: IndexSnapshotId) -> Result<(), StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    reached: i64,
    format: String,
    key_id: Uuid,
    size_bytes: i64,
    made_at: DateTime<Utc>,
}

impl From<Stored> for IndexSnapshotRow {
    fn from(stored: Stored) -> Self {
        Self {
            id: IndexSnapshotId::from_uuid(stored.id),
            reached: stored.reached,
            format: stored.format,
            key_id: KeyId::from_uuid(stored.key_id),
            size_bytes: stored.size_bytes,
            made_at: stored.made_at,
        }
    }
}

fn typed(stored: Vec<Stored>) -> Vec<IndexSnapshotRow> {
    stored.into_iter().map(IndexSnapshotRow::from).collect()
}

for_each_engine! {
    #[async_trait]
    impl IndexSnapshotRepository for EngineTransaction {
        async fn begin(
            &mut self,
            snapshot: &IndexSnapshotRow,
            lease_until: DateTime<Utc>,
        ) -> Result<bool, StorageError> {
            let insert = "INSERT INTO index_snapshots (id, state, reached, format, key_id, size_bytes, lease_until, made_at)
                VALUES ($1, 'making', $2, $3, $4, $5, $6, $7)
                ON CONFLICT (state) WHERE state = 'making' DO NOTHING";
            let done = sqlx::query(insert)
                .bind(snapshot.id.uuid())
                .bind(snapshot.reached)
                .bind(&snapshot.format)
                .bind(snapshot.key_id.uuid())
                .bind(snapshot.size_bytes)
                .bind(lease_until)
                .bind(snapshot.made_at)
                .execute(self.connection())
                .await?;
            Ok(done.rows_affected() == 1)
        }

        async fn renew(&mut self, id: IndexSnapshotId, lease_until: DateTime<Utc>) -> Result<bool, StorageError> {
            let update = "UPDATE index_snapshots SET lease_until = $1 WHERE id = $2 AND state = 'making'";
            let done = sqlx::query(update).bind(lease_until).bind(id.uuid()).execute(self.connection()).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn finish(&mut self, id: IndexSnapshotId) -> Result<bool, StorageError> {
            let update = "UPDATE index_snapshots SET state = 'whole', lease_until = NULL WHERE id = $1 AND state = 'making'";
            let done = sqlx::query(update).bind(id.uuid()).execute(self.connection()).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn finished(&mut self) -> Result<Vec<IndexSnapshotRow>, StorageError> {
            let select = "SELECT id, reached, format, key_id, size_bytes, made_at FROM index_snapshots
                WHERE state = 'whole' ORDER BY reached DESC, id DESC";
            let stored: Vec<Stored> = sqlx::query_as(select).fetch_all(self.connection()).await?;
            Ok(typed(stored))
        }

        async fn before(&mut self, change: i64) -> Result<Vec<IndexSnapshotRow>, StorageError> {
            let select = "SELECT id, reached, format, key_id, size_bytes, made_at FROM index_snapshots
                WHERE reached < $1 ORDER BY reached";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(change).fetch_all(self.connection()).await?;
            Ok(typed(stored))
        }

        async fn given_up(&mut self, now: DateTime<Utc>) -> Result<Vec<IndexSnapshotRow>, StorageError> {
            let select = "SELECT id, reached, format, key_id, size_bytes, made_at FROM index_snapshots
                WHERE state = 'making' AND lease_until <= $1";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(now).fetch_all(self.connection()).await?;
            Ok(typed(stored))
        }

        async fn exists(&mut self, id: IndexSnapshotId) -> Result<bool, StorageError> {
            let select = "SELECT count(*) FROM index_snapshots WHERE id = $1";
            let (count,): (i64,) = sqlx::query_as(select).bind(id.uuid()).fetch_one(self.connection()).await?;
            Ok(count > 0)
        }

        async fn remove(&mut self, id: IndexSnapshotId) -> Result<(), StorageError> {
            let delete = "DELETE FROM index_snapshots WHERE id = $1";
            sqlx::query(delete).bind(id.uuid()).execute(self.connection()).await?;
            Ok(())
        }
    }
}
