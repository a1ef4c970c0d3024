//! Identity papers against themselves: expiry, sex and birth against the number, front against back.

use chrono::NaiveDate;

use super::{
    AGENT, CUSTOMER, CaseInputs, DOUBTFUL, PlacedPaper, SURE, Sides, field_finding,
    papers::{self, ChosenPapers},
    sure_text,
};
use crate::{
    comparison::{DateValue, ValueKind, compare, parse_date},
    entered_data::EnteredData,
    field::{FieldName, Slot},
    finding::{Difference, FindingCode, RaisedFinding},
    validation::{
        Expiry, IdentityPaper, Sex, expiry_after, foreign_resident_bearer, residence_permit, resident_number,
        temporary_expiry, term_fits_age, undated_zone,
    },
};

/// Papers that had expired on the day of acceptance, and papers whose expiry cannot be read.
pub(super) fn expired_papers(
    entered: &EnteredData,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    for sides in [CUSTOMER, AGENT] {
        if let Some(placed) = paper_with_expiry(sides, chosen) {
            findings.extend(expiry_finding(entered, sides, placed, inputs, chosen));
        }
    }
    findings.extend(expired_licence(entered, chosen));
    findings
}

/// Most licences run for ever and newer ones print no term: only an expiry that was read counts.
fn expired_licence(entered: &EnteredData, chosen: &ChosenPapers<'_>) -> Option<RaisedFinding> {
    let placed = chosen.legible(Slot::Licence).filter(|_| entered.is_organisation())?;
    let expiry = sure_text(placed.paper, FieldName::ValidTo, SURE).and_then(expiry_value)?;
    expiry.is_over_on(entered.accepted_on).then(|| {
        let mut finding = field_finding(FindingCode::IdExpired, placed, FieldName::ValidTo, None);
        finding.evidence.entered = Some(entered.accepted_on.to_string());
        finding.evidence.reason = Some("accepted_after_expiry".to_owned());
        finding
    })
}

/// Cards bear it on the back, passports and permits on the front; some have a back without it.
fn paper_with_expiry<'a>(sides: Sides, chosen: &ChosenPapers<'a>) -> Option<&'a PlacedPaper<'a>> {
    let bears_it = |placed: &&PlacedPaper<'_>| placed.paper.field(FieldName::ValidTo).is_some();
    let on_front = || chosen.legible(sides.front).filter(bears_it);
    let back = chosen.legible(sides.back);
    back.filter(bears_it).or_else(on_front).or(back)
}

fn expiry_finding(
    entered: &EnteredData,
    sides: Sides,
    placed: &PlacedPaper<'_>,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Option<RaisedFinding> {
    let read = sure_text(placed.paper, FieldName::ValidTo, DOUBTFUL).and_then(expiry_value);
    match read {
        Some(expiry) if expiry.is_over_on(entered.accepted_on) => {
            let mut finding = field_finding(FindingCode::IdExpired, placed, FieldName::ValidTo, None);
            finding.evidence.entered = Some(entered.accepted_on.to_string());
            finding.evidence.reason = Some(expiry_reason(sides, placed, expiry, inputs, chosen).to_owned());
            Some(finding)
        }
        Some(_) => None,
        None if is_valid_by_its_term(entered, sides, placed, inputs, chosen) => None,
        None => {
            let mut finding = field_finding(
                FindingCode::Illegible,
                placed,
                FieldName::ValidTo,
                Some(Difference::Uncertain),
            );
            finding.evidence.reason = Some(papers::reason("cannot_tell", &placed.paper.quality.causes));
            Some(finding)
        }
    }
}

/// A term that does not fit the bearer's age may mean that the day was misread.
fn expiry_reason(
    sides: Sides,
    placed: &PlacedPaper<'_>,
    expiry: Expiry,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> &'static str {
    let issued_on = sure_text(placed.paper, FieldName::ValidFrom, DOUBTFUL).and_then(day_value);
    let birth = birth_of(sides, inputs, chosen);
    match birth.zip(issued_on) {
        Some((birth, issued_on)) if !term_fits_age(birth, issued_on, expiry) => {
            "accepted_after_expiry,term_against_age"
        }
        _ => "accepted_after_expiry",
    }
}

