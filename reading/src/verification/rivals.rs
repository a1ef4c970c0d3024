//! What else the ink may say: texts one edit away that the lattice itself proposes.

use domain::reading::Lattice;

use super::likelihood::align;

/// Characters proposed for one place at most.
const PROPOSALS_A_PLACE: usize = 4;
/// A character less probable than this, at its best step, is not proposed.
const LEAST_LOG_PROBABILITY: f32 = -12.0;

/// Every text one edit away from `text` for which the lattice gives some ground.
///
/// Substitutions and insertions take the characters listed where the place stands on the best path; deletions
/// and swaps of neighbours need no proposal.
pub(crate) fn one_edit_neighbours(lattice: &Lattice, text: &[char]) -> Vec<Vec<char>> {
    let mut neighbours = Vec::new();
    for index in 0..text.len() {
        let mut shorter = text.to_vec();
        shorter.remove(index);
        neighbours.push(shorter);
        if index + 1 < text.len() && text[index] != text[index + 1] {
            let mut swapped = text.to_vec();
            swapped.swap(index, index + 1);
            neighbours.push(swapped);
        }
    }
    let Some(spans) = align(lattice, text) else { return neighbours };
    for (index, &span) in spans.iter().enumerate() {
        for character in proposals(lattice, widened(lattice, &spans, index, span), text[index]) {
            let mut substituted = text.to_vec();
            substituted[index] = character;
            neighbours.push(substituted);
        }
    }
    for index in 0..=text.len() {
        let from = if index == 0 { 0 } else { spans[index - 1].1 };
        let to = spans.get(index).map_or(lattice.steps.len(), |span| span.0);
        for character in proposals(lattice, (from, to), '\0') {
            let mut longer = text.to_vec();
            longer.insert(index, character);
            neighbours.push(longer);
        }
    }
    neighbours
}

/// The span and the blanks around it, up to the neighbouring characters.
fn widened(
    lattice: &Lattice,
    spans: &[(usize, usize)],
    index: usize,
    span: (usize, usize),
) -> (usize, usize) {
    let from = if index == 0 { 0 } else { spans[index - 1].1 };
    let to = spans.get(index + 1).map_or(lattice.steps.len(), |next| next.0);
    (from.min(span.0), to.max(span.1))
}

/// The most probable characters within some steps, other than `not_this`.
fn proposals(lattice: &Lattice, (from, to): (usize, usize), not_this: char) -> Vec<char> {
    let mut best: Vec<(char, f32)> = Vec::new();
    for step in lattice.steps.get(from..to).unwrap_or_default() {
        for &(class, log_probability) in &step.classes {
            let Some(character) = class else { continue };
            if character == not_this || log_probability < LEAST_LOG_PROBABILITY {
                continue;
            }
            match best.iter_mut().find(|(known, _)| *known == character) {
                Some((_, highest)) => *highest = highest.max(log_probability),
                None => best.push((character, log_probability)),
            }
        }
    }
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    best.truncate(PROPOSALS_A_PLACE);
    best.into_iter().map(|(character, _)| character).collect()
}

#[cfg(test)]
mod tests {
    use domain::reading::LatticeStep;
    use proptest::prelude::*;

    use super::*;
    use crate::verification::lattices::{lattice_of, random_lattice};

    #[test]
    fn the_second_choice_of_the_ink_is_a_rival() {
        let mut lattice = lattice_of("王己", 0.9);
        lattice.steps[3] = LatticeStep {
            classes: vec![(Some('己'), 0.6_f32.ln()), (Some('已'), 0.39_f32.ln())],
            floor: -12.0,
        };

        let neighbours = one_edit_neighbours(&lattice, &['王', '己']);

        assert!(neighbours.contains(&vec!['王', '已']));
        assert!(neighbours.contains(&vec!['己', '王']));
        assert!(neighbours.contains(&vec!['王']));
    }

    proptest! {
        #[test]
        fn a_text_is_not_its_own_neighbour(lattice in random_lattice(6), text in "[abc]{1,4}") {
            let chars: Vec<char> = text.chars().collect();

            let neighbours = one_edit_neighbours(&lattice, &chars);

            prop_assert!(!neighbours.contains(&chars));
        }
    }
}
