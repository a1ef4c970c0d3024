//! What the papers say against what was typed, field by field.

use super::{
    AGENT, CUSTOMER, DOUBTFUL, FieldWeight, PlacedPaper, SURE, field_finding, field_subject,
    identity::printed_birth,
    papers::{self, ChosenPapers},
    sure_text, unseen,
};
use crate::{
    comparison::{ValueKind, compare, phone_key},
    entered_data::EnteredData,
    field::{Confidence, FieldName, Slot},
    finding::{Difference, FindingCode, Judgement, RaisedFinding},
    reading::FieldReading,
    validation::{IdentityPaper, paper_number},
};

/// From this similarity on, two texts may be one text read badly; below it they are two texts.
const RELATED: f32 = 0.5;
/// A log ratio below this leans against the entered value even where it decides nothing.
const LEANING: f32 = -3.0;

/// What one paper says about one entered value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The paper bears it out.
    Agrees,
    /// The paper says something else.
    Differs(Difference),
    /// The evidence leans against it; a person must look.
    Leans,
    /// The ink decides nothing.
    CannotTell,
    /// The paper has no such field.
    NotThere,
}

/// One field of one paper that stands against an entered value.
struct Witness {
    slot: Slot,
    field: FieldName,
}

/// An entered value and the fields that bear it out, the independent paper first.
struct Question {
    entered: FieldName,
    card: Option<Witness>,
    slip: FieldName,
    importance: Importance,
}

/// What doubt about a field means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Importance {
    /// Cannot tell goes to a person.
    Required,
    /// Only a certain difference is worth a person's time.
    Secondary,
}

/// Compares every entered value with every paper that bears it.
pub(super) fn compare_with_entered(entered: &EnteredData, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    questions(entered).iter().filter_map(|question| answer(question, entered, chosen)).collect()
}

fn questions(entered: &EnteredData) -> Vec<Question> {
    let is_organisation = entered.is_organisation_paper();
    let on_card = |field| Some(Witness { slot: CUSTOMER.front, field });
    let on_licence = |field| Some(Witness { slot: Slot::Licence, field });
    let of_agent = |field| entered.has_agent().then_some(Witness { slot: AGENT.front, field });
    let (name, number, address) = if is_organisation {
        (
            on_licence(FieldName::OrganisationName),
            on_licence(FieldName::CreditCode),
            on_licence(FieldName::Address),
        )
    } else {
        (on_card(FieldName::Name), on_card(FieldName::IdNumber), on_card(FieldName::Address))
    };
    let required =
        |entered, card| Question { entered, card, slip: entered, importance: Importance::Required };
    let secondary =
        |entered| Question { entered, card: None, slip: entered, importance: Importance::Secondary };
    vec![
        required(FieldName::CustomerName, name),
        required(FieldName::IdNumber, number),
        required(FieldName::IdAddress, address),
        required(FieldName::AgentName, of_agent(FieldName::Name)),
        required(FieldName::AgentIdNumber, of_agent(FieldName::IdNumber)),
        required(FieldName::ServiceNumber, None),
        required(FieldName::ContactName, None),
        required(FieldName::ContactPhone, None),
        required(FieldName::MailingAddress, None),
        secondary(FieldName::SlipNumber),
        secondary(FieldName::OutletCode),
        secondary(FieldName::AcceptedOn),
        secondary(FieldName::CustomerType),
        secondary(FieldName::IdType),
    ]
}

/// Hears the witnesses of one entered value and raises at most one finding.
fn answer(question: &Question, entered: &EnteredData, chosen: &ChosenPapers<'_>) -> Option<RaisedFinding> {
    let card = question.card.as_ref().and_then(|witness| {
        let placed = chosen.legible(witness.slot)?;
        Some((placed, witness.field, outcome(entered, question.entered, placed, witness.field)))
    });
    let slip = chosen
        .legible(Slot::Slip)
        .map(|placed| (placed, question.slip, outcome(entered, question.entered, placed, question.slip)));
    let is_borne_out = card.iter().chain(&slip).any(|(_, _, outcome)| *outcome == Outcome::Agrees);
    let heard = [(card, true), (slip, false)];
    let strongest = heard.iter().find_map(|(witness, _)| match witness {
        Some((placed, field, Outcome::Differs(difference)))
            if question.importance == Importance::Required
                || is_certain(entered, question.entered, placed, *field) =>
        {
            Some((*placed, *field, Some(*difference)))
        }
        _ => None,
    });
    if let Some((placed, field, difference)) = strongest {
        return Some(mismatch(entered, question, placed, field, difference));
    }
    if question.importance == Importance::Secondary {
        return None;
    }
    heard.into_iter().find_map(|(witness, is_card)| {
        let (placed, field, outcome) = witness?;
        match outcome {
            Outcome::Leans => Some(mismatch(entered, question, placed, field, Some(Difference::Uncertain))),
            // A slip that cannot be read matters only for what nothing else bears out.
            Outcome::CannotTell if is_card || !is_borne_out => {
                Some(unreadable(entered, question, placed, field))
            }
            _ => None,
        }
    })
}

