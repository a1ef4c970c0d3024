//! `guidang jobs`: what is to be done, what was given up and why, and trying again.

use std::time::Duration;

use archive_api::tokens::local_caller;
use backends::{
    connect::Backends,
    database::{figures::Backlog, jobs::JobRow},
    queue::Ring,
};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use domain::{
    ids::JobId,
    job::{JobName, JobState},
};

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
    /// Counts what is to be done by kind and state, says how long that takes, and lists jobs of one state
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
    let figures =
        backends.database.figures(backends.clock.now()).await.or_fail("the jobs cannot be counted")?;
    let mut table = Table::new(&[
        "job",
        "waiting",
        "retrying",
        "running",
        "dead",
        "oldest",
        "done in 10 min",
        "time to drain",
    ]);
    for name in JobName::ALL {
        let states = [JobState::Waiting, JobState::Retrying, JobState::Running, JobState::Dead];
        let backlog = figures.backlog(name);
        let mut row = vec![name.as_str().to_owned()];
        row.extend(states.map(|state| figures.open(name, state).to_string()));
        row.extend([
            if backlog.waiting == 0 { String::new() } else { length(backlog.oldest_seconds as u64) },
            backlog.done_lately.to_string(),
            drain(&backlog),
        ]);
        table.row(row);
    }
    print!("{table}");
    Ok(())
}

fn drain(backlog: &Backlog) -> String {
    match backlog.drain_seconds {
        _ if backlog.waiting == 0 => String::new(),
        Some(seconds) => length(seconds.ceil() as u64),
        None => "never: none was done".to_owned(),
    }
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
    let caller = local_caller(backends).await.or_fail("the account of this machine cannot act")?;
    let mut tx = backends.database.begin().await.or_fail("the catalogue cannot be written")?;
    let mut revived = Vec::new();
    for id in ids {
        let job = tx.jobs().find(*id).await.or_fail(format!("job {id} cannot be read"))?;
        let now = backends.clock.now();
        let is_revived = tx.jobs().revive(*id, now).await.or_fail(format!("job {id} cannot be revived"))?;
        match job {
            Some(job) if is_revived => {
                let entry = caller.log_entry(now, "retry_job", ("job", id.to_string()), "done");
                tx.operation_log().append(&entry).await.or_fail("the retry cannot be put on record")?;
                revived.push(Ring { job: *id, name: job.name });
            }
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
    length((now - since).to_std().unwrap_or(Duration::ZERO).as_secs())
}

fn length(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_does_not_move_is_said_to_last_for_ever() {
        let of = |waiting, drain_seconds| {
            drain(&Backlog { waiting, oldest_seconds: 0.0, done_lately: 1, drain_seconds })
        };

        assert_eq!(of(0, Some(0.0)), "");
        assert_eq!(of(5, Some(299.5)), "5 min");
        assert_eq!(of(5, None), "never: none was done");
    }
}
