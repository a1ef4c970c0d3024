//! `POST /api/v1/jobs/{id}/retry`: lets a job that was given up be tried again.

use axum::extract::State;
use backends::queue::Ring;
use domain::{access::Action, ids::JobId};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::{Problem, kinds},
    record::announce,
    state::ArchiveState,
};

/// Makes the job wait again and rings for it.
pub(crate) async fn retry_job(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<JobId>,
) -> Result<Json<Value>, Problem> {
    if !caller.has(Action::RunMachine) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let Some(job) = tx.jobs().find(id).await? else { return Err(Problem::new(kinds::NOT_FOUND)) };
    if !tx.jobs().revive(id, now).await? {
        return Err(Problem::new(kinds::JOB_NOT_DEAD));
    }
    tx.operation_log().append(&caller.log_entry(now, "retry_job", ("job", id.to_string()), "done")).await?;
    tx.commit().await?;
    announce(&state.backends, &[Ring { job: id, name: job.name }]).await;
    Ok(Json(json!({ "id": id, "state": "waiting" })))
}
