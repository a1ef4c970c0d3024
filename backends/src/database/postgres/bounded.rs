//! A server that says nothing is not waited for without end.
//!
//! PostgreSQL bounds its own work. But where a line is cut and nobody is told, its answer never comes, and sqlx knows
//! neither time limits nor keepalives of a socket: a statement would be waited for until the process ends. What is
//! given up here leaves a connection that the pool finds dead and closes (`connecting::pool`).

use std::{io, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::KeyId;
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use uuid::Uuid;

use super::PostgresOptions;
use crate::{
    error::StorageError,
    vault::{KeyTable, WrappedKey},
};

/// How much longer than a statement may take its answer is waited for.
const ON_THE_WAY: Duration = Duration::from_secs(5);

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience(Duration);

impl Patience {
    pub(super) fn of(options: &PostgresOptions) -> Self {
        Self(options.statement_limit + ON_THE_WAY)
    }

    /// The answer, or that there was none.
    pub(super) async fn wait<T, E: From<sqlx::Error>>(
        self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        within(self.0, answer).await
    }

    /// A connection on which no statement is waited for any longer.
    pub(super) fn on(self, connection: &mut PgConnection) -> Bounded<'_> {
        Bounded { connection, patience: self.0 }
    }
}

/// Waits for an answer as long as `limit`.
pub(super) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(silent(limit).into()))
}

fn silent(limit: Duration) -> sqlx::Error {
    let said = format!("no answer of PostgreSQL, or no connection to it, within {limit:?}; it is given up");
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, said))
}

/// Runs statements on a connection, each within its time.
#[derive(Debug)]
pub(crate) struct Bounded<'c> {
    connection: &'c mut PgConnection,
    patience: Duration,
}

type Step = Result<Either<PgQueryResult, PgRow>, sqlx::Error>;

impl<'c> Executor<'c> for Bounded<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (patience, deadline) = (self.patience, tokio::time::Instant::now() + self.patience);
        let steps = self.connection.fetch_many(query);
        let next = move |steps: Option<BoxStream<'e, Step>>| async move {
            let mut steps = steps?;
            match tokio::time::timeout_at(deadline, steps.next()).await {
                Ok(step) => Some((step?, Some(steps))),
                Err(_) => Some((Err(silent(patience)), None)),
            }
        };
        stream::unfold(Some(steps), next).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(within(self.patience, self.connection.fetch_optional(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(within(self.patience, self.connection.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(within(self.patience, self.connection.describe(sql)))
    }
}

/// A table of keys on PostgreSQL, each of whose answers is waited for within its time.
pub(crate) struct BoundedKeys<T> {
    pub(super) table: T,
    pub(super) patience: Patience,
}

#[async_trait]
impl<T: KeyTable> KeyTable for BoundedKeys<T> {
    async fn add(&self, keys: &[WrappedKey]) -> Result<(), StorageError> {
        self.patience.wait(self.table.add(keys)).await
    }

    async fn add_only(&self, key: &WrappedKey) -> Result<(), StorageError> {
        self.patience.wait(self.table.add_only(key)).await
    }

    async fn wrapped_twice(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(Uuid, Uuid)>, StorageError> {
        self.patience.wait(self.table.wrapped_twice(since, until)).await
    }

    async fn remove_older(
        &self,
        id: KeyId,
        wrapped_by: Uuid,
        before: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        self.patience.wait(self.table.remove_older(id, wrapped_by, before)).await
    }

    async fn probe(&self) -> Result<(), StorageError> {
        self.patience.wait(self.table.probe()).await
    }

    async fn wrappings_of(&self, ids: &[Uuid]) -> Result<Vec<WrappedKey>, StorageError> {
        self.patience.wait(self.table.wrappings_of(ids)).await
    }

    async fn with_purpose(&self, purpose: &str) -> Result<Vec<WrappedKey>, StorageError> {
        self.patience.wait(self.table.with_purpose(purpose)).await
    }

    async fn remove(&self, id: KeyId, wrapped_by: Uuid) -> Result<(), StorageError> {
        self.patience.wait(self.table.remove(id, wrapped_by)).await
    }

    async fn destroy(&self, id: Uuid) -> Result<(), StorageError> {
        self.patience.wait(self.table.destroy(id)).await
    }

    async fn was_destroyed(&self, id: Uuid) -> Result<bool, StorageError> {
        self.patience.wait(self.table.was_destroyed(id)).await
    }

    async fn count(&self) -> Result<i64, StorageError> {
        self.patience.wait(self.table.count()).await
    }
}
