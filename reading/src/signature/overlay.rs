//! Lays the strokes of one signature over those of another, elastically, and says how far apart they stay.
//!
//! One hand writes a name wider or closer and with the characters higher or lower from day to day, but with the same
//! forms of the strokes; so places are moved and stretched gently, differently from left to right, before distances
//! are taken. Everything is in spreads of the ink, so size does not matter.

use super::normal_equations::NormalEquations;

/// How much a difference of direction counts beside one of place.
const DIRECTION_COUNTS: f32 = 0.35;
/// A point further than this from the other signature's strokes counts little for how it is moved.
const NEAR: f32 = 0.3;
/// Movements cost this much, so that strokes are not bent until they fit.
const STIFFNESS: f32 = 3.0;
/// Places from left to right between which movements go over into each other; first roughly, then finely.
const KNOTS: [usize; 4] = [2, 2, FINEST, FINEST];
/// Places of the last step.
const FINEST: usize = 5;
/// Points further than this from the other signature are strokes that it does not have.
const MISSING: f32 = 0.35;
/// Stretches from left to right that are judged each alone.
const STRETCHES: usize = 6;

/// A point of the thinned ink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StrokePoint {
    /// Right and down from the middle of the ink, in its spreads.
    pub(super) place: [f32; 2],
    /// The direction of the stroke as a point on a circle on which opposite directions are one.
    pub(super) turn: [f32; 2],
    /// Across the stroke, where places are measured, of length one.
    across: [f32; 2],
}

impl StrokePoint {
    /// A point by its place and the direction of its stroke on paper, 0 to π; places are measured in units that are
    /// `wider` times as long to the right as down.
    pub(super) fn new(place: [f32; 2], direction: f32, wider: f32) -> Self {
        let (sin, cos) = direction.sin_cos();
        let (right, down) = (cos, sin * wider);
        let length = right.hypot(down).max(f32::MIN_POSITIVE);
        Self {
            place,
            turn: [(2.0 * direction).cos(), (2.0 * direction).sin()],
            across: [-down / length, right / length],
        }
    }

    /// The point of the mirror image along an axis.
    pub(super) fn mirrored(mut self, axis: usize) -> Self {
        self.place[axis] = -self.place[axis];
        self.across[axis] = -self.across[axis];
        self.turn[1] = -self.turn[1];
        self
    }

    /// How far a place is from the line on which the stroke runs here.
    fn off_stroke(&self, place: [f32; 2]) -> f32 {
        ((place[0] - self.place[0]) * self.across[0] + (place[1] - self.place[1]) * self.across[1]).abs()
    }
}

/// Numbers of what stays between two signatures laid over each other.
pub(super) const RESIDUALS: usize = 19;
/// Of these, the mean distance from the other's points.
pub(super) const DISTANCE: usize = 0;
/// Of these, the mean distance from the lines on which the other's strokes run, which does not depend on which of
/// their points were kept.
pub(super) const OFF_STROKE: usize = 17;

/// How far the points of one signature, from left to right, stay from those of another, after they were moved.
pub(super) fn residuals(moved: &[StrokePoint], fixed: &[StrokePoint]) -> [f32; RESIDUALS] {
    let mut laid = moved.to_vec();
    let mut movement = Movement::none(moved);
    for knots in KNOTS {
        let nearest = nearest(&laid, fixed);
        movement = Movement::between(moved, fixed, &nearest, knots);
        movement.apply(moved, &mut laid);
    }
    summary(&laid, fixed, &nearest(&laid, fixed), &movement)
}

/// Mean distance of the points of one signature from those of another as they lie.
pub(super) fn mean_distance(from: &[StrokePoint], to: &[StrokePoint]) -> f32 {
    mean(nearest(from, to).iter().map(|near| near.distance))
}

/// The point of the other signature that is nearest, and how near.
#[derive(Clone, Copy)]
struct Near {
    index: usize,
    distance: f32,
}

fn nearest(from: &[StrokePoint], to: &[StrokePoint]) -> Vec<Near> {
    let square = |value: f32| value * value;
    let weight = square(DIRECTION_COUNTS);
    let nearest_to = |point: &StrokePoint| {
        let mut near = Near { index: 0, distance: f32::INFINITY };
        for (index, other) in to.iter().enumerate() {
            let place = square(point.place[0] - other.place[0]) + square(point.place[1] - other.place[1]);
            let turn = square(point.turn[0] - other.turn[0]) + square(point.turn[1] - other.turn[1]);
            let distance = place + weight * turn;
            if distance < near.distance {
                near = Near { index, distance };
            }
        }
        Near { distance: near.distance.sqrt(), ..near }
    };
    from.iter().map(nearest_to).collect()
}

