//! The loop: hear a ring, claim its row with a lease, work with no transaction open, renew, finish, acknowledge.
//!
//! A slot that hears nothing looks for whatever is due, so that a ring that was lost costs seconds and no more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backends::{
    database::jobs::{Claim, JobRow},
    queue::{Delivery, Ring},
    trace,
};
use chrono::TimeDelta;
use domain::{
    ids::JobId,
    job::{JobName, JobState},
};
use tokio::{sync::watch, task::JoinSet};
use tracing::{Instrument, Span, field};
use uuid::Uuid;

use crate::{
    context::{Claimed, JobFailure, WorkContext},
    heartbeat::with_heartbeat,
    jobs,
};

/// How long an idle slot waits for a ring before it looks by itself.
const IDLE: Duration = Duration::from_secs(2);
/// How soon it looks again when something is due that cannot be had yet.
const SOON: Duration = Duration::from_millis(500);
/// How soon a job that waits for another one looks again.
const NOT_YET_MS: i64 = 400;

/// The running slots.
pub struct WorkLoop {
    slots: JoinSet<()>,
    stop: watch::Sender<bool>,
    context: WorkContext,
    held: Held,
}

/// What the slots hold now, by holder.
type Held = Arc<Mutex<HashMap<Uuid, Claimed>>>;

impl WorkLoop {
    /// Starts as many slots as the options say, each claiming any of `names`.
    pub fn start(context: &WorkContext, names: &[JobName]) -> Self {
        let stop = watch::Sender::new(false);
        let mut slots = JoinSet::new();
        let count = context.options.slots.max(1);
        context.backends.queue.listen(names, count);
        let held = Held::default();
        for _ in 0..count {
            let slot = Slot {
                context: context.clone(),
                names: names.into(),
                owner: backends::clock::new_id::<domain::ids::JobKind>(context.now()).uuid(),
                stop: stop.subscribe(),
                held: Arc::clone(&held),
            };
            slots.spawn(slot.run());
        }
        Self { slots, stop, context: context.clone(), held }
    }

    /// Claims nothing more, and waits until what runs has ended. What has not ended within `patience` is given up and
    /// its row put back, so that others can take it at once.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        self.context.backends.queue.close().await;
        let ending = async { while self.slots.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ending).await.is_ok() {
            return;
        }
        // Whatever they still do cannot be stored: their rows are put back below.
        self.slots.abort_all();
        let held: Vec<Claimed> = std::mem::take(&mut *lock(&self.held)).into_values().collect();
        tracing::warn!(jobs = held.len(), "jobs did not end in time; they are put back");
        for claimed in held {
            let unfinished = JobFailure::NotYet { what: "another worker" };
            if let Err(error) = put_back(&self.context, &claimed, TimeDelta::zero(), &unfinished).await {
                tracing::warn!(job.id = %claimed.job.id, error = %error, "a job waits until its lease is over");
            }
        }
    }
}

fn lock(held: &Held) -> std::sync::MutexGuard<'_, HashMap<Uuid, Claimed>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does every job that is due now, one after the other, and returns how many ran. For commands that work in process.
pub async fn run_due_jobs(context: &WorkContext, names: &[JobName]) -> Result<usize, JobFailure> {
    let owner = Uuid::from_u128(
        u128::from(std::process::id()) << 64 | u128::from(context.now().timestamp_micros() as u64),
    );
    let mut ran = 0;
    while let Some(claimed) = claim_any(context, names, owner).await? {
        run(context, claimed).await;
        ran += 1;
    }
    Ok(ran)
}

struct Slot {
    context: WorkContext,
    names: Arc<[JobName]>,
    owner: Uuid,
    stop: watch::Receiver<bool>,
    held: Held,
}

impl Slot {
    async fn run(mut self) {
        let mut wait = Duration::ZERO;
        while !*self.stop.borrow() {
            let heard = self.hear(wait).await;
            wait = match self.claim(heard.as_ref()).await {
                Ok(Some(claimed)) => {
                    lock(&self.held).insert(self.owner, claimed.clone());
                    run(&self.context, claimed).await;
                    lock(&self.held).remove(&self.owner);
                    ack(heard).await;
                    Duration::ZERO
                }
                // What is behind this ring is done, runs, or is not due yet.
                Ok(None) if heard.is_some() => {
                    ack(heard).await;
                    Duration::ZERO
                }
                Ok(None) => self.until_next_due().await,
                Err(error) => {
                    tracing::warn!(error = %error, "no work could be claimed; trying again");
                    self.pause(IDLE).await;
                    nack(heard).await;
                    Duration::ZERO
                }
            };
        }
    }

    /// Waits for a ring, but no longer than `wait`.
    async fn hear(&mut self, wait: Duration) -> Option<Delivery> {
        match tokio::time::timeout(wait, self.context.backends.queue.receive()).await {
            Ok(Some(delivery)) => Some(delivery),
            // Listening has ended: the loop ends when the flag says so, and must not spin until then.
            Ok(None) => {
                self.pause(wait.max(Duration::from_millis(50))).await;
                None
            }
            Err(_) => None,
        }
    }

