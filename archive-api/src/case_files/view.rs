//! A case file as it is shown: slots, scans, readings, findings, history.

use std::collections::BTreeMap;

use backends::{
    clock::office_day,
    connect::Backends,
    database::{
        Transaction,
        case_files::{CaseFileRow, StateChange},
        findings::{FindingRow, SlotFilling},
        readings::ReadingRow,
    },
    error::StorageError,
    vault::DataKey,
};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    access::Relation,
    blind_index::BlindKey,
    case_file::CaseState,
    deadline::{CustomerClass, DeadlineSubject, Deadlines, RunningDeadline},
    entered_data::{Channel, EnteredData, EntryWarning},
    field::{Confidence, FieldName, Slot},
    finding::{Difference, Evidence, FindingCode, FindingState},
    geometry::Quad,
    ids::{AccountId, CaseFileId, FindingId, PageId, ReadingId, ScanId},
    reading::{Capture, PageReading, PaperKind, Quality, QualityCause},
};
use serde::Serialize;

use super::show::{Reader, Shown};
use crate::{entries::case_warnings, scans::ScanView};

/// A case file in full, masked as far as the reader may see.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CaseFileView {
    pub id: CaseFileId,
    pub slip_number: String,
    pub outlet_code: Option<String>,
    pub branch_code: Option<String>,
    pub channel: Option<String>,
    pub accepted_on: Option<NaiveDate>,
    pub state: CaseState,
    pub archival_code: Option<String>,
    pub archived_at: Option<DateTime<Utc>>,
    pub papers_received_on: Option<NaiveDate>,
    pub returned_on: Option<NaiveDate>,
    pub assigned_to: Option<AccountId>,
    pub relation: Relation,
    /// The deadlines that run, the earliest first.
    pub deadlines: Vec<RunningDeadline>,
    /// Doubts about what was typed; they hold nothing up.
    pub warnings: Vec<EntryWarning>,
    /// Entered values by field; several service numbers stand in one, divided by 、.
    pub entered: BTreeMap<&'static str, Shown>,
    pub slots: Vec<SlotView>,
    pub scans: Vec<ScanView>,
    pub readings: Vec<ReadingView>,
    pub findings: Vec<FindingView>,
    pub history: Vec<ChangeView>,
}

/// A filled slot.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SlotView {
    pub slot: Slot,
    pub page_id: PageId,
    pub reading_id: ReadingId,
    pub region: Quad,
}

/// What one engine or person read on one page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReadingView {
    pub id: ReadingId,
    pub scan_id: ScanId,
    pub page_id: PageId,
    pub engine: String,
    pub engine_version: String,
    pub made_at: DateTime<Utc>,
    /// Of the page as a whole; each paper has its own.
    pub quality: Quality,
    pub papers: Vec<PaperView>,
}

impl ReadingView {
    /// Why the page is hard to read, each cause once.
    pub(crate) fn causes(&self) -> Vec<QualityCause> {
        let all = std::iter::once(&self.quality).chain(self.papers.iter().map(|paper| &paper.quality));
        let mut causes: Vec<QualityCause> = Vec::new();
        for cause in all.flat_map(|quality| &quality.causes) {
            if !causes.contains(cause) {
                causes.push(*cause);
            }
        }
        causes
    }
}

/// One paper of a reading.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaperView {
    pub kind: PaperKind,
    pub form: String,
    pub capture: Capture,
    pub region: Quad,
    pub quality: Quality,
    pub fields: Vec<FieldView>,
    pub illegible: Vec<FieldName>,
}

/// One field of a paper.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FieldView {
    pub field: FieldName,
    pub text: Option<Shown>,
    pub confidence: Confidence,
    pub region: Quad,
    /// The rule that made the value certain where the ink alone did not.
    pub repaired_by: Option<String>,
}

