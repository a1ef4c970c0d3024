//! The cross-check (稽核): papers against entered data, papers against each other, and what is missing.
//!
//! Every judgement has three outcomes. What differs is a finding of its kind; what cannot be told goes to a
//! person as `illegible`, or as an uncertain finding where the evidence leans against what was typed.
//! A card is a witness of its own, a slip is printed from the entered data: a slip never stands in for a card.

mod fields;
mod identity;
mod kinds;
mod papers;
mod placing;
mod signature;
mod strangers;
mod unseen;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use fields::Outcome;
pub use placing::{Candidate, place_papers};
pub use signature::{COPY_OF_EARLIER, SignatureToWeigh, signature_to_weigh};

use crate::{
    entered_data::{EnteredData, check_on_arrival},
    field::{Confidence, FieldName, Slot},
    finding::{Difference, Evidence, FindingCode, Judgement, RaisedFinding},
    geometry::Quad,
    ids::{CaseFileId, PageId},
    reading::{FieldReading, PaperReading, QualityCause},
};

/// From here on a reading decides by itself.
pub(crate) const SURE: f32 = 0.9;
/// Below this a reading says nothing.
pub(crate) const DOUBTFUL: f32 = 0.5;

/// One paper of the case file in the slot it fills.
#[derive(Debug, Clone)]
pub struct PlacedPaper<'a> {
    /// The slot.
    pub slot: Slot,
    /// The page it is on.
    pub page: PageId,
    /// What was read on it.
    pub paper: &'a PaperReading,
    /// The case file of another customer under which the same paper was filed before.
    pub duplicate_of_other_customer: Option<CaseFileId>,
    /// Weights of the entered values against the ink of this paper, and of no other in its slot.
    pub weights: Vec<FieldWeight>,
}

impl PlacedPaper<'_> {
    fn weight(&self, field: FieldName) -> Option<&FieldWeight> {
        self.weights.iter().find(|weight| weight.field == field)
    }
}

/// A page on which something is, but no paper could be made out.
#[derive(Debug, Clone)]
pub struct UnreadablePage {
    /// The page.
    pub page: PageId,
    /// The slot it was sent for, where the sender said.
    pub slot: Option<Slot>,
    /// Why it cannot be read.
    pub causes: Vec<QualityCause>,
}

/// How well the entered value explains the ink of one field, beside its best rival.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldWeight {
    /// The field as the paper names it.
    pub field: FieldName,
    /// What follows from the ratio.
    pub judgement: Judgement,
    /// Natural logarithm of the likelihood of the entered value against that of the best rival.
    pub log_ratio: f32,
}

/// How well a name explains what is written in the signature field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NameWeight {
    /// What follows from the ratio.
    pub judgement: Judgement,
    /// Natural logarithm, for each character, against the best of other names.
    pub log_ratio: f32,
    /// Whether the ink reads as any name at all; a cursive hand does not.
    pub is_legible: bool,
}

/// What is known about the signature beyond its being there.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SignatureWeight {
    /// The customer's name against the ink; `None` when it was not weighed.
    pub customer: Option<NameWeight>,
    /// The agent's name against the ink; `None` without an agent.
    pub agent: Option<NameWeight>,
    /// The name that the customer's own papers bear against the ink; `None` where it is the one that was typed.
    #[serde(default)]
    pub printed: Option<NameWeight>,
    /// Likeness with earlier signatures of the same person; `None` when there are none.
    pub likeness: Option<Judgement>,
    /// Whether it is an earlier signature of the same person once more, copied and not written.
    #[serde(default)]
    pub is_copied: bool,
}

/// Everything a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub struct CaseInputs<'a> {
    /// What was typed; `None` while it is still awaited.
    pub entered: Option<&'a EnteredData>,
    /// The papers, oldest first: of several in one slot the newest legible one counts, and the others must be of the
    /// same person.
    pub papers: &'a [PlacedPaper<'a>],
    /// Pages that are neither blank nor recognised.
    pub unreadable: &'a [UnreadablePage],
    /// The weight of the signature; `None` when it was not weighed.
    pub signature: Option<SignatureWeight>,
}

