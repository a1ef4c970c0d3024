//! How new answers are: which change a request may have caused, and waiting until this node's index has followed to it.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use indexer::searcher::Searcher;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    caller::Caller,
    extract::{Json, Query},
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Names the number up to which a search must have followed to show what the request changed.
const CHANGE: HeaderName = HeaderName::from_static("guidang-change");
/// How long a search waits for the index; it follows every second or so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the index is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Where the index of this node stands.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct IndexState {
    /// Number of the change up to which it has followed the catalogue; nothing while it is being opened.
    pub reached: Option<u64>,
    /// Number of the last change in the catalogue.
    pub last_change: u64,
}

impl IndexState {
    /// Looks at index and catalogue. The index first, so that it never seems to be ahead.
    pub(crate) async fn load(state: &ArchiveState) -> Result<Self, Problem> {
        let reached = state.searcher.borrow().as_ref().map(|searcher| searcher.reached());
        Ok(Self { reached, last_change: last_change(state).await? })
    }

    /// How many changes it is behind; nothing while it is being opened.
    pub(crate) fn behind(self) -> Option<u64> {
        self.reached.map(|reached| self.last_change.saturating_sub(reached))
    }
}

/// The parameters of `GET /api/v1/index`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    at_least: Option<u64>,
}

/// `GET /api/v1/index`: where the index of this node stands, at once or as soon as it has followed to a change.
pub(crate) async fn get_index(
    State(state): State<ArchiveState>,
    _caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<IndexState>, Problem> {
    if let Some(at_least) = wanted.at_least {
        let searcher = open_searcher(&state).await?;
        until_followed(&state, &searcher, at_least).await?;
    }
    IndexState::load(&state).await.map(Json)
}

/// The index. A server that has just started opens it in a moment, so the question waits for that; a rebuild takes
/// longer, and whoever asks is told.
pub(crate) async fn open_searcher(state: &ArchiveState) -> Result<Arc<Searcher>, Problem> {
    let mut slot = state.searcher.clone();
    let opened = tokio::time::timeout(PATIENCE, slot.wait_for(Option::is_some)).await;
    let searcher = opened.ok().and_then(Result::ok).and_then(|opened| opened.as_ref().map(Arc::clone));
    searcher.ok_or_else(|| Problem::new(kinds::SEARCH_UNAVAILABLE))
}

/// Waits until the index has followed to change number `at_least`, but not for ever.
pub(crate) async fn until_followed(
    state: &ArchiveState,
    searcher: &Searcher,
    at_least: u64,
) -> Result<(), Problem> {
    if searcher.reached() >= at_least {
        return Ok(());
    }
    let last = last_change(state).await?;
    if at_least > last {
        return Err(Problem::new(kinds::QUERY_INVALID).with_detail(
            format!("at_least 超出了本档案库的变更号（目前为 {last}）。"),
            format!("at_least is no change of this archive; the last one is {last}."),
        ));
    }
    let following = async {
        while searcher.reached() < at_least {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let followed = tokio::time::timeout(PATIENCE, following).await;
    followed.map_err(|_| {
        Problem::new(kinds::INDEX_BEHIND)
            .with("index_reached", Value::from(searcher.reached()))
            .with("last_change", Value::from(last))
    })
}

/// Names the last change in every answer to a request that may have caused one, of the API and of the console, which
/// answers by leading elsewhere. What the request itself changed is not after it.
pub(crate) async fn name_change(State(state): State<ArchiveState>, request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let mut response = next.run(request).await;
    let is_done = response.status().is_success() || response.status().is_redirection();
    if is_safe || !is_done {
        return response;
    }
    // What was done stands, whether its number can be told or not.
    if let Ok(last) = last_change(&state).await {
        response.headers_mut().insert(CHANGE, HeaderValue::from(last));
    }
    response
}

async fn last_change(state: &ArchiveState) -> Result<u64, Problem> {
    let mut tx = state.backends.database.begin_read().await?;
    Ok(tx.case_files().last_change().await?.unsigned_abs())
}