/// One finding with its evidence.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FindingView {
    pub id: FindingId,
    pub case_file_id: CaseFileId,
    pub code: FindingCode,
    pub subject: String,
    pub state: FindingState,
    pub confidence: Option<Confidence>,
    pub page_id: Option<PageId>,
    pub region: Option<Quad>,
    pub read: Option<Shown>,
    pub entered: Option<Shown>,
    pub difference: Option<Difference>,
    pub reason: Option<String>,
    pub raised_at: DateTime<Utc>,
    pub settled_by: Option<AccountId>,
    pub settled_at: Option<DateTime<Utc>>,
    pub settled_reason: Option<Shown>,
}

/// One change of state.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChangeView {
    pub from: Option<CaseState>,
    pub to: CaseState,
    pub reason: String,
    pub changed_at: DateTime<Utc>,
}

/// Changes of state that are shown.
const HISTORY: i64 = 200;

impl CaseFileView {
    /// Loads and shows everything that belongs to a case file. `key` is `None` once it was destroyed.
    pub(crate) async fn load(
        (backends, deadlines): (&Backends, &Deadlines),
        tx: &mut dyn Transaction,
        case_file: CaseFileRow,
        (key, entered): (Option<DataKey>, Option<EnteredData>),
        reader: Reader,
    ) -> Result<Self, StorageError> {
        let (mut scans, mut readings) = (Vec::new(), Vec::new());
        for scan in tx.scans().of_case_file(case_file.id).await? {
            if key.is_some() && scan.same_as.is_none() {
                readings.extend(readings_of(backends, tx, &scan, reader).await?);
            }
            scans.push(ScanView::load(tx, scan, None).await?);
        }
        let mut findings = Vec::new();
        for row in tx.findings().of_case_file(case_file.id).await? {
            if let Some(key) = &key {
                findings.push(finding_view(row, key, reader)?);
            }
        }
        let slots = match case_file.verdict_id {
            Some(verdict) => tx.findings().slots(verdict).await?.iter().map(slot_view).collect(),
            None => Vec::new(),
        };
        let warnings = match &entered {
            Some(entered) => {
                let blind = BlindKey::new(backends.vault.blind_index_secret());
                case_warnings(tx, &blind, entered).await?
            }
            None => Vec::new(),
        };
        let changes = tx.case_files().state_changes(Some((case_file.id, 0)), HISTORY).await?;
        let own = changes.into_iter().filter(|change| change.case_file_id == case_file.id);
        let deadlines = running_deadlines(&case_file, deadlines, office_day(backends.clock.now()));
        Ok(Self {
            id: case_file.id,
            relation: reader.relation,
            slip_number: case_file.slip_number,
            outlet_code: case_file.outlet_code,
            branch_code: case_file.branch_code,
            channel: case_file.channel,
            accepted_on: case_file.accepted_on,
            state: case_file.state,
            archival_code: case_file.archival_code,
            archived_at: case_file.archived_at,
            papers_received_on: case_file.papers_received_on,
            returned_on: case_file.returned_on,
            assigned_to: case_file.assigned_to,
            deadlines,
            warnings,
            entered: entered.map(|entered| entered_view(&entered, reader)).unwrap_or_default(),
            slots,
            scans,
            readings,
            findings,
            history: own.map(change_view).collect(),
        })
    }
}

/// The deadlines of a case file; none while its channel is not known. All customers are ordinary until classes are sent.
fn running_deadlines(
    case_file: &CaseFileRow,
    deadlines: &Deadlines,
    today: NaiveDate,
) -> Vec<RunningDeadline> {
    let channel = case_file.channel.as_deref().and_then(Channel::from_entered);
    let Some(channel) = channel else { return Vec::new() };
    let subject = DeadlineSubject {
        state: case_file.state,
        channel,
        class: CustomerClass::Ordinary,
        accepted_on: case_file.accepted_on,
        papers_received_on: case_file.papers_received_on,
        returned_on: case_file.returned_on,
    };
    deadlines.running(&subject, today)
}

