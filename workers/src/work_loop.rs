//! The loop: claim a row with a lease, work with no transaction open, renew, finish.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use backends::database::jobs::Claim;
use chrono::TimeDelta;
use domain::job::{JobName, JobState};
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    context::{Claimed, JobFailure, WorkContext},
    jobs,
};

/// How long an idle slot sleeps when nothing rings.
const IDLE: Duration = Duration::from_secs(2);
/// How soon a job that waits for another one looks again.
const NOT_YET_MS: i64 = 400;

/// The running slots.
pub struct WorkLoop {
    slots: JoinSet<()>,
    stop: watch::Sender<bool>,
    context: WorkContext,
}

impl WorkLoop {
    /// Starts as many slots as the options say, each claiming any of `names`.
    pub fn start(context: &WorkContext, names: &[JobName]) -> Self {
        let stop = watch::Sender::new(false);
        let mut slots = JoinSet::new();
        let names: Arc<[JobName]> = names.into();
        for _ in 0..context.options.slots.max(1) {
            slots.spawn(run_slot(context.clone(), Arc::clone(&names), stop.subscribe()));
        }
        Self { slots, stop, context: context.clone() }
    }

    /// Claims nothing more, and waits until what runs has ended.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.context.backends.queue.close().await;
        while self.slots.join_next().await.is_some() {}
    }
}

/// Does every job that is due now, one after the other, and returns how many ran. For commands that work in process.
pub async fn run_due_jobs(context: &WorkContext, names: &[JobName]) -> Result<usize, JobFailure> {
    let owner = Uuid::from_u128(
        u128::from(std::process::id()) << 64 | u128::from(context.now().timestamp_micros() as u64),
    );
    let mut ran = 0;
    while let Some(claimed) = claim(context, names, owner).await? {
        run(context, claimed).await;
        ran += 1;
    }
    Ok(ran)
}

async fn run_slot(context: WorkContext, names: Arc<[JobName]>, mut stop: watch::Receiver<bool>) {
    let owner = backends::clock::new_id::<domain::ids::JobKind>(context.now()).uuid();
    while !*stop.borrow() {
        match claim(&context, &names, owner).await {
            Ok(Some(claimed)) => run(&context, claimed).await,
            Ok(None) => idle(&context, &mut stop).await,
            Err(error) => {
                tracing::warn!(error = %error, "no work could be claimed; trying again");
                tokio::time::sleep(IDLE).await;
            }
        }
    }
}

/// Sleeps until the bell rings, the next job falls due, or the loop is to stop.
async fn idle(context: &WorkContext, stop: &mut watch::Receiver<bool>) {
    let wait = until_next_due(context).await.unwrap_or(IDLE).min(IDLE);
    tokio::select! {
        rung = context.backends.queue.receive() => match rung {
            Ok(Some(_)) => {}
            // Closed: the loop ends when the flag says so; a broken broker must not spin the loop.
            Ok(None) | Err(_) => tokio::time::sleep(wait.max(Duration::from_millis(50))).await,
        },
        () = tokio::time::sleep(wait) => {}
        _ = stop.changed() => {}
    }
}

async fn until_next_due(context: &WorkContext) -> Option<Duration> {
    let mut tx = context.backends.database.begin_read().await.ok()?;
    let due = tx.jobs().next_due().await.ok()??;
    let wait = (due - context.now()).to_std().unwrap_or(Duration::ZERO);
    Some(wait.max(Duration::from_millis(20)))
}

async fn claim(context: &WorkContext, names: &[JobName], owner: Uuid) -> Result<Option<Claimed>, JobFailure> {
    let now = context.now();
    // Looking does not write: an idle archive leaves its disk alone.
    let mut look = context.backends.database.begin_read().await?;
    if look.jobs().next_due().await?.is_none_or(|due| due > now) {
        return Ok(None);
    }
    drop(look);
    let mut tx = context.backends.database.begin().await?;
    let claim = Claim { names, owner, now, lease_until: now + context.options.lease };
    let Some(job) = tx.jobs().claim(claim).await? else { return Ok(None) };
    tx.commit().await?;
    Ok(Some(Claimed { job, owner }))
}

