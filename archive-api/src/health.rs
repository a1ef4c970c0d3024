//! Health: whether the process lives, and whether what it depends on answers.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;

use crate::{
    freshness::IndexState,
    state::{ArchiveState, Process},
};

/// How long the object store may take to answer.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// What one dependency answers.
#[derive(Debug, Serialize)]
pub(crate) struct Dependency {
    name: &'static str,
    state: &'static str,
    /// Changes that the index has not followed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<u64>,
    /// Whether nothing can be served without it.
    #[serde(skip)]
    is_needed: bool,
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

/// `GET /healthz/ready`: each dependency of this kind of process by name; 503 while one is away without which nothing
/// can be served.
pub(crate) async fn ready(State(state): State<ArchiveState>) -> (StatusCode, Json<Readiness>) {
    let mut dependencies = vec![
        needed("catalogue", catalogue_answers(&state).await),
        needed("keys", state.backends.vault.count().await.is_ok()),
    ];
    match state.process {
        Process::Server => {
            dependencies.push(needed("objects", objects_answer(&state).await));
            dependencies.push(queue(&state).await);
            // Everything but search works without it.
            dependencies.push(Dependency { is_needed: false, ..index(&state).await });
        }
        Process::SearchNode => dependencies.push(index(&state).await),
        Process::Worker => {
            dependencies.push(needed("objects", objects_answer(&state).await));
            dependencies.push(queue(&state).await);
        }
    }
    let is_ready = dependencies.iter().all(|one| !one.is_needed || one.state == word(true));
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { status: word(is_ready), dependencies }))
}

const fn word(answers: bool) -> &'static str {
    if answers { "ready" } else { "unavailable" }
}

const fn needed(name: &'static str, answers: bool) -> Dependency {
    Dependency { name, state: word(answers), behind: None, is_needed: true }
}

/// Without the queue jobs wait in the catalogue, and workers look for them by themselves.
async fn queue(state: &ArchiveState) -> Dependency {
    Dependency { is_needed: false, ..needed("queue", state.backends.queue.probe().await.is_ok()) }
}

async fn index(state: &ArchiveState) -> Dependency {
    let behind = IndexState::load(state).await.ok().and_then(IndexState::behind);
    let is_open = state.searcher.borrow().is_some();
    let said = if is_open { word(true) } else { "preparing" };
    Dependency { name: "index", state: said, behind, is_needed: true }
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
