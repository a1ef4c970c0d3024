//! How alike two views are, when one may lie a little aside, turned or stretched.

use super::view::{CELLS, SIDE, View};

/// Cells at the edge that are not compared, so that the other view may lie aside.
const EDGE: usize = 4;
/// Farthest it may lie aside, in cells.
const ASIDE: isize = 2;
/// Below this no turning or stretching makes two views the same.
const HOPELESS: f32 = 0.45;

/// Normalised correlation, at the place where it is best: 1 for the same picture, about 0 for unrelated ones.
pub fn between(one: &View, other: &View) -> f32 {
    let (one, other) = (one.values(), other.values());
    let straight = best_aside(&one, &other);
    if !(HOPELESS..0.97).contains(&straight) {
        return straight;
    }
    let mut best = straight;
    for degrees in [-1.5_f32, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5] {
        for wider in [0.98, 1.0, 1.02] {
            for higher in [0.98, 1.0, 1.02] {
                best = best.max(best_aside(&one, &turned(&other, degrees.to_radians(), wider, higher)));
            }
        }
    }
    best
}

fn best_aside(one: &[f32], other: &[f32]) -> f32 {
    let mut best = -1.0_f32;
    for down in -ASIDE..=ASIDE {
        for across in -ASIDE..=ASIDE {
            best = best.max(correlation(one, other, across, down));
        }
    }
    best
}

fn correlation(one: &[f32], other: &[f32], across: isize, down: isize) -> f32 {
    let length = SIDE - 2 * EDGE;
    let count = (length * length) as f32;
    let [mut a_sum, mut b_sum, mut aa, mut bb, mut ab] = [0.0_f32; 5];
    for row in EDGE..SIDE - EDGE {
        let a_row = &one[row * SIDE + EDGE..][..length];
        let b_start = row.wrapping_add_signed(down) * SIDE + EDGE.wrapping_add_signed(across);
        let b_row = &other[b_start..][..length];
        for (a, b) in a_row.iter().zip(b_row) {
            a_sum += a;
            b_sum += b;
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    }
    let spread = (aa - a_sum * a_sum / count) * (bb - b_sum * b_sum / count);
    if spread <= 0.0 {
        return 0.0;
    }
    (ab - a_sum * b_sum / count) / spread.sqrt()
}

/// The view turned about its middle and stretched.
fn turned(cells: &[f32], radians: f32, wider: f32, higher: f32) -> Vec<f32> {
    let middle = (SIDE as f32 - 1.0) / 2.0;
    let (sine, cosine) = radians.sin_cos();
    let last = SIDE as f32 - 1.001;
    let mut out = Vec::with_capacity(CELLS);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let (x, y) = ((column as f32 - middle) / wider, (row as f32 - middle) / higher);
            let from_x = (x * cosine - y * sine + middle).clamp(0.0, last);
            let from_y = (x * sine + y * cosine + middle).clamp(0.0, last);
            let (left, top) = (from_x as usize, from_y as usize);
            let (right_share, bottom_share) = (from_x - left as f32, from_y - top as f32);
            let at = top * SIDE + left;
            let upper = cells[at] * (1.0 - right_share) + cells[at + 1] * right_share;
            let lower = cells[at + SIDE] * (1.0 - right_share) + cells[at + SIDE + 1] * right_share;
            out.push(upper * (1.0 - bottom_share) + lower * bottom_share);
        }
    }
    out
}