/// Whether what was read is sure, and more than a part of what was typed.
fn is_certain(
    entered: &EnteredData,
    entered_field: FieldName,
    placed: &PlacedPaper<'_>,
    field: FieldName,
) -> bool {
    let typed = entered.entered_text(entered_field).unwrap_or_default();
    // 居民身份证 is another paper than 临时居民身份证; of other words a part may be all that was seen.
    let may_be_part = entered_field != FieldName::IdType;
    sure_text(placed.paper, field, SURE).is_some_and(|read| !(may_be_part && typed.contains(read.trim())))
}

fn mismatch(
    entered: &EnteredData,
    question: &Question,
    placed: &PlacedPaper<'_>,
    field: FieldName,
    difference: Option<Difference>,
) -> RaisedFinding {
    let mut finding = field_finding(FindingCode::FieldMismatch, placed, field, difference);
    question.entered.as_str().clone_into(&mut finding.subject);
    finding.evidence.entered = entered.entered_text(question.entered);
    finding.evidence.reason = Some(format!("{}_against_entered", placed.slot));
    finding
}

fn unreadable(
    entered: &EnteredData,
    question: &Question,
    placed: &PlacedPaper<'_>,
    field: FieldName,
) -> RaisedFinding {
    let mut finding = field_finding(FindingCode::Illegible, placed, field, Some(Difference::Uncertain));
    question.entered.as_str().clone_into(&mut finding.subject);
    finding.evidence.entered = entered.entered_text(question.entered);
    finding.evidence.reason = Some(papers::reason("cannot_tell", &placed.paper.quality.causes));
    finding
}

/// What one paper says about one entered value.
fn outcome(
    entered: &EnteredData,
    entered_field: FieldName,
    placed: &PlacedPaper<'_>,
    field: FieldName,
) -> Outcome {
    let Some(typed) = entered.entered_text(entered_field) else {
        return Outcome::NotThere;
    };
    let is_listed_illegible = placed.paper.illegible.contains(&field);
    let weight = placed.weight(field);
    let reading = placed.paper.field(field);
    let Some((reading, text)) = reading.and_then(|reading| Some((reading, reading.text.as_deref()?))) else {
        let is_expected = reading.is_some() || is_listed_illegible || is_core(placed.slot, field);
        return if typed.trim().is_empty() || !is_expected {
            Outcome::NotThere
        } else {
            by_weight_alone(weight)
        };
    };
    if typed.trim().is_empty() {
        return nothing_typed(entered_field, reading);
    }
    if entered_field == FieldName::ServiceNumber && is_any_of(&entered.service_numbers, text) {
        return Outcome::Agrees;
    }
    let comparison = compare(ValueKind::of(entered_field), &typed, text);
    if comparison.agrees() {
        return Outcome::Agrees;
    }
    // Words that name no kind of paper are a misreading, not another kind.
    if entered_field == FieldName::IdType && IdentityPaper::from_entered(text) == IdentityPaper::Other {
        return Outcome::NotThere;
    }
    if is_number_with_check(entered, entered_field)
        && reading.confidence < Confidence::new(SURE)
        && unseen::is_borne_out(&typed, text, entered.accepted_on, printed_birth(placed))
    {
        return Outcome::Agrees;
    }
    let difference = comparison.difference.unwrap_or(Difference::Conflicting);
    let check = own_checks(entered, entered_field, &typed, text);
    by_ink(reading, difference, comparison.similarity, weight, check)
}

/// Fields every card of this kind bears: their absence in a reading is a failure to read.
const fn is_core(slot: Slot, field: FieldName) -> bool {
    matches!(slot, Slot::IdFront | Slot::AgentIdFront)
        && matches!(field, FieldName::Name | FieldName::IdNumber)
}

fn is_any_of(numbers: &[String], read: &str) -> bool {
    let read: Vec<String> = read.split([',', '、', '，', ';', '/', ' ', '\n']).map(phone_key).collect();
    let known: Vec<String> = numbers.iter().map(|number| phone_key(number)).collect();
    read.iter().filter(|number| !number.is_empty()).all(|number| known.contains(number))
}

/// A paper that names an agent nobody typed is a difference; other empty fields are findings of their own.
fn nothing_typed(entered_field: FieldName, reading: &FieldReading) -> Outcome {
    let is_agent = matches!(entered_field, FieldName::AgentName | FieldName::AgentIdNumber);
    if is_agent && reading.confidence >= Confidence::new(SURE) {
        Outcome::Differs(Difference::Missing)
    } else {
        Outcome::NotThere
    }
}

