//! Figures to watch an archive by.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::job::{JobName, JobState};

use super::{jobs::JobCount, term};
use crate::error::StorageError;

/// What is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that are not done, by name and state.
    pub open_jobs: Vec<JobCount>,
    /// How many jobs of each name were done since the instant asked for.
    pub done_jobs: Vec<(JobName, i64)>,
    /// Bytes of the catalogue on disk.
    pub catalogue_bytes: i64,
}

/// Reads the figures of an engine.
#[async_trait]
pub(super) trait Watched {
    async fn watch(&self, since: DateTime<Utc>) -> Result<Figures, StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl Watched for EnginePool {
        async fn watch(&self, since: DateTime<Utc>) -> Result<Figures, StorageError> {
            let select = "SELECT name, state, count(*), min(created_at) FROM jobs
                WHERE state IN ('waiting', 'retrying', 'running', 'dead') GROUP BY name, state ORDER BY name, state";
            let open: Vec<(String, String, i64, DateTime<Utc>)> = sqlx::query_as(select).fetch_all(self).await?;
            let select = "SELECT name, count(*) FROM jobs WHERE state = $1 AND finished_at > $2 GROUP BY name ORDER BY name";
            let done: Vec<(String, i64)> =
                sqlx::query_as(select).bind(JobState::Done.as_str()).bind(since).fetch_all(self).await?;
            let (catalogue_bytes,): (i64,) = sqlx::query_as(ENGINE_SIZE).fetch_one(self).await?;
            let open = open.into_iter().map(|(name, state, count, oldest)| {
                Ok(JobCount { name: term(&name, "jobs.name")?, state: term(&state, "jobs.state")?, count, oldest })
            });
            let done = done.into_iter().map(|(name, count)| Ok((term(&name, "jobs.name")?, count)));
            Ok(Figures {
                open_jobs: open.collect::<Result<_, StorageError>>()?,
                done_jobs: done.collect::<Result<_, StorageError>>()?,
                catalogue_bytes,
            })
        }
    }
}
