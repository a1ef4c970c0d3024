//! Health: whether the process lives, and whether what it depends on answers.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use backends::blob_store::BlobKey;
use domain::ids::ScanId;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    freshness::IndexState,
    state::{ArchiveState, Process},
};

/// How long a dependency may take to answer. One that stands still is asked again and again elsewhere; whoever asks for
/// health wants to know now.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// `GET /healthz/ready`: each dependency of this kind of process by name, all asked at once; 503 while one is away
/// without which nothing can be served.
pub(crate) async fn ready(State(state): State<ArchiveState>) -> (StatusCode, Json<Readiness>) {
    let (catalogue, keys, index, others) =
        tokio::join!(catalogue(&state), keys(&state), index(&state), objects_and_queue(&state));
    let mut dependencies = vec![catalogue, keys];
    dependencies.extend(others);
    dependencies.extend(index);
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

/// Whether it answers, and in time.
async fn answers<T, E>(question: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, question).await, Ok(Ok(_)))
}

async fn catalogue(state: &ArchiveState) -> Dependency {
    let question = async { state.backends.database.begin_read().await?.case_files().last_change().await };
    needed("catalogue", answers(question).await)
}

async fn keys(state: &ArchiveState) -> Dependency {
    needed("keys", answers(state.backends.vault.probe()).await)
}

/// What a node that only searches can do without.
async fn objects_and_queue(state: &ArchiveState) -> Vec<Dependency> {
    if state.process == Process::SearchNode {
        return Vec::new();
    }
    let nobodys = BlobKey::Scan(ScanId::from_uuid(Uuid::nil()));
    let (objects, queue) =
        tokio::join!(answers(state.backends.blobs.exists(nobodys)), answers(state.backends.queue.probe()));
    // Without the queue jobs wait in the catalogue, and workers look for them by themselves.
    vec![needed("objects", objects), Dependency { is_needed: false, ..needed("queue", queue) }]
}

/// The index, where this kind of process has one. Everything but search works without it.
async fn index(state: &ArchiveState) -> Option<Dependency> {
    if state.process == Process::Worker {
        return None;
    }
    let loaded = tokio::time::timeout(PATIENCE, IndexState::load(state)).await;
    let behind = loaded.ok().and_then(Result::ok).and_then(IndexState::behind);
    let is_open = state.searcher.borrow().is_some();
    let said = if is_open { word(true) } else { "preparing" };
    let is_needed = state.process == Process::SearchNode;
    Some(Dependency { name: "index", state: said, behind, is_needed })
}