/// How every point is moved, by its rank from left to right and its place within its stretch.
struct Movement {
    hats: Hats,
    /// For each axis: a shift and a stretch at each knot.
    coefficients: [Vec<f32>; 2],
}

impl Movement {
    fn none(points: &[StrokePoint]) -> Self {
        Self { hats: Hats::of(points, 2), coefficients: [vec![0.0; 4], vec![0.0; 4]] }
    }

    /// The gentlest movement that brings most points near to those they belong to.
    fn between(moved: &[StrokePoint], fixed: &[StrokePoint], near: &[Near], knots: usize) -> Self {
        let hats = Hats::of(moved, knots);
        let coefficients = [0, 1].map(|axis| {
            let mut equations = NormalEquations::new(2 * knots, STIFFNESS);
            for (rank, (point, near)) in moved.iter().zip(near).enumerate() {
                let Some(target) = fixed.get(near.index) else { continue };
                let weight = 1.0 / (1.0 + (near.distance / NEAR).powi(2));
                equations.add(&hats.row(rank, point, axis), target.place[axis] - point.place[axis], weight);
            }
            equations.solve()
        });
        Self { hats, coefficients }
    }

    fn apply(&self, moved: &[StrokePoint], laid: &mut [StrokePoint]) {
        for (rank, (from, to)) in moved.iter().zip(laid).enumerate() {
            for axis in [0, 1] {
                let row = self.hats.row(rank, from, axis);
                let shift: f32 =
                    row.iter().map(|&(index, value)| self.coefficients[axis][index] * value).sum();
                to.place[axis] = from.place[axis] + shift;
            }
        }
    }
}

/// Knots at equal numbers of points from left to right; each point belongs to the two around it.
struct Hats {
    knots: usize,
    /// Number of points.
    count: usize,
    /// Where the ink lies at each knot, for each axis.
    middles: [Vec<f32>; 2],
}

impl Hats {
    fn of(points: &[StrokePoint], knots: usize) -> Self {
        let mut hats = Self { knots, count: points.len(), middles: [vec![0.0; knots], vec![0.0; knots]] };
        hats.middles = [0, 1].map(|axis| {
            let mut equations = NormalEquations::new(knots, 1e-6);
            for (rank, point) in points.iter().enumerate() {
                equations.add(&hats.shares(rank), point.place[axis], 1.0);
            }
            equations.solve()
        });
        hats
    }

    /// The knots a point lies between, each with its share.
    fn shares(&self, rank: usize) -> [(usize, f32); 2] {
        let place = rank as f32 / (self.count.max(2) - 1) as f32 * (self.knots - 1) as f32;
        let first = (place as usize).min(self.knots - 2);
        let part = place - first as f32;
        [(first, 1.0 - part), (first + 1, part)]
    }

    /// How each coefficient of an axis moves a point: shifts first, then stretches away from the middle of its knots.
    fn row(&self, rank: usize, point: &StrokePoint, axis: usize) -> [(usize, f32); 4] {
        let [(first, one), (second, other)] = self.shares(rank);
        let middle = self.middles[axis][first] * one + self.middles[axis][second] * other;
        let off = point.place[axis] - middle;
        [(first, one), (second, other), (self.knots + first, one * off), (self.knots + second, other * off)]
    }
}

