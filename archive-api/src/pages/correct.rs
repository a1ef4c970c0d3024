//! `POST /api/v1/pages/{id}/corrections`: a person says what stands on the paper. A correction is another reading.

use axum::extract::State;
use backends::{clock::new_id, database::readings::ReadingRow, placing};
use domain::{
    access::Action,
    field::{Confidence, FieldName},
    ids::{PageId, ReadingId},
    reading::{EngineVersion, FieldReading, PageReading, PaperReading},
};
use serde::{Deserialize, Serialize};

use super::visible_page;
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::{Problem, kinds},
    record::{announce, append_with_reason, reason_given},
    state::ArchiveState,
};

/// Longest corrected value.
const MAX_CHARACTERS: usize = 500;

/// What a person read.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Corrections {
    fields: Vec<Correction>,
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// Which paper of the reading, 0 for the first.
    #[serde(default)]
    paper_index: usize,
    /// Which field.
    field: FieldName,
    /// What stands there; absent: it cannot be read.
    text: Option<String>,
}

/// The reading that a correction made.
#[derive(Debug, Serialize)]
pub(crate) struct Corrected {
    reading_id: ReadingId,
}

/// Adds the correction as a reading; the verdict falls and the case file is checked anew.
pub(crate) async fn correct(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<PageId>,
    Json(request): Json<Corrections>,
) -> Result<Json<Corrected>, Problem> {
    let reason = reason_given(&request.reason)?;
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin().await?;
    let (page, scan, case_file) = visible_page(tx.as_mut(), &caller, Action::DecideFinding, id).await?;
    let mut case_file = case_file.ok_or_else(|| Problem::new(kinds::SCAN_NOT_PLACEABLE))?;
    if !case_file.state.may_become(domain::case_file::CaseState::Reading)
        && case_file.state != domain::case_file::CaseState::Reading
    {
        return Err(Problem::new(kinds::CASE_FILE_CLOSED));
    }
    caller.check_task(&case_file)?;
    let key = state.backends.vault.required_key(scan.key_id).await?;
    let case_key = state.backends.vault.required_key(case_file.key_id).await?;
    let readings = tx.readings().of_scan(scan.id).await?;
    let last = readings.into_iter().rfind(|reading| reading.page_id == page.id);
    let last = last.ok_or_else(|| Problem::new(kinds::PAGE_NOT_SHOWN))?;
    let mut reading: PageReading = key.open(ReadingRow::place(last.id), &last.reading_sealed)?;
    apply(&mut reading, request.fields)?;
    let reading_id = new_id(now);
    let row = ReadingRow {
        id: reading_id,
        page_id: page.id,
        scan_id: scan.id,
        engine: EngineVersion { engine: "person".to_owned(), version: "1".to_owned() },
        corrected_by: Some(caller.account.id),
        reading_sealed: key.seal(ReadingRow::place(reading_id), &reading)?,
        cpu_ms: 0,
        made_at: now,
    };
    tx.readings().insert(&row).await?;
    let job = placing::reopen(tx.as_mut(), &mut case_file, "reading_corrected", now).await?;
    let entry = caller.log_entry(now, "correct_reading", ("page", id.to_string()), "done");
    append_with_reason(tx.as_mut(), &entry, (&case_key, &reason)).await?;
    tx.commit().await?;
    announce(&state.backends, &[job]).await;
    Ok(Json(Corrected { reading_id }))
}

fn apply(reading: &mut PageReading, corrections: Vec<Correction>) -> Result<(), Problem> {
    if corrections.is_empty() {
        return Err(Problem::new(kinds::INVALID_REQUEST)
            .with_detail("没有更正的内容。", "There is nothing to correct."));
    }
    for correction in corrections {
        let is_valid = correction.text.as_ref().is_none_or(|text| {
            !text.trim().is_empty()
                && text.chars().count() <= MAX_CHARACTERS
                && !text.chars().any(char::is_control)
        });
        let paper = reading.papers.get_mut(correction.paper_index).filter(|_| is_valid);
        let invalid = || {
            Problem::new(kinds::INVALID_REQUEST)
                .with_detail("更正的内容无效。", "The correction is not valid.")
        };
        correct_field(paper.ok_or_else(invalid)?, correction);
    }
    Ok(())
}

fn correct_field(paper: &mut PaperReading, correction: Correction) {
    let region = paper.field(correction.field).map_or(paper.region, |field| field.region);
    paper.illegible.retain(|field| *field != correction.field);
    if correction.text.is_none() {
        paper.illegible.push(correction.field);
    }
    let field = FieldReading {
        field: correction.field,
        text: correction.text.map(|text| text.trim().to_owned()),
        confidence: Confidence::FULL,
        region,
        repair: None,
        lattices: Vec::new(),
        decided_by: "person".to_owned(),
    };
    match paper.fields.iter_mut().find(|known| known.field == field.field) {
        Some(known) => *known = field,
        None => paper.fields.push(field),
    }
}