fn by_weight_alone(weight: Option<&FieldWeight>) -> Outcome {
    match weight.map(|weight| weight.judgement) {
        Some(Judgement::Agrees) => Outcome::Agrees,
        Some(Judgement::Differs) => Outcome::Leans,
        Some(Judgement::CannotTell) | None => Outcome::CannotTell,
    }
}

/// What the check digits of the two numbers say about which of them can be a misreading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnChecks {
    /// The field has none, or both pass, or both fail.
    Undecided,
    /// Only what was read passes.
    OnlyReadPasses,
    /// Only what was typed passes: the reading is wrong somewhere.
    OnlyTypedPasses,
}

/// Whether the field holds the number of a resident card, which carries its own check.
fn is_number_with_check(entered: &EnteredData, field: FieldName) -> bool {
    let paper = match field {
        FieldName::IdNumber => entered.paper(),
        FieldName::AgentIdNumber => entered.agent_paper(),
        _ => return false,
    };
    matches!(paper, IdentityPaper::ResidentCard | IdentityPaper::TemporaryCard)
}

fn own_checks(entered: &EnteredData, field: FieldName, typed: &str, read: &str) -> OwnChecks {
    let paper = match field {
        FieldName::IdNumber => entered.paper(),
        FieldName::AgentIdNumber => entered.agent_paper(),
        _ => return OwnChecks::Undecided,
    };
    let passes = |number: &str| paper_number(paper, number, entered.accepted_on).is_ok();
    match (passes(typed), passes(read)) {
        (false, true) => OwnChecks::OnlyReadPasses,
        (true, false) => OwnChecks::OnlyTypedPasses,
        _ => OwnChecks::Undecided,
    }
}

/// The texts differ: does the ink bear that out?
fn by_ink(
    reading: &FieldReading,
    difference: Difference,
    similarity: f32,
    weight: Option<&FieldWeight>,
    check: OwnChecks,
) -> Outcome {
    let confidence = reading.confidence.value();
    let leans = |against: bool| if against { Outcome::Leans } else { Outcome::CannotTell };
    match weight.map(|weight| (weight.judgement, weight.log_ratio)) {
        Some((Judgement::Agrees, _)) => Outcome::Agrees,
        Some((Judgement::Differs, _)) => Outcome::Differs(difference),
        _ if confidence < DOUBTFUL => Outcome::CannotTell,
        _ if check == OwnChecks::OnlyReadPasses => Outcome::Differs(difference),
        // Another number altogether is another number, even where one digit of it is misread.
        _ if similarity < RELATED => Outcome::Differs(difference),
        _ if check == OwnChecks::OnlyTypedPasses => Outcome::CannotTell,
        Some((Judgement::CannotTell, ratio)) => leans(ratio < LEANING && confidence >= SURE),
        None if confidence >= SURE => Outcome::Differs(difference),
        None => leans(true),
    }
}

impl EnteredData {
    /// The typed text of a field as evidence shows it, the day of acceptance included.
    fn entered_text(&self, field: FieldName) -> Option<String> {
        match field {
            FieldName::AcceptedOn => Some(self.accepted_on.to_string()),
            FieldName::ServiceNumber => Some(self.service_numbers.join("、")),
            other => self.value(other).map(str::to_owned),
        }
    }
}

/// Whether any of the fields that tell whose paper it is can be made out.
pub(super) fn is_anything_readable(
    placed: &PlacedPaper<'_>,
    fields: &[FieldName],
    entered: Option<&EnteredData>,
) -> bool {
    fields.iter().any(|field| {
        let typed = entered.zip(entered_field_of(placed.slot, *field));
        match typed.map(|(entered, typed)| outcome(entered, typed, placed, *field)) {
            Some(Outcome::CannotTell) => false,
            Some(Outcome::Agrees | Outcome::Differs(_) | Outcome::Leans) => true,
            Some(Outcome::NotThere) | None => has_text(placed, *field),
        }
    })
}

fn has_text(placed: &PlacedPaper<'_>, field: FieldName) -> bool {
    super::sure_text(placed.paper, field, DOUBTFUL).is_some()
}

fn entered_field_of(slot: Slot, field: FieldName) -> Option<FieldName> {
    match field_subject(slot, field) {
        "customer_name" => Some(FieldName::CustomerName),
        "id_number" => Some(FieldName::IdNumber),
        "id_address" => Some(FieldName::IdAddress),
        "agent_name" => Some(FieldName::AgentName),
        "agent_id_number" => Some(FieldName::AgentIdNumber),
        "service_number" => Some(FieldName::ServiceNumber),
        _ => None,
    }
}