async fn run(context: &WorkContext, claimed: Claimed) {
    let job = &claimed.job;
    if job.attempts > context.options.max_attempts {
        let reason =
            job.reason.clone().unwrap_or_else(|| "the worker that ran it ended without a word".to_owned());
        end(
            context,
            &claimed,
            JobFailure::Dead { reason: format!("given up after {} attempts: {reason}", job.attempts - 1) },
        )
        .await;
        return;
    }
    let span = tracing::info_span!("job", job.id = %job.id, job.name = job.name.as_str(), job.attempt = job.attempts);
    let work = jobs::run(context, &claimed).instrument(span);
    let started = Instant::now();
    let outcome = with_heartbeat(context, &claimed, work).await;
    let labels = [("name", job.name.as_str()), ("outcome", outcome_word(&outcome))];
    metrics::histogram!("guidang_job_seconds", &labels).record(started.elapsed().as_secs_f64());
    if let Err(failure) = outcome {
        end(context, &claimed, failure).await;
    }
}

fn outcome_word(outcome: &Result<(), JobFailure>) -> &'static str {
    match outcome {
        Ok(()) => "done",
        Err(JobFailure::NotYet { .. }) => "not_yet",
        Err(JobFailure::Retry { .. }) => "retry",
        Err(JobFailure::Dead { .. }) => "dead",
    }
}

/// Runs `work` and makes the lease longer while it takes; ends it when the lease was lost to somebody else.
async fn with_heartbeat(
    context: &WorkContext,
    claimed: &Claimed,
    work: impl Future<Output = Result<(), JobFailure>>,
) -> Result<(), JobFailure> {
    let beat = (context.options.lease / 3).to_std().unwrap_or(Duration::from_secs(10));
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = tokio::time::sleep(beat) => {
                if !renew(context, claimed).await.unwrap_or(true) {
                    return Err(JobFailure::Retry { reason: "its lease was lost".to_owned(), source: None });
                }
            }
        }
    }
}

async fn renew(context: &WorkContext, claimed: &Claimed) -> Result<bool, JobFailure> {
    let mut tx = context.backends.database.begin().await?;
    let until = context.now() + context.options.lease;
    let kept = tx.jobs().renew(claimed.job.id, claimed.owner, until).await?;
    tx.commit().await?;
    Ok(kept)
}

async fn end(context: &WorkContext, claimed: &Claimed, failure: JobFailure) {
    let job = &claimed.job;
    let ended = match &failure {
        JobFailure::NotYet { .. } => {
            put_back(context, claimed, TimeDelta::milliseconds(NOT_YET_MS), &failure).await
        }
        JobFailure::Retry { .. } if job.attempts < context.options.max_attempts => {
            tracing::warn!(job.id = %job.id, job.name = job.name.as_str(), error = %chain(&failure), "a job will be tried again");
            put_back(context, claimed, back_off(job.attempts), &failure).await
        }
        JobFailure::Retry { .. } | JobFailure::Dead { .. } => {
            tracing::error!(job.id = %job.id, job.name = job.name.as_str(), error = %chain(&failure), "a job was given up");
            give_up(context, claimed, &failure).await
        }
    };
    if let Err(error) = ended {
        // The lease runs out by itself, and the row is claimed again.
        tracing::warn!(job.id = %job.id, error = %error, "the end of a job could not be stored");
    }
}

/// 1 s, 4 s, 16 s, 64 s …
fn back_off(attempts: i64) -> TimeDelta {
    let power = u32::try_from(attempts.clamp(1, 6) - 1).unwrap_or(0);
    TimeDelta::seconds(4_i64.pow(power))
}

async fn put_back(
    context: &WorkContext,
    claimed: &Claimed,
    delay: TimeDelta,
    failure: &JobFailure,
) -> Result<(), JobFailure> {
    let mut tx = context.backends.database.begin().await?;
    let due = context.now() + delay;
    let is_counted = !matches!(failure, JobFailure::NotYet { .. });
    tx.jobs()
        .put_back(claimed.job.id, claimed.owner, due, is_counted.then(|| chain(failure)).as_deref())
        .await?;
    tx.commit().await?;
    Ok(())
}

async fn give_up(context: &WorkContext, claimed: &Claimed, failure: &JobFailure) -> Result<(), JobFailure> {
    let mut tx = context.backends.database.begin().await?;
    let outcome = (JobState::Dead, Some(chain(failure)));
    let (state, reason) = (outcome.0, outcome.1.as_deref());
    tx.jobs().finish(claimed.job.id, claimed.owner, (state, reason), context.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// The whole chain of causes in one line.
fn chain(failure: &JobFailure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(this) = cause {
        let said = this.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = this.source();
    }
    text
}