/// Compares, and raises what an auditor must see; each code and subject once.
pub fn check_case_file(inputs: &CaseInputs<'_>) -> Vec<RaisedFinding> {
    let chosen = papers::ChosenPapers::of(inputs);
    let mut findings = Vec::new();
    if let Some(entered) = inputs.entered {
        findings.extend(check_on_arrival(entered));
        findings.extend(papers::missing_documents(entered, inputs, &chosen));
        findings.extend(fields::compare_with_entered(entered, &chosen));
        findings.extend(kinds::other_kinds(entered, &chosen));
        findings.extend(identity::expired_papers(entered, inputs, &chosen));
    }
    findings.extend(papers::illegible_papers(inputs, &chosen));
    findings.extend(papers::duplicates(inputs));
    findings.extend(papers::missing_copy_stamps(inputs));
    findings.extend(identity::inconsistent_papers(inputs, &chosen));
    findings.extend(strangers::papers_of_others(inputs, &chosen));
    findings.extend(signature::signature_findings(inputs, &chosen));
    each_once(findings)
}

/// Keeps the first finding of each code and subject, in the order of the codes.
fn each_once(findings: Vec<RaisedFinding>) -> Vec<RaisedFinding> {
    let mut seen = HashSet::new();
    let mut kept: Vec<RaisedFinding> =
        findings.into_iter().filter(|finding| seen.insert((finding.code, finding.subject.clone()))).collect();
    kept.sort_by(|one, other| (one.code, &one.subject).cmp(&(other.code, &other.subject)));
    kept
}

/// The name of an identity paper as a whole, as findings call it.
pub(crate) const fn copy_subject(slot: Slot) -> &'static str {
    match slot {
        Slot::IdFront | Slot::IdBack => "id_copy",
        Slot::AgentIdFront | Slot::AgentIdBack => "agent_id_copy",
        Slot::Slip | Slot::Authorisation | Slot::Licence | Slot::Attachment => slot.as_str(),
    }
}

/// The name of a field of a paper, as findings call it: the name of the entered field it stands against.
pub(crate) const fn field_subject(slot: Slot, field: FieldName) -> &'static str {
    match (slot, field) {
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::Name) => "agent_name",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::IdNumber) => "agent_id_number",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::Address) => "agent_id_address",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::Sex) => "agent_id_sex",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::Birth) => "agent_id_birth",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::ValidTo) => "agent_id_valid_to",
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::ValidFrom) => "agent_id_valid_from",
        (_, FieldName::Name | FieldName::OrganisationName) => "customer_name",
        (_, FieldName::CreditCode) => "id_number",
        (_, FieldName::Address) => "id_address",
        (_, FieldName::Sex) => "id_sex",
        (_, FieldName::Birth) => "id_birth",
        (_, FieldName::ValidTo) => "id_valid_to",
        (_, FieldName::ValidFrom) => "id_valid_from",
        (_, other) => other.as_str(),
    }
}

/// The two sides of the papers of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides {
    front: Slot,
    back: Slot,
}

pub(crate) const CUSTOMER: Sides = Sides { front: Slot::IdFront, back: Slot::IdBack };
pub(crate) const AGENT: Sides = Sides { front: Slot::AgentIdFront, back: Slot::AgentIdBack };

/// A finding that points at a field on a page.
fn field_finding(
    code: FindingCode,
    placed: &PlacedPaper<'_>,
    field: FieldName,
    difference: Option<Difference>,
) -> RaisedFinding {
    let reading = placed.paper.field(field);
    RaisedFinding {
        code,
        subject: field_subject(placed.slot, field).to_owned(),
        confidence: reading.map(|reading| reading.confidence),
        evidence: Evidence {
            page: Some(placed.page),
            region: reading.map(|reading| reading.region),
            read: reading.and_then(|reading| reading.text.clone()),
            difference,
            ..Evidence::default()
        },
    }
}

/// A finding that points at a place on a page as a whole.
fn place_finding(
    code: FindingCode,
    subject: &str,
    page: Option<PageId>,
    region: Option<Quad>,
) -> RaisedFinding {
    RaisedFinding {
        code,
        subject: subject.to_owned(),
        confidence: None,
        evidence: Evidence { page, region, ..Evidence::default() },
    }
}

/// The text of a field if it is at least as sure as `least`.
fn sure_text(paper: &PaperReading, field: FieldName, least: f32) -> Option<&str> {
    let is_sure = |reading: &&FieldReading| reading.confidence >= Confidence::new(least);
    paper.field(field).filter(is_sure).and_then(|reading| reading.text.as_deref())
}

#[cfg(test)]
mod tests;
