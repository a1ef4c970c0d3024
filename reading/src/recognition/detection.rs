//! From the detector's probability map to lines: regions above a threshold, their least rectangles, grown back
//! to the size the training shrank them from.

use domain::geometry::{Point, Quad};

use super::DetectedLine;
use crate::prepare::geometry::{Projection, QuadMeasure, least_rectangle};

/// Pixels at least this probable belong to a line.
const THRESHOLD: f32 = 0.3;
/// Regions with a lower mean are noise.
const LEAST_SCORE: f32 = 0.45;
/// How far a rectangle grows: area times this over its circumference.
const GROWTH: f32 = 1.6;
/// Regions narrower than this, in pixels of the map, are specks.
const LEAST_SIDE: f32 = 2.0;
/// More lines than this are on no paper.
const MOST_LINES: usize = 1000;

/// Lines of a map of `width` columns; `to_picture` takes places on the map to places on the picture.
pub fn lines(map: &[f32], width: usize, to_picture: &Projection) -> Vec<DetectedLine> {
    if width == 0 || map.len() < width {
        return Vec::new();
    }
    let height = map.len() / width;
    let mut seen = vec![false; width * height];
    let mut found = Vec::new();
    for start in 0..width * height {
        if seen[start] || !is_line(map[start]) {
            continue;
        }
        let region = flood(map, width, height, start, &mut seen);
        if let Some(line) = line_of(&region, to_picture) {
            found.push(line);
        }
        if found.len() == MOST_LINES {
            break;
        }
    }
    found
}

/// The outermost pixels of a region, with its mean probability.
struct Region {
    outline: Vec<Point>,
    mean: f32,
}

fn is_line(probability: f32) -> bool {
    probability > THRESHOLD
}

fn flood(map: &[f32], width: usize, height: usize, start: usize, seen: &mut [bool]) -> Region {
    let mut open = vec![start];
    let mut extents: std::collections::BTreeMap<usize, (usize, usize)> = std::collections::BTreeMap::new();
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    seen[start] = true;
    while let Some(index) = open.pop() {
        let (x, y) = (index % width, index / width);
        sum += f64::from(map[index].min(1.0));
        count += 1;
        let extent = extents.entry(y).or_insert((x, x));
        *extent = (extent.0.min(x), extent.1.max(x));
        for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                let next = ny * width + nx;
                if !seen[next] && is_line(map[next]) {
                    seen[next] = true;
                    open.push(next);
                }
            }
        }
    }
    let corner = |x: usize, y: usize| Point { x: x as f32, y: y as f32 };
    let outline = extents
        .iter()
        .flat_map(|(&y, &(from, to))| {
            [corner(from, y), corner(to + 1, y), corner(from, y + 1), corner(to + 1, y + 1)]
        })
        .collect();
    Region { outline, mean: (sum / f64::from(count.max(1))) as f32 }
}

fn line_of(region: &Region, to_picture: &Projection) -> Option<DetectedLine> {
    if region.mean < LEAST_SCORE {
        return None;
    }
    let quad = least_rectangle(&region.outline)?;
    let (width, height) = (quad.width(), quad.height());
    if width.min(height) < LEAST_SIDE {
        return None;
    }
    let growth = width * height * GROWTH / (2.0 * (width + height));
    let grown: Quad = quad.grown(growth, growth, growth);
    Some(DetectedLine { quad: to_picture.apply_quad(&grown), score: region.mean })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map_with(blocks: &[(usize, usize, usize, usize, f32)]) -> Vec<f32> {
        let mut map = vec![0.0; 60 * 40];
        for &(left, top, width, height, probability) in blocks {
            for y in top..top + height {
                map[y * 60 + left..y * 60 + left + width].fill(probability);
            }
        }
        map
    }

    #[test]
    fn two_blocks_are_two_lines_grown_on_all_sides() {
        let map = map_with(&[(5, 5, 30, 4, 0.9), (5, 20, 20, 4, 0.8)]);

        let found = lines(&map, 60, &Projection::scaling(2.0, 2.0));

        assert_eq!(found.len(), 2);
        let [left, top, right, bottom] = found[0].quad.bounds();
        assert!(left < 10.0 && top < 10.0 && right > 70.0 && bottom > 18.0, "{:?}", found[0].quad);
        assert!((found[1].score - 0.8).abs() < 1e-3);
    }

    #[test]
    fn weak_regions_and_specks_are_not_lines() {
        let map = map_with(&[(5, 5, 30, 4, 0.35), (50, 30, 1, 1, 0.99)]);

        assert_eq!(lines(&map, 60, &Projection::IDENTITY), vec![]);
    }

    proptest! {
        #[test]
        fn any_map_is_taken(
            map in proptest::collection::vec(proptest::num::f32::ANY, 0..300),
            width in 0_usize..40,
        ) {
            for line in lines(&map, width, &Projection::IDENTITY) {
                prop_assert!(line.quad.0.iter().all(|point| point.x.is_finite() && point.y.is_finite()));
            }
        }
    }
}
