//! Jobs: rows written in the transaction that makes them necessary, claimed with a lease.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::JobId,
    job::{JobName, JobState},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{many::ROWS, term};
use crate::{clock::new_id, error::StorageError, queue::Ring, trace::TraceParent};

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its id; the only thing a message carries.
    pub id: JobId,
    /// What to do.
    pub name: JobName,
    /// To what: a scan or a case file, by the name's documentation.
    pub subject: Uuid,
    /// Where it stands.
    pub state: JobState,
    /// How many times it was started.
    pub attempts: i64,
    /// Not before this.
    pub due_at: DateTime<Utc>,
    /// Until when whoever runs it may be believed to run it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Why it failed last, without personal data.
    pub reason: Option<String>,
    /// When it became necessary.
    pub created_at: DateTime<Utc>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// The span that made it necessary, where that was traced.
    pub trace: Option<TraceParent>,
}

impl JobRow {
    /// A new job that may be started now. It follows in the trace of whoever asks for it.
    pub fn due_at_once(name: JobName, subject: Uuid, now: DateTime<Utc>) -> Self {
        Self {
            id: new_id(now),
            name,
            subject,
            state: JobState::Waiting,
            attempts: 0,
            due_at: now,
            lease_until: None,
            reason: None,
            created_at: now,
            finished_at: None,
            trace: TraceParent::current(),
        }
    }
}

/// How many jobs of a name are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// Which job.
    pub name: JobName,
    /// Which state.
    pub state: JobState,
    /// How many.
    pub count: i64,
    /// When the oldest of them became necessary.
    pub oldest: DateTime<Utc>,
}

/// What a worker asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Which jobs it can do.
    pub names: &'a [JobName],
    /// The one it was rung for; without one, whichever has been due longest.
    pub only: Option<JobId>,
    /// Who asks; renewing and finishing ask for the same.
    pub owner: Uuid,
    /// Now.
    pub now: DateTime<Utc>,
    /// When the lease ends.
    pub lease_until: DateTime<Utc>,
}

