//! `GET /api/v1/findings`: findings in force, oldest first.

use std::collections::HashMap;

use axum::extract::State;
use backends::{
    connect::Backends,
    database::{case_files::CaseFileRow, findings::FindingFilter},
    error::StorageError,
};
use domain::{
    access::{Action, Permission, Scope},
    finding::{FindingCode, FindingState},
    ids::{CaseFileId, FindingId, KeyId},
};
use serde::Deserialize;

use crate::{
    caller::Caller,
    case_files::{FindingView, Reader, ReasonGiven, finding_view},
    extract::{Json, Query},
    paging::{Page, Paging},
    problem::{Problem, kinds},
    record::put_on_record,
    state::ArchiveState,
};

/// Which findings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingsQuery {
    #[serde(default)]
    code: Option<FindingCode>,
    #[serde(default)]
    state: Option<FindingState>,
    #[serde(default)]
    outlet: Option<String>,
    #[serde(default)]
    case_file_id: Option<CaseFileId>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    cursor: Option<String>,
}

/// Lists findings that the caller may know, with the values masked as far as each case file asks.
pub(crate) async fn get_findings(
    State(state): State<ArchiveState>,
    caller: Caller,
    Query(query): Query<FindingsQuery>,
) -> Result<Json<Page<FindingView>>, Problem> {
    if !caller.has(Action::SeeCaseFile) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let paging = Paging::new(query.limit, query.cursor.clone());
    let (limit, after) = (paging.limit(), paging.after::<domain::ids::FindingKind>()?);
    let filter = filter_for(&caller, query)?;
    let (items, next) = load(&state.backends, &caller, &filter, (after, limit)).await?;
    let now = state.backends.clock.now();
    let result = format!("findings={}", items.len());
    let entry = caller.log_entry(now, "list_findings", ("findings", String::new()), &result);
    put_on_record(&state.backends, &entry).await?;
    Ok(Json(Page { items, next }))
}

/// One page of findings, and where the next one begins. Case files and keys are asked for together.
async fn load(
    backends: &Backends,
    caller: &Caller,
    filter: &FindingFilter,
    (after, limit): (Option<FindingId>, usize),
) -> Result<(Vec<FindingView>, Option<String>), StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let rows = tx.findings().in_force(filter, after, limit as i64).await?;
    let mut ids: Vec<CaseFileId> = rows.iter().map(|row| row.case_file_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut case_files = tx.case_files().find_many(&ids).await?;
    drop(tx);
    case_files.retain(|case_file| caller.may(Action::SeeCaseFile, case_file) == Permission::Allowed);
    let key_ids: Vec<KeyId> = case_files.iter().map(|case_file| case_file.key_id).collect();
    let keys = backends.vault.readable_keys(&key_ids).await?;
    let known: HashMap<CaseFileId, &CaseFileRow> =
        case_files.iter().map(|case_file| (case_file.id, case_file)).collect();
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id.to_string());
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(case_file) = known.get(&row.case_file_id) else { continue };
        let Some(key) = keys.get(&case_file.key_id) else { continue };
        let relation = caller.relation_to(case_file);
        let reader = Reader { role: caller.role, relation, reason: ReasonGiven::No };
        items.push(finding_view(row, key, reader)?);
    }
    Ok((items, next))
}

/// What was asked, within what the account reaches.
fn filter_for(caller: &Caller, query: FindingsQuery) -> Result<FindingFilter, Problem> {
    let (own_outlet, own_branch) = (caller.account.outlet_code.clone(), caller.account.branch_code.clone());
    let (within_outlet, within_branch) = match (caller.role.scope(), own_branch, own_outlet) {
        (Scope::All, ..) | (Scope::Branch, None, None) => (None, None),
        (Scope::Branch, Some(branch), _) => (None, Some(branch)),
        (Scope::OwnOutlets | Scope::Branch, _, Some(outlet)) => (Some(outlet), None),
        _ => return Err(Problem::new(kinds::FORBIDDEN)),
    };
    Ok(FindingFilter {
        code: query.code,
        state: query.state,
        case_file_id: query.case_file_id,
        outlet_code: query.outlet,
        within_outlet,
        within_branch,
    })
}