pub(super) fn expiry_value(text: &str) -> Option<Expiry> {
    match parse_date(text)? {
        DateValue::Day(day) => Some(Expiry::Through(day)),
        DateValue::LongTerm => Some(Expiry::LongTerm),
    }
}

/// The first day of validity and the shortest term there is may suffice: no card is valid for less.
fn is_valid_by_its_term(
    entered: &EnteredData,
    sides: Sides,
    placed: &PlacedPaper<'_>,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> bool {
    let paper = if sides == AGENT { entered.agent_paper() } else { entered.paper() };
    if paper != IdentityPaper::ResidentCard {
        return false;
    }
    let issued_on = sure_text(placed.paper, FieldName::ValidFrom, SURE).and_then(day_value);
    let (Some(issued_on), Some(birth)) = (issued_on, birth_of(sides, inputs, chosen)) else {
        return false;
    };
    let is_child = issued_on.years_since(birth).is_none_or(|age| age <= OLDEST_CHILD);
    let shortest = if is_child { SHORTEST_TERM_OF_CHILD } else { SHORTEST_TERM };
    let last_day = expiry_after(issued_on, shortest);
    issued_on <= entered.accepted_on && last_day.is_some_and(|last_day| last_day >= entered.accepted_on)
}

/// The day of application decides, and the printed day is a little later: sixteen still counts as a child.
const OLDEST_CHILD: u32 = 16;
const SHORTEST_TERM_OF_CHILD: u32 = 5;
const SHORTEST_TERM: u32 = 10;

pub(super) fn day_value(text: &str) -> Option<NaiveDate> {
    match parse_date(text)? {
        DateValue::Day(day) => Some(day),
        DateValue::LongTerm => None,
    }
}

/// What contradicts itself on the papers of one person, and a slip that belongs to somebody else.
pub(super) fn inconsistent_papers(inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    for sides in [CUSTOMER, AGENT] {
        findings.extend(front_against_number(sides, inputs, chosen));
        findings.extend(print_against_zone(sides, chosen));
        findings.extend(back_against_front(sides, inputs, chosen));
    }
    if inputs.entered.is_none() {
        findings.extend(card_against_slip(chosen));
    }
    findings
}

/// What a number says about its bearer.
struct Bearer {
    birth: NaiveDate,
    sex: Sex,
}

fn bearer_of(number: &str, day: NaiveDate) -> Option<Bearer> {
    if let Ok(resident) = resident_number(number, day) {
        return Some(Bearer { birth: resident.birth, sex: resident.sex });
    }
    let permit = residence_permit(number, day).ok().map(|(_, birth, sex)| (birth, sex));
    let (birth, sex) = permit.or_else(|| foreign_resident_bearer(number, day))?;
    Some(Bearer { birth, sex })
}

