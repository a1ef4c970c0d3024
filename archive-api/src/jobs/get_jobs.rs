//! `GET /api/v1/jobs`: how many jobs are to be done and how long that takes, and those in one state.

use std::collections::BTreeMap;

use axum::extract::State;
use backends::{
    database::{
        Figures,
        jobs::{JobCount, JobRow},
    },
    queue::QueueDepths,
};
use chrono::{DateTime, Utc};
use domain::{
    access::Action,
    ids::JobId,
    job::{JobName, JobState},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    caller::Caller,
    extract::{Json, Query},
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Jobs listed at most.
const LISTED: i64 = 500;

/// Which jobs are listed.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    state: Option<JobState>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct JobsView {
    /// Jobs that are not done.
    counts: Vec<CountView>,
    backlog: Vec<BacklogView>,
    queue: Option<QueueView>,
    items: Vec<JobView>,
}

/// What waits on the queue; nothing when it does not answer.
#[derive(Debug, Serialize)]
struct QueueView {
    rings: BTreeMap<&'static str, u64>,
    refused: u64,
}

#[derive(Debug, Serialize)]
struct CountView {
    name: JobName,
    state: JobState,
    count: i64,
    oldest: DateTime<Utc>,
}

/// How far behind the work of one name is.
#[derive(Debug, Serialize)]
struct BacklogView {
    name: JobName,
    waiting: i64,
    oldest_seconds: f64,
    done_in_ten_minutes: i64,
    /// Until what waits is done at that speed; nothing when none was done.
    drain_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct JobView {
    id: JobId,
    name: JobName,
    subject: Uuid,
    state: JobState,
    attempts: i64,
    due_at: DateTime<Utc>,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// Lists jobs in a state, given up ones unless asked otherwise, oldest first.
pub(crate) async fn get_jobs(
    State(state): State<ArchiveState>,
    caller: Caller,
    Query(query): Query<JobsQuery>,
) -> Result<Json<JobsView>, Problem> {
    if !caller.has(Action::RunMachine) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let figures = state.backends.database.figures(state.backends.clock.now()).await?;
    let counts = figures.open_jobs.iter().map(count_view).collect();
    let backlog = JobName::ALL.into_iter().map(|name| backlog_view(&figures, name)).collect();
    let mut tx = state.backends.database.begin_read().await?;
    let listed = tx.jobs().in_state(query.state.unwrap_or(JobState::Dead), LISTED).await?;
    drop(tx);
    let queue = state.backends.queue.depths().await.ok().map(queue_view);
    Ok(Json(JobsView { counts, backlog, queue, items: listed.into_iter().map(job_view).collect() }))
}

fn queue_view(depths: QueueDepths) -> QueueView {
    let rings = depths.rings.into_iter().map(|(name, count)| (name.as_str(), count));
    QueueView { rings: rings.collect(), refused: depths.refused }
}

fn count_view(count: &JobCount) -> CountView {
    CountView { name: count.name, state: count.state, count: count.count, oldest: count.oldest }
}

fn backlog_view(figures: &Figures, name: JobName) -> BacklogView {
    let backlog = figures.backlog(name);
    BacklogView {
        name,
        waiting: backlog.waiting,
        oldest_seconds: backlog.oldest_seconds,
        done_in_ten_minutes: backlog.done_lately,
        drain_seconds: backlog.drain_seconds,
    }
}

fn job_view(job: JobRow) -> JobView {
    JobView {
        id: job.id,
        name: job.name,
        subject: job.subject,
        state: job.state,
        attempts: job.attempts,
        due_at: job.due_at,
        reason: job.reason,
        created_at: job.created_at,
        finished_at: job.finished_at,
    }
}
