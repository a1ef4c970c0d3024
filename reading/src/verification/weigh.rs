//! Weighs an entered value against the ink of a field.

use domain::{
    field::FieldName,
    finding::Judgement,
    reading::{FieldReading, Lattice},
};

use super::{
    decode::{best_path, n_best},
    likelihood::{best_split, segmented_log_likelihood_of},
    rivals::one_edit_neighbours,
    spelling::{Alphabet, fold_lattice, fold_text, printed_forms},
    visible::agrees_as_far_as_visible,
};

/// Below this log ratio the paper says something else. Calibration: `docs/benchmarks.md`.
const DIFFERS_BELOW: f64 = -5.0;
/// Above this log ratio the paper bears the value out. In a name every character counts.
const AGREES_ABOVE: f64 = -1.0;
/// The same of addresses and numbers, whose rivals are many and each of them unlikely before anything is read.
const LONG_VALUE_AGREES_ABOVE: f64 = -3.0;
/// A field read with less confidence decides nothing against the entered value.
const LEAST_CONFIDENCE: f32 = 0.5;
/// A repaired value this sure stands against ink that says otherwise.
const SURE_CONFIDENCE: f32 = 0.9;
/// Free readings that are tried as rivals, for each line.
const FREE_READINGS: usize = 6;
/// Log ratios are cut here; beyond it there is nothing to tell.
const LARGEST_LOG_RATIO: f64 = 99.0;

/// How an entered value stands against the ink.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The answer.
    pub judgement: Judgement,
    /// Log likelihood of the entered value less that of its best rival; the more negative, the less it fits.
    pub log_ratio: f32,
    /// The places where the best rival differs; empty where nothing speaks against the value.
    pub per_character: Vec<CharacterWeight>,
}

/// One place at which entered value and best rival differ.
#[derive(Debug, Clone, PartialEq)]
pub struct CharacterWeight {
    /// Place in the entered value, spaces and punctuation not counted.
    pub position: usize,
    /// What was typed; `None` where the ink has one more.
    pub entered: Option<char>,
    /// What the ink says; `None` where it has one less.
    pub read: Option<char>,
    /// What changing only this place gains, negated: the more negative, the surer the difference.
    pub log_ratio: f32,
}

/// Weighs `entered` against the field's ink, its rivals being whatever else the ink may say.
///
/// Neither the reading nor what is shown of it changes.
pub fn weigh(field: &FieldReading, entered: &str) -> Weight {
    let alphabet = Alphabet::of(field.field);
    let lines: Vec<Lattice> = field
        .lattices
        .iter()
        .filter(|lattice| !lattice.steps.is_empty())
        .map(|lattice| fold_lattice(lattice, alphabet))
        .collect();
    let forms = printed_forms(entered, alphabet);
    if forms.iter().all(Vec::is_empty) {
        return undecided();
    }
    if let Some(weight) = weigh_against_text(field, &forms, alphabet, lines.is_empty()) {
        return weight;
    }
    let hypotheses = in_context(field, &lines, &forms, alphabet);
    let Some((hypothesis, likelihood)) = most_likely(&lines, &hypotheses) else { return undecided() };
    let rivals = rivals_of(&lines, &hypotheses, &hypothesis);
    let Some((rival, rival_likelihood)) = most_likely(&lines, &rivals) else { return undecided() };
    let log_ratio = ratio(likelihood, rival_likelihood);
    let mut judgement = judge(log_ratio, field, &hypothesis);
    if judgement == Judgement::CannotTell
        && is_address(field.field)
        && agrees_as_far_as_visible(&lines, &hypothesis)
    {
        judgement = Judgement::Agrees;
    }
    let per_character = if log_ratio < agrees_above(field.field) {
        differences(&lines, &hypothesis, likelihood, &rival)
    } else {
        Vec::new()
    };
    Weight { judgement, log_ratio: log_ratio as f32, per_character }
}

/// Of an address little may be hidden; of a name every character counts, and a number has its own check.
const fn is_address(field: FieldName) -> bool {
    matches!(field, FieldName::Address | FieldName::IdAddress | FieldName::MailingAddress)
}

