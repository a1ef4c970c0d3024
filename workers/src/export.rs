//! Exports: findings and the best reading of each field, in clear. Only for who may, and on the operation log.

use backends::{
    connect::Backends,
    database::{
        Transaction, case_files::CaseFileRow, findings::FindingRow, operation_log::LogEntry,
        readings::ReadingRow,
    },
    error::StorageError,
};
use domain::{
    finding::{Evidence, FindingState},
    reading::PageReading,
};
use serde_json::{Value, json};

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// Findings in force, one line each: slip number, code, subject, state, confidence, evidence.
    Findings,
    /// The best reading of each field, one line each: slip number, slot, field, text, confidence.
    Readings,
}

/// Writes one JSON object a line to `line`, case file by case file. `entry` puts the export on record first: when
/// that cannot be done nothing is exported. Gives the number of lines.
pub async fn export(
    backends: &Backends,
    what: Export,
    entry: &LogEntry,
    mut line: impl FnMut(&Value) -> Result<(), StorageError>,
) -> Result<u64, StorageError> {
    let mut tx = backends.database.begin().await?;
    tx.operation_log().append(entry).await?;
    tx.commit().await?;
    let mut after = 0;
    let mut lines = 0;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.case_files().changed_since(after, 200).await?;
        let Some(last) = rows.last() else { return Ok(lines) };
        after = last.change_sequence;
        for case_file in &rows {
            let values = match what {
                Export::Findings => findings_of(backends, tx.as_mut(), case_file).await?,
                Export::Readings => readings_of(backends, tx.as_mut(), case_file).await?,
            };
            for value in &values {
                line(value)?;
                lines += 1;
            }
        }
    }
}

async fn findings_of(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Vec<Value>, StorageError> {
    let mut rows = tx.findings().of_case_file(case_file.id).await?;
    rows.retain(|row| row.state != FindingState::Withdrawn);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let Some(key) = backends.vault.key(case_file.key_id).await? else { return Ok(Vec::new()) };
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        let evidence: Evidence = key.open(FindingRow::place(row.id), &row.evidence_sealed)?;
        values.push(json!({
            "slip_number": case_file.slip_number,
            "code": row.code,
            "subject": row.subject,
            "state": row.state,
            "confidence": row.confidence,
            "read": evidence.read,
            "entered": evidence.entered,
            "difference": evidence.difference,
            "reason": evidence.reason,
            "page_id": evidence.page,
            "region": evidence.region,
        }));
    }
    Ok(values)
}

/// Of several papers in one slot, the field read with the highest confidence.
async fn readings_of(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Vec<Value>, StorageError> {
    let Some(verdict) = case_file.verdict_id else { return Ok(Vec::new()) };
    let mut best: Vec<(String, String, Value, f32)> = Vec::new();
    for filling in tx.findings().slots(verdict).await? {
        let Some(row) = tx.readings().find(filling.reading_id).await? else { continue };
        let Some(scan) = tx.scans().find(row.scan_id).await? else { continue };
        let Some(key) = backends.vault.key(scan.key_id).await? else { continue };
        let reading: PageReading = key.open(ReadingRow::place(row.id), &row.reading_sealed)?;
        let index = usize::try_from(filling.paper_index).unwrap_or(0);
        let Some(paper) = reading.papers.get(index) else { continue };
        for field in &paper.fields {
            let (slot, name) = (filling.slot.to_string(), field.field.to_string());
            let confidence = field.confidence.value();
            let value = json!({
                "slip_number": case_file.slip_number,
                "slot": slot,
                "field": name,
                "text": field.text,
                "confidence": field.text.as_ref().map(|_| confidence),
                "page_id": row.page_id,
                "region": field.region,
                "repair": field.repair,
                "engine": row.engine,
                "decided_by": field.decided_by,
            });
            let weight = if field.text.is_some() { confidence } else { -1.0 };
            match best
                .iter_mut()
                .find(|(other_slot, other_name, _, _)| *other_slot == slot && *other_name == name)
            {
                Some(kept) if kept.3 < weight => *kept = (slot, name, value, weight),
                Some(_) => {}
                None => best.push((slot, name, value, weight)),
            }
        }
    }
    Ok(best.into_iter().map(|(_, _, value, _)| value).collect())
}
