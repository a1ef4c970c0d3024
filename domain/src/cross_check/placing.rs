//! Whose paper is it: which slot each paper of a case file fills.

use crate::{
    comparison::{ValueKind, compare},
    entered_data::EnteredData,
    field::{FieldName, Slot},
    ids::PageId,
    reading::{PaperKind, PaperReading, slot_of},
    validation::region_of,
};

/// A paper that looks for its slot.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The page it is on.
    pub page: PageId,
    /// What was read on it.
    pub paper: &'a PaperReading,
    /// The slot its sender named; outranks what is read, as far as the kind of paper allows.
    pub sent_for: Option<Slot>,
}

/// Finds the slot of every paper, in the order given.
///
/// Only where an agent acted is there a choice: a front goes to whom its name and number resemble more, a back
/// to the person whose front is on the same page, else to the person who still lacks one.
pub fn place_papers(entered: Option<&EnteredData>, candidates: &[Candidate<'_>]) -> Vec<Slot> {
    let has_agent = entered.is_some_and(EnteredData::has_agent);
    let mut slots: Vec<Option<Slot>> =
        candidates.iter().map(|candidate| fixed_slot(candidate, has_agent)).collect();
    if let Some(entered) = entered.filter(|_| has_agent) {
        place_fronts(entered, candidates, &mut slots);
        place_backs(candidates, &mut slots);
    }
    slots.into_iter().map(|slot| slot.unwrap_or(Slot::Attachment)).collect()
}

/// The slot that follows from kind and sender alone; `None` while two people are possible.
fn fixed_slot(candidate: &Candidate<'_>, has_agent: bool) -> Option<Slot> {
    let by_kind = slot_of(candidate.paper.kind);
    match (by_kind, candidate.sent_for) {
        (Some(by_kind), Some(sent)) if side(by_kind) == side(sent) => Some(sent),
        (Some(Slot::IdFront | Slot::IdBack), None | Some(_)) if has_agent => {
            let is_agents = matches!(candidate.sent_for, Some(Slot::AgentIdFront | Slot::AgentIdBack));
            let is_customers = matches!(candidate.sent_for, Some(Slot::IdFront | Slot::IdBack));
            match (candidate.paper.kind, is_agents, is_customers) {
                // Both sides on one page were sent under the name of one side.
                (PaperKind::IdCardBack, true, _) => Some(Slot::AgentIdBack),
                (PaperKind::IdCardBack, _, true) => Some(Slot::IdBack),
                (_, true, _) => Some(Slot::AgentIdFront),
                (_, _, true) => Some(Slot::IdFront),
                _ => None,
            }
        }
        (Some(by_kind), _) => Some(by_kind),
        (None, Some(sent)) => Some(sent),
        (None, None) => Some(Slot::Attachment),
    }
}

/// The kind of place a slot is, whoever's it is.
const fn side(slot: Slot) -> Slot {
    match slot {
        Slot::AgentIdFront => Slot::IdFront,
        Slot::AgentIdBack => Slot::IdBack,
        other => other,
    }
}

/// Gives each open front to the person it resembles more; a draw goes to whoever lacks a front.
fn place_fronts(entered: &EnteredData, candidates: &[Candidate<'_>], slots: &mut [Option<Slot>]) {
    let open: Vec<usize> = open_positions(candidates, slots, |kind| kind != PaperKind::IdCardBack);
    let mut leanings: Vec<(usize, f32)> =
        open.into_iter().map(|index| (index, agent_leaning(entered, candidates[index].paper))).collect();
    // The clearest is placed first, so that a doubtful one can take what is left.
    leanings.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    for (index, leaning) in leanings {
        let is_customer_served = slots.contains(&Some(Slot::IdFront));
        let is_agent_served = slots.contains(&Some(Slot::AgentIdFront));
        let goes_to_agent = match leaning {
            clear if clear.abs() > CLEAR => clear > 0.0,
            _ => is_customer_served && !is_agent_served,
        };
        slots[index] = Some(if goes_to_agent { Slot::AgentIdFront } else { Slot::IdFront });
    }
}

/// A difference of resemblance that decides.
const CLEAR: f32 = 0.15;

/// How much more a card resembles the agent than the customer, -1.0 to 1.0.
fn agent_leaning(entered: &EnteredData, paper: &PaperReading) -> f32 {
    let resemblance = |field, kind, typed: &str| {
        let read = paper.field(field).and_then(|reading| reading.text.as_deref());
        read.filter(|_| !typed.trim().is_empty()).map_or(0.0, |read| compare(kind, typed, read).similarity)
    };
    let customer = resemblance(FieldName::Name, ValueKind::Name, &entered.customer_name)
        + resemblance(FieldName::IdNumber, ValueKind::Number, &entered.id_number);
    let agent = resemblance(FieldName::Name, ValueKind::Name, &entered.agent_name)
        + resemblance(FieldName::IdNumber, ValueKind::Number, &entered.agent_id_number);
    (agent - customer) / 2.0
}

fn place_backs(candidates: &[Candidate<'_>], slots: &mut [Option<Slot>]) {
    // A back on the page of a front is certain, so these go first and leave the others what is lacking.
    for index in open_positions(candidates, slots, |kind| kind == PaperKind::IdCardBack) {
        slots[index] = back_of_same_page(candidates[index].page, candidates, slots);
    }
    place_backs_by_home(candidates, slots);
    for index in open_positions(candidates, slots, |kind| kind == PaperKind::IdCardBack) {
        let lacking = if slots.contains(&Some(Slot::IdBack)) { Slot::AgentIdBack } else { Slot::IdBack };
        slots[index] = Some(back_of_neighbour(index, slots).unwrap_or(lacking));
    }
}

/// Gives a back to the person in whose home its authority is, where the other does not live there too.
///
/// Files come in the order of their names, so a back may well stand before its front.
fn place_backs_by_home(candidates: &[Candidate<'_>], slots: &mut [Option<Slot>]) {
    let fronts = |slot: Slot| {
        candidates
            .iter()
            .zip(slots.iter())
            .filter(move |(_, taken)| **taken == Some(slot))
            .map(|(front, _)| front)
    };
    let of = |back: &PaperReading, slot| {
        fronts(slot).map(|front| share_of_home(back, front.paper)).fold(0.0, f32::max)
    };
    let mut leanings: Vec<(usize, f32)> =
        open_positions(candidates, slots, |kind| kind == PaperKind::IdCardBack)
            .into_iter()
            .map(|index| {
                (
                    index,
                    of(candidates[index].paper, Slot::AgentIdFront)
                        - of(candidates[index].paper, Slot::IdFront),
                )
            })
            .collect();
    leanings.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    for (index, leaning) in leanings.into_iter().filter(|(_, leaning)| leaning.abs() > CLEAR) {
        let back = if leaning > 0.0 { Slot::AgentIdBack } else { Slot::IdBack };
        if !slots.contains(&Some(back)) {
            slots[index] = Some(back);
        }
    }
}

/// The share of the authority's name, in pairs of characters, that the home on the front names.
fn share_of_home(back: &PaperReading, front: &PaperReading) -> f32 {
    let text = |paper: &PaperReading, field| paper.field(field).and_then(|reading| reading.text.clone());
    let Some(authority) = text(back, FieldName::Authority) else { return 0.0 };
    let mut home = text(front, FieldName::Address).unwrap_or_default();
    let code = text(front, FieldName::IdNumber).and_then(|number| number.get(..6)?.parse::<u32>().ok());
    for region in code.into_iter().flat_map(|code| [code / 100 * 100, code]).filter_map(region_of) {
        home.push(' ');
        home.push_str(region.name);
    }
    let place: Vec<char> = authority.replace("公安局", "").replace("分局", "").chars().collect();
    let named = place.windows(2).filter(|pair| home.contains(&pair.iter().collect::<String>())).count();
    named as f32 / place.len().saturating_sub(1).max(1) as f32
}

fn back_of_same_page(page: PageId, candidates: &[Candidate<'_>], slots: &[Option<Slot>]) -> Option<Slot> {
    let on_page = candidates.iter().zip(slots).filter(|(other, _)| other.page == page);
    on_page.map(|(_, slot)| slot).find_map(|slot| match slot {
        Some(Slot::IdFront) => Some(Slot::IdBack),
        Some(Slot::AgentIdFront) => Some(Slot::AgentIdBack),
        _ => None,
    })
}

/// Pages are scanned in order: a back follows its front. Only a place still empty is taken.
fn back_of_neighbour(index: usize, slots: &[Option<Slot>]) -> Option<Slot> {
    let before = index.checked_sub(1).and_then(|before| slots[before]);
    let back = match before {
        Some(Slot::IdFront) => Slot::IdBack,
        Some(Slot::AgentIdFront) => Slot::AgentIdBack,
        _ => return None,
    };
    (!slots.contains(&Some(back))).then_some(back)
}

fn open_positions(
    candidates: &[Candidate<'_>],
    slots: &[Option<Slot>],
    is_wanted: impl Fn(PaperKind) -> bool,
) -> Vec<usize> {
    (0..candidates.len())
        .filter(|index| slots[*index].is_none() && is_wanted(candidates[*index].paper.kind))
        .collect()
}
