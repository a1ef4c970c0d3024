//! Choosing between what the ink may say by what must be true: check digits, real dates, lists, other values.

use std::{collections::HashSet, sync::LazyLock};

use chrono::{Datelike, NaiveDate};
use domain::{
    reading::{Lattice, Repair},
    validation,
};

use crate::{
    fields::parse,
    forms::ValueKind,
    recognition::{LineReading, ctc},
};

/// Texts weighed for each line.
const BEAMS: usize = 16;

static TRADITIONAL_CHARACTERS: LazyLock<HashSet<char>> = LazyLock::new(|| {
    let lines = include_str!("../../forms/traditional.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::chars).collect()
});

/// How much rarer a traditional character is than its simplified form.
const TRADITIONAL: f64 = 0.05;
/// How much rarer a surname is in a given name than its look-alikes.
const SURNAME_BEHIND: f64 = 0.1;
/// Surnames that seldom stand in given names and look like characters that often do.
const SURNAMES_ONLY: &str = "吴于赵陈孙郑郭徐冯蒋吕";

/// What is known of a paper while one of its values is weighed. Never anything that was typed.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The paper's identity number, if decided.
    pub id_number: Option<String>,
    /// Texts of barcodes on the page.
    pub barcodes: Vec<String>,
    /// Shapes the value may have.
    pub patterns: Vec<String>,
}

/// A value weighed against its rivals.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The value in its field's form.
    pub text: Option<String>,
    /// Its share among all the ink may say, given what must be true.
    pub share: f32,
    /// Set when it is not the bare output.
    pub repair: Option<Repair>,
}

impl Decision {
    /// Nothing can be said.
    pub const fn nothing() -> Self {
        Self { text: None, share: 0.0, repair: None }
    }
}

/// How much likelier than an impossible value one is that passes, before looking at the ink.
struct Belief {
    text: String,
    weight: f64,
    rule: &'static str,
}

/// Weighs every text the lines may say.
pub fn decide(kind: ValueKind, readings: &[LineReading], known: &Known) -> Decision {
    match readings {
        [] => Decision::nothing(),
        [one] => decide_line(kind, one, known),
        many => decide_lines(kind, many, known),
    }
}

fn decide_line(kind: ValueKind, reading: &LineReading, known: &Known) -> Decision {
    weigh(kind, &texts_of(kind, reading), &reading.text, known)
}

/// Several lines are one value: the first is weighed, for it names the region; the others are taken as read.
fn decide_lines(kind: ValueKind, readings: &[LineReading], known: &Known) -> Decision {
    let Some((first, rest)) = readings.split_first() else { return Decision::nothing() };
    let rest_text: String = rest.iter().map(|reading| parse::folded(&reading.text)).collect();
    let texts: Vec<ctc::Candidate> =
        texts_of(kind, first).into_iter().map(|(text, log)| (text + &rest_text, log)).collect();
    let bare = parse::folded(&first.text) + &rest_text;
    let mut decision = weigh(kind, &texts, &bare, known);
    decision.share *= rest.iter().map(|reading| reading.confidence.value()).product::<f32>();
    decision
}

/// The value with the largest share when each text's likelihood is multiplied by how far it is to be believed.
fn weigh(kind: ValueKind, texts: &[ctc::Candidate], bare_text: &str, known: &Known) -> Decision {
    let bare = believe(kind, bare_text, known);
    let mut rivals: Vec<(String, f64, &'static str)> = Vec::new();
    let (mut seen, mut total) = (0.0, 0.0);
    for (text, log) in texts {
        let probability = log.exp();
        seen += probability;
        let Some(belief) = believe(kind, text, known) else { continue };
        total += probability * belief.weight;
        match rivals.iter_mut().find(|(known_text, _, _)| *known_text == belief.text) {
            Some(rival) => rival.1 += probability * belief.weight,
            None => rivals.push((belief.text, probability * belief.weight, belief.rule)),
        }
    }
    total += (1.0 - seen).max(0.0);
    let Some((text, weight, rule)) = rivals.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Decision::nothing();
    };
    let share = (weight / total.max(1e-12)) as f32;
    let same = bare.as_ref().is_some_and(|bare| bare.text == text);
    let repair = (!same).then(|| Repair { from: bare_text.to_owned(), rule: rule.to_owned() });
    Decision { text: Some(text), share, repair }
}

fn texts_of(kind: ValueKind, reading: &LineReading) -> Vec<ctc::Candidate> {
    if reading.lattice.steps.is_empty() {
        return vec![(reading.text.clone(), f64::from(reading.confidence.value().max(1e-6)).ln())];
    }
    ctc::candidates(&reading.lattice, BEAMS, &|character| alphabet(kind, character))
}

/// The character a value of this kind can hold in place of `character`.
fn alphabet(kind: ValueKind, character: char) -> Option<char> {
    let folded = crate::lines::fold(character);
    match kind {
        ValueKind::IdNumber => {
            parse::number(&folded.to_string()).chars().next().filter(|c| c.is_ascii_digit() || *c == 'X')
        }
        ValueKind::Phone => parse::number(&folded.to_string()).chars().next().filter(char::is_ascii_digit),
        ValueKind::Sex => matches!(folded, '男' | '女').then_some(folded),
        _ => Some(folded),
    }
}

