//! Connectionist temporal classification: from probabilities at each step to text, and how likely a text is.

use std::collections::BTreeMap;

use domain::{
    field::Confidence,
    reading::{Lattice, LatticeStep},
};

use super::LineReading;

/// Classes kept for each step; the rest share the floor.
const CLASSES_KEPT: usize = 16;
/// Classes kept where what matters is how unlikely a character is, as in a hand that reads as something else.
const CLASSES_KEPT_DEEP: usize = 64;
/// Classes looked at together.
const CLASSES_AT_A_TIME: usize = 64;
/// Classes less likely than this are not kept.
const LEAST_KEPT: f32 = 1e-5;
/// The same where it matters how unlikely a character is.
const LEAST_KEPT_DEEP: f32 = 1e-6;
/// A class that is not kept is given a tenth of the best of those, and never less than this.
const LEAST_FLOOR: f32 = 1e-9;
/// A class the lattice does not hold at all is this unlikely, as a natural logarithm.
const NOTHING: f64 = -1e30;

/// How many of the classes of each step are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Those a reader of print would hesitate between.
    Likely,
    /// Many more, to weigh a name against ink that reads as something else.
    Deep,
}

impl Depth {
    const fn most(self) -> usize {
        match self {
            Self::Likely => CLASSES_KEPT,
            Self::Deep => CLASSES_KEPT_DEEP,
        }
    }

    const fn least(self) -> f32 {
        match self {
            Self::Likely => LEAST_KEPT,
            Self::Deep => LEAST_KEPT_DEEP,
        }
    }
}

/// Turns one line's probabilities (`steps` rows of `characters.len() + 2` columns: blank, the characters, space)
/// into its most probable text. `width` is the width in pixels the steps span.
pub(super) fn decode(
    values: &[f32],
    classes: usize,
    characters: &[char],
    width: f32,
    depth: Depth,
) -> LineReading {
    if classes == 0 {
        return LineReading::nothing();
    }
    let steps = values.chunks_exact(classes).map(|row| step_of(row, characters, depth)).collect();
    read(Lattice { steps }, width)
}

/// The most probable text of a lattice, with the share it has among all texts.
pub fn read(lattice: Lattice, width: f32) -> LineReading {
    let (text, steps) = best_path(&lattice);
    let confidence = Confidence::new(log_likelihood(&lattice, &text).exp() as f32);
    let step_width = width / lattice.steps.len().max(1) as f32;
    let spans = steps
        .iter()
        .map(|(first, last)| (*first as f32 * step_width, (*last + 1) as f32 * step_width))
        .collect();
    LineReading { text, confidence, lattice, spans }
}

/// The mean of several outputs over the same line of ink, step by step; the first when lengths differ.
pub fn average(lattices: &[Lattice]) -> Lattice {
    let Some(first) = lattices.first() else { return Lattice::default() };
    if lattices.iter().any(|other| other.steps.len() != first.steps.len()) {
        return first.clone();
    }
    let steps = (0..first.steps.len())
        .map(|index| average_step(&lattices.iter().map(|lattice| &lattice.steps[index]).collect::<Vec<_>>()))
        .collect();
    Lattice { steps }
}

/// Natural logarithm of the probability that the ink says exactly `text`, over all its alignments.
pub fn log_likelihood(lattice: &Lattice, text: &str) -> f64 {
    let symbols: Vec<char> = text.chars().collect();
    likelihood(lattice, &symbols).unwrap_or_else(|| log_likelihood_in_logs(lattice, &symbols))
}

