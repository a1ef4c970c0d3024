//! The signature: whose name it reads as, and whether it looks like the earlier ones of the same person.

use backends::database::{
    Transaction,
    case_files::{CaseFileRow, CaseToken},
    readings::ReadingRow,
};
use chrono::TimeDelta;
use domain::{
    blind_index::{BlindField, whole_token},
    case_file::CaseState,
    cross_check::{CaseInputs, NameWeight, SignatureWeight, signature_to_weigh},
    field::Slot,
    reading::{Mark, PageReading, Presence},
};
use reading::signature::{is_same_picture, likeness, weigh_name};

use super::dossier::Dossier;
use crate::context::{JobFailure, WorkContext};

/// Earlier signatures beyond these add nothing.
const MOST_REFERENCES: usize = 5;
const MOST_CASE_FILES: i64 = 20;
/// How long an earlier case file of the same person is waited for after its last change.
const PATIENCE: TimeDelta = TimeDelta::seconds(120);

/// Weighs the signature on the slip, beside the earlier ones; `None` when there is none to weigh.
pub(super) fn weigh(inputs: &CaseInputs<'_>, earlier: &[Mark]) -> Option<SignatureWeight> {
    let (to_weigh, entered) = (signature_to_weigh(inputs)?, inputs.entered?);
    let mark = to_weigh.mark;
    if mark.presence != Presence::Present {
        return Some(SignatureWeight::default());
    }
    let names = [&entered.customer_name, &entered.agent_name, &entered.contact_name];
    let weight_of = |name: &str| {
        let others: Vec<&str> =
            names.iter().map(|name| name.as_str()).filter(|other| !other.is_empty()).collect();
        let weight = weigh_name(mark, name, &others);
        NameWeight {
            judgement: weight.judgement,
            log_ratio: weight.per_character_log_ratio,
            is_legible: weight.is_legible,
        }
    };
    let references: Vec<&[f32]> = earlier
        .iter()
        .map(|mark| mark.shape.as_slice())
        .filter(|shape| !shape.is_empty())
        .take(MOST_REFERENCES)
        .collect();
    let can_compare = !references.is_empty() && !mark.shape.is_empty();
    let is_copied = earlier.iter().any(|earlier| is_same_picture(&earlier.shape, &mark.shape));
    Some(SignatureWeight {
        customer: (!entered.customer_name.is_empty()).then(|| weight_of(&entered.customer_name)),
        agent: entered.has_agent().then(|| weight_of(&entered.agent_name)),
        printed: to_weigh.printed_name.map(weight_of),
        likeness: can_compare.then(|| likeness(&references, &mark.shape).judgement),
        is_copied,
    })
}

/// Signatures of the person who signs, on slips of case files accepted before this one, or opened before it on the day;
/// none where no paper bears a signature that they could be held beside.
pub(super) async fn earlier(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
    dossier: &Dossier,
) -> Result<Vec<Mark>, JobFailure> {
    let mut marks = dossier.papers.iter().filter_map(|paper| paper.reading.signature.as_ref());
    let is_signed = marks.any(|mark| mark.presence == Presence::Present);
    let (true, Some(entered)) = (is_signed, &dossier.entered) else { return Ok(Vec::new()) };
    let (kind, number) = if entered.has_agent() {
        ("agent_id_number", &entered.agent_id_number)
    } else {
        ("id_number", &entered.id_number)
    };
    let Some(token) = whole_token(&context.blind_key(), BlindField::IdNumber, number) else {
        return Ok(Vec::new());
    };
    let same_person = tx.case_files().with_token(&CaseToken { kind, token }, MOST_CASE_FILES).await?;
    let mut marks = Vec::new();
    for other in same_person {
        // Of one day the one that came first: a signature may be copied within the hour.
        let is_earlier = (other.accepted_on, other.id) < (case_file.accepted_on, case_file.id);
        if !is_earlier {
            continue;
        }
        // Two slips of one person that came together are judged in the order of acceptance, within reason.
        let is_under_way = matches!(other.state, CaseState::Reading | CaseState::Checked);
        if is_under_way && context.now() - other.updated_at < PATIENCE {
            return Err(JobFailure::NotYet { what: "an earlier case file of the same person" });
        }
        if matches!(other.state, CaseState::Accepted | CaseState::Archived) {
            marks.extend(signature_of(context, tx, &other).await?);
        }
    }
    Ok(marks)
}

async fn signature_of(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Option<Mark>, JobFailure> {
    let Some(verdict) = case_file.verdict_id else { return Ok(None) };
    for filling in tx.findings().slots(verdict).await? {
        if filling.slot != Slot::Slip {
            continue;
        }
        let Some(row) = tx.readings().find(filling.reading_id).await? else { continue };
        let Some(scan) = tx.scans().find(row.scan_id).await? else { continue };
        let Some(key) = context.backends.vault.key(scan.key_id).await? else { continue };
        let reading: PageReading = key.open(ReadingRow::place(row.id), &row.reading_sealed)?;
        let paper = reading.papers.into_iter().nth(usize::try_from(filling.paper_index).unwrap_or(0));
        if let Some(mark) =
            paper.and_then(|paper| paper.signature).filter(|mark| mark.presence == Presence::Present)
        {
            return Ok(Some(mark));
        }
    }
    Ok(None)
}