/// Jobs.
#[async_trait]
pub trait JobRepository: Send {
    /// Makes a job necessary; when one for the same name and subject waits already, that one is kept, due at the
    /// earlier of the two instants and in the trace it belongs to. Gives the ring for the one that waits.
    async fn enqueue(&mut self, job: &JobRow) -> Result<Ring, StorageError>;
    /// The same for several jobs, each of another name or subject, in a few statements.
    async fn enqueue_all(&mut self, jobs: &[JobRow]) -> Result<Vec<Ring>, StorageError>;
    /// Takes a job whose lease has run out, or one that is due; never one whose twin is running. Of those that are due
    /// what finishes a case file goes before reading more, then what has been due longest. Counts the attempt.
    async fn claim(&mut self, claim: Claim<'_>) -> Result<Option<JobRow>, StorageError>;
    /// Makes the lease longer. `false`: it was lost to somebody else.
    async fn renew(
        &mut self,
        id: JobId,
        owner: Uuid,
        lease_until: DateTime<Utc>,
    ) -> Result<bool, StorageError>;
    /// Ends a job as done or dead. `Conflict`: the lease was lost.
    async fn finish(
        &mut self,
        id: JobId,
        owner: Uuid,
        outcome: (JobState, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Puts a job back, due at `due_at`; merged into its twin when one waits already. With a reason it failed;
    /// without one it only waits, and the attempt is not counted. `Conflict`: the lease was lost.
    async fn put_back(
        &mut self,
        id: JobId,
        owner: Uuid,
        due_at: DateTime<Utc>,
        reason: Option<&str>,
    ) -> Result<(), StorageError>;
    /// The job with this id.
    async fn find(&mut self, id: JobId) -> Result<Option<JobRow>, StorageError>;
    /// Jobs in a state, oldest first, at most `limit`.
    async fn in_state(&mut self, state: JobState, limit: i64) -> Result<Vec<JobRow>, StorageError>;
    /// Jobs that are not done, by id, after `after`, at most `limit`.
    async fn not_done(&mut self, after: Option<JobId>, limit: i64) -> Result<Vec<JobRow>, StorageError>;
    /// Whether a job that is not finished, or was given up, concerns this subject.
    async fn is_cared_for(&mut self, subject: Uuid) -> Result<bool, StorageError>;
    /// Whether a job that is not finished concerns this subject.
    async fn is_pending(&mut self, subject: Uuid) -> Result<bool, StorageError>;
    /// Makes a dead job wait again, with its attempts forgotten; where its twin waits already it ends as done, since the
    /// twin does the same work. `false`: it was not dead.
    async fn revive(&mut self, id: JobId, now: DateTime<Utc>) -> Result<bool, StorageError>;
    /// How many there are.
    async fn counts(&mut self) -> Result<Vec<JobCount>, StorageError>;
    /// When the next of these jobs that waits becomes due, or a lease ends.
    async fn next_due(&mut self, names: &[JobName]) -> Result<Option<DateTime<Utc>>, StorageError>;
    /// Forgets done jobs that finished before `before`, at most `limit`; gives how many.
    async fn forget_done(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64, StorageError>;
}

#[derive(sqlx::FromRow)]
pub(crate) struct Stored {
    id: Uuid,
    name: String,
    subject: Uuid,
    state: String,
    attempts: i64,
    due_at: DateTime<Utc>,
    lease_until: Option<DateTime<Utc>>,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    trace_parent: Option<String>,
}

impl Stored {
    pub(crate) fn typed(self) -> Result<JobRow, StorageError> {
        Ok(JobRow {
            id: JobId::from_uuid(self.id),
            name: term(&self.name, "jobs.name")?,
            subject: self.subject,
            state: term(&self.state, "jobs.state")?,
            attempts: self.attempts,
            due_at: self.due_at,
            lease_until: self.lease_until,
            reason: self.reason,
            created_at: self.created_at,
            finished_at: self.finished_at,
            trace: self.trace_parent.as_deref().and_then(TraceParent::parse),
        })
    }
}

/// Names with blanks around each, so that one is found with LIKE on both engines.
pub(crate) fn words_of(names: &[JobName]) -> String {
    let words: Vec<&str> = names.iter().copied().map(JobName::as_str).collect();
    format!(" {} ", words.join("  "))
}

const LEASE_LOST: StorageError = StorageError::Conflict { what: "lease" };

/// The job that waits after one was made necessary: the new one or its twin.
type Waiting = (Uuid, String, Uuid, Option<String>);

/// The ring for the job that waits; the trace of whoever asked for it is linked with the one it belongs to.
fn ring_of((id, name, subject, trace): Waiting, asked: &[JobRow]) -> Result<Ring, StorageError> {
    let name: JobName = term(&name, "jobs.name")?;
    let wanted = asked.iter().find(|job| job.name == name && job.subject == subject);
    let trace = trace.as_deref().and_then(TraceParent::parse);
    if let Some(of_twin) = trace.filter(|trace| Some(trace) != wanted.and_then(|job| job.trace.as_ref())) {
        of_twin.link();
    }
    Ok(Ring { job: JobId::from_uuid(id), name })
}

for_each_engine! {
    #[async_trait]
    impl JobRepository for EngineTransaction {
        async fn enqueue(&mut self, job: &JobRow) -> Result<Ring, StorageError> {
            let rings = self.enqueue_all(std::slice::from_ref(job)).await?;
            rings.into_iter().next().ok_or_else(|| StorageError::corrupt("catalogue", "a job was not written"))
        }

        async fn enqueue_all(&mut self, jobs: &[JobRow]) -> Result<Vec<Ring>, StorageError> {
            let mut rings = Vec::with_capacity(jobs.len());
            for jobs in jobs.chunks(ROWS) {
                let mut upsert: QueryBuilder<Engine> = QueryBuilder::new(
                    "INSERT INTO jobs (id, name, subject, state, attempts, due_at, created_at, trace_parent) ",
                );
                upsert.push_values(jobs, |mut values, job| {
                    values
                        .push_bind(job.id.uuid())
                        .push_bind(job.name.as_str())
                        .push_bind(job.subject)
                        .push("'waiting', 0")
                        .push_bind(job.due_at)
                        .push_bind(job.created_at)
                        .push_bind(job.trace.as_ref().map(TraceParent::as_str));
                });
                upsert.push(
                    " ON CONFLICT (name, subject) WHERE state IN ('waiting', 'retrying')
                        DO UPDATE SET due_at = CASE WHEN jobs.due_at < excluded.due_at THEN jobs.due_at ELSE excluded.due_at END
                    RETURNING id, name, subject, trace_parent",
                );
                let waiting: Vec<Waiting> = upsert.build_query_as().fetch_all(self.connection()).await?;
                for job in waiting {
                    rings.push(ring_of(job, jobs)?);
                }
            }
            Ok(rings)
        }

        async fn claim(&mut self, claim: Claim<'_>) -> Result<Option<JobRow>, StorageError> {
            let Some(id) = claim.only else { return self.claim_next(claim).await };
            // Of two that claim the same row the second one finds it running.
            let update = "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = $2
                WHERE id = $4 AND ((state IN ('waiting', 'retrying') AND due_at <= $3)
                        OR (state = 'running' AND lease_until <= $3))
                    AND NOT EXISTS (SELECT 1 FROM jobs twin WHERE twin.subject = jobs.subject AND twin.state = 'running'
                        AND twin.name = jobs.name AND twin.id <> jobs.id AND twin.lease_until > $3)
                RETURNING *";
            let found: Option<Stored> = sqlx::query_as(update)
                .bind(claim.owner)
                .bind(claim.lease_until)
                .bind(claim.now)
                .bind(id.uuid())
                .fetch_optional(self.connection())
                .await?;
            found.map(Stored::typed).transpose()
        }

        async fn renew(&mut self, id: JobId, owner: Uuid, lease_until: DateTime<Utc>) -> Result<bool, StorageError> {
            let update = "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND lease_owner = $3 AND state = 'running'";
            let done = sqlx::query(update)
                .bind(lease_until)
                .bind(id.uuid())
                .bind(owner)
                .execute(self.connection())
                .await?;
            Ok(done.rows_affected() == 1)
        }

        async fn finish(
            &mut self,
            id: JobId,
            owner: Uuid,
            (state, reason): (JobState, Option<&str>),
            now: DateTime<Utc>,
        ) -> Result<(), StorageError> {
            let update = "UPDATE jobs SET state = $1, reason = $2, finished_at = $3, lease_owner = NULL, lease_until = NULL
                WHERE id = $4 AND lease_owner = $5 AND state = 'running'";
            let done = sqlx::query(update)
                .bind(state.as_str())
                .bind(reason)
                .bind(now)
                .bind(id.uuid())
                .bind(owner)
                .execute(self.connection())
                .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(LEASE_LOST) }
        }

        async fn put_back(
            &mut self,
            id: JobId,
            owner: Uuid,
            due_at: DateTime<Utc>,
            reason: Option<&str>,
        ) -> Result<(), StorageError> {
            // A twin that waits already will do the same work: this row then ends as done.
            let twin = "SELECT twin.id FROM jobs mine JOIN jobs twin ON twin.name = mine.name
                    AND twin.subject = mine.subject AND twin.id <> mine.id AND twin.state IN ('waiting', 'retrying')
                WHERE mine.id = $1";
            let twin: Option<(Uuid,)> =
                sqlx::query_as(twin).bind(id.uuid()).fetch_optional(self.connection()).await?;
            if twin.is_some() {
                return self.finish(id, owner, (JobState::Done, reason), due_at).await;
            }
            let update = "UPDATE jobs SET state = 'retrying', due_at = $1, reason = $2, lease_owner = NULL,
                    lease_until = NULL, attempts = attempts - $5
                WHERE id = $3 AND lease_owner = $4 AND state = 'running'";
            let not_counted = i64::from(reason.is_none());
            let done = sqlx::query(update)
                .bind(due_at)
                .bind(reason)
                .bind(id.uuid())
                .bind(owner)
                .bind(not_counted)
                .execute(self.connection())
                .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(LEASE_LOST) }
        }

        async fn find(&mut self, id: JobId) -> Result<Option<JobRow>, StorageError> {
            let select = "SELECT * FROM jobs WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn in_state(&mut self, state: JobState, limit: i64) -> Result<Vec<JobRow>, StorageError> {
            let select = "SELECT * FROM jobs WHERE state = $1 ORDER BY created_at, id LIMIT $2";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(state.as_str()).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn not_done(&mut self, after: Option<JobId>, limit: i64) -> Result<Vec<JobRow>, StorageError> {
            let select = "SELECT * FROM jobs WHERE state <> 'done' AND id > $1 ORDER BY id LIMIT $2";
            let after = after.map_or(Uuid::nil(), JobId::uuid);
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(after).bind(limit).fetch_all(self.connection()).await?;
            stored.into_iter().map(Stored::typed).collect()
        }

        async fn is_cared_for(&mut self, subject: Uuid) -> Result<bool, StorageError> {
            let select = "SELECT count(*) FROM jobs WHERE subject = $1 AND state <> 'done'";
            let (count,): (i64,) = sqlx::query_as(select).bind(subject).fetch_one(self.connection()).await?;
            Ok(count > 0)
        }

        async fn is_pending(&mut self, subject: Uuid) -> Result<bool, StorageError> {
            let select = "SELECT count(*) FROM jobs WHERE subject = $1 AND state IN ('waiting', 'running', 'retrying')";
            let (count,): (i64,) = sqlx::query_as(select).bind(subject).fetch_one(self.connection()).await?;
            Ok(count > 0)
        }

        async fn revive(&mut self, id: JobId, now: DateTime<Utc>) -> Result<bool, StorageError> {
            let update = "UPDATE jobs SET state = 'done', finished_at = $1
                WHERE id = $2 AND state = 'dead' AND EXISTS (SELECT 1 FROM jobs twin
                    WHERE twin.name = jobs.name AND twin.subject = jobs.subject AND twin.state IN ('waiting', 'retrying'))";
            let merged = sqlx::query(update).bind(now).bind(id.uuid()).execute(self.connection()).await?;
            if merged.rows_affected() == 1 {
                return Ok(true);
            }
            let update = "UPDATE jobs SET state = 'waiting', attempts = 0, due_at = $1, finished_at = NULL
                WHERE id = $2 AND state = 'dead'";
            let done = sqlx::query(update).bind(now).bind(id.uuid()).execute(self.connection()).await?;
            Ok(done.rows_affected() == 1)
        }

        async fn counts(&mut self) -> Result<Vec<JobCount>, StorageError> {
            let select = "SELECT name, state, count(*), min(created_at) FROM jobs GROUP BY name, state ORDER BY name, state";
            let counts: Vec<(String, String, i64, DateTime<Utc>)> =
                sqlx::query_as(select).fetch_all(self.connection()).await?;
            let typed = |(name, state, count, oldest): (String, String, i64, DateTime<Utc>)| {
                Ok(JobCount { name: term(&name, "jobs.name")?, state: term(&state, "jobs.state")?, count, oldest })
            };
            counts.into_iter().map(typed).collect()
        }

        async fn next_due(&mut self, names: &[JobName]) -> Result<Option<DateTime<Utc>>, StorageError> {
            // Two questions, each answered by an index, however many jobs wait.
            let select = "SELECT
                (SELECT min(due_at) FROM jobs WHERE state IN ('waiting', 'retrying') AND $1 LIKE '% ' || name || ' %'),
                (SELECT min(lease_until) FROM jobs WHERE state = 'running' AND $1 LIKE '% ' || name || ' %')";
            let next: (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
                sqlx::query_as(select).bind(words_of(names)).fetch_one(self.connection()).await?;
            Ok(next.0.into_iter().chain(next.1).min())
        }

        async fn forget_done(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64, StorageError> {
            let delete = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'done' AND finished_at < $1 LIMIT $2)";
            let done = sqlx::query(delete).bind(before).bind(limit).execute(self.connection()).await?;
            Ok(done.rows_affected())
        }
    }
}
