//! Papers as wholes: which are required, which cannot be read, which were seen before, which lack the stamp.

use super::{
    AGENT, CUSTOMER, CaseInputs, PlacedPaper, Sides, copy_subject, fields::is_anything_readable, kinds,
    place_finding,
};
use crate::{
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{Difference, FindingCode, RaisedFinding},
    ids::PageId,
    reading::{Capture, Mark, PaperKind, PaperReading, Presence, QualityCause},
};

/// The paper that counts in each slot, and whether it can be read at all.
pub(super) struct ChosenPapers<'a> {
    papers: Vec<(&'a PlacedPaper<'a>, bool)>,
}

impl<'a> ChosenPapers<'a> {
    /// Takes the newest legible paper of each slot, else the newest.
    pub(super) fn of(inputs: &CaseInputs<'a>) -> Self {
        let mut papers: Vec<(&PlacedPaper<'_>, bool)> = Vec::new();
        for slot in Slot::ALL {
            let in_slot =
                inputs.papers.iter().filter(|placed| placed.slot == slot && !is_blank(placed.paper));
            let judged: Vec<_> = in_slot.map(|placed| (placed, is_legible(placed, inputs.entered))).collect();
            let newest_legible = judged.iter().rev().find(|(_, is_legible)| *is_legible);
            papers.extend(newest_legible.or_else(|| judged.last()));
        }
        Self { papers }
    }

    /// The paper in a slot if it can be read.
    pub(super) fn legible(&self, slot: Slot) -> Option<&'a PlacedPaper<'a>> {
        self.papers
            .iter()
            .find(|(placed, is_legible)| placed.slot == slot && *is_legible)
            .map(|(placed, _)| *placed)
    }

    fn holds(&self, slot: Slot) -> bool {
        self.papers.iter().any(|(placed, _)| placed.slot == slot)
    }
}

fn is_blank(paper: &PaperReading) -> bool {
    paper.quality.causes.contains(&QualityCause::Blank)
}

/// A paper of which none of the deciding fields can be made out is illegible as a whole.
fn is_legible(placed: &PlacedPaper<'_>, entered: Option<&EnteredData>) -> bool {
    const BACK: [FieldName; 3] = [FieldName::ValidTo, FieldName::ValidFrom, FieldName::Authority];
    match placed.slot {
        Slot::IdFront | Slot::AgentIdFront => {
            is_anything_readable(placed, &[FieldName::Name, FieldName::IdNumber], entered)
        }
        Slot::IdBack | Slot::AgentIdBack => is_anything_readable(placed, &BACK, entered),
        Slot::Slip => is_anything_readable(
            placed,
            &[FieldName::CustomerName, FieldName::IdNumber, FieldName::ServiceNumber, FieldName::SlipNumber],
            entered,
        ),
        Slot::Licence => {
            is_anything_readable(placed, &[FieldName::OrganisationName, FieldName::CreditCode], entered)
        }
        Slot::Authorisation | Slot::Attachment => true,
    }
}

/// The slots that this acceptance must fill.
pub(super) fn required_slots(entered: &EnteredData) -> Vec<Slot> {
    let paper = entered.paper();
    let mut slots = vec![Slot::Slip];
    if entered.is_organisation() || paper.is_of_organisation() {
        slots.push(Slot::Licence);
    }
    if !paper.is_of_organisation() {
        slots.push(Slot::IdFront);
        if paper.has_back() {
            slots.push(Slot::IdBack);
        }
    }
    if entered.has_agent() {
        slots.push(Slot::AgentIdFront);
        if entered.agent_paper().has_back() {
            slots.push(Slot::AgentIdBack);
        }
    }
    slots
}

/// Required slots that nothing fills. A page that cannot be read may be the paper: that is said instead.
pub(super) fn missing_documents(
    entered: &EnteredData,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Vec<RaisedFinding> {
    required_slots(entered)
        .into_iter()
        .filter(|slot| !chosen.holds(*slot) && !may_be_unreadable(*slot, inputs))
        .filter(|slot| *slot != Slot::IdBack || !kinds::is_of_child_in_register(entered, chosen))
        .map(|slot| place_finding(FindingCode::DocumentMissing, slot.as_str(), None, None))
        .collect()
}

/// Whether an unreadable page could be this paper: sent for it or for its other side, or for nothing named.
fn may_be_unreadable(slot: Slot, inputs: &CaseInputs<'_>) -> bool {
    unreadable_pages(inputs)
        .iter()
        .any(|page| page.slot.is_none_or(|sent| copy_subject(sent) == copy_subject(slot)))
}

/// A page that shows something and says nothing.
struct Unreadable<'a> {
    page: PageId,
    slot: Option<Slot>,
    causes: &'a [QualityCause],
    paper: Option<&'a PaperReading>,
}

/// Pages without a paper, and papers of no known kind on pages with a fault.
fn unreadable_pages<'a>(inputs: &CaseInputs<'a>) -> Vec<Unreadable<'a>> {
    let pages = inputs.unreadable.iter().map(|page| Unreadable {
        page: page.page,
        slot: page.slot,
        causes: &page.causes,
        paper: None,
    });
    let papers = inputs.papers.iter().filter(|placed| is_spoilt(placed.paper)).map(|placed| Unreadable {
        page: placed.page,
        slot: Some(placed.slot).filter(|slot| *slot != Slot::Attachment),
        causes: &placed.paper.quality.causes,
        paper: Some(placed.paper),
    });
    pages.chain(papers).collect()
}

