//! Choosing between what the ink may say by what must be true: check digits, real dates, lists, other values.

mod beliefs;
mod doors;
mod paper_number;
mod regions;
mod text_layer;

use beliefs::{Belief, believe, simplified};
pub use beliefs::{birth_of, fits, is_valid_number};
use domain::{
    reading::{Lattice, Repair},
    validation::IdentityPaper,
};
pub use text_layer::TextLayer;

use crate::{
    fields::parse,
    forms::ValueKind,
    recognition::{LineReading, ctc},
};

/// Texts weighed for each line.
const BEAMS: usize = 16;

/// The largest share of a value that looks like a part of one.
const MOST_OF_A_PART: f32 = 0.45;

/// What is known of a paper while one of its values is weighed. Never anything that was typed.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The paper's identity number, if decided.
    pub id_number: Option<String>,
    /// Texts of barcodes on the page.
    pub barcodes: Vec<String>,
    /// What the file itself says stands on the page.
    pub text_layer: TextLayer,
    /// Shapes the value may have.
    pub patterns: Vec<String>,
    /// Kinds of paper whose number it may be.
    pub papers: Vec<IdentityPaper>,
    /// Where it stands: a slip may name the number of any paper, a card has its own.
    pub bearer: Bearer,
}

/// What a value stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bearer {
    /// A form that is filled in, with numbers of whatever paper was shown.
    #[default]
    Form,
    /// A resident card, whose number has 18 characters.
    ResidentCard,
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
    /// Whether it looks like all of a value; nobody reads what was not cut out with it.
    pub is_whole: bool,
}

impl Decision {
    /// Nothing can be said.
    pub const fn nothing() -> Self {
        Self { text: None, share: 0.0, repair: None, is_whole: false }
    }
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
    weigh(kind, &texts_of(kind, reading, known), &reading.text, known)
}

/// Several lines are one value: the first is weighed, for it names the region; the others are taken as read.
fn decide_lines(kind: ValueKind, readings: &[LineReading], known: &Known) -> Decision {
    let Some((first, rest)) = readings.split_first() else { return Decision::nothing() };
    let rest: Vec<(String, f32)> = rest
        .iter()
        .map(|reading| match kind {
            ValueKind::Address => doors::settled(reading),
            _ => (parse::folded(&reading.text), reading.confidence.value()),
        })
        .collect();
    let rest_text: String = rest.iter().map(|(text, _)| text.as_str()).collect();
    let texts: Vec<ctc::Candidate> =
        texts_of(kind, first, known).into_iter().map(|(text, log)| (text + &rest_text, log)).collect();
    let bare = parse::folded(&first.text) + &rest_text;
    let mut decision = weigh(kind, &texts, &bare, known);
    decision.share *= rest.iter().map(|(_, share)| *share).product::<f32>();
    let as_read: String = readings.iter().map(|reading| parse::folded(&reading.text)).collect();
    if decision.repair.is_none() && as_read != bare {
        decision.repair = Some(Repair { from: as_read, rule: "address".to_owned() });
    }
    decision
}

/// How many of the texts that were not weighed pass as well as the best of those that were.
const fn unseen(kind: ValueKind) -> f64 {
    match kind {
        ValueKind::Phone | ValueKind::SlipNumber => 0.5,
        ValueKind::Name => 0.2,
        ValueKind::Address | ValueKind::Authority | ValueKind::PaperNumber => 0.1,
        ValueKind::IdNumber => 0.03,
        _ => 0.0,
    }
}