    async fn pause(&mut self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = self.stop.changed() => {}
        }
    }

    async fn claim(&self, heard: Option<&Delivery>) -> Result<Option<Claimed>, JobFailure> {
        match heard {
            Some(delivery) => claim_heard(&self.context, &self.names, self.owner, delivery.ring()).await,
            None => claim_any(&self.context, &self.names, self.owner).await,
        }
    }

    async fn until_next_due(&self) -> Duration {
        let due = async {
            let mut tx = self.context.backends.database.begin_read().await?;
            tx.jobs().next_due(&self.names).await
        };
        let Ok(Some(due)) = due.await else { return IDLE };
        // What is due and could not be had runs elsewhere, or its twin does.
        let wait = (due - self.context.now()).to_std().unwrap_or(SOON);
        wait.clamp(Duration::from_millis(20), IDLE)
    }
}

async fn ack(heard: Option<Delivery>) {
    if let Some(delivery) = heard {
        delivery.ack().await;
    }
}

async fn nack(heard: Option<Delivery>) {
    if let Some(delivery) = heard {
        delivery.nack().await;
    }
}

/// Claims the job that was rung for, if there is something to do.
async fn claim_heard(
    context: &WorkContext,
    names: &[JobName],
    owner: Uuid,
    ring: Ring,
) -> Result<Option<Claimed>, JobFailure> {
    let now = context.now();
    // Looking does not write: rings that come late or twice are many, and cheap.
    let mut look = context.backends.database.begin_read().await?;
    let is_due = look.jobs().find(ring.job).await?.is_some_and(|job| match job.state {
        JobState::Waiting | JobState::Retrying => job.due_at <= now,
        JobState::Running => job.lease_until.is_none_or(|until| until <= now),
        JobState::Done | JobState::Dead => false,
    });
    drop(look);
    if is_due { claim(context, names, owner, Some(ring.job)).await } else { Ok(None) }
}

/// Claims whatever has been due longest.
async fn claim_any(
    context: &WorkContext,
    names: &[JobName],
    owner: Uuid,
) -> Result<Option<Claimed>, JobFailure> {
    // Looking does not write: an idle archive leaves its disk alone.
    let mut look = context.backends.database.begin_read().await?;
    let next = look.jobs().next_due(names).await?;
    drop(look);
    if next.is_none_or(|due| due > context.now()) {
        return Ok(None);
    }
    claim(context, names, owner, None).await
}

async fn claim(
    context: &WorkContext,
    names: &[JobName],
    owner: Uuid,
    only: Option<JobId>,
) -> Result<Option<Claimed>, JobFailure> {
    let now = context.now();
    let mut tx = context.backends.database.begin().await?;
    let claim = Claim { names, only, owner, now, lease_until: now + context.options.lease };
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
    let span = span_of(job);
    let work = jobs::run(context, &claimed).instrument(span.clone());
    let started = Instant::now();
    let outcome = with_heartbeat(&context.backends, context.options.lease, &claimed, work).await;
    span.record("job.outcome", outcome_word(&outcome));
    if matches!(outcome, Err(JobFailure::Retry { .. } | JobFailure::Dead { .. })) {
        span.record("otel.status_code", "ERROR");
    }
    drop(span);
    let labels = [("name", job.name.as_str()), ("outcome", outcome_word(&outcome))];
    metrics::histogram!("guidang_job_seconds", &labels).record(started.elapsed().as_secs_f64());
    if let Err(failure) = outcome {
        end(context, &claimed, failure).await;
    }
}

/// The span of one attempt, in the trace of whoever made the job necessary.
fn span_of(job: &JobRow) -> Span {
    let span = tracing::info_span!(
        target: trace::TARGET,
        "job",
        job.id = %job.id,
        job.name = job.name.as_str(),
        job.attempt = job.attempts,
        job.subject = %job.subject,
        job.outcome = field::Empty,
        otel.kind = "consumer",
        otel.name = job.name.as_str(),
        otel.status_code = field::Empty,
    );
    if let Some(trace) = &job.trace {
        trace.lead(&span);
    }
    span
}

fn outcome_word(outcome: &Result<(), JobFailure>) -> &'static str {
    match outcome {
        Ok(()) => "done",
        Err(JobFailure::NotYet { .. }) => "not_yet",
        Err(JobFailure::Retry { .. }) => "retry",
        Err(JobFailure::Dead { .. }) => "dead",
    }
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
    let ring = Ring { job: claimed.job.id, name: claimed.job.name };
    context.announce(&[ring], delay.to_std().unwrap_or_default()).await;
    Ok(())
}

async fn give_up(context: &WorkContext, claimed: &Claimed, failure: &JobFailure) -> Result<(), JobFailure> {
    let mut tx = context.backends.database.begin().await?;
    // What keeps its subject from being handed to a person must not keep the job from ending. A statement that failed may
    // have ended the whole transaction: the end of the job gets one of its own.
    if let Err(error) = jobs::hand_to_person(context, tx.as_mut(), &claimed.job).await {
        tracing::error!(job.id = %claimed.job.id, error = %error, "what a job left undone is in nobody's tray");
        drop(tx);
        tx = context.backends.database.begin().await?;
    }
    let reason = chain(failure);
    tx.jobs().finish(claimed.job.id, claimed.owner, (JobState::Dead, Some(&reason)), context.now()).await?;
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
