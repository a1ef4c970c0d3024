//! The signature on the slip: there, of the right name, like the earlier ones.

use super::{
    CaseInputs, NameWeight, PlacedPaper, SURE, SignatureWeight, papers::ChosenPapers, place_finding,
    strangers::are_of_two_people, sure_text,
};
use crate::{
    comparison::{ValueKind, compare, name_key},
    entered_data::EnteredData,
    field::{Confidence, FieldName, Slot},
    finding::{Difference, FindingCode, Judgement, RaisedFinding},
    reading::{Mark, Presence},
};

/// A shorter name may stand in another by chance.
const LEAST_NAME: usize = 2;
/// Reason of a signature unlike the earlier ones.
const UNLIKE: &str = "unlike_earlier_signatures";
/// Reason of a finding on a signature that is an earlier one once more.
pub const COPY_OF_EARLIER: &str = "copy_of_an_earlier_signature";

/// The signature that a verdict rests on, and whose name it may be besides those that were typed.
#[derive(Debug, Clone, Copy)]
pub struct SignatureToWeigh<'a> {
    /// It.
    pub mark: &'a Mark,
    /// The customer's name as the customer's own papers bear it, where it is another than was typed.
    pub printed_name: Option<&'a str>,
}

/// The signature to weigh names against: the very one that [`check_case_file`](super::check_case_file) judges.
pub fn signature_to_weigh<'a>(inputs: &CaseInputs<'a>) -> Option<SignatureToWeigh<'a>> {
    let chosen = ChosenPapers::of(inputs);
    let (_, mark) = signature_mark(inputs, &chosen)?;
    let printed_name = inputs.entered.and_then(|entered| printed_name(entered, &chosen));
    Some(SignatureToWeigh { mark, printed_name })
}

/// The customer's name on card and slip, where both surely bear it and it is not what was typed.
///
/// Then the entry is wrong, which is a finding of its own, and who signed with the name of the papers signed rightly.
fn printed_name<'a>(entered: &EnteredData, chosen: &ChosenPapers<'a>) -> Option<&'a str> {
    let on_card = sure_text(chosen.legible(Slot::IdFront)?.paper, FieldName::Name, SURE)?;
    let on_slip = sure_text(chosen.legible(Slot::Slip)?.paper, FieldName::CustomerName, SURE)?;
    let is = |one: &str, other: &str| compare(ValueKind::Name, one, other).agrees();
    (is(on_card, on_slip) && !is(&entered.customer_name, on_card)).then_some(on_card)
}

/// Everything that is wrong with the signature; nothing where the form was not searched for one.
pub(super) fn signature_findings(inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let Some((placed, mark)) = signature_mark(inputs, chosen) else {
        return Vec::new();
    };
    match mark.presence {
        Presence::Absent => {
            vec![finding(FindingCode::SignatureMissing, placed, mark, Difference::Missing, "absent")]
        }
        Presence::Unclear => {
            vec![finding(FindingCode::SignatureMissing, placed, mark, Difference::Uncertain, "unclear")]
        }
        Presence::Present => match inputs.entered {
            Some(entered) => present_signature(entered, inputs.signature.unwrap_or_default(), placed, mark),
            None => Vec::new(),
        },
    }
}

/// The mark that counts: a signature that is there on any sheet of this customer's slip, else the newest look.
fn signature_mark<'a>(
    inputs: &CaseInputs<'a>,
    chosen: &ChosenPapers<'a>,
) -> Option<(&'a PlacedPaper<'a>, &'a Mark)> {
    let counts = chosen.legible(Slot::Slip);
    let is_of_it = |sheet: &&PlacedPaper<'_>| counts.is_none_or(|slip| !are_of_two_people(sheet, slip));
    let sheets = inputs.papers.iter().filter(|placed| placed.slot == Slot::Slip).filter(is_of_it);
    let marks: Vec<_> =
        sheets.filter_map(|placed| placed.paper.signature.as_ref().map(|mark| (placed, mark))).collect();
    let on_chosen = counts.and_then(|placed| Some((placed, placed.paper.signature.as_ref()?)));
    on_chosen
        .filter(|(_, mark)| mark.presence == Presence::Present)
        .or_else(|| marks.iter().rev().find(|(_, mark)| mark.presence == Presence::Present).copied())
        .or(on_chosen)
        .or_else(|| marks.last().copied())
}