const fn agrees_above(field: FieldName) -> f64 {
    let is_number = matches!(
        field,
        FieldName::IdNumber | FieldName::AgentIdNumber | FieldName::ServiceNumber | FieldName::ContactPhone
    );
    if is_number || is_address(field) { LONG_VALUE_AGREES_ABOVE } else { AGREES_ABOVE }
}

fn undecided() -> Weight {
    Weight { judgement: Judgement::CannotTell, log_ratio: 0.0, per_character: Vec::new() }
}

/// Decides by the text alone where there is no ink to ask, or where the text was chosen by what must be true.
fn weigh_against_text(
    field: &FieldReading,
    forms: &[Vec<char>],
    alphabet: Alphabet,
    has_no_ink: bool,
) -> Option<Weight> {
    let is_repaired = field.repair.is_some();
    if !has_no_ink && !is_repaired {
        return None;
    }
    let Some(text) = &field.text else { return has_no_ink.then(undecided) };
    let equal = printed_forms(text, alphabet).iter().any(|form| forms.contains(form));
    let confidence = field.confidence.value();
    let odds = f64::from(confidence.clamp(1e-6, 1.0 - 1e-6));
    let log_odds = (odds / (1.0 - odds)).ln() as f32;
    let sure_enough = if equal { confidence >= LEAST_CONFIDENCE } else { confidence >= SURE_CONFIDENCE };
    let judgement = match (equal, sure_enough) {
        (true, true) => Judgement::Agrees,
        (false, true) => Judgement::Differs,
        (_, false) => Judgement::CannotTell,
    };
    let log_ratio = if equal { log_odds } else { -log_odds };
    if !has_no_ink && judgement == Judgement::CannotTell {
        // A repair that is not sure leaves the question to the ink.
        return None;
    }
    let per_character = if equal { Vec::new() } else { text_differences(forms, text, alphabet, log_ratio) };
    Some(Weight { judgement, log_ratio, per_character })
}

fn text_differences(
    forms: &[Vec<char>],
    text: &str,
    alphabet: Alphabet,
    log_ratio: f32,
) -> Vec<CharacterWeight> {
    let read = fold_text(text, alphabet);
    let nearest = forms.iter().min_by_key(|form| edits(form, &read).len());
    let found = nearest.map(|form| edits(form, &read)).unwrap_or_default();
    found
        .into_iter()
        .map(|edit| CharacterWeight {
            position: edit.position,
            entered: edit.entered,
            read: edit.read,
            log_ratio,
        })
        .collect()
}

/// The forms as they stand in the ink when the line holds more than the value: a label before, another date after.
fn in_context(
    field: &FieldReading,
    lines: &[Lattice],
    forms: &[Vec<char>],
    alphabet: Alphabet,
) -> Vec<Vec<char>> {
    let whole: Vec<char> =
        lines.iter().flat_map(|line| best_path(line).chars().collect::<Vec<_>>()).collect();
    let Some(text) = &field.text else { return forms.to_vec() };
    let found = printed_forms(text, alphabet)
        .into_iter()
        .filter(|form| !form.is_empty())
        .filter_map(|form| find(&whole, &form).map(|start| (start, form.len())))
        .max_by_key(|&(_, length)| length);
    let Some((start, length)) = found else { return forms.to_vec() };
    let (before, after) = (&whole[..start], &whole[start + length..]);
    if before.is_empty() && after.is_empty() {
        return forms.to_vec();
    }
    forms.iter().map(|form| [before, form, after].concat()).collect()
}

fn find(whole: &[char], part: &[char]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}

fn most_likely(lines: &[Lattice], texts: &[Vec<char>]) -> Option<(Vec<char>, f64)> {
    let mut best: Option<(Vec<char>, f64)> = None;
    for text in texts {
        let score = segmented_log_likelihood_of(lines, text);
        if best.as_ref().is_none_or(|(_, highest)| score > *highest) {
            best = Some((text.clone(), score));
        }
    }
    best
}