/// The value a text means and how far it is to be believed; `None` when it means nothing.
fn believe(kind: ValueKind, text: &str, known: &Known) -> Option<Belief> {
    match kind {
        ValueKind::IdNumber => believe_number(text),
        ValueKind::Phone => believe_phone(text),
        ValueKind::Sex => believe_sex(text, known),
        ValueKind::Nation => believe_nation(text),
        ValueKind::Birth => believe_birth(text, known),
        ValueKind::Date => {
            parse::date(text).map(|date| Belief { text: date.to_string(), weight: 100.0, rule: "real_date" })
        }
        ValueKind::ValidityStart | ValueKind::ValidityEnd => believe_term(kind, text),
        ValueKind::Name => parse::name(text).map(|name| {
            let weight = if parse::is_plausible_name(&name) { 20.0 } else { 1.0 };
            let weight = weight * usual_spelling(&name) * usual_given_name(&name);
            Belief { text: name, weight, rule: "name" }
        }),
        ValueKind::Address => parse::address(text).map(believe_address),
        ValueKind::Authority => parse::address(text).map(|text| {
            let weight = if text.ends_with('局') { 20.0 } else { 1.0 };
            Belief { text, weight, rule: "authority" }
        }),
        ValueKind::SlipNumber => believe_slip_number(text, known),
        ValueKind::OutletCode => parse::outlet_code(text).map(plain),
        ValueKind::Code => parse::code(text).map(plain),
        ValueKind::Text => {
            let text = parse::folded(text).trim_matches([':', '|', '_']).to_owned();
            (!text.is_empty()).then(|| plain(text))
        }
    }
}

fn plain(text: String) -> Belief {
    Belief { text, weight: 1.0, rule: "likelihood" }
}

/// Each part of the address that is the name of a region makes it eight times as likely.
fn believe_address(text: String) -> Belief {
    let weight = 8.0_f64.powi(regions_in(&text)) * usual_spelling(&text);
    Belief { text, weight, rule: "region" }
}

/// Papers are printed in simplified characters; a traditional one is far more often a worn simplified one.
fn usual_spelling(text: &str) -> f64 {
    let odd = text.chars().filter(|c| TRADITIONAL_CHARACTERS.contains(c)).count();
    TRADITIONAL.powi(odd.min(8) as i32)
}

/// Characters that are surnames and seldom stand in given names.
fn usual_given_name(name: &str) -> f64 {
    let odd = name.chars().skip(1).take(3).filter(|c| SURNAMES_ONLY.contains(*c)).count();
    if name.chars().count() <= 4 { SURNAME_BEHIND.powi(odd as i32) } else { 1.0 }
}

/// How many names of regions the address begins with, one after the other.
fn regions_in(address: &str) -> i32 {
    let mut rest: Vec<char> = address.chars().take(30).collect();
    let mut count = 0;
    while count < 4 {
        let named = (2..=rest.len().min(12)).find(|length| {
            let name: String = rest[..*length].iter().collect();
            let ends = matches!(rest[length - 1], '省' | '市' | '区' | '县' | '州' | '盟' | '旗');
            ends && validation::is_region_name(&name)
        });
        let Some(length) = named else { break };
        rest.drain(..length);
        count += 1;
    }
    count
}

fn believe_number(text: &str) -> Option<Belief> {
    let number = parse::number(text);
    if !(6..=20).contains(&number.len()) {
        return None;
    }
    // Of printed numbers 97 in 100 pass; of chance ones 1 in 11, and far fewer have a region and a birth date.
    let weight = if is_valid_number(&number) {
        350.0
    } else if number.len() > 15 && number.len() != 18 {
        // Nothing has 16, 17, 19 or 20 characters: one was lost or is too many.
        0.02
    } else {
        1.0
    };
    Some(Belief { text: number, weight, rule: "check_digit" })
}

/// Whether an 18-digit number has a region, a birth date and the right check character.
pub fn is_valid_number(number: &str) -> bool {
    let Some(first) = number.get(..17).filter(|_| number.len() == 18) else { return false };
    let region = number.get(..6).and_then(|code| code.parse().ok());
    validation::check_character(first) == number.chars().last()
        && birth_of(number).is_some()
        && region.is_some_and(|code: u32| code / 10_000 >= 81 || validation::region_of(code).is_some())
}

/// The birth date in an 18-digit number.
pub fn birth_of(number: &str) -> Option<NaiveDate> {
    let date = number.get(6..14).filter(|_| number.len() == 18).and_then(parse::date)?;
    (1900..=2100).contains(&date.year()).then_some(date)
}

fn is_male(number: &str) -> Option<bool> {
    number.get(16..17).filter(|_| is_valid_number(number))?.parse::<u8>().ok().map(|digit| digit % 2 == 1)
}

