//! The ladder of evidence: the first rung that names exactly one case file decides.

use std::collections::BTreeSet;

use backends::{
    clock::office_day,
    database::{
        Transaction,
        case_files::{CaseFileRow, CaseToken},
        scans::ScanRow,
    },
};
use chrono::TimeDelta;
use domain::{
    blind_index::{BlindField, whole_token},
    case_file::CaseState,
    ids::CaseFileId,
    scan::ScanState,
};

use super::evidence::{Evidence, SHORTEST_SLIP_NUMBER};
use crate::context::{JobFailure, WorkContext};

/// Where a scan goes.
pub(super) enum Place {
    /// Into this case file.
    CaseFile {
        /// Which.
        case_file: Box<CaseFileRow>,
        /// The rung that decided.
        by: &'static str,
    },
    /// Into a case file that is opened for this slip number.
    NewCaseFile {
        /// The number.
        slip_number: String,
        /// The rung that decided.
        by: &'static str,
    },
    /// To a person.
    Tray,
}

impl Place {
    fn found(case_file: CaseFileRow, by: &'static str) -> Self {
        Self::CaseFile { case_file: Box::new(case_file), by }
    }
}

/// An upload of more files than this is a stack, not one acceptance.
const FILES_OF_ONE_ACCEPTANCE: usize = 8;

/// Climbs the ladder.
pub(super) async fn find_place(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    evidence: &Evidence,
) -> Result<Place, JobFailure> {
    if let Some(given) = &scan.slip_number_given {
        return Ok(match tx.case_files().find_by_slip_number(given).await? {
            Some(case_file) if is_in_scope(scan, &case_file) => Place::found(case_file, "given"),
            // The sender was not told, since that would tell that the case file exists.
            Some(_) => Place::Tray,
            None => Place::NewCaseFile { slip_number: given.clone(), by: "given" },
        });
    }
    let rungs = [
        ("barcode", &evidence.barcodes),
        ("slip_number_read", &evidence.slip_numbers),
        ("file_name", &evidence.file_name_parts),
    ];
    for (by, numbers) in rungs {
        if let Some(case_file) = known_slip_number(tx, scan, numbers).await? {
            return Ok(Place::found(case_file, by));
        }
    }
    // A barcode carries its own check: what it names at another outlet is nothing else here, whoever it shows.
    if names_a_case_file(tx, &evidence.barcodes).await? {
        return Ok(Place::Tray);
    }
    // For the same reason a slip that nobody entered yet opens its case file.
    let mut numbers = evidence.barcodes.iter().map(|text| normalised(text));
    if let Some(slip_number) = numbers.find(|text| evidence.has_slip && looks_like_slip_number(text)) {
        return Ok(Place::NewCaseFile { slip_number, by: "barcode" });
    }
    if let Some((case_file, by)) = same_person(context, tx, scan, evidence).await? {
        return Ok(Place::found(case_file, by));
    }
    if let Some(case_file) = same_upload(tx, scan, evidence).await? {
        return Ok(Place::found(case_file, "upload"));
    }
    Ok(Place::Tray)
}

fn looks_like_slip_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (SHORTEST_SLIP_NUMBER..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && digits >= SHORTEST_SLIP_NUMBER
}

async fn known_slip_number(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    numbers: &[String],
) -> Result<Option<CaseFileRow>, JobFailure> {
    for number in numbers {
        let found = tx.case_files().find_by_slip_number(&normalised(number)).await?;
        if let Some(case_file) = found.filter(|case_file| is_in_scope(scan, case_file)) {
            return Ok(Some(case_file));
        }
    }
    Ok(None)
}