/// The free readings, and what is one edit away from the hypothesis; none that is a form of the value itself.
fn rivals_of(lines: &[Lattice], hypotheses: &[Vec<char>], hypothesis: &[char]) -> Vec<Vec<char>> {
    let mut rivals: Vec<Vec<char>> = Vec::new();
    let free: Vec<Vec<Vec<char>>> = lines.iter().map(free_readings).collect();
    let firsts: Vec<&[char]> = free.iter().map(|line| line.first().map_or(&[][..], Vec::as_slice)).collect();
    for (line, readings) in free.iter().enumerate() {
        for reading in readings {
            let mut whole = firsts.clone();
            whole[line] = reading;
            rivals.push(whole.concat());
        }
    }
    for (line, &(start, end)) in lines.iter().zip(&best_split(lines, hypothesis)) {
        for neighbour in one_edit_neighbours(line, &hypothesis[start..end]) {
            rivals.push([&hypothesis[..start], &neighbour, &hypothesis[end..]].concat());
        }
    }
    rivals.sort();
    rivals.dedup();
    rivals.retain(|rival| !hypotheses.contains(rival));
    rivals
}

fn free_readings(line: &Lattice) -> Vec<Vec<char>> {
    let mut texts: Vec<Vec<char>> =
        n_best(line, FREE_READINGS).into_iter().map(|(text, _)| text.chars().collect()).collect();
    texts.push(best_path(line).chars().collect());
    texts
}

fn ratio(likelihood: f64, rival: f64) -> f64 {
    match (likelihood.is_finite(), rival.is_finite()) {
        (true, true) => (likelihood - rival).clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO),
        (true, false) => LARGEST_LOG_RATIO,
        (false, true) => -LARGEST_LOG_RATIO,
        (false, false) => 0.0,
    }
}

fn judge(log_ratio: f64, field: &FieldReading, hypothesis: &[char]) -> Judgement {
    if log_ratio > agrees_above(field.field) {
        return Judgement::Agrees;
    }
    let is_legible = field.text.is_some() && field.confidence.value() >= LEAST_CONFIDENCE;
    let can_be_written = hypothesis.iter().all(|&c| is_in_the_recognisers_reach(c));
    if log_ratio < DIFFERS_BELOW && is_legible && can_be_written {
        return Judgement::Differs;
    }
    Judgement::CannotTell
}

/// Rare characters outside the basic plane are in no recogniser's dictionary; it cannot speak against them.
fn is_in_the_recognisers_reach(character: char) -> bool {
    u32::from(character) < 0x1_0000
}

/// Where the rival differs, each place with what changing only it would gain.
fn differences(
    lines: &[Lattice],
    hypothesis: &[char],
    likelihood: f64,
    rival: &[char],
) -> Vec<CharacterWeight> {
    let found = edits(hypothesis, rival);
    let weights = found.iter().map(|edit| {
        let changed = edit.applied_to(hypothesis);
        let gain = ratio(likelihood, segmented_log_likelihood_of(lines, &changed));
        CharacterWeight {
            position: edit.position,
            entered: edit.entered,
            read: edit.read,
            log_ratio: gain as f32,
        }
    });
    weights.collect()
}

/// One step from the entered value to what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    position: usize,
    entered: Option<char>,
    read: Option<char>,
}

impl Edit {
    fn applied_to(&self, text: &[char]) -> Vec<char> {
        let mut changed = text.to_vec();
        match (self.entered, self.read) {
            (Some(_), Some(read)) => changed[self.position] = read,
            (Some(_), None) => {
                changed.remove(self.position);
            }
            (None, Some(read)) => changed.insert(self.position, read),
            (None, None) => {}
        }
        changed
    }
}