/// The bearer as the number read on the card says it, where that number passes its own check.
fn bearer_on_card(sides: Sides, inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Option<Bearer> {
    let placed = chosen.legible(sides.front)?;
    let number = sure_text(placed.paper, FieldName::IdNumber, DOUBTFUL)?;
    bearer_of(number, day_of_use(inputs))
}

fn birth_of(sides: Sides, inputs: &CaseInputs<'_>, chosen: &ChosenPapers<'_>) -> Option<NaiveDate> {
    bearer_on_card(sides, inputs, chosen).map(|bearer| bearer.birth)
}

/// The day of birth printed on a paper, where it is sure.
pub(super) fn printed_birth(placed: &PlacedPaper<'_>) -> Option<NaiveDate> {
    sure_text(placed.paper, FieldName::Birth, SURE).and_then(day_value)
}

/// Without an entry there is no day of acceptance; a number is then judged as of the far end of living memory.
fn day_of_use(inputs: &CaseInputs<'_>) -> NaiveDate {
    inputs.entered.map_or(LATEST_DAY, |entered| entered.accepted_on)
}

const LATEST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2099, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

fn front_against_number(
    sides: Sides,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Vec<RaisedFinding> {
    let (Some(placed), Some(bearer)) = (chosen.legible(sides.front), bearer_on_card(sides, inputs, chosen))
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let sex = sure_text(placed.paper, FieldName::Sex, SURE).and_then(Sex::from_printed);
    if sex.is_some_and(|printed| printed != bearer.sex) {
        findings.push(inconsistent(placed, FieldName::Sex, "sex_against_number"));
    }
    if printed_birth(placed).is_some_and(|printed| printed != bearer.birth) {
        findings.push(inconsistent(placed, FieldName::Birth, "birth_against_number"));
    }
    findings
}

/// What is printed large against what the same paper says to machines.
fn print_against_zone(sides: Sides, chosen: &ChosenPapers<'_>) -> Vec<RaisedFinding> {
    let mut findings = Vec::new();
    for placed in [sides.front, sides.back].into_iter().filter_map(|slot| chosen.legible(slot)) {
        let text = sure_text(placed.paper, FieldName::Mrz, SURE);
        let Some(zone) = text.and_then(|text| undated_zone(text).ok()) else { continue };
        let day = |field| sure_text(placed.paper, field, SURE).and_then(day_value);
        let sex = sure_text(placed.paper, FieldName::Sex, SURE).and_then(Sex::from_printed);
        let number = sure_text(placed.paper, FieldName::IdNumber, SURE);
        let differs = [
            (FieldName::IdNumber, number.is_some_and(|number| number != zone.number)),
            (FieldName::Birth, day(FieldName::Birth).is_some_and(|birth| birth != zone.birth)),
            (FieldName::ValidTo, day(FieldName::ValidTo).is_some_and(|last| last != zone.valid_to)),
            (FieldName::Sex, sex.zip(zone.sex).is_some_and(|(printed, read)| printed != read)),
        ];
        let fields = differs.into_iter().filter(|(_, differs)| *differs);
        findings.extend(fields.map(|(field, _)| inconsistent(placed, field, "print_against_zone")));
    }
    findings
}

/// The region of the authority may differ from that of the number: people move. The dates must make sense.
fn back_against_front(
    sides: Sides,
    inputs: &CaseInputs<'_>,
    chosen: &ChosenPapers<'_>,
) -> Option<RaisedFinding> {
    let placed = chosen.legible(sides.back)?;
    let issued_on = sure_text(placed.paper, FieldName::ValidFrom, SURE).and_then(day_value)?;
    if birth_of(sides, inputs, chosen).is_some_and(|birth| issued_on < birth) {
        return Some(inconsistent(placed, FieldName::ValidFrom, "issued_before_birth"));
    }
    let expiry = sure_text(placed.paper, FieldName::ValidTo, SURE).and_then(expiry_value)?;
    (!is_known_term(issued_on, expiry)).then(|| inconsistent(placed, FieldName::ValidTo, "no_such_term"))
}

/// Whether any card or permit is valid for the time between the two days, give or take a day.
///
/// Which term fits which age is no finding: cards are on file that were issued against the table.
fn is_known_term(issued_on: NaiveDate, expiry: Expiry) -> bool {
    let Expiry::Through(last_day) = expiry else {
        return true;
    };
    let terms = [5, 10, 20].into_iter().filter_map(|years| expiry_after(issued_on, years));
    terms.chain(temporary_expiry(issued_on)).any(|expected| (expected - last_day).num_days().abs() <= 1)
}

fn inconsistent(placed: &PlacedPaper<'_>, field: FieldName, reason: &str) -> RaisedFinding {
    let mut finding =
        field_finding(FindingCode::IdInconsistent, placed, field, Some(Difference::Conflicting));
    finding.evidence.reason = Some(reason.to_owned());
    finding
}

/// Before the entry arrives, card and slip can still be seen to belong to different people.
fn card_against_slip(chosen: &ChosenPapers<'_>) -> Option<RaisedFinding> {
    let (card, slip) = (chosen.legible(Slot::IdFront)?, chosen.legible(Slot::Slip)?);
    let pairs = [
        (FieldName::Name, FieldName::CustomerName, ValueKind::Name),
        (FieldName::IdNumber, FieldName::IdNumber, ValueKind::Number),
    ];
    let mut conflicts = 0;
    for (on_card, on_slip, kind) in pairs {
        let card_text = sure_text(card.paper, on_card, SURE)?;
        let slip_text = sure_text(slip.paper, on_slip, SURE)?;
        conflicts +=
            usize::from(compare(kind, slip_text, card_text).difference == Some(Difference::Conflicting));
    }
    (conflicts == pairs.len()).then(|| {
        let mut finding = inconsistent(slip, FieldName::CustomerName, "card_against_slip");
        "slip".clone_into(&mut finding.subject);
        finding
    })
}
