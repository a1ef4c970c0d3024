//! The table of wrapped keys, in a database of its own.

use async_trait::async_trait;
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
                    ON CONFLICT (id, wrapped_by) DO NOTHING",
                );
                insert.build().execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        }

        async fn wrappings(&self, id: KeyId) -> Result<Vec<WrappedKey>, StorageError> {
            let select = "SELECT id, wrapped_by, wrapped, purpose, made_at FROM data_keys WHERE id = $1";
            Ok(sqlx::query_as(select).bind(id.uuid()).fetch_all(&self.pool).await?)
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

        async fn remove(&self, id: KeyId, wrapped_by: Uuid) -> Result<(), StorageError> {
            let delete = "DELETE FROM data_keys WHERE id = $1 AND wrapped_by = $2";
            sqlx::query(delete).bind(id.uuid()).bind(wrapped_by).execute(&self.pool).await?;
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

        async fn count(&self) -> Result<i64, StorageError> {
            let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM data_keys").fetch_one(&self.pool).await?;
            Ok(count)
        }
    }
}
