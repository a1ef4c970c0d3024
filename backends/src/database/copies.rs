//! The mark of a copy that is being filled.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::StorageError;

/// Reads and ends the mark.
#[async_trait]
pub(super) trait CopyMarks {
    async fn unfinished(&self) -> Result<Option<String>, StorageError>;
    async fn finish(&self, source: &str, now: DateTime<Utc>) -> Result<(), StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl CopyMarks for EnginePool {
        async fn unfinished(&self) -> Result<Option<String>, StorageError> {
            let select = "SELECT source FROM copies WHERE finished_at IS NULL LIMIT 1";
            let found: Option<(String,)> = sqlx::query_as(select).fetch_optional(self).await?;
            Ok(found.map(|(source,)| source))
        }

        async fn finish(&self, source: &str, now: DateTime<Utc>) -> Result<(), StorageError> {
            let update = "UPDATE copies SET finished_at = $1 WHERE source = $2";
            sqlx::query(update).bind(now).bind(source).execute(self).await?;
            Ok(())
        }
    }
}
