//! `duplicate_scan`: the same bytes or the same picture in the case file of another customer.

use backends::{
    database::{
        Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow, pages::PageRow, scans::ScanRow,
    },
    placing,
    queue::Ring,
};
use domain::{
    blind_index::fold_number,
    case_file::CaseState,
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{FindingCode, FindingState},
    ids::CaseFileId,
};
use ingest::Fingerprint;

use super::dossier::{Dossier, Paper};
use crate::context::{JobFailure, WorkContext};

/// Pages with a likeness in their coarse parts that are looked at closely.
const CLOSE_LOOKS: i64 = 64;

/// Other customers' case files that hold the same picture as a paper.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// Where the paper was filed in the first place, when this one is the copy.
    pub original: Option<CaseFileId>,
    /// Where copies of this paper lie.
    pub copies: Vec<CaseFileId>,
}

/// Looks for the same picture in the case files of other customers.
///
/// Which of two is the copy does not follow from the order they came in: the outlet may hand in the copy first. It
/// is the one whose customer is not whom the paper names; if that decides nothing, the later one.
pub(super) async fn of_other_customers(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
    dossier: &Dossier,
    paper: &Paper,
    slot: Slot,
) -> Result<Twins, JobFailure> {
    let mut twins = Twins::default();
    if !matches!(slot, Slot::IdFront | Slot::IdBack | Slot::AgentIdFront | Slot::AgentIdBack | Slot::Licence)
    {
        return Ok(twins);
    }
    let Some(entered) = &dossier.entered else { return Ok(twins) };
    for other in same_pictures(context, tx, paper).await? {
        let Some(other_case) = other.case_file_id.filter(|id| *id != case_file.id) else { continue };
        let Some(other_case) = tx.case_files().find(other_case).await? else { continue };
        let Some(other_entered) = entered_of(context, tx, &other_case).await? else { continue };
        if is_same_customer(entered, &other_entered) {
            continue;
        }
        let is_copy =
            match (names_customer(dossier, paper, entered), names_customer(dossier, paper, &other_entered)) {
                (Some(true), Some(false)) => false,
                (Some(false), Some(true)) => true,
                _ => other.id < paper.scan.id,
            };
        if is_copy {
            twins.original.get_or_insert(other_case.id);
        } else if !twins.copies.contains(&other_case.id) {
            twins.copies.push(other_case.id);
        }
    }
    Ok(twins)
}

/// Has a case file that was checked before this one came looked at again, since a copy of a paper lies in it. Call it once
/// for what a case file holds: two that each take the other for the copy would never come to rest.
///
/// One that was returned is checked when the outlet has answered, and one about to be destroyed is left alone.
pub(super) async fn check_again(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    copy: CaseFileId,
) -> Result<Option<Ring>, JobFailure> {
    let found = tx.findings().codes_of(&[copy]).await?;
    let is_known = found.iter().any(|finding| {
        finding.code == FindingCode::DuplicateScan && finding.state != FindingState::Withdrawn
    });
    let Some(mut case_file) = tx.case_files().find(copy).await? else { return Ok(None) };
    if is_known || !case_file.state.takes_scans() || case_file.state == CaseState::Returned {
        return Ok(None);
    }
    let ring = placing::reopen(tx, &mut case_file, "original_of_copy_filed", context.now()).await?;
    tx.operation_log()
        .append(&context.log_entry("check_copy_again", "case_file", copy.uuid(), "done"))
        .await?;
    Ok(Some(ring))
}

async fn same_pictures(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    paper: &Paper,
) -> Result<Vec<ScanRow>, JobFailure> {
    let mut same = tx.scans().with_digest(&paper.scan.digest).await?;
    same.retain(|scan| scan.id != paper.scan.id);
    let Some(page) = tx.pages().find(paper.page).await? else { return Ok(same) };
    let Some(mine) = fingerprint_of(context, &paper.scan, &page).await? else { return Ok(same) };
    for page in tx.pages().alike(paper.page, CLOSE_LOOKS).await? {
        if page.scan_id == paper.scan.id || same.iter().any(|scan| scan.id == page.scan_id) {
            continue;
        }
        let Some(other) = tx.scans().find(page.scan_id).await? else { continue };
        let theirs = fingerprint_of(context, &other, &page).await?;
        if theirs.is_some_and(|theirs| mine.is_same_picture(&theirs)) {
            same.push(other);
        }
    }
    Ok(same)
}

/// `None` when none was taken, or when the key of the scan was destroyed.
async fn fingerprint_of(
    context: &WorkContext,
    scan: &ScanRow,
    page: &PageRow,
) -> Result<Option<Fingerprint>, JobFailure> {
    let Some(sealed) = &page.fingerprint_sealed else { return Ok(None) };
    let Some(key) = context.backends.vault.key(scan.key_id).await? else { return Ok(None) };
    let bytes = key.open_bytes(PageRow::fingerprint_place(page.id), sealed)?;
    Ok(Fingerprint::from_bytes(&bytes))
}

async fn entered_of(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Option<EnteredData>, JobFailure> {
    let Some(id) = case_file.entered_data_id else { return Ok(None) };
    // A destroyed case file has no key, and nothing to compare with.
    let Some(key) = context.backends.vault.key(case_file.key_id).await? else { return Ok(None) };
    let Some(row) = tx.entered_data().find(id).await? else { return Ok(None) };
    Ok(Some(key.open(EnteredDataRow::place(id), &row.entered_sealed)?))
}

/// The same identity number on either side, customer or agent: an agent's card lies in many case files.
fn is_same_customer(one: &EnteredData, other: &EnteredData) -> bool {
    let people = |entered: &EnteredData| {
        [fold_number(&entered.id_number), fold_number(&entered.agent_id_number)]
            .into_iter()
            .filter(|number| !number.is_empty())
            .collect::<Vec<_>>()
    };
    let others = people(other);
    people(one).iter().any(|number| others.contains(number))
}

/// Whether the scan names this customer or agent; `None` when it names nobody. All papers of the scan speak, since
/// the back of a card bears neither name nor number.
fn names_customer(dossier: &Dossier, paper: &Paper, entered: &EnteredData) -> Option<bool> {
    let answers = dossier.papers.iter().filter(|other| other.scan.id == paper.scan.id).filter_map(|other| {
        let read = |field| other.reading.field(field).and_then(|reading| reading.text.as_deref());
        let (number, name) = (read(FieldName::IdNumber).map(fold_number), read(FieldName::Name));
        if number.is_none() && name.is_none() {
            return None;
        }
        let by_number = number.is_some_and(|number| {
            number == fold_number(&entered.id_number) || number == fold_number(&entered.agent_id_number)
        });
        let by_name = name.is_some_and(|name| name == entered.customer_name || name == entered.agent_name);
        Some(by_number || by_name)
    });
    answers.reduce(|one, other| one || other)
}