fn present_signature(
    entered: &EnteredData,
    weight: SignatureWeight,
    placed: &PlacedPaper<'_>,
    mark: &Mark,
) -> Vec<RaisedFinding> {
    // The agent signs in the customer's place.
    let (signer, expected) = if entered.has_agent() && !entered.agent_name.trim().is_empty() {
        (weight.agent, &entered.agent_name)
    } else {
        (weight.customer, &entered.customer_name)
    };
    let mut findings = Vec::new();
    if let Some(name) = signer {
        findings.extend(name_finding(name, weight, entered, expected, placed, mark));
    }
    let unlike = weight.likeness == Some(Judgement::Differs) && findings.is_empty();
    // A hand never repeats itself: what is too like an earlier signature was not written either.
    let reason = match (weight.is_copied, unlike) {
        (true, _) => COPY_OF_EARLIER,
        (false, true) => UNLIKE,
        (false, false) => return findings,
    };
    findings.push(finding(FindingCode::SignatureDiffers, placed, mark, Difference::Uncertain, reason));
    findings
}

fn name_finding(
    name: NameWeight,
    weight: SignatureWeight,
    entered: &EnteredData,
    expected: &str,
    placed: &PlacedPaper<'_>,
    mark: &Mark,
) -> Option<RaisedFinding> {
    let is_read_as_expected = mark.text.as_deref().is_some_and(|read| reads_as(expected, read));
    let mut raised = match name.judgement {
        Judgement::Agrees => return None,
        _ if is_read_as_expected => return None,
        _ if weight.printed.is_some_and(|printed| printed.judgement == Judgement::Agrees) => return None,
        Judgement::Differs => {
            let is_customers = entered.has_agent()
                && weight.customer.is_some_and(|customer| customer.judgement == Judgement::Agrees);
            let reason = match (is_customers, name.is_legible) {
                (true, _) => "customer_signed_for_agent",
                (false, true) => "reads_as_another_name",
                (false, false) => "nothing_reads_as_the_name",
            };
            finding(FindingCode::SignatureNameMismatch, placed, mark, Difference::Conflicting, reason)
        }
        // A hand nobody can read, but the hand of the earlier ones.
        Judgement::CannotTell if weight.likeness == Some(Judgement::Agrees) => return None,
        // A hand nobody can read speaks neither for a name nor against it: that it signed is what can be told.
        Judgement::CannotTell if !name.is_legible && mark.confidence >= Confidence::new(SURE) => return None,
        Judgement::CannotTell => {
            let mut raised = finding(
                FindingCode::Illegible,
                placed,
                mark,
                Difference::Uncertain,
                "signature_cannot_be_read",
            );
            "signature".clone_into(&mut raised.subject);
            raised
        }
    };
    raised.evidence.entered = Some(expected.to_owned());
    Some(raised)
}

/// Whether the name was read, alone or beside what another person wrote next to it; a longer name that holds it is
/// another name.
fn reads_as(expected: &str, read: &str) -> bool {
    let (name, read_key) = (name_key(expected), name_key(read));
    let is_beside_another = || {
        let rest = read_key.chars().count().saturating_sub(name.chars().count());
        name.chars().count() >= LEAST_NAME && rest >= LEAST_NAME && read_key.contains(&name)
    };
    compare(ValueKind::Name, expected, read).agrees() || is_beside_another()
}

fn finding(
    code: FindingCode,
    placed: &PlacedPaper<'_>,
    mark: &Mark,
    difference: Difference,
    reason: &str,
) -> RaisedFinding {
    let mut finding = place_finding(code, Slot::Slip.as_str(), Some(placed.page), mark.region);
    finding.confidence = Some(mark.confidence);
    finding.evidence.read.clone_from(&mark.text);
    finding.evidence.difference = Some(difference);
    finding.evidence.reason = Some(reason.to_owned());
    finding
}
