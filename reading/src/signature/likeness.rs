//! How much a signature looks like earlier ones of the same person.
//!
//! A small logistic model over differences of shape, trained by `tools/signature_training`; origin and licence of
//! its data stand beside the model in `models/README.md`. It ranks for a person and is never a verdict.

use std::sync::LazyLock;

use domain::finding::Judgement;
use serde::Deserialize;

use super::shape::{COLUMNS, DIRECTIONS, ROWS, SHAPE_LENGTH, WHOLE};

const MODEL: &str = include_str!("../../models/signature_likeness.json");
static WEIGHTS: LazyLock<Option<Model>> = LazyLock::new(|| serde_json::from_str(MODEL).ok());

/// Below this score it looks like another hand; one in fifty of the same hand falls below it across pens and media.
const DIFFERS_BELOW: f32 = -1.95;
/// Above this score it looks like the same hand.
const AGREES_ABOVE: f32 = 0.5;
/// Earlier signatures that differ among themselves move the score by at most this much.
const MOST_ALLOWANCE: f32 = 2.0;
/// Two shapes nearer than this are one picture, copied; a hand never repeats itself so closely.
const SAME_PICTURE: f32 = 0.12;

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Natural-log odds that the same hand wrote it, for as many others as own; higher is more alike.
    pub score: f32,
    /// The answer at the working point.
    pub judgement: Judgement,
}

/// Compares a signature's shape with those of earlier, accepted signatures of the same person.
///
/// A person whose earlier signatures differ much among themselves is allowed more. Shapes that were not computed
/// are passed over; with none left nothing can be told.
pub fn likeness(reference: &[&[f32]], questioned: &[f32]) -> Likeness {
    let usable: Vec<&[f32]> = reference.iter().copied().filter(|shape| is_shape(shape)).collect();
    if usable.is_empty() || !is_shape(questioned) {
        return Likeness { score: 0.0, judgement: Judgement::CannotTell };
    }
    let scores: Vec<f32> = usable.iter().map(|shape| score_of(shape, questioned)).collect();
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mean = scores.iter().sum::<f32>() / scores.len() as f32;
    let score = f32::midpoint(best, mean) + allowance(&usable);
    let judgement = match score {
        score if score < DIFFERS_BELOW => Judgement::Differs,
        score if score > AGREES_ABOVE => Judgement::Agrees,
        _ => Judgement::CannotTell,
    };
    Likeness { score, judgement }
}

/// Whether two signatures are the same picture, copied or scanned again.
pub fn is_same_picture(first: &[f32], second: &[f32]) -> bool {
    is_shape(first)
        && is_shape(second)
        && distance(first[WHOLE..].iter().zip(&second[WHOLE..])) < SAME_PICTURE
}

fn is_shape(shape: &[f32]) -> bool {
    shape.len() == SHAPE_LENGTH && shape.iter().all(|number| number.is_finite())
}

/// How far the earlier signatures fall below what one hand usually scores.
fn allowance(shapes: &[&[f32]]) -> f32 {
    let mut scores = Vec::new();
    for (index, first) in shapes.iter().enumerate() {
        scores.extend(shapes[index + 1..].iter().map(|second| score_of(first, second)));
    }
    if scores.is_empty() {
        return 0.0;
    }
    let mean = scores.iter().sum::<f32>() / scores.len() as f32;
    (AGREES_ABOVE - mean).clamp(0.0, MOST_ALLOWANCE) / 2.0
}

#[derive(Deserialize)]
struct Model {
    weights: Vec<f32>,
    bias: f32,
}

fn score_of(first: &[f32], second: &[f32]) -> f32 {
    let Some(model) = WEIGHTS.as_ref() else { return 0.0 };
    let differences = compare(first, second);
    debug_assert_eq!(differences.len(), model.weights.len());
    model.bias
        + differences.iter().zip(&model.weights).map(|(difference, weight)| difference * weight).sum::<f32>()
}

/// Rows and columns to which the map is pooled before it is compared.
const POOLED: [(usize, usize); 5] = [(ROWS, COLUMNS), (4, 8), (2, 4), (8, 4), (2, 16)];

