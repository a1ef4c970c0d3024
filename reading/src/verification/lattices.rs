//! Small lattices for tests.

use domain::reading::{Lattice, LatticeStep};
use proptest::prelude::*;

/// A lattice that says `text`: each character takes a step with `probability`, with blanks between.
pub fn lattice_of(text: &str, probability: f32) -> Lattice {
    let rest = ((1.0 - probability) / 2.0).ln();
    let blank = LatticeStep { classes: vec![(None, probability.ln())], floor: -12.0 };
    let mut steps = vec![blank.clone()];
    for character in text.chars() {
        steps.push(LatticeStep {
            classes: vec![(Some(character), probability.ln()), (None, rest)],
            floor: -12.0,
        });
        steps.push(blank.clone());
    }
    Lattice { steps }
}

/// A lattice over the alphabet a, b, c in which some classes are left to the floor.
pub fn random_lattice(most_steps: usize) -> impl Strategy<Value = Lattice> {
    let class = prop_oneof![Just(None), Just(Some('a')), Just(Some('b')), Just(Some('c'))];
    let step = (proptest::collection::vec((class, -6.0_f32..0.0), 1..4), -9.0_f32..-6.0).prop_map(
        |(mut classes, floor)| {
            classes.sort_by_key(|(class, _)| *class);
            classes.dedup_by_key(|(class, _)| *class);
            classes.sort_by(|a, b| b.1.total_cmp(&a.1));
            LatticeStep { classes, floor }
        },
    );
    proptest::collection::vec(step, 0..=most_steps).prop_map(|steps| Lattice { steps })
}

/// The likelihood by walking every path over `alphabet` and the blank.
pub fn brute_force(lattice: &Lattice, text: &str, alphabet: &[char]) -> f64 {
    let classes: Vec<Option<char>> =
        std::iter::once(None).chain(alphabet.iter().copied().map(Some)).collect();
    let mut paths: Vec<(Vec<Option<char>>, f64)> = vec![(Vec::new(), 0.0)];
    for step in &lattice.steps {
        let mut longer = Vec::new();
        for (path, score) in &paths {
            for &class in &classes {
                let listed = step.classes.iter().find(|(c, _)| *c == class).map_or(step.floor, |(_, p)| *p);
                let mut next = path.clone();
                next.push(class);
                longer.push((next, score + f64::from(listed)));
            }
        }
        paths = longer;
    }
    let sum: f64 =
        paths.iter().filter(|(path, _)| collapse(path) == text).map(|(_, score)| score.exp()).sum();
    sum.ln()
}

fn collapse(path: &[Option<char>]) -> String {
    let mut text = String::new();
    let mut last = None;
    for &class in path {
        if class != last {
            text.extend(class);
        }
        last = class;
    }
    text
}
