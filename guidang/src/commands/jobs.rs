//! `guidang jobs`: what is to be done, what was given up and why, and trying again.

use std::time::Duration;

use backends::{
    connect::Backends,
    database::jobs::{JobCount, JobRow},
    queue::Ring,
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use domain::{ids::JobId, job::JobState};

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
    table::Table,
};

/// Arguments of `jobs`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Counts jobs by kind and state, and lists those of one state
    List {
        /// waiting, running, retrying, done or dead
        #[arg(long, value_name = "STATE")]
        state: Option<JobState>,
        /// How many to list
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Lists what was given up, with the reason
    Dead {
        /// How many to list
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Lets jobs that were given up wait again, with their attempts forgotten
    Retry {
        /// Which; as `jobs dead` names them
        #[arg(required_unless_present = "all")]
        ids: Vec<JobId>,
        /// Every job that was given up
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Says everything about one job
    Explain {
        /// Which
        id: JobId,
    },
}

/// How many jobs `retry --all` takes at a time.
const BATCH: i64 = 500;

/// Lists, explains or revives.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    match &arguments.action {
        Action::List { state: None, .. } => print_counts(&backends).await,
        Action::List { state: Some(state), limit } => print_jobs(&backends, *state, *limit).await,
        Action::Dead { limit } => print_dead(&backends, *limit).await,
        Action::Retry { ids, all: false } => retry(&backends, ids).await,
        Action::Retry { .. } => retry_all(&backends).await,
        Action::Explain { id } => explain(&backends, *id).await,
    }
}

async fn print_counts(backends: &Backends) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let counts = tx.jobs().counts().await.or_fail("the jobs cannot be counted")?;
    let now = backends.clock.now();
    let mut table = Table::new(&["job", "state", "count", "oldest"]);
    for JobCount { name, state, count, oldest } in counts {
        let age = if state == JobState::Done { String::new() } else { age(oldest, now) };
        table.row([name.as_str().to_owned(), state.as_str().to_owned(), count.to_string(), age]);
    }
    if table.is_empty() {
        println!("There are no jobs.");
    } else {
        print!("{table}");
    }
    Ok(())
}

async fn print_jobs(backends: &Backends, state: JobState, limit: u32) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let jobs = tx.jobs().in_state(state, limit.into()).await.or_fail("the jobs cannot be listed")?;
    let now = backends.clock.now();
    let mut table = Table::new(&["id", "job", "subject", "attempts", "age", "reason"]);
    for job in jobs {
        table.row([
            job.id.to_string(),
            job.name.as_str().to_owned(),
            job.subject.to_string(),
            job.attempts.to_string(),
            age(job.created_at, now),
            job.reason.unwrap_or_default(),
        ]);
    }
    if table.is_empty() {
        println!("No job is {}.", state.as_str());
    } else {
        print!("{table}");
    }
    Ok(())
}

/// What was given up, and how many messages the queue refused: those are no jobs, and none of them is lost by it.
async fn print_dead(backends: &Backends, limit: u32) -> Result<(), Failure> {
    print_jobs(backends, JobState::Dead, limit).await?;
    match backends.queue.depths().await {
        Ok(depths) if depths.refused > 0 => println!(
            "{} messages on the queue were no rings, or were handed over too often; they wait in guidang.refused \
             and can be purged there.",
            depths.refused
        ),
        Ok(_) => {}
        Err(error) => println!("The queue was not asked: {error}."),
    }
    Ok(())
}

async fn retry(backends: &Backends, ids: &[JobId]) -> Result<(), Failure> {
    let mut tx = backends.database.begin().await.or_fail("the catalogue cannot be written")?;
    let mut revived = Vec::new();
    for id in ids {
        let job = tx.jobs().find(*id).await.or_fail(format!("job {id} cannot be read"))?;
        let now = backends.clock.now();
        let is_revived = tx.jobs().revive(*id, now).await.or_fail(format!("job {id} cannot be revived"))?;
        match job {
            Some(job) if is_revived => revived.push(Ring { job: *id, name: job.name }),
            _ => println!("{id} was not given up; it stays as it is"),
        }
    }
    tx.commit().await.or_fail("the catalogue cannot be written")?;
    // Where this bell is not heard the workers look by themselves.
    let _ = backends.queue.announce(&revived, Duration::ZERO).await;
    println!("{} jobs wait again.", revived.len());
    Ok(())
}

async fn retry_all(backends: &Backends) -> Result<(), Failure> {
    loop {
        let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
        let dead = tx.jobs().in_state(JobState::Dead, BATCH).await.or_fail("the jobs cannot be listed")?;
        drop(tx);
        let ids: Vec<JobId> = dead.iter().map(|job| job.id).collect();
        retry(backends, &ids).await?;
        if ids.len() < BATCH as usize {
            return Ok(());
        }
    }
}

async fn explain(backends: &Backends, id: JobId) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let job = tx.jobs().find(id).await.or_fail("the job cannot be read")?;
    let job = job
        .ok_or_else(|| Failure::new(format!("there is no job {id}; done jobs are forgotten after a week")))?;
    println!("{}", explanation(&job, backends.clock.now()));
    Ok(())
}

fn explanation(job: &JobRow, now: DateTime<Utc>) -> String {
    let stands = match job.state {
        JobState::Waiting if job.due_at > now => format!("It waits until {}.", job.due_at.to_rfc3339()),
        JobState::Waiting => "It is due, and waits for a worker.".to_owned(),
        JobState::Running => match job.lease_until {
            Some(until) if until < now => {
                "Its worker has not been heard of; another one takes it now.".to_owned()
            }
            _ => "A worker is at it.".to_owned(),
        },
        JobState::Retrying => format!("It failed and is tried again at {}.", job.due_at.to_rfc3339()),
        JobState::Done => "It is done.".to_owned(),
        JobState::Dead => format!("It was given up. When the cause is mended: guidang jobs retry {}", job.id),
    };
    let reason = job.reason.as_ref().map(|reason| format!("\nLast failure: {reason}")).unwrap_or_default();
    format!(
        "{} {} for {}\nMade necessary {} ago, started {} times.{reason}\n{stands}",
        job.name.as_str(),
        job.id,
        job.subject,
        age(job.created_at, now),
        job.attempts
    )
}

fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let age = (now - since).to_std().unwrap_or(Duration::ZERO).as_secs();
    match age {
        0..120 => format!("{age} s"),
        120..7_200 => format!("{} min", age / 60),
        7_200..172_800 => format!("{} h", age / 3_600),
        _ => format!("{} days", age / 86_400),
    }
}