/// The differences the model weighs; the same, in the same order, as in the training.
fn compare(first: &[f32], second: &[f32]) -> Vec<f32> {
    let mut differences: Vec<f32> =
        first.iter().zip(second).take(WHOLE).map(|(a, b)| (a - b).abs()).collect();
    let everywhere =
        |row: usize, column: usize, direction: usize| Some((row * COLUMNS + column) * DIRECTIONS + direction);
    for (rows, columns) in POOLED {
        let cell = |row: usize, column: usize, direction: usize| {
            everywhere(row * rows / ROWS, column * columns / COLUMNS, direction)
        };
        differences.push(apart(first, second, cell));
    }
    differences.push(apart(first, second, |row, column, _| Some(row * COLUMNS + column)));
    differences.push(apart(first, second, |row, _, _| Some(row)));
    differences.push(apart(first, second, |_, column, _| Some(column)));
    differences.push(apart(first, second, |_, _, direction| Some(direction)));
    for only in 0..DIRECTIONS {
        differences.push(apart(first, second, |row, column, direction| {
            (direction == only).then_some(row * COLUMNS + column)
        }));
    }
    for from in (0..COLUMNS).step_by(4) {
        differences.push(apart(first, second, |row, column, direction| {
            (from..from + 4).contains(&column).then(|| (row * COLUMNS + column) * DIRECTIONS + direction)
        }));
    }
    differences
}

/// How far two maps are apart when their cells are gathered by `place`; cells without place are left out.
fn apart(first: &[f32], second: &[f32], place: impl Fn(usize, usize, usize) -> Option<usize>) -> f32 {
    let mut gathered = vec![[0.0_f32; 2]; ROWS * COLUMNS * DIRECTIONS];
    for index in 0..ROWS * COLUMNS * DIRECTIONS {
        let (row, column) = (index / (COLUMNS * DIRECTIONS), index / DIRECTIONS % COLUMNS);
        if let Some(place) = place(row, column, index % DIRECTIONS) {
            gathered[place][0] += first[WHOLE + index].powi(2);
            gathered[place][1] += second[WHOLE + index].powi(2);
        }
    }
    gathered.iter().map(|[a, b]| (a.sqrt() - b.sqrt()).powi(2)).sum::<f32>().sqrt()
}

fn distance<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f32 {
    pairs.map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape_with(stroke: usize) -> Vec<f32> {
        let mut shape = vec![0.0; SHAPE_LENGTH];
        shape[WHOLE + stroke] = 0.8;
        shape[WHOLE + stroke + 1] = 0.6;
        shape
    }

    #[test]
    fn the_model_fits_the_comparison() {
        let model = WEIGHTS.as_ref().unwrap();

        assert_eq!(model.weights.len(), compare(&shape_with(0), &shape_with(40)).len());
    }

    #[test]
    fn the_same_shape_scores_higher_than_another() {
        let (own, other) = (shape_with(10), shape_with(300));

        let same = likeness(&[&own], &own);

        assert!(same.score > likeness(&[&own], &other).score);
        assert_eq!(same.judgement, Judgement::Agrees);
        assert!(is_same_picture(&own, &own));
        assert!(!is_same_picture(&own, &other));
    }

    #[test]
    fn without_a_shape_nothing_can_be_told() {
        assert_eq!(likeness(&[], &shape_with(3)).judgement, Judgement::CannotTell);
        assert_eq!(likeness(&[&[]], &shape_with(3)).judgement, Judgement::CannotTell);
        assert_eq!(likeness(&[&shape_with(3)], &[1.0]).judgement, Judgement::CannotTell);
        assert!(!is_same_picture(&[], &[]));
    }

    proptest! {
        #[test]
        fn comparing_is_the_same_both_ways(values in proptest::collection::vec(0.0_f32..1.0, 2 * SHAPE_LENGTH)) {
            let (first, second) = values.split_at(SHAPE_LENGTH);

            prop_assert!((score_of(first, second) - score_of(second, first)).abs() < 1e-3);
        }
    }
}
