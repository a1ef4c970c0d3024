//! How much a signature looks like earlier ones of the same person.
//!
//! A small logistic model over differences of shape, trained by `tools/signature_training`; origin and licence of
//! its data stand beside the model in `models/README.md`. It ranks for a person and is never a verdict.

use std::{f32::consts::TAU, sync::LazyLock};

use domain::finding::Judgement;
use serde::Deserialize;

use super::{
    overlay::{DISTANCE, OFF_STROKE, StrokePoint, mean_distance, residuals},
    shape::{SHAPE_LENGTH, WHOLE, stroke_points},
};

const MODEL: &str = include_str!("../../models/signature_likeness.json");
static WEIGHTS: LazyLock<Option<Model>> = LazyLock::new(|| serde_json::from_str(MODEL).ok());

/// Below this score it looks like another hand; one in fifty of the same hand falls below it, pen against pen.
const DIFFERS_BELOW: f32 = -1.6;
/// Above this score it looks like the same hand.
const AGREES_ABOVE: f32 = 0.5;
/// Earlier signatures that differ among themselves move the score by at most this much.
const MOST_ALLOWANCE: f32 = 2.0;
/// Strokes nearer than this to those of another signature are the same picture, copied: a hand comes no nearer than
/// 0.041 in 2,990 pairs, nine copies in ten do.
const SAME_PICTURE: f32 = 0.03;
/// Distances below this are nothing but the grain of the points.
const LEAST_DISTANCE: f32 = 0.01;
/// Directions of strokes told apart.
const TURNS: usize = 12;

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
    let Some([first, second]) = laid_out(first, second) else { return false };
    let [there, back] = [residuals(&first, &second), residuals(&second, &first)];
    f32::midpoint(there[OFF_STROKE], back[OFF_STROKE]) < SAME_PICTURE
}

fn is_shape(shape: &[f32]) -> bool {
    shape.len() == SHAPE_LENGTH && shape.iter().all(|number| number.is_finite())
}

fn laid_out(first: &[f32], second: &[f32]) -> Option<[Vec<StrokePoint>; 2]> {
    (is_shape(first) && is_shape(second)).then(|| [stroke_points(first), stroke_points(second)])
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
    let differences = differences(first, second);
    debug_assert_eq!(differences.len(), model.weights.len());
    model.bias
        + differences.iter().zip(&model.weights).map(|(difference, weight)| difference * weight).sum::<f32>()
}

/// The differences the model weighs, the same both ways; empty when either shape was not computed.
pub fn differences(first: &[f32], second: &[f32]) -> Vec<f32> {
    let Some([one, other]) = laid_out(first, second) else { return Vec::new() };
    let [there, back] = [residuals(&one, &other), residuals(&other, &one)];
    let mut differences: Vec<f32> = there.iter().zip(&back).map(|(a, b)| f32::midpoint(*a, *b)).collect();
    let by_chance = by_chance(&one, &other);
    let unmoved = between(&one, &other);
    let against_chance = |distance: f32| (distance.max(LEAST_DISTANCE) / by_chance.max(LEAST_DISTANCE)).ln();
    differences.extend([
        (there[DISTANCE] - back[DISTANCE]).abs(),
        unmoved,
        by_chance,
        against_chance(f32::midpoint(there[DISTANCE], back[DISTANCE])),
        against_chance(f32::midpoint(there[2], back[2])),
        against_chance(f32::midpoint(there[4], back[4])),
        against_chance(unmoved),
    ]);
    differences.extend(first.iter().zip(second).take(WHOLE).map(|(a, b)| (a - b).abs()));
    differences.push(turns_apart(&one, &other));
    differences
}

/// How far two signatures of their extent and density stay apart when they have nothing in common: each is laid over
/// the other's mirror images.
fn by_chance(one: &[StrokePoint], other: &[StrokePoint]) -> f32 {
    let mirrored =
        |axis: usize| -> Vec<StrokePoint> { one.iter().map(|point| point.mirrored(axis)).collect() };
    f32::midpoint(between(&mirrored(0), other), between(&mirrored(1), other))
}

fn between(one: &[StrokePoint], other: &[StrokePoint]) -> f32 {
    f32::midpoint(mean_distance(one, other), mean_distance(other, one))
}

/// How differently the strokes are spread over the directions.
fn turns_apart(one: &[StrokePoint], other: &[StrokePoint]) -> f32 {
    let [one, other] = [turns(one), turns(other)];
    one.iter().zip(&other).map(|(a, b)| (a.sqrt() - b.sqrt()).powi(2)).sum::<f32>().sqrt()
}

/// The share of the points in each direction; a point between two directions counts for both.
fn turns(points: &[StrokePoint]) -> [f32; TURNS] {
    let mut shares = [0.0; TURNS];
    for point in points {
        let turn = point.turn[1].atan2(point.turn[0]).rem_euclid(TAU) / TAU * TURNS as f32;
        let part = turn.fract();
        shares[turn as usize % TURNS] += (1.0 - part) / points.len() as f32;
        shares[(turn as usize + 1) % TURNS] += part / points.len() as f32;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The shape of a wave of so many bows.
    fn shape_with(bows: f32) -> Vec<f32> {
        let mut shape = vec![0.5; WHOLE];
        for index in 0..(SHAPE_LENGTH - WHOLE) / 3 {
            let x = index as f32 / 64.0 - 2.0;
            shape.extend([x, (bows * x).sin(), (bows * (bows * x).cos()).atan().rem_euclid(3.1)]);
        }
        shape
    }

    #[test]
    fn the_model_fits_the_comparison() {
        let model = WEIGHTS.as_ref().unwrap();

        assert_eq!(model.weights.len(), differences(&shape_with(2.0), &shape_with(3.0)).len());
    }

    #[test]
    fn the_same_shape_scores_higher_than_another() {
        let (own, other) = (shape_with(3.0), shape_with(5.0));

        let same = likeness(&[&own], &own);

        assert!(same.score > likeness(&[&own], &other).score);
        assert_eq!(same.judgement, Judgement::Agrees);
        assert!(is_same_picture(&own, &own));
        assert!(!is_same_picture(&own, &other));
    }

    #[test]
    fn without_a_shape_nothing_can_be_told() {
        assert_eq!(likeness(&[], &shape_with(3.0)).judgement, Judgement::CannotTell);
        assert_eq!(likeness(&[&[]], &shape_with(3.0)).judgement, Judgement::CannotTell);
        assert_eq!(likeness(&[&shape_with(3.0)], &[1.0]).judgement, Judgement::CannotTell);
        assert!(!is_same_picture(&[], &[]));
    }

    proptest! {
        #[test]
        fn comparing_is_the_same_both_ways(values in proptest::collection::vec(-2.0_f32..2.0, 2 * SHAPE_LENGTH)) {
            let (first, second) = values.split_at(SHAPE_LENGTH);
            let (there, back) = (differences(first, second), differences(second, first));

            prop_assert!(there.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-3), "{:?} {:?}", there, back);
        }
    }
}