/// The same, reckoned with probabilities, which needs no exponential for each state; `None` where they are too small
/// for that, or no numbers.
fn likelihood(lattice: &Lattice, symbols: &[char]) -> Option<f64> {
    // States 0, 2, 4, … are the blanks around the characters 1, 3, 5, …
    let mut scores = vec![0.0_f64; 2 * symbols.len() + 1];
    *scores.first_mut()? = 1.0;
    let mut taken_out = 0.0;
    for step in &lattice.steps {
        let probabilities: Vec<(Option<char>, f64)> =
            step.classes.iter().map(|(class, log)| (*class, f64::from(*log).exp())).collect();
        let floor = f64::from(step.floor).exp();
        let of = |class: Option<char>| {
            probabilities.iter().find(|(listed, _)| *listed == class).map_or(floor, |(_, p)| *p)
        };
        advance(&mut scores, symbols, &of);
        let most = scores.iter().copied().fold(0.0, f64::max);
        if most < f64::MIN_POSITIVE.sqrt() {
            for score in &mut scores {
                *score /= most;
            }
            taken_out += most.ln();
        }
    }
    // Before the first step stands a state of its own, which `advance` leaves behind.
    let ends = scores.iter().rev().take(if symbols.is_empty() { 1 } else { 2 });
    let sum: f64 = ends.sum();
    let is_exact = sum.is_finite() && sum > f64::MIN_POSITIVE.sqrt();
    (is_exact && !lattice.steps.is_empty()).then(|| sum.ln() + taken_out)
}

/// One step: each state is reached from itself, the one before it, and past a blank from the character before that.
fn advance(scores: &mut [f64], symbols: &[char], of: &dyn Fn(Option<char>) -> f64) {
    let blank = of(None);
    for state in (0..scores.len()).rev() {
        let symbol = symbol_of(symbols, state);
        let mut sum = scores[state];
        if state >= 1 {
            sum += scores[state - 1];
        }
        if state >= 2 && symbol.is_some() && symbol != symbol_of(symbols, state - 2) {
            sum += scores[state - 2];
        }
        scores[state] = sum * if symbol.is_some() { of(symbol) } else { blank };
    }
}

fn log_likelihood_in_logs(lattice: &Lattice, symbols: &[char]) -> f64 {
    let Some(first) = lattice.steps.first() else {
        return if symbols.is_empty() { 0.0 } else { NOTHING };
    };
    let states = 2 * symbols.len() + 1;
    let mut scores = vec![NOTHING; states];
    scores[0] = log_of(first, None);
    if states > 1 {
        scores[1] = log_of(first, Some(symbols[0]));
    }
    let mut next = vec![NOTHING; states];
    for step in &lattice.steps[1..] {
        for (state, score) in next.iter_mut().enumerate() {
            *score = arrive(&scores, symbols, state) + log_of(step, symbol_of(symbols, state));
        }
        std::mem::swap(&mut scores, &mut next);
    }
    let last = scores[states - 1];
    if states > 1 { add_logs(last, scores[states - 2]) } else { last }
}

/// A text with the natural logarithm of its probability.
pub type Candidate = (String, f64);

/// The most probable texts of a lattice, best first, when every character is first sent through `keep` (`None`
/// passes over it, as over a blank). Probabilities are sums over alignments, as far as the search saw them.
pub fn candidates(lattice: &Lattice, count: usize, keep: &dyn Fn(char) -> Option<char>) -> Vec<Candidate> {
    let mut beams: Vec<Beam> = vec![Beam { text: Vec::new(), blank: 0.0, symbol: NOTHING }];
    for step in &lattice.steps {
        let mut next: BTreeMap<Vec<char>, (f64, f64)> = BTreeMap::new();
        for beam in &beams {
            extend_beam(beam, step, keep, &mut next);
        }
        beams = next.into_iter().map(|(text, (blank, symbol))| Beam { text, blank, symbol }).collect();
        beams.sort_by(|a, b| b.total().total_cmp(&a.total()));
        beams.truncate(count.max(1));
    }
    beams.into_iter().map(|beam| (beam.text.iter().collect(), beam.total())).collect()
}

/// One text being built: its probability when the last step was blank and when it was its last character.
struct Beam {
    text: Vec<char>,
    blank: f64,
    symbol: f64,
}

impl Beam {
    fn total(&self) -> f64 {
        add_logs(self.blank, self.symbol)
    }
}

