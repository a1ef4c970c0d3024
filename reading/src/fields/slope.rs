//! How rows run on a page: on a photograph their tilt changes from place to place.

use domain::geometry::{Point, Quad};

use crate::{lines::Line, prepare::geometry::QuadMeasure};

/// Lines this many times as long as high tell the tilt.
const LONG: f32 = 4.0;
/// Lines tilted otherwise than the rest by more, radians, are stamps or handwriting.
const ODD: f32 = 0.06;
/// So many lines tell how the tilt changes.
const LEAST_LINES: usize = 6;
/// How strongly the tilt is held to be the same everywhere, as a share of the spread of the lines.
const HOLD: f32 = 0.05;

/// Tilt of rows as a linear function of the place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Slope {
    middle: (f32, f32),
    mean: f32,
    change: (f32, f32),
}

/// Where a line is, how it is tilted, how much that counts.
type Witness = (Point, f32, f32);

impl Slope {
    /// Of the rows that `lines` stand in.
    pub(super) fn of(lines: &[Line]) -> Self {
        let quads = lines.iter().map(|line| &line.quad);
        let witnesses: Vec<Witness> = quads
            .filter(|quad| quad.width() > LONG * quad.height())
            .map(|quad| (quad.centre(), quad.angle(), quad.width()))
            .collect();
        let first = fit(&witnesses);
        let usual: Vec<Witness> = witnesses
            .into_iter()
            .filter(|(place, angle, _)| (angle - first.at(*place)).abs() < ODD)
            .collect();
        fit(&usual)
    }

    /// Tilt at a place, radians.
    pub(super) fn at(&self, place: Point) -> f32 {
        self.mean + self.change.0 * (place.x - self.middle.0) + self.change.1 * (place.y - self.middle.1)
    }

    /// Tilt of the row a quad stands in: its own where it is long enough to tell.
    pub(super) fn of_quad(&self, quad: &Quad) -> f32 {
        if quad.width() > 2.0 * LONG * quad.height() { quad.angle() } else { self.at(quad.centre()) }
    }
}

/// Least squares, weighted, the change held near none.
fn fit(witnesses: &[Witness]) -> Slope {
    let total: f32 = witnesses.iter().map(|(_, _, weight)| weight).sum();
    if total <= 0.0 {
        return Slope::default();
    }
    let mean_of = |value: &dyn Fn(&Witness) -> f32| {
        witnesses.iter().map(|witness| witness.2 * value(witness)).sum::<f32>() / total
    };
    let middle = (mean_of(&|w| w.0.x), mean_of(&|w| w.0.y));
    let mean = mean_of(&|w| w.1);
    let mut slope = Slope { middle, mean, change: (0.0, 0.0) };
    if witnesses.len() < LEAST_LINES {
        return slope;
    }
    let xx = mean_of(&|w| (w.0.x - middle.0).powi(2));
    let yy = mean_of(&|w| (w.0.y - middle.1).powi(2));
    let xy = mean_of(&|w| (w.0.x - middle.0) * (w.0.y - middle.1));
    let xa = mean_of(&|w| (w.0.x - middle.0) * (w.1 - mean));
    let ya = mean_of(&|w| (w.0.y - middle.1) * (w.1 - mean));
    let hold = HOLD * xx.max(yy);
    let (a, d) = (xx + hold, yy + hold);
    let determinant = a * d - xy * xy;
    if determinant > 1e-3 * a * d {
        slope.change = ((d * xa - xy * ya) / determinant, (a * ya - xy * xa) / determinant);
    }
    slope
}

#[cfg(test)]
mod tests {
    use domain::reading::Lattice;

    use super::*;

    fn line(x: f32, y: f32, angle: f32) -> Line {
        let (dx, dy) = (200.0 * angle.cos(), 200.0 * angle.sin());
        let at = |x: f32, y: f32| Point { x, y };
        let quad = Quad([at(x, y), at(x + dx, y + dy), at(x + dx, y + dy + 20.0), at(x, y + 20.0)]);
        Line { quad, text: Vec::new(), spans: Vec::new(), confidence: 1.0, lattice: Lattice::default() }
    }

    #[test]
    fn the_tilt_follows_the_place_and_a_stamp_does_not_count() {
        let mut lines: Vec<Line> =
            (0..10).map(|row| line(100.0, 100.0 * row as f32, 0.01 * row as f32)).collect();
        lines.push(line(150.0, 450.0, -0.5));

        let slope = Slope::of(&lines);

        assert!(slope.at(Point { x: 200.0, y: 10.0 }).abs() < 0.012);
        assert!((slope.at(Point { x: 200.0, y: 910.0 }) - 0.09).abs() < 0.012);
    }

    #[test]
    fn without_lines_rows_are_level() {
        assert_eq!(Slope::of(&[]).at(Point { x: 5.0, y: 7.0 }), 0.0);
    }
}
