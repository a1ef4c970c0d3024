//! Papers of somebody else among those of a slot: the newest one counts, but none may be another person's.

use super::{CaseInputs, PlacedPaper, SURE, copy_subject, papers::ChosenPapers, place_finding, sure_text};
use crate::{
    comparison::{ValueKind, compare},
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{Difference, FindingCode, RaisedFinding},
};

/// Slots whose papers say whose they are.
const SLOTS_THAT_NAME: [Slot; 4] = [Slot::IdFront, Slot::AgentIdFront, Slot::Licence, Slot::Slip];
/// Reason of a paper that names somebody else than another paper of its slot.
const OF_ANOTHER: &str = "another_person_than_other_papers_of_the_slot";

/// For each slot at most one paper of somebody else, told by what both it and the one that counts say surely.
pub(super) fn papers_of_others(inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let in_slot = |slot: Slot| {
        let counts = chosen.legible(slot)?;
        let others = inputs.papers.iter().filter(|placed| placed.slot == slot);
        let other = others
            .filter(|other| !std::ptr::eq(*other, counts))
            .find(|other| !is_blank_of_names(other) && are_of_two_people(other, counts))?;
        Some(finding(stranger(inputs.entered, counts, other)))
    };
    SLOTS_THAT_NAME.into_iter().filter_map(in_slot).collect()
}

/// Whether two papers of one slot surely name two people: by number where both bear one, and not the same name.
pub(super) fn are_of_two_people(one: &PlacedPaper<'_>, other: &PlacedPaper<'_>) -> bool {
    let conflict = |fields: &[FieldName], kind: ValueKind| {
        let said = |placed: &PlacedPaper<'_>| {
            fields.iter().find_map(|field| sure_text(placed.paper, *field, SURE)).map(str::to_owned)
        };
        let (one, other) = (said(one)?, said(other)?);
        Some(compare(kind, &one, &other).difference == Some(Difference::Conflicting))
    };
    let number = conflict(&NUMBERS, ValueKind::Number);
    let name = conflict(&NAMES, ValueKind::Name);
    match (number, name) {
        (Some(true), name) => name != Some(false),
        (None, Some(true)) => true,
        (Some(false) | None, _) => false,
    }
}

const NAMES: [FieldName; 3] = [FieldName::Name, FieldName::OrganisationName, FieldName::CustomerName];
const NUMBERS: [FieldName; 2] = [FieldName::IdNumber, FieldName::CreditCode];

fn is_blank_of_names(placed: &PlacedPaper<'_>) -> bool {
    NAMES.iter().chain(&NUMBERS).all(|field| sure_text(placed.paper, *field, SURE).is_none())
}

/// Of two papers the one that does not bear what was typed; where that decides nothing, the one that does not count.
fn stranger<'a>(
    entered: Option<&EnteredData>,
    counts: &'a PlacedPaper<'a>,
    other: &'a PlacedPaper<'a>,
) -> &'a PlacedPaper<'a> {
    let bears = |placed: &PlacedPaper<'_>| {
        let Some(entered) = entered else { return false };
        let typed = match placed.slot {
            Slot::AgentIdFront => &entered.agent_id_number,
            _ => &entered.id_number,
        };
        let read = NUMBERS.iter().find_map(|field| sure_text(placed.paper, *field, SURE));
        read.is_some_and(|read| compare(ValueKind::Number, typed, read).agrees())
    };
    if bears(other) && !bears(counts) { counts } else { other }
}

fn finding(placed: &PlacedPaper<'_>) -> RaisedFinding {
    let (subject, region) = (copy_subject(placed.slot), Some(placed.paper.region));
    let mut finding = place_finding(FindingCode::IdInconsistent, subject, Some(placed.page), region);
    finding.confidence = Some(placed.paper.confidence);
    finding.evidence.difference = Some(Difference::Conflicting);
    finding.evidence.reason = Some(OF_ANOTHER.to_owned());
    finding
}
