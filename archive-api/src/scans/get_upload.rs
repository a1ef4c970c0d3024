//! `GET /api/v1/uploads/{id}`: what became of every file of an upload.

use axum::{extract::State, http::HeaderMap};
use chrono::{DateTime, Utc};
use domain::{
    access::Action,
    ids::{ScanId, UploadId},
};
use serde::Serialize;
use serde_json::Value;

use super::view::{ScanView, visible_scan};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    intake::{FileOutcome, UploadReceipt},
    language::Language,
    problem::{Problem, kinds, refusal_document},
    state::ArchiveState,
};

/// An upload on its way through the archive.
#[derive(Debug, Serialize)]
pub(crate) struct UploadView {
    pub upload_id: UploadId,
    pub received_at: DateTime<Utc>,
    /// Whether every file of it is settled.
    pub settled: bool,
    /// The last change of the case files it went to: `at_least` of a search that must show them as they stand here.
    pub change: Option<i64>,
    pub files: Vec<UploadedFile>,
}

/// One file of an upload.
#[derive(Debug, Serialize)]
pub(crate) struct UploadedFile {
    pub number: i64,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanView>,
}

/// Answers with the progress of each file. An upload is known to its sender only, and to whoever may know its
/// outlet.
pub(crate) async fn get_upload(
    State(state): State<ArchiveState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<UploadId>,
) -> Result<Json<UploadView>, Problem> {
    load_upload(&state, &caller, Language::accepted(&headers), id).await.map(Json)
}

/// Loads the progress of an upload, for the API and the console.
pub(crate) async fn load_upload(
    state: &ArchiveState,
    caller: &Caller,
    language: Language,
    id: UploadId,
) -> Result<UploadView, Problem> {
    let mut tx = state.backends.database.begin_read().await?;
    let not_found = || Problem::new(kinds::NOT_FOUND);
    let upload = tx.scans().find_upload(id).await?.ok_or_else(not_found)?;
    if upload.account_id != caller.account.id {
        let branch = match &upload.outlet_code {
            Some(code) => tx.organisation().outlet(code).await?.map(|outlet| outlet.branch_code),
            None => None,
        };
        let outlet = upload.outlet_code.as_deref();
        Problem::unless_allowed(caller.may_at(Action::SeeCaseFile, outlet, branch.as_deref(), None))?;
    }
    let receipt = UploadReceipt::load(tx.as_mut(), &upload, state.intake.limits()).await?;
    let mut files = Vec::with_capacity(receipt.files.len());
    for file in receipt.files {
        let (outcome, scan, refusal) = match file.outcome {
            FileOutcome::Received(scan) => ("received", Some(scan), None),
            FileOutcome::Linked(scan) => ("linked", Some(scan), None),
            FileOutcome::Refused { code, refusal } => {
                ("refused", None, Some(refusal_document(&code, refusal, language)))
            }
        };
        let scan = match scan {
            Some(scan) => seen_scan(tx.as_mut(), caller, scan).await?,
            None => None,
        };
        files.push(UploadedFile { number: file.number, outcome, refusal, scan });
    }
    let settled = files.iter().all(|file| file.scan.as_ref().is_none_or(|scan| scan.settled));
    let case_files = files.iter().filter_map(|file| file.scan.as_ref()?.case_file.as_ref());
    let change = case_files.map(|case_file| case_file.change).max();
    Ok(UploadView { upload_id: id, received_at: receipt.received_at, settled, change, files })
}

/// The scan, unless it has gone where this account may not look.
async fn seen_scan(
    tx: &mut dyn backends::database::Transaction,
    caller: &Caller,
    id: ScanId,
) -> Result<Option<ScanView>, Problem> {
    match visible_scan(tx, caller, Action::SeeCaseFile, id).await {
        Ok((scan, case_file)) => Ok(Some(ScanView::load(tx, scan, case_file.as_ref()).await?)),
        Err(problem) if problem.kind().status < 500 => Ok(None),
        Err(problem) => Err(problem),
    }
}
