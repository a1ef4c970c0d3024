//! `GET /api/v1/tray`: scans that belong to no case file that is known, and those that cannot be decoded.

use axum::extract::State;
use backends::{database::Transaction, error::StorageError};
use domain::access::{Action, Scope};

use super::view::ScanView;
use crate::{
    caller::Caller,
    extract::{Json, Query},
    paging::{Page, Paging},
    problem::Problem,
    state::ArchiveState,
};

/// Lists the scans of the caller's outlets that wait for a person, oldest first.
pub(crate) async fn get_tray(
    State(state): State<ArchiveState>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ScanView>>, Problem> {
    Ok(Json(load_tray(&state, &caller, &paging).await?))
}

/// Loads a page of the tray, for the API and the console.
pub(crate) async fn load_tray(
    state: &ArchiveState,
    caller: &Caller,
    paging: &Paging,
) -> Result<Page<ScanView>, Problem> {
    if !caller.has(Action::PlaceScan) {
        return Err(Problem::new(crate::problem::kinds::FORBIDDEN));
    }
    let (limit, after) = (paging.limit(), paging.after()?);
    let mut tx = state.backends.database.begin_read().await?;
    let reach = Reach::of(tx.as_mut(), caller).await?;
    let (outlets, branch) = (reach.outlets.as_deref(), reach.branch.as_deref());
    let mut waiting = tx.scans().waiting(outlets, branch, after, limit as i64 + 1).await?;
    let has_more = waiting.len() > limit;
    waiting.truncate(limit);
    let next = waiting.last().filter(|_| has_more).map(|scan| scan.id.to_string());
    let mut items = Vec::with_capacity(waiting.len());
    for scan in waiting {
        items.push(ScanView::load(tx.as_mut(), scan, None).await?);
    }
    Ok(Page { items, next })
}

/// What lies in reach of an account.
struct Reach {
    /// Whose scans; `None` for those of all outlets, and for those without one.
    outlets: Option<Vec<String>>,
    /// The branch whose accounts' scans without an outlet lie in reach as well.
    branch: Option<String>,
}

impl Reach {
    async fn of(tx: &mut dyn Transaction, caller: &Caller) -> Result<Self, StorageError> {
        let own: Vec<String> = caller.account.outlet_code.iter().cloned().collect();
        let (outlets, branch) = match (caller.role.scope(), &caller.account.branch_code) {
            (Scope::All, _) => (None, None),
            (Scope::Branch, None) if own.is_empty() => (None, None),
            (Scope::Branch, Some(branch)) => {
                let outlets = tx.organisation().outlets().await?;
                let in_reach = outlets.into_iter().filter(|outlet| outlet.branch_code == *branch);
                (Some(in_reach.map(|outlet| outlet.code).collect()), Some(branch.clone()))
            }
            _ => (Some(own), None),
        };
        Ok(Self { outlets, branch })
    }
}
