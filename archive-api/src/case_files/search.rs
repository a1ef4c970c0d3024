//! `GET /api/v1/case-files`: finds case files. Values in the list are always masked.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Query, State},
};
use backends::{
    database::{case_files::CaseFileRow, findings::FindingInShort},
    error::StorageError,
};
use chrono::NaiveDate;
use domain::{
    access::{Action, Permission, Relation},
    archival_code::representative_number,
    case_file::CaseState,
    entered_data::EnteredData,
    field::FieldName,
    finding::{FindingCode, FindingState},
    ids::CaseFileId,
};
use indexer::query::{Page as IndexPage, Query as IndexQuery};
use serde::Serialize;

use super::{
    loading::entered_in_force_of,
    search_query::SearchQuery,
    show::{Reader, ReasonGiven},
};
use crate::{
    caller::Caller,
    freshness::{open_searcher, until_followed},
    problem::{Problem, kinds},
    record::{hex, put_on_record},
    state::ArchiveState,
};

/// One case file in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FoundCaseFile {
    pub id: CaseFileId,
    pub slip_number: String,
    pub outlet_code: Option<String>,
    pub channel: Option<String>,
    pub accepted_on: Option<NaiveDate>,
    pub state: CaseState,
    pub archival_code: Option<String>,
    /// Masked.
    pub customer_name: String,
    /// Masked.
    pub id_number: String,
    /// Masked; the representative number.
    pub service_number: String,
    /// Kinds of findings in force.
    pub finding_codes: Vec<FindingCode>,
    pub open_findings: usize,
}

/// The answer to a search.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SearchAnswer {
    pub items: Vec<FoundCaseFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many there are, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether there are more than `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_is_capped: Option<bool>,
    /// Number of the change up to which the index knew the catalogue.
    pub index_reached: u64,
}

/// Answers a search.
pub(crate) async fn get_case_files(
    State(state): State<ArchiveState>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchAnswer>, Problem> {
    search(&state, &caller, &query).await.map(Json)
}

/// Searches, for the API and the console.
pub(crate) async fn search(
    state: &ArchiveState,
    caller: &Caller,
    query: &SearchQuery,
) -> Result<SearchAnswer, Problem> {
    if !caller.has(Action::Search) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let page = match query.for_caller(caller)? {
        Some(question) => ask_index(state, question, query.at_least()?).await?,
        None => IndexPage { hits: Vec::new(), next: None, count: None, reached: 0 },
    };
    let ids: Vec<CaseFileId> = page.hits.iter().map(|hit| hit.case_file_id).collect();
    let items = open_page(state, caller, &ids).await?;
    log_search(state, caller, query, items.len()).await?;
    Ok(SearchAnswer {
        items,
        next: page.next,
        count: page.count.map(|count| count.value),
        count_is_capped: page.count.map(|count| count.is_capped),
        index_reached: page.reached,
    })
}

async fn ask_index(
    state: &ArchiveState,
    question: IndexQuery,
    at_least: Option<u64>,
) -> Result<IndexPage, Problem> {
    let searcher = open_searcher(state).await?;
    if let Some(at_least) = at_least {
        until_followed(state, &searcher, at_least).await?;
    }
    let asking = tokio::task::spawn_blocking(move || searcher.search(&question));
    let page = asking.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
    page.map_err(Problem::from)
}

/// The case files of a page, in its order, each masked; everything about all of them is asked for together.
async fn open_page(
    state: &ArchiveState,
    caller: &Caller,
    ids: &[CaseFileId],
) -> Result<Vec<FoundCaseFile>, StorageError> {
    let mut tx = state.backends.database.begin_read().await?;
    let mut case_files = tx.case_files().find_many(ids).await?;
    // The index follows the catalogue at a distance; what the catalogue says decides.
    case_files.retain(|case_file| caller.may(Action::SeeCaseFile, case_file) == Permission::Allowed);
    let mut entered = entered_in_force_of(&state.backends, tx.as_mut(), &case_files).await?;
    let ids: Vec<CaseFileId> = case_files.iter().map(|case_file| case_file.id).collect();
    let mut findings: HashMap<CaseFileId, Vec<FindingInShort>> = HashMap::with_capacity(ids.len());
    for finding in tx.findings().codes_of(&ids).await? {
        findings.entry(finding.case_file_id).or_default().push(finding);
    }
    let found = |case_file: CaseFileRow| {
        let entered = entered.remove(&case_file.id);
        let findings = findings.remove(&case_file.id).unwrap_or_default();
        found(caller, case_file, entered.as_ref(), &findings)
    };
    Ok(case_files.into_iter().map(found).collect())
}

fn found(
    caller: &Caller,
    case_file: CaseFileRow,
    entered: Option<&EnteredData>,
    findings: &[FindingInShort],
) -> FoundCaseFile {
    let in_force = findings.iter().filter(|finding| finding.state != FindingState::Withdrawn);
    let mut finding_codes: Vec<FindingCode> = in_force.map(|finding| finding.code).collect();
    finding_codes.sort_unstable();
    finding_codes.dedup();
    // A list is masked for everybody: a search by the full value never echoes it.
    let reader = Reader { role: caller.role, relation: Relation::Other, reason: ReasonGiven::No };
    let shown = |field: FieldName| Some(reader.show_entered(entered?, field, entered?.value(field)?).value);
    FoundCaseFile {
        id: case_file.id,
        customer_name: shown(FieldName::CustomerName).unwrap_or_default(),
        id_number: shown(FieldName::IdNumber).unwrap_or_default(),
        service_number: entered
            .and_then(|entered| Some((entered, representative_number(&entered.service_numbers)?)))
            .map(|(entered, number)| reader.show_entered(entered, FieldName::ServiceNumber, &number).value)
            .unwrap_or_default(),
        slip_number: case_file.slip_number,
        outlet_code: case_file.outlet_code,
        channel: case_file.channel,
        accepted_on: case_file.accepted_on,
        state: case_file.state,
        archival_code: case_file.archival_code,
        finding_codes,
        open_findings: findings.iter().filter(|finding| finding.state.is_open()).count(),
    }
}

/// Puts a search on record by a keyed digest of its terms, never by the terms.
async fn log_search(
    state: &ArchiveState,
    caller: &Caller,
    query: &SearchQuery,
    hits: usize,
) -> Result<(), StorageError> {
    let terms = serde_json::to_string(query).unwrap_or_default();
    let digest = hex(&state.blind_key().digest(&terms));
    let now = state.backends.clock.now();
    let entry = caller.log_entry(now, "search", ("query", digest), &format!("hits={hits}"));
    put_on_record(&state.backends, &entry).await
}
