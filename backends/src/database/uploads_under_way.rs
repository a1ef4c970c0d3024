//! Signs of life of uploads that take long: what was stored for them has no row yet, and must not be swept away.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::error::StorageError;

/// An upload that gave no sign of life for so long is over: what was stored for it may be removed, and it must never be
/// answered "received" afterwards.
pub const ALIVE_FOR: TimeDelta = TimeDelta::minutes(30);

/// Uploads that are under way.
#[async_trait]
pub trait UploadUnderWayRepository: Send {
    /// The first sign of life of an upload that began at `began_at`.
    async fn begin(
        &mut self,
        id: Uuid,
        began_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Another one. `false`: it was taken for dead meanwhile.
    async fn renew(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StorageError>;
    /// It is under way no longer. `false`: it was taken for dead meanwhile.
    async fn end(&mut self, id: Uuid) -> Result<bool, StorageError>;
    /// Takes those for dead that were not seen for `ALIVE_FOR`, and those that a clock which ran ahead saw later.
    async fn forget_dead(&mut self, now: DateTime<Utc>) -> Result<(), StorageError>;
    /// When the oldest of them began.
    async fn oldest(&mut self) -> Result<Option<DateTime<Utc>>, StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl UploadUnderWayRepository for EngineTransaction {
        async fn begin(&mut self, id: Uuid, began_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StorageError> {
            let insert = "INSERT INTO uploads_under_way (id, began_at, seen_at) VALUES ($1, $2, $3)";
            sqlx::query(insert).bind(id).bind(began_at).bind(now).execute(self.connection()).await?;
            Ok(())
        }

        async fn renew(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StorageError> {
            let update = "UPDATE uploads_under_way SET seen_at = $1 WHERE id = $2";
            let done = sqlx::query(update).bind(now).bind(id).execute(self.connection()).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn end(&mut self, id: Uuid) -> Result<bool, StorageError> {
            let delete = "DELETE FROM uploads_under_way WHERE id = $1";
            let done = sqlx::query(delete).bind(id).execute(self.connection()).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn forget_dead(&mut self, now: DateTime<Utc>) -> Result<(), StorageError> {
            let delete = "DELETE FROM uploads_under_way WHERE seen_at <= $1 OR seen_at > $2";
            sqlx::query(delete).bind(now - ALIVE_FOR).bind(now + ALIVE_FOR).execute(self.connection()).await?;
            Ok(())
        }

        async fn oldest(&mut self) -> Result<Option<DateTime<Utc>>, StorageError> {
            let select = "SELECT began_at FROM uploads_under_way ORDER BY began_at LIMIT 1";
            let found: Option<(DateTime<Utc>,)> = sqlx::query_as(select).fetch_optional(self.connection()).await?;
            Ok(found.map(|(began_at,)| began_at))
        }
    }
}