fn extend_beam(
    beam: &Beam,
    step: &LatticeStep,
    keep: &dyn Fn(char) -> Option<char>,
    next: &mut BTreeMap<Vec<char>, (f64, f64)>,
) {
    let last = beam.text.last().copied();
    for (class, log) in &step.classes {
        let log = f64::from(*log);
        let Some(character) = class.and_then(keep) else {
            let entry = next.entry(beam.text.clone()).or_insert((NOTHING, NOTHING));
            entry.0 = add_logs(entry.0, beam.total() + log);
            continue;
        };
        if last == Some(character) {
            let entry = next.entry(beam.text.clone()).or_insert((NOTHING, NOTHING));
            entry.1 = add_logs(entry.1, beam.symbol + log);
        }
        let before = if last == Some(character) { beam.blank } else { beam.total() };
        if before > NOTHING / 2.0 {
            let mut text = beam.text.clone();
            text.push(character);
            let entry = next.entry(text).or_insert((NOTHING, NOTHING));
            entry.1 = add_logs(entry.1, before + log);
        }
    }
}

/// Sum over the states from which `state` can be reached in one step.
fn arrive(scores: &[f64], symbols: &[char], state: usize) -> f64 {
    let mut sum = scores[state];
    if state >= 1 {
        sum = add_logs(sum, scores[state - 1]);
    }
    let symbol = symbol_of(symbols, state);
    if state >= 2 && symbol.is_some() && symbol != symbol_of(symbols, state - 2) {
        sum = add_logs(sum, scores[state - 2]);
    }
    sum
}

fn symbol_of(symbols: &[char], state: usize) -> Option<char> {
    if state % 2 == 1 { symbols.get(state / 2).copied() } else { None }
}

fn log_of(step: &LatticeStep, class: Option<char>) -> f64 {
    let found = step.classes.iter().find(|(listed, _)| *listed == class);
    f64::from(found.map_or(step.floor, |(_, log)| *log))
}

fn add_logs(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low <= NOTHING { high } else { high + (low - high).exp().ln_1p() }
}

fn step_of(row: &[f32], characters: &[char], depth: Depth) -> LatticeStep {
    let (most, least) = (depth.most(), depth.least());
    let mut kept: Vec<(usize, f32)> = Vec::new();
    for (part, probabilities) in row.chunks(CLASSES_AT_A_TIME).enumerate() {
        // Nearly all of the thousands of classes are out of the question: many are passed over at once.
        if probabilities.iter().copied().fold(f32::MIN, f32::max) < least {
            continue;
        }
        let likely = probabilities.iter().enumerate().filter(|(_, p)| **p >= least);
        kept.extend(likely.map(|(place, &probability)| (part * CLASSES_AT_A_TIME + place, probability)));
    }
    kept.sort_by(|one, other| other.1.total_cmp(&one.1));
    let best_left_out = kept.get(most).map_or(0.0, |(_, probability)| *probability);
    kept.truncate(most);
    let classes = kept.iter().map(|(index, p)| (class_of(*index, characters), p.min(1.0).ln())).collect();
    LatticeStep { classes, floor: (best_left_out.max(least) * 0.1).max(LEAST_FLOOR).ln() }
}

fn class_of(index: usize, characters: &[char]) -> Option<char> {
    match index {
        0 => None,
        _ => Some(characters.get(index - 1).copied().unwrap_or(' ')),
    }
}

/// Most probable class of each step, repeats and blanks dropped, with the first and last step of each character.
fn best_path(lattice: &Lattice) -> (String, Vec<(usize, usize)>) {
    let mut text = String::new();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut previous = None;
    for (index, step) in lattice.steps.iter().enumerate() {
        let class = step.classes.first().and_then(|(class, _)| *class);
        if let Some(character) = class {
            if previous == class {
                if let Some(span) = spans.last_mut() {
                    span.1 = index;
                }
            } else {
                text.push(character);
                spans.push((index, index));
            }
        }
        previous = class;
    }
    (text, spans)
}

