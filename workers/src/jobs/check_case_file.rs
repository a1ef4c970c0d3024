//! `check_case_file`: compares readings with entered data and gives a verdict, bound to what it was given on.

mod dossier;
mod duplicates;
mod signature;
mod weights;

use backends::{
    clock::new_id,
    database::{
        Transaction,
        case_files::CaseFileRow,
        findings::{FindingRow, SlotFilling, VerdictRow},
    },
    queue::Ring,
    vault::DataKey,
};
use chrono::TimeDelta;
use domain::{
    case_file::CaseState,
    cross_check::{CaseInputs, PlacedPaper, check_case_file},
    field::Slot,
    finding::{FindingState, RaisedFinding},
    ids::CaseFileId,
    job::JobName,
    reading::Mark,
    verdict::CaseDigest,
};

use self::dossier::Dossier;
use super::missing;
use crate::context::{Claimed, JobFailure, WorkContext};

/// Checks one case file. Done already when a verdict on the same papers and data stands.
pub(super) async fn run(context: &WorkContext, claimed: &Claimed, id: CaseFileId) -> Result<(), JobFailure> {
    let mut look = context.backends.database.begin_read().await?;
    let case_file = look.case_files().find(id).await?.ok_or_else(|| missing("the case file"))?;
    let key = context.backends.vault.required_key(case_file.key_id).await?;
    let dossier = Dossier::load(context, look.as_mut(), &case_file, &key).await?;
    if dossier.waits_for_reading(look.as_mut()).await? {
        return Err(JobFailure::NotYet { what: "scans that are being read" });
    }
    let digest = digest_of(&dossier);
    let standing = match case_file.verdict_id {
        Some(verdict) => look.findings().verdict(verdict).await?,
        None => None,
    };
    let is_done =
        standing.is_some_and(|verdict| verdict.fallen_at.is_none() && verdict.case_digest == digest);
    if is_done || !is_checkable(case_file.state) {
        drop(look);
        let tx = context.backends.database.begin().await?;
        return claimed.complete(context, tx, &[]).await;
    }
    let beside = Beside::load(context, look.as_mut(), &case_file, &dossier).await?;
    drop(look);
    let judging = tokio::task::spawn_blocking(move || judge(&dossier, beside));
    let judged =
        judging.await.map_err(|error| JobFailure::Retry { reason: error.to_string(), source: None })?;
    fail::fail_point!("check_case_file::judged");
    give_verdict(context, claimed, &key, case_file, digest, judged).await
}

const fn is_checkable(state: CaseState) -> bool {
    matches!(
        state,
        CaseState::Assembling
            | CaseState::Reading
            | CaseState::Checked
            | CaseState::InReview
            | CaseState::Accepted
    )
}

/// What the verdict is bound to.
fn digest_of(dossier: &Dossier) -> [u8; 32] {
    let scans: Vec<[u8; 32]> = dossier.scans.iter().map(|scan| scan.digest.bytes).collect();
    CaseDigest::of(&scans, dossier.entered_digest).0
}

/// What the rules said, and the slots they saw filled.
struct Judged {
    findings: Vec<RaisedFinding>,
    slots: Vec<SlotFilling>,
    /// Case files of other customers in which copies of these papers lie.
    copies: Vec<CaseFileId>,
    has_entered: bool,
    has_scans: bool,
}

/// What the catalogue says beside the dossier: where each paper belongs, and what other case files hold.
struct Beside {
    slots: Vec<Slot>,
    /// For each paper the case file that it was filed in first, where that is another customer's.
    originals: Vec<Option<CaseFileId>>,
    copies: Vec<CaseFileId>,
    earlier_signatures: Vec<Mark>,
}

impl Beside {
    async fn load(
        context: &WorkContext,
        tx: &mut dyn Transaction,
        case_file: &CaseFileRow,
        dossier: &Dossier,
    ) -> Result<Self, JobFailure> {
        let slots = dossier.slots();
        let (mut originals, mut copies) = (Vec::with_capacity(slots.len()), Vec::new());
        for (paper, slot) in dossier.papers.iter().zip(&slots) {
            let twins = duplicates::of_other_customers(context, tx, case_file, dossier, paper, *slot).await?;
            copies.extend(twins.copies);
            originals.push(twins.original);
        }
        copies.sort_unstable();
        copies.dedup();
        let earlier_signatures = signature::earlier(context, tx, case_file, dossier).await?;
        Ok(Self { slots, originals, copies, earlier_signatures })
    }
}

