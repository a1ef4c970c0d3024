//! CTC: the probability that a line of ink says a text, summed over all the ways to spread it over the steps.

use domain::reading::{Lattice, LatticeStep};

/// Natural log of the probability that the lattice, read as a whole, says `text`.
///
/// Characters that a step does not list have its floor, so no text is impossible unless it is longer than the
/// ink allows; then the answer is negative infinity. An empty lattice says only the empty text.
pub fn ctc_log_likelihood(lattice: &Lattice, text: &str) -> f64 {
    let chars: Vec<char> = text.chars().collect();
    log_likelihood_of(lattice, &chars)
}

/// As [`ctc_log_likelihood`], for a value written over several lines, split where it fits best.
pub fn segmented_log_likelihood(lattices: &[Lattice], text: &str) -> f64 {
    let chars: Vec<char> = text.chars().collect();
    segmented_log_likelihood_of(lattices, &chars)
}

/// [`ctc_log_likelihood`] of a text already cut into characters.
pub(crate) fn log_likelihood_of(lattice: &Lattice, text: &[char]) -> f64 {
    prefix_log_likelihoods(lattice, text).last().copied().unwrap_or(f64::NEG_INFINITY)
}

/// [`segmented_log_likelihood`] of a text already cut into characters.
pub(crate) fn segmented_log_likelihood_of(lattices: &[Lattice], text: &[char]) -> f64 {
    match lattices {
        [] => log_likelihood_of(&Lattice::default(), text),
        [line] => log_likelihood_of(line, text),
        lines => split_points(lines, text)
            .last()
            .and_then(|row| row.last())
            .map_or(f64::NEG_INFINITY, |cell| cell.score),
    }
}

/// Where each line of ink begins and ends in `text`, by the split that fits best.
pub(crate) fn best_split(lattices: &[Lattice], text: &[char]) -> Vec<(usize, usize)> {
    let rows = split_points(lattices, text);
    let mut end = text.len();
    let mut spans = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let start = row.get(end).map_or(0, |cell| cell.start);
        spans.push((start, end));
        end = start;
    }
    spans.reverse();
    spans
}

#[derive(Clone, Copy)]
struct SplitCell {
    score: f64,
    start: usize,
}

/// For each line and each end in `text`: the best score of the lines so far, and where the last of them starts.
fn split_points(lattices: &[Lattice], text: &[char]) -> Vec<Vec<SplitCell>> {
    let unreached = SplitCell { score: f64::NEG_INFINITY, start: 0 };
    let mut rows: Vec<Vec<SplitCell>> = Vec::with_capacity(lattices.len());
    let mut before = vec![f64::NEG_INFINITY; text.len() + 1];
    before[0] = 0.0;
    for lattice in lattices {
        let mut row = vec![unreached; text.len() + 1];
        for (start, &score_before) in before.iter().enumerate() {
            if score_before == f64::NEG_INFINITY {
                continue;
            }
            for (length, score) in prefix_log_likelihoods(lattice, &text[start..]).into_iter().enumerate() {
                let cell = &mut row[start + length];
                if score_before + score > cell.score {
                    *cell = SplitCell { score: score_before + score, start };
                }
            }
        }
        before = row.iter().map(|cell| cell.score).collect();
        rows.push(row);
    }
    rows
}

/// The log-likelihood of every prefix of `text` being all that the line says, the empty one first.
///
/// One pass gives them all: a path that has used the first n characters never looks at the rest.
fn prefix_log_likelihoods(lattice: &Lattice, text: &[char]) -> Vec<f64> {
    // After n characters: paths that end in a blank, and paths that end in the n-th character itself.
    let mut blank = vec![f64::NEG_INFINITY; text.len() + 1];
    let mut label = vec![f64::NEG_INFINITY; text.len() + 1];
    blank[0] = 0.0;
    for (steps_before, step) in lattice.steps.iter().enumerate() {
        let blank_here = emission(step, None);
        // A character takes a step at least. Backwards, so that n - 1 still holds the step before.
        for n in (1..=text.len().min(steps_before + 1)).rev() {
            let enters = if n >= 2 && text[n - 1] == text[n - 2] {
                blank[n - 1]
            } else {
                log_add(blank[n - 1], label[n - 1])
            };
            let stays = label[n];
            blank[n] = log_add(blank[n], label[n]) + blank_here;
            label[n] = log_add(stays, enters) + emission(step, Some(text[n - 1]));
        }
        blank[0] += blank_here;
    }
    blank.iter().zip(&label).map(|(&b, &l)| log_add(b, l)).collect()
}

