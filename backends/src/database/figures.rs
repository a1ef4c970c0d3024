//! Figures to watch an archive by.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::job::{JobName, JobState};

use super::{jobs::JobCount, term};
use crate::error::StorageError;

/// Over how long the speed is measured at which work is done.
const LATELY: TimeDelta = TimeDelta::minutes(10);

/// What is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// When this was so.
    pub at: DateTime<Utc>,
    /// Jobs that are not done, by name and state.
    pub open_jobs: Vec<JobCount>,
    /// How many jobs of each name were done in the ten minutes before.
    pub done_jobs: Vec<(JobName, i64)>,
    /// Bytes of the catalogue on disk.
    pub catalogue_bytes: i64,
}

/// How far behind the work of one name is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Jobs that wait, for the first time or again.
    pub waiting: i64,
    /// Age of the oldest of them; 0 where none waits.
    pub oldest_seconds: f64,
    /// Jobs done in the last ten minutes.
    pub done_lately: i64,
    /// Time until what waits is done at the speed of late; `None`: nothing was done, so never.
    pub drain_seconds: Option<f64>,
}

impl Figures {
    /// How many jobs of a name are in a state that is not done.
    pub fn open(&self, name: JobName, state: JobState) -> i64 {
        self.count_of(name, state).map_or(0, |count| count.count)
    }

    /// How far behind the work of a name is.
    pub fn backlog(&self, name: JobName) -> Backlog {
        let waiting = [JobState::Waiting, JobState::Retrying];
        let oldest =
            waiting.into_iter().filter_map(|state| self.count_of(name, state)).map(|count| count.oldest);
        let age = oldest.min().map_or(TimeDelta::zero(), |oldest| self.at - oldest);
        let waiting: i64 = waiting.into_iter().map(|state| self.open(name, state)).sum();
        let done_lately =
            self.done_jobs.iter().find(|(done, _)| *done == name).map_or(0, |(_, count)| *count);
        let drain_seconds = match (waiting, done_lately) {
            (0, _) => Some(0.0),
            (_, 0) => None,
            _ => Some(waiting as f64 * LATELY.num_seconds() as f64 / done_lately as f64),
        };
        let oldest_seconds = age.num_milliseconds().max(0) as f64 / 1000.0;
        Backlog { waiting, oldest_seconds, done_lately, drain_seconds }
    }

    fn count_of(&self, name: JobName, state: JobState) -> Option<&JobCount> {
        self.open_jobs.iter().find(|count| count.name == name && count.state == state)
    }
}

/// Reads the figures of an engine.
#[async_trait]
pub(super) trait Watched {
    async fn watch(&self, at: DateTime<Utc>) -> Result<Figures, StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl Watched for EnginePool {
        async fn watch(&self, at: DateTime<Utc>) -> Result<Figures, StorageError> {
            let select = "SELECT name, state, count(*), min(created_at) FROM jobs
                WHERE state IN ('waiting', 'retrying', 'running', 'dead') GROUP BY name, state ORDER BY name, state";
            let open: Vec<(String, String, i64, DateTime<Utc>)> = sqlx::query_as(select).fetch_all(self).await?;
            let select = "SELECT name, count(*) FROM jobs WHERE state = $1 AND finished_at > $2 GROUP BY name ORDER BY name";
            let done: Vec<(String, i64)> =
                sqlx::query_as(select).bind(JobState::Done.as_str()).bind(at - LATELY).fetch_all(self).await?;
            let (catalogue_bytes,): (i64,) = sqlx::query_as(ENGINE_SIZE).fetch_one(self).await?;
            let open = open.into_iter().map(|(name, state, count, oldest)| {
                Ok(JobCount { name: term(&name, "jobs.name")?, state: term(&state, "jobs.state")?, count, oldest })
            });
            let done = done.into_iter().map(|(name, count)| Ok((term(&name, "jobs.name")?, count)));
            Ok(Figures {
                at,
                open_jobs: open.collect::<Result<_, StorageError>>()?,
                done_jobs: done.collect::<Result<_, StorageError>>()?,
                catalogue_bytes,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(waiting: i64, done: i64) -> Figures {
        let at = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let oldest = at - TimeDelta::seconds(90);
        let open = JobCount { name: JobName::ReadScan, state: JobState::Waiting, count: waiting, oldest };
        Figures {
            at,
            open_jobs: if waiting > 0 { vec![open] } else { Vec::new() },
            done_jobs: vec![(JobName::ReadScan, done)],
            catalogue_bytes: 0,
        }
    }

    #[test]
    fn the_backlog_is_measured_by_the_speed_of_late() {
        let of = |waiting, done| {
            let backlog = figures(waiting, done).backlog(JobName::ReadScan);
            (backlog.oldest_seconds, backlog.drain_seconds)
        };

        assert_eq!(of(50, 100), (90.0, Some(300.0)));
        assert_eq!(of(50, 0), (90.0, None));
        assert_eq!(of(0, 100), (0.0, Some(0.0)));
    }
}