fn is_spoilt(paper: &PaperReading) -> bool {
    paper.kind == PaperKind::Unknown && !paper.quality.causes.is_empty() && !is_blank(paper)
}

/// Papers of which nothing that matters can be read; once for a person's card, never field by field.
pub(super) fn illegible_papers(inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    for (placed, _) in chosen.papers.iter().filter(|(_, is_legible)| !*is_legible) {
        let subject = copy_subject(placed.slot);
        let region = Some(placed.paper.region);
        let mut finding = place_finding(FindingCode::Illegible, subject, Some(placed.page), region);
        finding.evidence.reason = Some(reason(placed.slot.as_str(), &placed.paper.quality.causes));
        findings.push(finding);
    }
    for page in unreadable_pages(inputs) {
        let Some(subject) = subject_of_unreadable(&page, inputs, chosen) else {
            continue;
        };
        let region = page.paper.map(|paper| paper.region);
        let mut finding = place_finding(FindingCode::Illegible, subject, Some(page.page), region);
        finding.evidence.reason = Some(reason("page", page.causes));
        findings.push(finding);
    }
    findings
}

/// What an unreadable page is taken for: what it was sent for, else what is wanted and not there.
fn subject_of_unreadable(
    page: &Unreadable<'_>,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Option<&'static str> {
    let wanted = inputs.entered.map_or_else(|| vec![Slot::IdFront, Slot::IdBack, Slot::Slip], required_slots);
    let is_wanted = |slot: &Slot| !chosen.holds(*slot);
    match page.slot {
        // A spoilt second picture of what is there and legible is no loss.
        Some(slot) if chosen.legible(slot).is_some() => None,
        Some(slot) => Some(copy_subject(slot)),
        None => {
            let cards_first = wanted.iter().filter(|slot| **slot != Slot::Slip).find(|slot| is_wanted(slot));
            let slot = cards_first.or_else(|| wanted.iter().find(|slot| is_wanted(slot)))?;
            Some(copy_subject(*slot))
        }
    }
}

/// What was to be read, and the causes why it was not.
pub(super) fn reason(what: &str, causes: &[QualityCause]) -> String {
    let mut words = vec![what];
    words.extend(causes.iter().map(|cause| cause.as_str()));
    words.join(",")
}

/// Papers that were filed before for another customer.
pub(super) fn duplicates(inputs: &CaseInputs<'_>) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    for placed in inputs.papers {
        if let Some(other) = placed.duplicate_of_other_customer {
            let region = Some(placed.paper.region);
            let subject = copy_subject(placed.slot);
            let mut finding = place_finding(FindingCode::DuplicateScan, subject, Some(placed.page), region);
            finding.evidence.reason = Some(format!("case_file {other}"));
            findings.push(finding);
        }
    }
    findings
}

/// Photocopied identity papers without the copy stamp; both sides on one sheet share one stamp.
pub(super) fn missing_copy_stamps(inputs: &CaseInputs<'_>) -> Vec<RaisedFinding> {
    [CUSTOMER, AGENT].into_iter().flat_map(|sides| unstamped_pages(sides, inputs)).collect()
}

fn unstamped_pages(sides: Sides, inputs: &CaseInputs<'_>) -> Vec<RaisedFinding> {
    let is_copy = |placed: &&PlacedPaper<'_>| {
        [sides.front, sides.back].contains(&placed.slot) && placed.paper.capture == Capture::Photocopy
    };
    let copies: Vec<&PlacedPaper<'_>> = inputs.papers.iter().filter(is_copy).collect();
    let mut pages: Vec<PageId> = copies.iter().map(|placed| placed.page).collect();
    pages.dedup();
    let mut findings = Vec::new();
    for page in pages {
        let marks = copies
            .iter()
            .filter(|placed| placed.page == page)
            .filter_map(|placed| placed.paper.copy_stamp.as_ref());
        if let Some(finding) = stamp_finding(sides, page, &marks.collect::<Vec<_>>()) {
            findings.push(finding);
        }
    }
    findings
}

fn stamp_finding(sides: Sides, page: PageId, marks: &[&Mark]) -> Option<RaisedFinding> {
    if marks.iter().any(|mark| mark.presence == Presence::Present) {
        return None;
    }
    let unclear = marks.iter().find(|mark| mark.presence == Presence::Unclear);
    let shown = unclear.or_else(|| marks.first());
    let region = shown.and_then(|mark| mark.region);
    let subject = copy_subject(sides.front);
    let mut finding = place_finding(FindingCode::CopyStampMissing, subject, Some(page), region);
    finding.confidence = shown.map(|mark| mark.confidence);
    let is_certain = unclear.is_none() && !marks.is_empty();
    finding.evidence.difference = Some(if is_certain { Difference::Missing } else { Difference::Uncertain });
    finding.evidence.reason = Some(if is_certain { "absent" } else { "unclear" }.to_owned());
    Some(finding)
}
