//! `GET /api/v1/findings`: findings in force, oldest first.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Query, State},
};
use backends::{
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, findings::FindingRow},
    error::StorageError,
};
use domain::{
    access::{Action, Permission},
    finding::{FindingCode, FindingState},
    ids::{CaseFileId, FindingId},
};
use serde::Deserialize;

use crate::{
    caller::Caller,
    case_files::{FindingView, Reader, ReasonGiven, finding_view},
    paging::{Page, Paging},
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Rows looked at for one page at most; a page may be shorter than asked for and still have a next one.
const LOOKED_AT: usize = 5000;
const ROWS_AT_ONCE: i64 = 500;

/// Which findings.
#[derive(Debug, Clone, Default, Deserialize)]
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
    let (limit, mut after) = (paging.limit(), paging.after::<domain::ids::FindingKind>()?);
    let mut tx = state.backends.database.begin().await?;
    let mut reach = Reach { backends: &state.backends, caller: &caller, known: HashMap::new() };
    let (mut items, mut looked_at, mut is_end) = (Vec::new(), 0, false);
    while items.len() < limit && looked_at < LOOKED_AT && !is_end {
        let rows = tx.findings().in_force(after, ROWS_AT_ONCE).await?;
        is_end = rows.len() < ROWS_AT_ONCE as usize;
        for row in rows {
            if items.len() == limit {
                is_end = false;
                break;
            }
            looked_at += 1;
            after = Some(row.id);
            items.extend(reach.shown(tx.as_mut(), &query, row).await?);
        }
    }
    let now = state.backends.clock.now();
    let result = format!("findings={}", items.len());
    tx.operation_log()
        .append(&caller.log_entry(now, "list_findings", ("findings", String::new()), &result))
        .await?;
    tx.commit().await?;
    let next = after.filter(|_| !is_end).map(|id: FindingId| id.to_string());
    Ok(Json(Page { items, next }))
}

/// Which case files the caller may know, each looked up once.
struct Reach<'a> {
    backends: &'a Backends,
    caller: &'a Caller,
    known: HashMap<CaseFileId, Option<CaseFileRow>>,
}

impl Reach<'_> {
    async fn shown(
        &mut self,
        tx: &mut dyn Transaction,
        query: &FindingsQuery,
        row: FindingRow,
    ) -> Result<Option<FindingView>, StorageError> {
        let is_other = query.code.is_some_and(|code| code != row.code)
            || query.state.is_some_and(|state| state != row.state)
            || query.case_file_id.is_some_and(|id| id != row.case_file_id);
        if is_other {
            return Ok(None);
        }
        let Some(case_file) = self.case_file(tx, row.case_file_id).await? else { return Ok(None) };
        if query.outlet.is_some() && query.outlet != case_file.outlet_code {
            return Ok(None);
        }
        let Some(key) = self.backends.vault.key(case_file.key_id).await? else { return Ok(None) };
        let relation = self.caller.relation_to(&case_file);
        let reader = Reader { role: self.caller.role, relation, reason: ReasonGiven::No };
        finding_view(row, &key, reader).map(Some)
    }

    async fn case_file(
        &mut self,
        tx: &mut dyn Transaction,
        id: CaseFileId,
    ) -> Result<Option<CaseFileRow>, StorageError> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = tx.case_files().find(id).await?;
        let found =
            found.filter(|case_file| self.caller.may(Action::SeeCaseFile, case_file) == Permission::Allowed);
        self.known.insert(id, found.clone());
        Ok(found)
    }
}
