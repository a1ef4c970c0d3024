//! `GET /api/v1/findings`: findings in force, oldest first.

use std::collections::HashMap;

use axum::extract::State;
use backends::{
    connect::Backends,
    database::{
        Transaction,
        case_files::CaseFileRow,
        findings::{FindingFilter, FindingRow},
    },
    error::StorageError,
};
use domain::{
    access::{Action, Permission, Scope},
    finding::{FindingCode, FindingState},
    ids::CaseFileId,
};
use serde::Deserialize;

use crate::{
    caller::Caller,
    case_files::{FindingView, Reader, ReasonGiven, finding_view},
    extract::{Json, Query},
    paging::{Page, Paging},
    problem::{Problem, kinds},
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
    let mut tx = state.backends.database.begin().await?;
    let rows = tx.findings().in_force(&filter, after, limit as i64).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id.to_string());
    let mut reach = Reach { backends: &state.backends, caller: &caller, known: HashMap::new() };
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.extend(reach.shown(tx.as_mut(), row).await?);
    }
    let now = state.backends.clock.now();
    let result = format!("findings={}", items.len());
    tx.operation_log()
        .append(&caller.log_entry(now, "list_findings", ("findings", String::new()), &result))
        .await?;
    tx.commit().await?;
    Ok(Json(Page { items, next }))
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
        row: FindingRow,
    ) -> Result<Option<FindingView>, StorageError> {
        let Some(case_file) = self.case_file(tx, row.case_file_id).await? else { return Ok(None) };
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