fn slot_view(filling: &SlotFilling) -> SlotView {
    SlotView {
        slot: filling.slot,
        page_id: filling.page_id,
        reading_id: filling.reading_id,
        region: filling.region,
    }
}

fn change_view(change: StateChange) -> ChangeView {
    ChangeView { from: change.from, to: change.to, reason: change.reason, changed_at: change.changed_at }
}

/// The entered values as this reader may see them.
pub(super) fn entered_view(entered: &EnteredData, reader: Reader) -> BTreeMap<&'static str, Shown> {
    let mut shown = BTreeMap::new();
    for field in FieldName::ALL {
        if let Some(value) = entered.value(field) {
            shown.insert(field.as_str(), reader.show_entered(entered, field, value));
        }
    }
    let numbers = entered.service_numbers.join("、");
    let field = FieldName::ServiceNumber;
    shown.insert(field.as_str(), reader.show_entered(entered, field, &numbers));
    shown
}

/// A finding as this reader may see it. One whose evidence is damaged is shown without: it is there to be settled, and
/// must not hide the others of a list.
pub(crate) fn finding_view(
    row: FindingRow,
    key: &DataKey,
    reader: Reader,
) -> Result<FindingView, StorageError> {
    let evidence = match key.open(FindingRow::place(row.id), &row.evidence_sealed) {
        Err(error @ StorageError::Corrupt { .. }) => {
            tracing::error!(finding.id = %row.id, error = %error, "the evidence of a finding is damaged");
            Evidence::default()
        }
        opened => opened?,
    };
    let settled_reason = row
        .settled_reason_sealed
        .map(|sealed| key.open(FindingRow::place_of_reason(row.id), &sealed))
        .transpose()?;
    let show = |value: Option<String>| value.map(|value| reader.show_subject(&row.subject, &value));
    Ok(FindingView {
        id: row.id,
        case_file_id: row.case_file_id,
        code: row.code,
        state: row.state,
        confidence: row.confidence,
        page_id: evidence.page,
        region: evidence.region,
        read: show(evidence.read),
        entered: show(evidence.entered),
        difference: evidence.difference,
        reason: evidence.reason,
        raised_at: row.raised_at,
        settled_by: row.settled_by,
        settled_at: row.settled_at,
        settled_reason: settled_reason.map(|reason: String| reader.show_reason(&reason)),
        subject: row.subject,
    })
}

async fn readings_of(
    backends: &Backends,
    tx: &mut dyn Transaction,
    scan: &backends::database::scans::ScanRow,
    reader: Reader,
) -> Result<Vec<ReadingView>, StorageError> {
    let rows = tx.readings().of_scan(scan.id).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let Some(key) = backends.vault.key(scan.key_id).await? else { return Ok(Vec::new()) };
    rows.into_iter().map(|row| reading_view(row, &key, reader)).collect()
}

fn reading_view(row: ReadingRow, key: &DataKey, reader: Reader) -> Result<ReadingView, StorageError> {
    let reading: PageReading = key.open(ReadingRow::place(row.id), &row.reading_sealed)?;
    let papers = reading.papers.into_iter().map(|paper| PaperView {
        kind: paper.kind,
        form: paper.form,
        capture: paper.capture,
        region: paper.region,
        quality: paper.quality,
        fields: paper
            .fields
            .into_iter()
            .map(|field| FieldView {
                text: field.text.map(|text| reader.show_field(field.field, &text)),
                field: field.field,
                confidence: field.confidence,
                region: field.region,
                repaired_by: field.repair.map(|repair| repair.rule),
            })
            .collect(),
        illegible: paper.illegible,
    });
    Ok(ReadingView {
        id: row.id,
        scan_id: row.scan_id,
        page_id: row.page_id,
        engine: row.engine.engine,
        engine_version: row.engine.version,
        made_at: row.made_at,
        quality: reading.quality,
        papers: papers.collect(),
    })
}