/// The value with the largest share when each text's likelihood is multiplied by how far it is to be believed.
fn weigh(kind: ValueKind, texts: &[ctc::Candidate], bare_text: &str, known: &Known) -> Decision {
    let bare = believe(kind, bare_text, known);
    let mut rivals: Vec<Belief> = Vec::new();
    let (mut seen, mut total, mut likeliest) = (0.0, 0.0, 0.0_f64);
    for (text, log) in texts {
        let probability = log.exp();
        seen += probability;
        let Some(belief) = believe(kind, text, known) else { continue };
        let belief = known.text_layer.supports(text, belief);
        total += probability * belief.weight;
        likeliest = likeliest.max(belief.weight);
        let weight = probability * belief.weight;
        match rivals.iter_mut().find(|rival| rival.text == belief.text) {
            Some(rival) => rival.weight += weight,
            None => rivals.push(Belief { weight, ..belief }),
        }
    }
    total += (1.0 - seen).max(0.0) * (likeliest * unseen(kind)).max(1.0);
    let Some(Belief { text, weight, rule, is_whole }) =
        rivals.into_iter().max_by(|a, b| a.weight.total_cmp(&b.weight))
    else {
        return Decision::nothing();
    };
    let whole = if is_whole { 1.0 } else { MOST_OF_A_PART };
    let share = (weight / total.max(1e-12)) as f32 * whole;
    let same = bare.as_ref().is_some_and(|bare| bare.text == text);
    let repair = (!same).then(|| Repair { from: bare_text.to_owned(), rule: rule.to_owned() });
    Decision { text: Some(text), share, repair, is_whole }
}

fn texts_of(kind: ValueKind, reading: &LineReading, known: &Known) -> Vec<ctc::Candidate> {
    let mut texts = free_texts(kind, known.bearer, reading);
    let Some(first) = texts.first().map(|(text, _)| text.clone()) else { return texts };
    let mut variants: Vec<String> = match kind {
        ValueKind::Name => simplified(&first).into_iter().collect(),
        ValueKind::Address => {
            let mut variants = regions::variants(&simplified(&first).unwrap_or_else(|| first.clone()));
            variants.extend(doors::variants(&first));
            variants
        }
        ValueKind::Authority => regions::variants(&simplified(&first).unwrap_or_else(|| first.clone())),
        _ => Vec::new(),
    };
    variants.extend(known.text_layer.like(&first));
    for variant in variants {
        if !reading.lattice.steps.is_empty() && texts.iter().all(|(text, _)| *text != variant) {
            let log = ctc::log_likelihood(&reading.lattice, &variant);
            texts.push((variant, log));
        }
    }
    texts
}

fn free_texts(kind: ValueKind, bearer: Bearer, reading: &LineReading) -> Vec<ctc::Candidate> {
    if reading.lattice.steps.is_empty() {
        return vec![(reading.text.clone(), f64::from(reading.confidence.value().max(1e-6)).ln())];
    }
    ctc::candidates(&reading.lattice, BEAMS, &|character| alphabet(kind, bearer, character))
}

/// The character a value of this kind can hold in place of `character`.
fn alphabet(kind: ValueKind, bearer: Bearer, character: char) -> Option<char> {
    let folded = crate::lines::fold(character);
    match kind {
        // Numbers of passports and permits begin with letters.
        ValueKind::IdNumber if bearer == Bearer::Form && folded.is_ascii_alphabetic() => {
            Some(folded.to_ascii_uppercase())
        }
        ValueKind::IdNumber => {
            parse::number(&folded.to_string()).chars().next().filter(|c| c.is_ascii_digit() || *c == 'X')
        }
        ValueKind::Phone => parse::number(&folded.to_string()).chars().next().filter(char::is_ascii_digit),
        ValueKind::PaperNumber => folded.is_ascii_alphanumeric().then(|| folded.to_ascii_uppercase()),
        ValueKind::Sex => matches!(folded, '男' | '女').then_some(folded),
        _ => Some(folded),
    }
}

/// Whether a text begins with the name of a region.
pub(crate) fn begins_with_region(text: &str) -> bool {
    regions::count(text) > 0
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
    fn a_form_names_numbers_that_begin_with_letters() {
        let read = |bearer| {
            let known = Known { bearer, ..Known::default() };
            decide(ValueKind::IdNumber, &[number_with("L70354819", 9, '9', '9')], &known).text
        };

        assert_eq!(read(Bearer::Form).as_deref(), Some("L70354819"));
        assert_eq!(read(Bearer::ResidentCard).as_deref(), Some("70354819"));
    }

    #[test]
    fn patterns_tell_letters_from_digits() {
        assert!(fits("TJ20260902DX000100020", "AA99999999AA999999999"));
        assert!(!fits("TJ20260902DX00010002O", "AA99999999AA999999999"));
    }
}