fn summary(
    laid: &[StrokePoint],
    fixed: &[StrokePoint],
    near: &[Near],
    movement: &Movement,
) -> [f32; RESIDUALS] {
    let mut distances: Vec<f32> = near.iter().map(|near| near.distance).collect();
    let beside = |near: &Near| fixed.get(near.index);
    let apart = mean(laid.iter().zip(near).filter_map(|(point, near)| {
        let other = beside(near)?;
        Some((point.place[0] - other.place[0]).hypot(point.place[1] - other.place[1]))
    }));
    let turned = mean(laid.iter().zip(near).filter_map(|(point, near)| {
        let other = beside(near)?;
        Some(1.0 - point.turn[0] * other.turn[0] - point.turn[1] * other.turn[1])
    }));
    let mut off_strokes: Vec<f32> = laid
        .iter()
        .zip(near)
        .filter_map(|(point, near)| Some(beside(near)?.off_stroke(point.place)))
        .collect();
    let stretches: Vec<f32> = distances
        .chunks(distances.len().div_ceil(STRETCHES).max(1))
        .map(|part| mean(part.iter().copied()))
        .collect();
    let missing = mean(distances.iter().map(|&distance| if distance > MISSING { 1.0 } else { 0.0 }));
    let all = mean(distances.iter().copied());
    distances.sort_by(f32::total_cmp);
    off_strokes.sort_by(f32::total_cmp);
    let [across, down] = [0, 1].map(|axis| movement.extent(axis));
    [
        all,
        quantile(&distances, 0.25),
        quantile(&distances, 0.5),
        quantile(&distances, 0.75),
        quantile(&distances, 0.9),
        apart,
        turned,
        stretches.iter().copied().fold(f32::INFINITY, f32::min),
        stretches.iter().copied().fold(0.0, f32::max),
        missing,
        unmatched(fixed.len(), near),
        across.shifts_spread,
        down.shifts_spread,
        across.stretches_spread,
        down.stretches_spread,
        across.stretching,
        down.stretching,
        mean(off_strokes.iter().copied()),
        quantile(&off_strokes, 0.9),
    ]
}

/// Share of the other signature's points that no point came near to, nor to the ones beside it.
fn unmatched(count: usize, near: &[Near]) -> f32 {
    let mut is_matched = vec![false; count];
    for near in near {
        let from = near.index.saturating_sub(1);
        let to = (near.index + 2).min(count);
        if let Some(beside) = is_matched.get_mut(from..to) {
            beside.fill(true);
        }
    }
    mean(is_matched.into_iter().map(|is_matched| if is_matched { 0.0 } else { 1.0 }))
}

/// How much an axis had to be moved.
struct MovedBy {
    shifts_spread: f32,
    stretches_spread: f32,
    stretching: f32,
}

impl Movement {
    fn extent(&self, axis: usize) -> MovedBy {
        let (shifts, stretches) = self.coefficients[axis].split_at(self.hats.knots);
        MovedBy {
            shifts_spread: spread(shifts),
            stretches_spread: spread(stretches),
            stretching: mean(stretches.iter().map(|stretch| stretch.abs())),
        }
    }
}

fn quantile(sorted: &[f32], share: f32) -> f32 {
    let place = sorted.len().saturating_sub(1) as f32 * share;
    let (first, part) = (place as usize, place.fract());
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    at(first) * (1.0 - part) + if part > 0.0 { at(first + 1) * part } else { 0.0 }
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count.max(1) as f32
}

fn spread(values: &[f32]) -> f32 {
    let middle = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - middle).powi(2))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves of ink whose middle part is moved to the right and up.
    fn waves(bend: f32, kind: f32) -> Vec<StrokePoint> {
        (0..200)
            .map(|index| {
                let x = index as f32 / 50.0 - 2.0;
                let y = (x * kind).sin() + 0.2 * (3.0 * x).cos();
                let moved = bend * (1.0 - x.abs() / 2.0);
                StrokePoint::new(
                    [x + moved, y + moved],
                    (kind * (x * kind).cos()).atan().rem_euclid(3.1),
                    1.0,
                )
            })
            .collect()
    }

    #[test]
    fn the_same_form_bent_stays_nearer_than_another_form() {
        let form = waves(0.0, 3.0);

        let same = residuals(&form, &form)[DISTANCE];
        let bent = residuals(&form, &waves(0.3, 3.0))[DISTANCE];
        let other = residuals(&form, &waves(0.0, 5.0))[DISTANCE];

        assert!(same < 1e-3, "{same}");
        assert!(bent < mean_distance(&form, &waves(0.3, 3.0)), "{bent}");
        assert!(bent * 2.0 < other, "{bent} {other}");
    }

    #[test]
    fn few_points_or_all_in_one_place_are_no_fault() {
        let point = StrokePoint::new([0.0, 0.0], 1.0, 1.0);

        assert!(residuals(&[point; 4], &[point; 4]).iter().all(|number| number.is_finite()));
    }
}