/// Whether any case file, of whatever outlet, bears one of these numbers.
async fn names_a_case_file(tx: &mut dyn Transaction, numbers: &[String]) -> Result<bool, JobFailure> {
    for number in numbers {
        if tx.case_files().find_by_slip_number(&normalised(number)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The one form in which slip numbers are kept.
fn normalised(number: &str) -> String {
    number.trim().to_ascii_uppercase()
}

/// A scan of one outlet never moves by itself into the case file of another.
fn is_in_scope(scan: &ScanRow, case_file: &CaseFileRow) -> bool {
    match (&scan.outlet_code, &case_file.outlet_code) {
        (Some(scanned_at), Some(accepted_at)) => scanned_at == accepted_at,
        _ => true,
    }
}

/// Open case files of the same person, of the same outlet and of those days. Exactly one must be left.
async fn same_person(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    evidence: &Evidence,
) -> Result<Option<(CaseFileRow, &'static str)>, JobFailure> {
    let key = context.blind_key();
    let looks: [(&'static str, &'static str, BlindField, &Vec<String>); 5] = [
        ("id_number", "id_number", BlindField::IdNumber, &evidence.id_numbers),
        ("id_number", "id_number", BlindField::IdNumber, &evidence.slip_id_numbers),
        ("id_number", "agent_id_number", BlindField::IdNumber, &evidence.id_numbers),
        ("name", "name", BlindField::Name, &evidence.names),
        ("name", "agent_name", BlindField::Name, &evidence.names),
    ];
    for (by, kind, field, values) in looks {
        let mut candidates = Vec::new();
        for value in values {
            let Some(token) = whole_token(&key, field, value) else { continue };
            candidates.extend(tx.case_files().with_token(&CaseToken { kind, token }, 20).await?);
        }
        candidates.retain(|case_file| is_open_for(context, scan, case_file));
        let mut seen = BTreeSet::new();
        candidates.retain(|case_file| seen.insert(case_file.id));
        if candidates.len() > 1 {
            candidates = lacking_papers(tx, candidates).await?;
        }
        if candidates.len() == 1 {
            return Ok(candidates.pop().map(|case_file| (case_file, by)));
        }
    }
    Ok(None)
}

fn is_open_for(context: &WorkContext, scan: &ScanRow, case_file: &CaseFileRow) -> bool {
    let is_open = matches!(
        case_file.state,
        CaseState::Assembling
            | CaseState::Reading
            | CaseState::Checked
            | CaseState::InReview
            | CaseState::Returned
    );
    let today = office_day(scan.received_at);
    let is_of_those_days = case_file.accepted_on.is_none_or(|day| {
        day <= today + TimeDelta::days(1) && day >= today - TimeDelta::days(context.options.open_days)
    });
    is_open && is_of_those_days && is_in_scope(scan, case_file)
}

/// Of several, those to which no scan but slips has come yet.
async fn lacking_papers(
    tx: &mut dyn Transaction,
    candidates: Vec<CaseFileRow>,
) -> Result<Vec<CaseFileRow>, JobFailure> {
    let mut lacking = Vec::new();
    for case_file in candidates {
        let scans = tx.scans().of_case_file(case_file.id).await?;
        let has_papers =
            scans.iter().any(|scan| matches!(scan.placed_by.as_deref(), Some("id_number" | "name")));
        if !has_papers {
            lacking.push(case_file);
        }
    }
    Ok(lacking)
}

/// The upload as a whole was one acceptance, or the page before this one shows the front of the same card.
async fn same_upload(
    tx: &mut dyn Transaction,
    scan: &ScanRow,
    evidence: &Evidence,
) -> Result<Option<CaseFileRow>, JobFailure> {
    let items = tx.scans().upload_items(scan.upload_id).await?;
    let mut cases: BTreeSet<CaseFileId> = BTreeSet::new();
    let mut before: Option<CaseFileId> = None;
    let (mut last, mut unsettled) = (None, 0);
    for item in &items {
        let Some(id) = item.scan_id else { continue };
        if id == scan.id {
            before = last;
            continue;
        }
        let Some(other) = tx.scans().find(id).await? else { continue };
        unsettled +=
            usize::from(!other.state.is_settled() || other.state == ScanState::Tray && evidence.has_slip);
        last = other.case_file_id;
        cases.extend(other.case_file_id);
    }
    let is_one_acceptance = cases.len() == 1 && unsettled == 0 && items.len() <= FILES_OF_ONE_ACCEPTANCE;
    let chosen = if is_one_acceptance && !evidence.has_slip {
        cases.first().copied()
    } else {
        before.filter(|_| evidence.is_back_only)
    };
    let Some(id) = chosen else { return Ok(None) };
    let found = tx.case_files().find(id).await?;
    Ok(found.filter(|case_file| is_in_scope(scan, case_file)))
}