fn average_step(steps: &[&LatticeStep]) -> LatticeStep {
    let count = steps.len() as f32;
    let mut classes: Vec<(Option<char>, f32)> = Vec::new();
    for (class, _) in steps.iter().flat_map(|step| &step.classes) {
        if classes.iter().any(|(known, _)| known == class) {
            continue;
        }
        let sum: f64 = steps.iter().map(|step| log_of(step, *class).exp()).sum();
        classes.push((*class, (sum as f32 / count).ln()));
    }
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    classes.truncate(CLASSES_KEPT);
    let floor: f32 = steps.iter().map(|step| step.floor.exp()).sum::<f32>() / count;
    LatticeStep { classes, floor: floor.max(LEAST_FLOOR).ln() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lattice(rows: &[&[(Option<char>, f32)]]) -> Lattice {
        let step = |row: &&[(Option<char>, f32)]| LatticeStep {
            classes: row.iter().map(|(class, p)| (*class, p.ln())).collect(),
            floor: LEAST_FLOOR.ln(),
        };
        Lattice { steps: rows.iter().map(step).collect() }
    }

    #[test]
    fn repeats_collapse_and_blanks_part_them() {
        let certain = |class| [(class, 0.999_f32)];
        let (a, blank) = (certain(Some('一')), certain(None));

        let reading = read(lattice(&[&a, &a, &blank, &a]), 32.0);

        assert_eq!(reading.text, "一一");
        assert_eq!(reading.spans, vec![(0.0, 16.0), (24.0, 32.0)]);
        assert!(reading.confidence.value() > 0.98);
    }

    #[test]
    fn the_likelihoods_of_all_texts_sum_to_one() {
        let row: [(Option<char>, f32); 3] = [(None, 0.2), (Some('a'), 0.5), (Some('b'), 0.3)];
        let lattice = lattice(&[&row, &row]);

        let sum: f64 =
            ["", "a", "b", "ab", "ba"].iter().map(|text| log_likelihood(&lattice, text).exp()).sum();
        let doubled = log_likelihood(&lattice, "aa").exp();

        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!(doubled < 1e-8, "no room for a blank between the two");
    }

    #[test]
    fn a_character_that_may_have_been_dropped_lowers_the_confidence() {
        let unsure: [(Option<char>, f32); 2] = [(None, 0.6), (Some('2'), 0.4)];
        let sure: [(Option<char>, f32); 1] = [(Some('1'), 1.0)];
        let blank: [(Option<char>, f32); 1] = [(None, 1.0)];

        let reading = read(lattice(&[&sure, &unsure, &blank]), 24.0);

        assert_eq!(reading.text, "1");
        assert!(reading.confidence.value() < 0.61);
    }

    #[test]
    fn averaging_needs_equal_lengths() {
        let row: [(Option<char>, f32); 1] = [(Some('1'), 1.0)];
        let (one, two) = (lattice(&[&row]), lattice(&[&row, &row]));

        assert_eq!(average(&[one.clone(), two]), one);
    }

    #[test]
    fn candidates_come_best_first_with_their_share() {
        let row: [(Option<char>, f32); 3] = [(None, 0.2), (Some('5'), 0.5), (Some('S'), 0.3)];
        let lattice = lattice(&[&row, &row]);

        let found = candidates(&lattice, 8, &|c| c.is_ascii_digit().then_some(c));

        assert_eq!(found[0].0, "5");
        assert!((found[0].1.exp() - 0.75).abs() < 1e-6, "{found:?}");
        assert!(found.iter().all(|(text, _)| !text.contains('S')));
    }

    /// Lines of a sample as the quick recogniser saw them. For each: what it read, the characters it thought of, and
    /// a row for each step with the probabilities of a blank, of those characters and of a space.
    const RECORDED: &str = include_str!("ctc/recorded.txt");

    /// What was read, the characters, and the tensor of a recorded line.
    fn recorded_line(recorded: &str) -> (&str, Vec<char>, Vec<f32>) {
        let mut rows = recorded.lines();
        let (text, characters) = (rows.next().unwrap(), rows.next().unwrap().chars().collect());
        let values = rows.flat_map(str::split_whitespace).map(|number| number.parse().unwrap()).collect();
        (text, characters, values)
    }

    #[test]
    fn recorded_lines_read_as_they_did() {
        for recorded in RECORDED.split("\n\n").filter(|part| !part.trim().is_empty()) {
            let (text, characters, values) = recorded_line(recorded);
            let classes = characters.len() + 2;

            let reading = decode(&values, classes, &characters, 320.0, Depth::Likely);

            assert_eq!(reading.text, text);
            assert_eq!(reading.lattice.steps.len(), values.len() / classes);
            assert!(reading.confidence.value() > 0.2, "{text}: {}", reading.confidence.value());
            assert!(reading.spans.is_sorted_by(|a, b| a.1 <= b.0), "{text}: {:?}", reading.spans);
            let found = candidates(&reading.lattice, 8, &Some);
            let same = found.iter().find(|candidate| candidate.0 == text).unwrap();
            assert!((same.1.exp() - f64::from(reading.confidence.value())).abs() < 0.05, "{text}: {found:?}");
        }
    }

    #[test]
    fn a_changed_character_explains_recorded_ink_far_worse() {
        let (text, characters, values) = recorded_line(RECORDED.split("\n\n").next().unwrap());
        let lattice = decode(&values, characters.len() + 2, &characters, 736.0, Depth::Likely).lattice;
        let of = |text: &str| log_likelihood(&lattice, text);

        for (at, digit) in text.char_indices() {
            let other = if digit == '3' { '8' } else { '3' };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(of(text) - of(&changed) > 3.0, "{at}: {} {}", of(text), of(&changed));
            let shorter = format!("{}{}", &text[..at], &text[at + 1..]);
            assert!(of(text) - of(&shorter) > 2.0, "{at}: {} {}", of(text), of(&shorter));
        }
    }

    #[test]
    fn a_deep_lattice_tells_an_unlikely_character_from_an_impossible_one() {
        let characters: Vec<char> = ('\u{4e00}'..).take(98).collect();
        let mut row = vec![0.0_f32; 100];
        for (rank, probability) in row.iter_mut().enumerate().take(60) {
            *probability = 0.5_f32.powi(rank as i32 / 3 + 1);
        }
        let of = |depth: Depth, character: char| {
            log_likelihood(&decode(&row, 100, &characters, 8.0, depth).lattice, &character.to_string())
        };
        let (unlikely, impossible) = (characters[40], characters[90]);

        assert_eq!(of(Depth::Likely, unlikely), of(Depth::Likely, impossible));
        assert!(of(Depth::Deep, unlikely) > of(Depth::Deep, impossible) + 3.0);
    }

    fn any_lattice(logs: &[f32], characters: &[char], steps: usize) -> Lattice {
        let log = |place: usize| logs[place % logs.len()];
        let step = |index: usize| LatticeStep {
            classes: (0..3)
                .map(|rank| {
                    let class =
                        (rank != index % 3).then(|| characters[(index * 5 + rank) % characters.len()]);
                    (class, log(index * 3 + rank))
                })
                .collect(),
            floor: log(index) - 9.0,
        };
        Lattice { steps: (0..steps).map(step).collect() }
    }

    proptest! {
        #[test]
        fn probabilities_and_their_logarithms_agree(
            logs in proptest::collection::vec(-20.0_f32..0.0, 1..30),
            text in proptest::collection::vec(proptest::sample::select(vec!['甲', '乙', '丙']), 0..12),
            steps in 1_usize..60,
        ) {
            let lattice = any_lattice(&logs, &['甲', '乙', '丙'], steps);

            let (quick, exact) = (likelihood(&lattice, &text), log_likelihood_in_logs(&lattice, &text));

            if let Some(quick) = quick {
                prop_assert!((quick - exact).abs() < 1e-6 * exact.abs().max(1.0), "{quick} {exact}");
            } else {
                prop_assert!(exact < -300.0, "{exact}");
            }
        }

        #[test]
        fn any_tensor_decodes_without_panic(
            values in proptest::collection::vec(proptest::num::f32::ANY, 0..200),
            classes in 0_usize..9,
            depth in proptest::sample::select(vec![Depth::Likely, Depth::Deep]),
        ) {
            let reading = decode(&values, classes, &['甲', '乙', '丙'], 48.0, depth);

            prop_assert!((0.0..=1.0).contains(&reading.confidence.value()));
            prop_assert_eq!(reading.spans.len(), reading.text.chars().count());
        }
    }
}
