//! The table of wrapped keys, in a database of its own.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::KeyId;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::many::{self, ROWS};
use crate::{
    error::StorageError,
    vault::{KeyTable, WrappedKey},
};

/// Wrapped keys behind a pool of either engine.
pub(crate) struct KeyPool<P> {
    pub(super) pool: P,
}

for_each_engine! {
    #[async_trait]
    impl KeyTable for KeyPool<EnginePool> {
        async fn add(&self, keys: &[WrappedKey]) -> Result<(), StorageError> {
            let mut tx = self.pool.begin().await?;
            for keys in keys.chunks(ROWS) {
                let mut insert: QueryBuilder<Engine> =
                    QueryBuilder::new("WITH new (id, wrapped_by, wrapped, purpose, made_at) AS (");
                insert.push_values(keys, |mut values, key| {
                    values
                        .push_bind(key.id)
                        .push_bind(key.wrapped_by)
                        .push_bind(&key.wrapped)
                        .push_bind(&key.purpose)
                        .push_bind(key.made_at);
                });
                insert.push(
                    ") INSERT INTO data_keys (id, wrapped_by, wrapped, purpose, made_at)
                    SELECT id, wrapped_by, wrapped, purpose, made_at FROM new
                    WHERE NOT EXISTS (SELECT 1 FROM destroyed_keys WHERE destroyed_keys.id = new.id)
                    ON CONFLICT (id, wrapped_by) DO UPDATE SET made_at = excluded.made_at",
                );
                insert.build().execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        }

        async fn add_only(&self, key: &WrappedKey) -> Result<(), StorageError> {
            let insert = "INSERT INTO data_keys (id, wrapped_by, wrapped, purpose, made_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (purpose) WHERE purpose IN ('blind_index', 'log_signing') DO NOTHING";
            sqlx::query(insert)
                .bind(key.id)
                .bind(key.wrapped_by)
                .bind(&key.wrapped)
                .bind(&key.purpose)
                .bind(key.made_at)
                .execute(&self.pool)
                .await?;
            Ok(())
        }

        async fn wrappings_of(&self, ids: &[Uuid]) -> Result<Vec<WrappedKey>, StorageError> {
            let mut found = Vec::with_capacity(ids.len());
            for part in many::parts(ids.iter().copied()) {
                let select = many::select_in(
                    "SELECT id, wrapped_by, wrapped, purpose, made_at FROM data_keys WHERE id IN",
                    &part,
                );
                let query = part.iter().fold(sqlx::query_as(select), |query, id| query.bind(*id));
                found.extend(query.fetch_all(&self.pool).await?);
            }
            Ok(found)
        }

        async fn with_purpose(&self, purpose: &str) -> Result<Vec<WrappedKey>, StorageError> {
            let select = "SELECT id, wrapped_by, wrapped, purpose, made_at FROM data_keys WHERE purpose = $1";
            Ok(sqlx::query_as(select).bind(purpose).fetch_all(&self.pool).await?)
        }

        async fn wrapped_twice(
            &self,
            since: DateTime<Utc>,
            until: DateTime<Utc>,
        ) -> Result<Vec<(Uuid, Uuid)>, StorageError> {
            // As questions about each key that is new, so that the others are never gone through.
            let select = "SELECT id, wrapped_by FROM data_keys WHERE id IN (
                SELECT lately.id FROM data_keys lately WHERE lately.made_at >= $1 AND lately.made_at < $2
                    AND EXISTS (SELECT 1 FROM data_keys other
                        WHERE other.id = lately.id AND other.wrapped_by <> lately.wrapped_by)
                    AND NOT EXISTS (SELECT 1 FROM data_keys later WHERE later.id = lately.id AND later.made_at >= $2))";
            Ok(sqlx::query_as(select).bind(since).bind(until).fetch_all(&self.pool).await?)
        }

        async fn remove(&self, id: KeyId, wrapped_by: Uuid) -> Result<(), StorageError> {
            let delete = "DELETE FROM data_keys WHERE id = $1 AND wrapped_by = $2";
            sqlx::query(delete).bind(id.uuid()).bind(wrapped_by).execute(&self.pool).await?;
            Ok(())
        }

        async fn remove_older(
            &self,
            id: KeyId,
            wrapped_by: Uuid,
            before: DateTime<Utc>,
        ) -> Result<(), StorageError> {
            let delete = "DELETE FROM data_keys WHERE id = $1 AND wrapped_by = $2 AND made_at < $3";
            sqlx::query(delete).bind(id.uuid()).bind(wrapped_by).bind(before).execute(&self.pool).await?;
            Ok(())
        }

        async fn destroy(&self, id: Uuid) -> Result<(), StorageError> {
            let mut tx = self.pool.begin().await?;
            let remember = "INSERT INTO destroyed_keys (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
            sqlx::query(remember).bind(id).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM data_keys WHERE id = $1").bind(id).execute(&mut *tx).await?;
            Ok(tx.commit().await?)
        }

        async fn was_destroyed(&self, id: Uuid) -> Result<bool, StorageError> {
            let select = "SELECT count(*) FROM destroyed_keys WHERE id = $1";
            let (count,): (i64,) = sqlx::query_as(select).bind(id).fetch_one(&self.pool).await?;
            Ok(count > 0)
        }

        async fn probe(&self) -> Result<(), StorageError> {
            sqlx::query("SELECT 1 FROM data_keys LIMIT 1").fetch_optional(&self.pool).await?;
            Ok(())
        }

        async fn count(&self) -> Result<i64, StorageError> {
            let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM data_keys").fetch_one(&self.pool).await?;
            Ok(count)
        }
    }
}