fn believe_phone(text: &str) -> Option<Belief> {
    let digits = parse::digits(text);
    if digits.len() < 5 {
        return None;
    }
    let weight = if validation::mobile(&digits).is_ok() {
        100.0
    } else if validation::landline(&digits).is_ok() {
        10.0
    } else {
        1.0
    };
    Some(Belief { text: digits, weight, rule: "phone" })
}

fn believe_sex(text: &str, known: &Known) -> Option<Belief> {
    let folded = parse::folded(text);
    let sex = folded.chars().find(|c| matches!(c, '男' | '女'))?;
    let agrees = known.id_number.as_deref().and_then(is_male).map(|male| male == (sex == '男'));
    let weight = match agrees {
        Some(true) => 1000.0,
        Some(false) => 1.0,
        None => 20.0,
    };
    Some(Belief { text: sex.to_string(), weight, rule: "id_number" })
}

fn believe_nation(text: &str) -> Option<Belief> {
    let folded = parse::folded(text);
    let trimmed = folded.trim_end_matches('族');
    let weight = match trimmed {
        "汉" => 300.0,
        _ if parse::NATIONS.contains(&trimmed) => 100.0,
        _ if trimmed.is_empty() || trimmed.chars().count() > 6 => return None,
        _ => 0.2,
    };
    Some(Belief { text: trimmed.to_owned(), weight, rule: "nation" })
}

fn believe_birth(text: &str, known: &Known) -> Option<Belief> {
    let in_number = known.id_number.as_deref().filter(|number| is_valid_number(number)).and_then(birth_of);
    let date =
        parse::date(text).or_else(|| in_number.filter(|birth| parse::is_date_run_together(text, *birth)))?;
    let weight = match in_number {
        Some(birth) if birth == date => 1000.0,
        Some(_) => 1.0,
        None => 20.0,
    };
    Some(Belief { text: date.to_string(), weight, rule: "id_number" })
}

fn believe_term(kind: ValueKind, text: &str) -> Option<Belief> {
    let term = parse::term(text)?;
    let weight = if term.is_usual() { 200.0 } else { 2.0 };
    let text = if kind == ValueKind::ValidityStart { term.start_text() } else { term.end_text() };
    Some(Belief { text, weight, rule: "validity_term" })
}

fn believe_slip_number(text: &str, known: &Known) -> Option<Belief> {
    let code = parse::code(text)?;
    if known.barcodes.contains(&code) {
        return Some(Belief { text: code, weight: 1e6, rule: "barcode" });
    }
    let fits = known.patterns.iter().any(|pattern| fits(&code, pattern));
    if code.len() < 6 {
        return None;
    }
    Some(Belief { text: code, weight: if fits { 100.0 } else { 1.0 }, rule: "pattern" })
}

/// Whether a code has the shape of a pattern: `A` a letter, `9` a digit, anything else itself.
pub fn fits(code: &str, pattern: &str) -> bool {
    let same = |(c, p): (char, char)| match p {
        'A' => c.is_ascii_uppercase(),
        '9' => c.is_ascii_digit(),
        other => c == other,
    };
    code.chars().count() == pattern.chars().count() && code.chars().zip(pattern.chars()).all(same)
}

/// The lattices of several lines, for weighing other texts later.
pub fn lattices(readings: &[LineReading]) -> Vec<Lattice> {
    readings.iter().map(|reading| reading.lattice.clone()).collect()
}

#[cfg(test)]
mod tests {
    use domain::reading::LatticeStep;

    use super::*;

    /// Certain digits, except that at `unsure` the ink says `likely` (60 %) or `other` (40 %).
    fn number_with(text: &str, unsure: usize, likely: char, other: char) -> LineReading {
        let mut steps = Vec::new();
        for (index, character) in text.chars().enumerate() {
            let classes = if index == unsure {
                vec![(Some(likely), 0.6_f32.ln()), (Some(other), 0.4_f32.ln())]
            } else {
                vec![(Some(character), 0.9999_f32.ln())]
            };
            steps.push(LatticeStep { classes, floor: -20.0 });
            steps.push(LatticeStep { classes: vec![(None, 0.0)], floor: -20.0 });
        }
        ctc::read(Lattice { steps }, 100.0)
    }

    #[test]
    fn the_check_digit_decides_between_candidates_and_says_so() {
        let reading = number_with("11010519491231002X", 5, '6', '5');

        let decision = decide(ValueKind::IdNumber, &[reading], &Known::default());

        assert_eq!(decision.text.as_deref(), Some("11010519491231002X"));
        assert_eq!(decision.repair.map(|repair| repair.rule), Some("check_digit".to_owned()));
        assert!(decision.share > 0.99);
    }

    #[test]
    fn a_clearly_printed_wrong_number_is_not_repaired() {
        let reading = number_with("11010519491231003X", 0, '1', '7');

        let decision = decide(ValueKind::IdNumber, &[reading], &Known::default());

        assert_eq!(decision.text.as_deref(), Some("11010519491231003X"));
        assert_eq!(decision.repair, None);
    }

    #[test]
    fn patterns_tell_letters_from_digits() {
        assert!(fits("TJ20260902DX000100020", "AA99999999AA999999999"));
        assert!(!fits("TJ20260902DX00010002O", "AA99999999AA999999999"));
    }
}
