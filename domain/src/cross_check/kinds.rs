//! The kind of paper that was typed against the kind that was filed.

use super::{AGENT, CUSTOMER, PlacedPaper, Sides, papers::ChosenPapers, place_finding};
use crate::{
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{Difference, FindingCode, RaisedFinding},
    reading::PaperKind,
    validation::{IdentityPaper, resident_number},
};

/// From this age on a person has a card and is no longer entered from the household register.
const AGE_OF_OWN_CARD: u32 = 16;

/// Fronts of another kind than was typed.
pub(super) fn other_kinds(entered: &EnteredData, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let customers = other_kind(entered, CUSTOMER, entered.paper(), FieldName::IdType, chosen);
    let agents = other_kind(entered, AGENT, entered.agent_paper(), FieldName::AgentIdType, chosen);
    customers.into_iter().chain(agents).collect()
}

fn other_kind(
    entered: &EnteredData,
    sides: Sides,
    paper: IdentityPaper,
    subject: FieldName,
    chosen: &ChosenPapers<'_>,
) -> Option<RaisedFinding> {
    let placed = chosen.legible(sides.front)?;
    let typed = entered.value(subject).filter(|typed| !typed.trim().is_empty())?;
    if can_be(placed.paper.kind, paper) || is_of_child_in_register(entered, chosen) {
        return None;
    }
    let read = name_of(placed.paper.kind)?;
    let (page, region) = (Some(placed.page), Some(placed.paper.region));
    let mut finding = place_finding(FindingCode::FieldMismatch, subject.as_str(), page, region);
    finding.confidence = Some(placed.paper.confidence);
    finding.evidence.read = Some(read.to_owned());
    finding.evidence.entered = Some(typed.to_owned());
    finding.evidence.difference = Some(Difference::Conflicting);
    finding.evidence.reason = Some(format!("{}_against_entered", placed.slot));
    Some(finding)
}

/// Whether a paper of this kind can be what was typed.
const fn can_be(kind: PaperKind, paper: IdentityPaper) -> bool {
    match paper {
        IdentityPaper::ResidentCard | IdentityPaper::TemporaryCard | IdentityPaper::ResidencePermit => {
            matches!(kind, PaperKind::IdCardFront)
        }
        IdentityPaper::HouseholdRegister => matches!(kind, PaperKind::HouseholdRegister),
        IdentityPaper::MainlandTravelPermit
        | IdentityPaper::TaiwanTravelPermit
        | IdentityPaper::ForeignPermanentResident => matches!(kind, PaperKind::Permit),
        IdentityPaper::Passport => matches!(kind, PaperKind::Passport),
        // An organisation's licence stands in a slot of its own; the others are not told apart.
        IdentityPaper::Licence
        | IdentityPaper::OrganisationCode
        | IdentityPaper::Service
        | IdentityPaper::Other => true,
    }
}

/// What a front is called at the counter.
const fn name_of(kind: PaperKind) -> Option<&'static str> {
    match kind {
        PaperKind::IdCardFront => Some("身份证"),
        PaperKind::Passport => Some("护照"),
        PaperKind::Permit => Some("通行证或永久居留身份证"),
        PaperKind::HouseholdRegister => Some("户口簿"),
        PaperKind::IdCardBack
        | PaperKind::Slip
        | PaperKind::Licence
        | PaperKind::Authorisation
        | PaperKind::Unknown => None,
    }
}

/// Children without a card are entered with the number that the household register gives them.
pub(super) fn is_of_child_in_register(entered: &EnteredData, chosen: &ChosenPapers<'_>) -> bool {
    let is_register = |placed: &PlacedPaper<'_>| placed.paper.kind == PaperKind::HouseholdRegister;
    let resident = resident_number(&entered.id_number, entered.accepted_on);
    let age = resident.ok().and_then(|resident| entered.accepted_on.years_since(resident.birth));
    entered.paper() == IdentityPaper::ResidentCard
        && chosen.legible(Slot::IdFront).is_some_and(is_register)
        && age.is_some_and(|age| age < AGE_OF_OWN_CARD)
}
