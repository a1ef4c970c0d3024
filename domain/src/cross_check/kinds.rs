//! The kind of paper that was typed against the kind that was filed.

use chrono::NaiveDate;

use super::{
    AGENT, CUSTOMER, PlacedPaper, SURE, Sides,
    identity::{day_value, expiry_value},
    papers::ChosenPapers,
    place_finding, sure_text,
};
use crate::{
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{Difference, FindingCode, RaisedFinding},
    reading::PaperKind,
    validation::{Expiry, IdentityPaper, expiry_after, resident_number, temporary_expiry},
};

/// From this age on a person has a card and is no longer entered from the household register.
const AGE_OF_OWN_CARD: u32 = 16;

/// Papers of another kind than was typed.
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
    let typed = entered.value(subject).filter(|typed| !typed.trim().is_empty())?;
    if is_of_child_in_register(entered, chosen) {
        return None;
    }
    let (placed, read) = other_front(sides, paper, chosen)
        .or_else(|| other_back(sides, paper, chosen))
        .or_else(|| other_card(sides, paper, chosen))?;
    let (page, region) = (Some(placed.page), Some(placed.paper.region));
    let mut finding = place_finding(FindingCode::FieldMismatch, subject.as_str(), page, region);
    finding.confidence = Some(placed.paper.confidence);
    finding.evidence.read = Some(read.to_owned());
    finding.evidence.entered = Some(typed.to_owned());
    finding.evidence.difference = Some(Difference::Conflicting);
    finding.evidence.reason = Some(format!("{}_against_entered", placed.slot));
    Some(finding)
}

/// A front of another kind, and what it is called.
fn other_front<'a>(
    sides: Sides,
    paper: IdentityPaper,
    chosen: &ChosenPapers<'a>,
) -> Option<(&'a PlacedPaper<'a>, &'static str)> {
    let front = chosen.legible(sides.front).filter(|front| !can_be(front.paper.kind, paper))?;
    Some((front, name_of(front.paper.kind)?))
}

/// The back of a permit or of a foreigner's card behind the front of a card.
fn other_back<'a>(
    sides: Sides,
    paper: IdentityPaper,
    chosen: &ChosenPapers<'a>,
) -> Option<(&'a PlacedPaper<'a>, &'static str)> {
    let back = chosen.legible(sides.back).filter(|_| is_of_the_look_alikes(paper))?;
    Some((back, name_of(back.paper.kind)?))
}

/// Of the three cards that look alike another one: the number and the term tell them apart.
fn other_card<'a>(
    sides: Sides,
    paper: IdentityPaper,
    chosen: &ChosenPapers<'a>,
) -> Option<(&'a PlacedPaper<'a>, &'static str)> {
    let front = chosen.legible(sides.front).filter(|_| is_of_the_look_alikes(paper))?;
    let number = sure_text(front.paper, FieldName::IdNumber, SURE)?;
    let (card, shows_it) = if PERMIT_REGIONS.iter().any(|region| number.starts_with(region)) {
        (IdentityPaper::ResidencePermit, front)
    } else {
        let back = chosen.legible(sides.back)?;
        (card_of_term(back)?, back)
    };
    let name = match card {
        IdentityPaper::ResidencePermit => "港澳台居民居住证",
        IdentityPaper::TemporaryCard => "临时居民身份证",
        _ => "居民身份证",
    };
    (card != paper).then_some((shows_it, name))
}

/// What the numbers of residence permits begin with: Hong Kong, Macau, Taiwan.
const PERMIT_REGIONS: [&str; 3] = ["81", "82", "83"];

const fn is_of_the_look_alikes(paper: IdentityPaper) -> bool {
    use IdentityPaper::{ResidencePermit, ResidentCard, TemporaryCard};
    matches!(paper, ResidentCard | TemporaryCard | ResidencePermit)
}

/// Which card is valid for as long as this back says; `None` where that is not sure or no term of any.
fn card_of_term(back: &PlacedPaper<'_>) -> Option<IdentityPaper> {
    let issued_on = sure_text(back.paper, FieldName::ValidFrom, SURE).and_then(day_value)?;
    let expiry = sure_text(back.paper, FieldName::ValidTo, SURE).and_then(expiry_value)?;
    let Expiry::Through(last_day) = expiry else { return Some(IdentityPaper::ResidentCard) };
    let is_until = |expected: NaiveDate| (expected - last_day).num_days().abs() <= 1;
    if temporary_expiry(issued_on).is_some_and(is_until) {
        return Some(IdentityPaper::TemporaryCard);
    }
    let mut terms = [5, 10, 20].into_iter().filter_map(|years| expiry_after(issued_on, years));
    terms.any(is_until).then_some(IdentityPaper::ResidentCard)
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
