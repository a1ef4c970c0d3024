//! The heartbeat of a job: its lease is made longer while the work goes on.

use std::time::Duration;

use backends::{connect::Backends, error::StorageError};
use chrono::TimeDelta;
use domain::job::JobState;

use crate::context::{Claimed, JobFailure};

/// What the row said when the lease was to be made longer.
enum Beat {
    Kept,
    /// The job is done or dead: the work has committed its end and tidies up, or will find out by itself.
    Ended,
    Lost,
}

/// Runs `work` and makes the lease longer every third of it; ends the work when the lease was lost to somebody else.
///
/// Both are polled all the time. A renewal waits for the writer of the catalogue, or for a row that the work itself
/// has locked: if the work stood still meanwhile, neither would ever go on.
///
/// # Errors
/// What the work failed with, or that its lease was lost.
pub async fn with_heartbeat(
    backends: &Backends,
    lease: TimeDelta,
    claimed: &Claimed,
    work: impl Future<Output = Result<(), JobFailure>>,
) -> Result<(), JobFailure> {
    tokio::select! {
        biased;
        outcome = work => outcome,
        () = until_lost(backends, lease, claimed) => {
            Err(JobFailure::Retry { reason: "its lease was lost".to_owned(), source: None })
        }
    }
}

/// Beats one at a time, so that one under way is never doubled; returns when the lease is somebody else's.
async fn until_lost(backends: &Backends, lease: TimeDelta, claimed: &Claimed) {
    let pause = (lease / 3).to_std().unwrap_or(Duration::from_secs(10));
    loop {
        tokio::time::sleep(pause).await;
        match beat(backends, lease, claimed).await {
            Ok(Beat::Kept) => {}
            Ok(Beat::Ended) => return std::future::pending().await,
            Ok(Beat::Lost) => return,
            // The next beat may succeed; if none does, whoever takes the job over makes this one end without effect.
            Err(error) => {
                tracing::debug!(job.id = %claimed.job.id, error = %error, "a lease could not be made longer");
            }
        }
    }
}

async fn beat(backends: &Backends, lease: TimeDelta, claimed: &Claimed) -> Result<Beat, StorageError> {
    let mut tx = backends.database.begin().await?;
    let until = backends.clock.now() + lease;
    if tx.jobs().renew(claimed.job.id, claimed.owner, until).await? {
        tx.commit().await?;
        return Ok(Beat::Kept);
    }
    let state = tx.jobs().find(claimed.job.id).await?.map(|job| job.state);
    Ok(match state {
        Some(JobState::Done | JobState::Dead) => Beat::Ended,
        Some(JobState::Waiting | JobState::Running | JobState::Retrying) | None => Beat::Lost,
    })
}
