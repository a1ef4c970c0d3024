//! Health: whether the process lives, and whether what it depends on answers.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;

use crate::state::ArchiveState;

/// How long the object store may take to answer.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// What one dependency answers.
#[derive(Debug, Serialize)]
pub(crate) struct Dependency {
    name: &'static str,
    state: &'static str,
}

/// Whether requests can be served.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    status: &'static str,
    dependencies: Vec<Dependency>,
}

/// `GET /healthz/live`: the process answers.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "live" }))
}

/// `GET /healthz/ready`: each dependency by name. Without the index everything but search works, and
/// without the queue jobs are found later, so they are named but do not make the answer 503.
pub(crate) async fn ready(State(state): State<ArchiveState>) -> (StatusCode, Json<Readiness>) {
    let checks = [
        ("catalogue", catalogue_answers(&state).await),
        ("keys", state.backends.vault.count().await.is_ok()),
        ("objects", objects_answer(&state).await),
    ];
    let is_ready = checks.iter().all(|(_, answers)| *answers);
    let word = |answers: bool| if answers { "ready" } else { "unavailable" };
    let mut dependencies: Vec<Dependency> =
        checks.into_iter().map(|(name, answers)| Dependency { name, state: word(answers) }).collect();
    // Without the queue jobs wait in the catalogue, and workers look for them by themselves.
    let has_queue = state.backends.queue.probe().await.is_ok();
    dependencies.push(Dependency { name: "queue", state: word(has_queue) });
    let has_index = state.searcher.borrow().is_some();
    dependencies.push(Dependency { name: "index", state: if has_index { "ready" } else { "preparing" } });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: word(is_ready), dependencies }))
}

async fn catalogue_answers(state: &ArchiveState) -> bool {
    let Ok(mut tx) = state.backends.database.begin_read().await else { return false };
    tx.case_files().last_change().await.is_ok()
}

async fn objects_answer(state: &ArchiveState) -> bool {
    let nobodys = backends::blob_store::BlobKey::Scan(domain::ids::ScanId::from_uuid(uuid::Uuid::nil()));
    // A store that has gone is asked again and again; whoever asks for health wants to know now.
    let answer = tokio::time::timeout(STORE_PATIENCE, state.backends.blobs.exists(nobodys)).await;
    matches!(answer, Ok(Ok(_)))
}
