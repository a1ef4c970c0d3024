//! Free reading of a lattice: the best path, and the most probable texts by prefix beam search.

use std::collections::HashMap;

use domain::reading::Lattice;

use super::likelihood::log_add;

/// Classes less probable than this are not tried when texts are built.
const LEAST_LOG_PROBABILITY: f32 = -9.0;
/// Prefixes kept at each step, at least.
const LEAST_BEAM: usize = 12;

/// The text of the most probable path: the most probable class of each step, repeats and blanks taken out.
pub fn best_path(lattice: &Lattice) -> String {
    let mut text = String::new();
    let mut last = None;
    for step in &lattice.steps {
        let class = step.classes.iter().max_by(|a, b| a.1.total_cmp(&b.1)).and_then(|(class, _)| *class);
        if class != last {
            text.extend(class);
        }
        last = class;
    }
    text
}

/// The `n` most probable texts with their natural-log probabilities, best first.
///
/// The search is a beam, so a score may miss some paths; [`super::ctc_log_likelihood`] gives it exactly.
pub fn n_best(lattice: &Lattice, n: usize) -> Vec<(String, f64)> {
    let width = n.max(LEAST_BEAM);
    let mut beam = vec![(Vec::new(), Ending { blank: 0.0, label: f64::NEG_INFINITY })];
    for step in &lattice.steps {
        let mut next: HashMap<Vec<char>, Ending> = HashMap::new();
        for (prefix, ending) in &beam {
            for &(class, log_probability) in &step.classes {
                if log_probability >= LEAST_LOG_PROBABILITY || step.classes.len() == 1 {
                    extend(&mut next, prefix, *ending, class, f64::from(log_probability));
                }
            }
        }
        if next.is_empty() {
            continue;
        }
        beam = next.into_iter().collect();
        sort(&mut beam);
        beam.truncate(width);
    }
    beam.truncate(n);
    beam.into_iter().map(|(prefix, ending)| (prefix.into_iter().collect(), ending.total())).collect()
}

/// Log probability of the paths of one prefix, by what they end in.
#[derive(Clone, Copy)]
struct Ending {
    blank: f64,
    label: f64,
}

impl Ending {
    const NONE: Self = Self { blank: f64::NEG_INFINITY, label: f64::NEG_INFINITY };

    fn total(self) -> f64 {
        log_add(self.blank, self.label)
    }
}

fn extend(
    next: &mut HashMap<Vec<char>, Ending>,
    prefix: &[char],
    ending: Ending,
    class: Option<char>,
    score: f64,
) {
    let Some(character) = class else {
        let same = next.entry(prefix.to_vec()).or_insert(Ending::NONE);
        same.blank = log_add(same.blank, ending.total() + score);
        return;
    };
    let repeats = prefix.last() == Some(&character);
    if repeats {
        let same = next.entry(prefix.to_vec()).or_insert(Ending::NONE);
        same.label = log_add(same.label, ending.label + score);
    }
    let before = if repeats { ending.blank } else { ending.total() };
    if before > f64::NEG_INFINITY {
        let mut longer = prefix.to_vec();
        longer.push(character);
        let entry = next.entry(longer).or_insert(Ending::NONE);
        entry.label = log_add(entry.label, before + score);
    }
}

/// Best first; equal scores by text, so that the answer does not depend on hashing.
fn sort(beam: &mut [(Vec<char>, Ending)]) {
    beam.sort_by(|a, b| b.1.total().total_cmp(&a.1.total()).then_with(|| a.0.cmp(&b.0)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verification::{
        ctc_log_likelihood,
        lattices::{lattice_of, random_lattice},
    };

    #[test]
    fn a_clear_line_is_read_as_it_is() {
        let lattice = lattice_of("李浩然", 0.9);

        assert_eq!(best_path(&lattice), "李浩然");
        assert_eq!(n_best(&lattice, 3)[0].0, "李浩然");
    }

    #[test]
    fn nothing_is_read_where_nothing_is() {
        assert_eq!(best_path(&Lattice::default()), "");
        assert_eq!(n_best(&Lattice::default(), 2), [(String::new(), 0.0)]);
    }

    proptest! {
        #[test]
        fn the_beam_never_claims_more_than_the_exact_likelihood(lattice in random_lattice(6)) {
            for (text, score) in n_best(&lattice, 5) {
                prop_assert!(score <= ctc_log_likelihood(&lattice, &text) + 1e-6);
            }
        }

        #[test]
        fn the_best_text_is_at_least_as_likely_as_the_best_path(lattice in random_lattice(6)) {
            let best = n_best(&lattice, 1)[0].0.clone();

            let exact = ctc_log_likelihood(&lattice, &best);

            prop_assert!(exact >= ctc_log_likelihood(&lattice, &best_path(&lattice)) - 0.7);
        }
    }
}