/// Weighs and compares. It takes its time: call it with no transaction open, and away from the threads that wait.
fn judge(dossier: &Dossier, beside: Beside) -> Judged {
    let Beside { slots, originals, copies, earlier_signatures } = beside;
    let papers = dossier.papers.iter().zip(&slots).zip(originals);
    let placed: Vec<PlacedPaper<'_>> = papers
        .map(|((paper, slot), original)| PlacedPaper {
            slot: *slot,
            page: paper.page,
            paper: &paper.reading,
            duplicate_of_other_customer: original,
            weights: weights::of_paper(dossier.entered.as_ref(), *slot, &paper.reading),
        })
        .collect();
    let unreadable = dossier.unreadable_pages();
    let entered = dossier.entered.as_ref();
    let mut inputs = CaseInputs { entered, papers: &placed, unreadable: &unreadable, signature: None };
    inputs.signature = signature::weigh(&inputs, &earlier_signatures);
    let has_scans = !dossier.scans.is_empty();
    let findings = match (&dossier.entered, has_scans) {
        // Nothing was scanned yet: only what was typed can be judged.
        (Some(entered), false) => domain::entered_data::check_on_arrival(entered),
        _ => check_case_file(&inputs),
    };
    let filling = |(paper, slot): (&dossier::Paper, &Slot)| SlotFilling {
        slot: *slot,
        reading_id: paper.reading_id,
        paper_index: paper.paper_index,
        page_id: paper.page,
        region: paper.reading.region,
    };
    let slots = dossier.papers.iter().zip(&slots).map(filling).collect();
    Judged { findings, slots, copies, has_entered: dossier.entered.is_some(), has_scans }
}

async fn give_verdict(
    context: &WorkContext,
    claimed: &Claimed,
    key: &DataKey,
    case_file: CaseFileRow,
    case_digest: [u8; 32],
    judged: Judged,
) -> Result<(), JobFailure> {
    let now = context.now();
    let mut tx = context.backends.database.begin().await?;
    let mut current = tx.case_files().find(case_file.id).await?.ok_or_else(|| missing("the case file"))?;
    if current.change_sequence != case_file.change_sequence {
        // Something came in while the rules were at work; what they said may be stale.
        return Err(JobFailure::NotYet { what: "a change to the case file" });
    }
    if let Some(old) = current.verdict_id {
        tx.findings().fell(old, now).await?;
    }
    let outcome = if judged.findings.is_empty() { "clean" } else { "findings" };
    let verdict = VerdictRow {
        id: new_id(now),
        case_file_id: current.id,
        case_digest,
        outcome: outcome.to_owned(),
        given_at: now,
        fallen_at: None,
    };
    let findings = finding_rows(context, key, &verdict, &judged.findings)?;
    let was_judged = tx.findings().was_judged(current.id, &case_digest).await?;
    tx.findings().insert_verdict(&verdict, &judged.slots, &findings).await?;
    current.verdict_id = Some(verdict.id);
    current.updated_at = now;
    tx.case_files().update(&mut current).await?;
    let mut follow_up = change_state(context, tx.as_mut(), &mut current, &judged).await?;
    for copy in judged.copies.iter().filter(|_| !was_judged) {
        follow_up.extend(duplicates::check_again(context, tx.as_mut(), *copy).await?);
    }
    tx.operation_log()
        .append(&context.log_entry("check_case_file", "case_file", current.id.uuid(), outcome))
        .await?;
    fail::fail_point!("check_case_file::before_commit");
    claimed.complete(context, tx, &follow_up).await?;
    fail::fail_point!("check_case_file::after_commit");
    for finding in &judged.findings {
        metrics::counter!("guidang_findings_total", "code" => finding.code.as_str()).increment(1);
    }
    Ok(())
}

fn finding_rows(
    context: &WorkContext,
    key: &DataKey,
    verdict: &VerdictRow,
    raised: &[RaisedFinding],
) -> Result<Vec<FindingRow>, JobFailure> {
    let mut rows = Vec::with_capacity(raised.len());
    for finding in raised {
        let id = new_id(context.now());
        rows.push(FindingRow {
            id,
            case_file_id: verdict.case_file_id,
            verdict_id: verdict.id,
            code: finding.code,
            subject: finding.subject.clone(),
            state: FindingState::Open,
            confidence: finding.confidence,
            evidence_sealed: key.seal(FindingRow::place(id), &finding.evidence)?,
            raised_at: verdict.given_at,
            settled_by: None,
            settled_at: None,
            settled_reason_sealed: None,
        });
    }
    Ok(rows)
}

/// Checked, and from there to review or acceptance; back to assembling while a side is missing altogether.
async fn change_state(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    case_file: &mut CaseFileRow,
    judged: &Judged,
) -> Result<Vec<Ring>, JobFailure> {
    let now = context.now();
    if !judged.has_entered || !judged.has_scans {
        if case_file.state != CaseState::Assembling {
            tx.case_files().change_state(case_file, CaseState::Assembling, "incomplete", now).await?;
        }
        return Ok(Vec::new());
    }
    if case_file.state != CaseState::Checked {
        tx.case_files().change_state(case_file, CaseState::Checked, "verdict_given", now).await?;
    }
    if !judged.findings.is_empty() {
        tx.case_files().change_state(case_file, CaseState::InReview, "findings_raised", now).await?;
        return Ok(Vec::new());
    }
    tx.case_files().change_state(case_file, CaseState::Accepted, "no_findings", now).await?;
    let job = context.job(JobName::ArchiveCaseFile, case_file.id.uuid(), TimeDelta::zero());
    Ok(vec![tx.jobs().enqueue(&job).await?])
}