/// The fewest edits that turn `entered` into `read`, in order.
fn edits(entered: &[char], read: &[char]) -> Vec<Edit> {
    let width = read.len() + 1;
    let mut cost = vec![0_usize; (entered.len() + 1) * width];
    for i in 0..=entered.len() {
        for j in 0..=read.len() {
            cost[i * width + j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let same = cost[(i - 1) * width + j - 1] + usize::from(entered[i - 1] != read[j - 1]);
                    let shorter = cost[(i - 1) * width + j] + 1;
                    same.min(shorter).min(cost[i * width + j - 1] + 1)
                }
            };
        }
    }
    let (mut i, mut j) = (entered.len(), read.len());
    let mut found = Vec::new();
    while i > 0 || j > 0 {
        let here = cost[i * width + j];
        if i > 0
            && j > 0
            && here == cost[(i - 1) * width + j - 1] + usize::from(entered[i - 1] != read[j - 1])
        {
            (i, j) = (i - 1, j - 1);
            if entered[i] != read[j] {
                found.push(Edit { position: i, entered: Some(entered[i]), read: Some(read[j]) });
            }
        } else if i > 0 && here == cost[(i - 1) * width + j] + 1 {
            i -= 1;
            found.push(Edit { position: i, entered: Some(entered[i]), read: None });
        } else {
            j -= 1;
            found.push(Edit { position: i, entered: None, read: Some(read[j]) });
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use domain::{
        field::Confidence,
        geometry::Quad,
        reading::{LatticeStep, Repair},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::verification::lattices::lattice_of;

    fn field_of(field: FieldName, text: &str, lattices: Vec<Lattice>) -> FieldReading {
        FieldReading {
            field,
            text: Some(text.to_owned()),
            confidence: Confidence::new(0.95),
            region: Quad::rectangle(0.0, 0.0, 1.0, 1.0),
            repair: None,
            lattices,
            decided_by: "first".to_owned(),
        }
    }

    fn check(field: FieldName, ink: &str, text: &str, entered: &str, expected: Judgement) {
        let reading = field_of(field, text, vec![lattice_of(ink, 0.97)]);

        assert_eq!(weigh(&reading, entered).judgement, expected, "{ink} {entered}");
    }

    #[test]
    fn what_the_ink_says_agrees_and_what_it_does_not_say_differs() {
        check(FieldName::CustomerName, "李浩然", "李浩然", "李浩然", Judgement::Agrees);
        check(FieldName::CustomerName, "李浩然", "李浩然", "李皓然", Judgement::Differs);
        check(
            FieldName::IdNumber,
            "11010119900307123X",
            "11010119900307123X",
            "11010119900307123x",
            Judgement::Agrees,
        );
        check(
            FieldName::IdNumber,
            "11010119900307123X",
            "11010119900307123X",
            "11010119903007123X",
            Judgement::Differs,
        );
    }

    #[test]
    fn a_date_agrees_however_it_is_printed() {
        check(FieldName::Birth, "1995年9月7日", "1995-09-07", "1995-09-07", Judgement::Agrees);
        check(FieldName::Birth, "1995年9月7日", "1995-09-07", "1995-07-09", Judgement::Differs);
        check(FieldName::ValidTo, "2023.12.01-2043.12.01", "2043-12-01", "2043-12-01", Judgement::Agrees);
        check(FieldName::ValidTo, "2023.12.01-2043.12.01", "2043-12-01", "2033-12-01", Judgement::Differs);
        check(FieldName::ValidFrom, "2023.12.01-长期", "2023-12-01", "2023-12-01", Judgement::Agrees);
        check(FieldName::ValidTo, "2023.12.01-长期", "长期", "长期", Judgement::Agrees);
    }

    #[test]
    fn a_label_in_the_same_line_is_no_difference() {
        check(FieldName::CustomerName, "客户名称：张芳", "张芳", "张芳", Judgement::Agrees);
        check(FieldName::CustomerName, "客户名称：张芳", "张芳", "张苏", Judgement::Differs);
    }

    #[test]
    fn a_difference_names_its_place() {
        let reading = field_of(FieldName::CustomerName, "李浩然", vec![lattice_of("李浩然", 0.97)]);

        let weight = weigh(&reading, "李皓然");

        assert_eq!(weight.per_character.len(), 1);
        let place = &weight.per_character[0];
        assert_eq!((place.position, place.entered, place.read), (1, Some('皓'), Some('浩')));
        assert!(place.log_ratio < -5.0);
    }

    #[test]
    fn an_even_choice_between_look_alikes_cannot_be_told() {
        let mut lattice = lattice_of("王己", 0.97);
        lattice.steps[3] = LatticeStep {
            classes: vec![(Some('己'), 0.93_f32.ln()), (Some('已'), 0.06_f32.ln())],
            floor: -12.0,
        };
        let reading = field_of(FieldName::Name, "王己", vec![lattice]);

        assert_eq!(weigh(&reading, "王已").judgement, Judgement::CannotTell);
        assert_eq!(weigh(&reading, "王己").judgement, Judgement::Agrees);
    }

    #[test]
    fn a_digit_that_is_rather_another_is_no_doubt_and_a_character_of_a_name_is() {
        let hardly = |first, second| LatticeStep {
            classes: vec![(Some(first), 0.8_f32.ln()), (Some(second), 0.15_f32.ln())],
            floor: -12.0,
        };
        let check = |field, ink: &str, step, entered: &str, expected| {
            let mut lattice = lattice_of(ink, 0.97);
            lattice.steps[3] = step;
            assert_eq!(weigh(&field_of(field, ink, vec![lattice]), entered).judgement, expected);
        };

        check(FieldName::ContactPhone, "17012345678", hardly('7', '1'), "11012345678", Judgement::Agrees);
        check(FieldName::ContactName, "王己", hardly('己', '已'), "王已", Judgement::CannotTell);
    }

    #[test]
    fn an_address_over_two_lines_is_weighed_whole() {
        let lines = vec![lattice_of("天津市河西区友谊路9号", 0.97), lattice_of("楼2门302号", 0.97)];
        let reading = field_of(FieldName::Address, "天津市河西区友谊路9号楼2门302号", lines);

        assert_eq!(weigh(&reading, "天津市河西区友谊路9号楼2门302号").judgement, Judgement::Agrees);
        assert_eq!(weigh(&reading, "天津市河西区友谊路6号楼2门302号").judgement, Judgement::Differs);
        assert_eq!(weigh(&reading, "天津市河西区友谊路9号楼3门302号").judgement, Judgement::Differs);
    }

    #[test]
    fn an_illegible_field_differs_from_nothing() {
        let mut reading = field_of(FieldName::CustomerName, "李浩然", vec![lattice_of("李浩然", 0.97)]);
        reading.confidence = Confidence::new(0.3);

        assert_eq!(weigh(&reading, "王涛").judgement, Judgement::CannotTell);
    }

    #[test]
    fn a_sure_repair_outweighs_the_ink() {
        let mut reading =
            field_of(FieldName::IdNumber, "11010119900307123X", vec![lattice_of("11010119900807123X", 0.97)]);
        reading.repair =
            Some(Repair { from: "11010119900807123X".to_owned(), rule: "check_digit".to_owned() });

        assert_eq!(weigh(&reading, "11010119900307123X").judgement, Judgement::Agrees);
        assert_eq!(weigh(&reading, "11010119900807123X").judgement, Judgement::Differs);
    }

    #[test]
    fn without_probabilities_the_text_decides_only_when_sure() {
        let reading = field_of(FieldName::CustomerName, "张芳", Vec::new());

        assert_eq!(weigh(&reading, "张芳").judgement, Judgement::Agrees);
        assert_eq!(weigh(&reading, "张苏").judgement, Judgement::Differs);
        assert_eq!(weigh(&reading, "").judgement, Judgement::CannotTell);
    }

    #[test]
    fn a_character_no_recogniser_knows_cannot_be_refuted() {
        let reading = field_of(FieldName::CustomerName, "王吉", vec![lattice_of("王吉", 0.97)]);

        assert_eq!(weigh(&reading, "王𠮷").judgement, Judgement::CannotTell);
    }

    proptest! {
        #[test]
        fn the_clear_text_always_agrees(text in "[一-龥]{2,12}") {
            let reading = field_of(FieldName::CustomerName, &text, vec![lattice_of(&text, 0.97)]);

            prop_assert_eq!(weigh(&reading, &text).judgement, Judgement::Agrees);
        }

        #[test]
        fn edits_turn_one_text_into_the_other(entered in "[abc]{0,6}", read in "[abc]{0,6}") {
            let entered: Vec<char> = entered.chars().collect();
            let read: Vec<char> = read.chars().collect();

            let mut text = entered.clone();
            for edit in edits(&entered, &read).iter().rev() {
                text = edit.applied_to(&text);
            }

            prop_assert_eq!(text, read);
        }

        #[test]
        fn nothing_typed_makes_it_panic(ink in "\\PC{0,10}", entered in "\\PC{0,10}") {
            let reading = field_of(FieldName::Birth, &ink, vec![lattice_of(&ink, 0.6)]);

            prop_assert!(weigh(&reading, &entered).log_ratio.is_finite());
        }
    }
}