/// The steps at which each character of `text` stands on the single best path, as first and one past the last.
///
/// `None` when the text is longer than the ink allows.
pub(crate) fn align(lattice: &Lattice, text: &[char]) -> Option<Vec<(usize, usize)>> {
    let states = 2 * text.len() + 1;
    let mut score = vec![f64::NEG_INFINITY; states];
    score[0] = 0.0;
    let mut came_from: Vec<Vec<u8>> = Vec::with_capacity(lattice.steps.len());
    for (index, step) in lattice.steps.iter().enumerate() {
        let mut next = vec![f64::NEG_INFINITY; states];
        let mut from = vec![0_u8; states];
        for state in 0..states {
            let (back, best) = best_predecessor(&score, text, state, index == 0);
            let class = if state % 2 == 1 { Some(text[state / 2]) } else { None };
            next[state] = best + emission(step, class);
            from[state] = back;
        }
        score = next;
        came_from.push(from);
    }
    let ends_in_blank = states - 1;
    let mut state = ends_in_blank;
    if states >= 2 && score[states - 2] > score[ends_in_blank] {
        state = states - 2;
    }
    if score[state] == f64::NEG_INFINITY {
        return None;
    }
    let mut spans = vec![(0, 0); text.len()];
    for (index, from) in came_from.iter().enumerate().rev() {
        if state % 2 == 1 {
            let span = &mut spans[state / 2];
            if span.1 == 0 {
                span.1 = index + 1;
            }
            span.0 = index;
        }
        state -= usize::from(from[state]);
    }
    Some(spans)
}

/// How many states back the best path into `state` comes from, and its score.
fn best_predecessor(score: &[f64], text: &[char], state: usize, is_first_step: bool) -> (u8, f64) {
    if is_first_step {
        // Before the first step only a virtual blank state exists; the path starts in state 0 or 1.
        return match state {
            0 => (0, 0.0),
            1 => (1, 0.0),
            _ => (0, f64::NEG_INFINITY),
        };
    }
    let mut best = (0, score[state]);
    if state >= 1 && score[state - 1] > best.1 {
        best = (1, score[state - 1]);
    }
    let may_skip_blank = state % 2 == 1 && state >= 3 && text[state / 2] != text[state / 2 - 1];
    if may_skip_blank && score[state - 2] > best.1 {
        best = (2, score[state - 2]);
    }
    best
}

/// Natural-log probability of a class at a step; the floor when it is not listed.
fn emission(step: &LatticeStep, class: Option<char>) -> f64 {
    let listed = step.classes.iter().find(|(listed, _)| *listed == class);
    f64::from(listed.map_or(step.floor, |(_, log_probability)| *log_probability))
}

/// What is smaller by this factor of e is lost when it is added to a number of 53 bits.
const LOST: f64 = 38.0;

/// ln(e^a + e^b) without overflow.
pub(crate) fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    // Mostly one path outweighs the other by far, and then nothing need be computed.
    if low <= high - LOST { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verification::lattices::{brute_force, lattice_of, random_lattice};

    #[test]
    fn the_empty_lattice_says_only_the_empty_text() {
        assert!(ctc_log_likelihood(&Lattice::default(), "").abs() < 1e-12);
        assert_eq!(ctc_log_likelihood(&Lattice::default(), "王"), f64::NEG_INFINITY);
    }

    #[test]
    fn a_text_longer_than_the_ink_is_impossible() {
        let lattice = lattice_of("王", 0.9);

        assert_eq!(ctc_log_likelihood(&lattice, "王王王王王王王王"), f64::NEG_INFINITY);
        assert!(align(&lattice, &['王'; 8]).is_none());
    }

    #[test]
    fn an_unlisted_character_costs_the_floor_and_is_not_impossible() {
        let lattice = lattice_of("王涛", 0.9);

        let right = ctc_log_likelihood(&lattice, "王涛");
        let wrong = ctc_log_likelihood(&lattice, "王海");

        assert!(wrong.is_finite());
        assert!(right - wrong > 5.0, "{right} {wrong}");
    }

    #[test]
    fn a_long_line_does_not_underflow() {
        let text = "天津市河西区友谊路".repeat(30);

        let likelihood = ctc_log_likelihood(&lattice_of(&text, 0.5), &text);

        assert!(likelihood.is_finite() && likelihood < 0.0);
    }

    #[test]
    fn a_value_over_two_lines_is_split_where_the_ink_is() {
        let lines = [lattice_of("天津市河西", 0.9), lattice_of("区友谊路", 0.9)];
        let text: Vec<char> = "天津市河西区友谊路".chars().collect();

        assert_eq!(best_split(&lines, &text), [(0, 5), (5, 9)]);

        let whole = segmented_log_likelihood_of(&lines, &text);
        let sum = ctc_log_likelihood(&lines[0], "天津市河西") + ctc_log_likelihood(&lines[1], "区友谊路");
        assert!((whole - sum).abs() < 1e-9);
    }

    #[test]
    fn alignment_finds_each_character_in_order() {
        let lattice = lattice_of("杨紫涵", 0.8);

        let spans = align(&lattice, &['杨', '紫', '涵']).unwrap();

        assert_eq!(spans, [(1, 2), (3, 4), (5, 6)]);
    }

    proptest! {
        #[test]
        fn forward_equals_brute_force(lattice in random_lattice(5), text in "[abc]{0,4}") {
            let forward = ctc_log_likelihood(&lattice, &text);
            let exact = brute_force(&lattice, &text, &['a', 'b', 'c']);

            prop_assert!((forward - exact).abs() < 1e-6 || forward == exact, "{} {}", forward, exact);
        }

        #[test]
        fn aligned_spans_are_ordered_and_inside(lattice in random_lattice(7), text in "[abc]{0,4}") {
            let chars: Vec<char> = text.chars().collect();

            if let Some(spans) = align(&lattice, &chars) {
                prop_assert!(spans.iter().all(|&(start, end)| start < end && end <= lattice.steps.len()));
                prop_assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            }
        }
    }
}
