//! Describes the shape of a signature by numbers that do not depend on pen, paper or size.
//!
//! The ink is thinned; what is kept is a number of points of the skeleton, from left to right, with the direction of
//! the stroke through each, measured by the spread of the whole. A few numbers on the whole come first.

use image::RgbImage;

use super::{field::framed, ink::Darkness, mask::Mask, overlay::StrokePoint, thin};

/// Numbers on the whole that come before the points.
pub(super) const WHOLE: usize = 9;
/// Points of the skeleton that are kept, each as its place to the right and down, and its direction.
pub(super) const POINTS: usize = 256;
/// Numbers of a point.
pub(super) const POINT: usize = 3;
/// Numbers in a shape.
pub const SHAPE_LENGTH: usize = WHOLE + POINTS * POINT;
/// Places and directions are kept no finer than this.
const GRAIN: f32 = 0.001;
/// Half the side of the window in which the direction of a stroke is measured, in parts of the height.
const WINDOW_PART: usize = 24;
/// Pixels to a millimetre of a signature alone, about.
const PX_PER_MM: f32 = 9.0;
/// Height to which ink is brought before it is thinned, pixels.
const HEIGHT: f32 = 96.0;
/// Widest signature after that, pixels.
const WIDEST: f32 = 600.0;

/// The shape of a signature alone on paper; empty when there is no ink.
pub fn shape_of_picture(picture: &RgbImage) -> Vec<f32> {
    let darkness = Darkness::of(picture, PX_PER_MM);
    let whole = [0, 0, darkness.width, darkness.height];
    let threshold = (darkness.quantile(whole, 0.97) * 0.45).clamp(0.14, 0.5);
    let mut ink = darkness.darker_than(threshold);
    for piece in ink.pieces() {
        if piece.pixels.len() < 6 {
            ink.erase(&piece);
        }
    }
    shape_of(&ink)
}

/// The shape of ink; empty when there is none.
pub(super) fn shape_of(ink: &Mask) -> Vec<f32> {
    let Some(bounds) = ink.bounds() else { return Vec::new() };
    let skeleton = thin::thinned(&framed(&resized(&ink.cut(bounds)), 3));
    let points: Vec<(f32, f32, usize)> = skeleton
        .bits
        .iter()
        .enumerate()
        .filter(|(_, bit)| **bit)
        .map(|(index, _)| ((index % skeleton.width) as f32, (index / skeleton.width) as f32, index))
        .collect();
    if points.len() < 8 {
        return Vec::new();
    }
    let frame = Frame::of(&points);
    let mut shape = whole_numbers(&skeleton, &points, &frame);
    shape.extend(placed_points(&skeleton, points, &frame));
    shape
}

/// The points of a shape.
pub(super) fn stroke_points(shape: &[f32]) -> Vec<StrokePoint> {
    // The first number on the whole says how much wider than high the ink spreads, as a natural logarithm.
    let wider = shape.first().copied().unwrap_or(0.0).clamp(-3.0, 3.0).exp();
    let points = shape.get(WHOLE..).unwrap_or_default().chunks_exact(POINT);
    points.map(|point| StrokePoint::new([point[0], point[1]], point[2], wider)).collect()
}

/// Where the signature lies and how far it spreads.
struct Frame {
    x: f32,
    y: f32,
    spread_x: f32,
    spread_y: f32,
    /// How far points lean: covariance of the two directions over the spread downwards.
    lean: f32,
}

impl Frame {
    fn of(points: &[(f32, f32, usize)]) -> Self {
        let count = points.len() as f32;
        let x = points.iter().map(|point| point.0).sum::<f32>() / count;
        let y = points.iter().map(|point| point.1).sum::<f32>() / count;
        let variance_x = points.iter().map(|point| (point.0 - x).powi(2)).sum::<f32>() / count;
        let variance_y = points.iter().map(|point| (point.1 - y).powi(2)).sum::<f32>() / count;
        let together = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f32>() / count;
        let (spread_x, spread_y) = (variance_x.sqrt().max(1.0), variance_y.sqrt().max(1.0));
        Self { x, y, spread_x, spread_y, lean: together / (spread_x * spread_y) }
    }
}

/// Brought to one height, so that thinning and windows mean the same for all.
fn resized(ink: &Mask) -> Mask {
    let scale = (HEIGHT / ink.height as f32).min(WIDEST / ink.width as f32);
    let width = ((ink.width as f32 * scale) as usize).max(4);
    let height = ((ink.height as f32 * scale) as usize).max(4);
    let mut small = Mask::empty(width, height);
    for y in 0..height {
        for x in 0..width {
            let rows = source(y, scale, ink.height);
            let columns = source(x, scale, ink.width);
            let inked = rows
                .clone()
                .flat_map(|row| columns.clone().map(move |column| (row, column)))
                .filter(|&(row, column)| ink.bits[row * ink.width + column])
                .count();
            small.bits[y * width + x] = inked * 2 >= rows.len() * columns.len();
        }
    }
    if small.area() == 0 { ink.clone() } else { small }
}

fn source(place: usize, scale: f32, size: usize) -> std::ops::Range<usize> {
    let from = ((place as f32 / scale) as usize).min(size - 1);
    let to = (((place + 1) as f32 / scale) as usize).clamp(from + 1, size);
    from..to
}

fn whole_numbers(skeleton: &Mask, points: &[(f32, f32, usize)], frame: &Frame) -> Vec<f32> {
    let size = (frame.spread_x * frame.spread_y).sqrt();
    let (mut ends, mut crossings) = (0.0_f32, 0.0_f32);
    for &(_, _, index) in points {
        match thin::crossings(&thin::neighbours(skeleton, index)) {
            1 => ends += 1.0,
            count if count >= 3 => crossings += 1.0,
            _ => {}
        }
    }
    let pieces = skeleton.pieces().len() as f32;
    let length = thin::length(skeleton) / size;
    let fourth = |pick: fn(&(f32, f32, usize)) -> f32, middle: f32, spread: f32| {
        points.iter().map(|point| ((pick(point) - middle) / spread).powi(4)).sum::<f32>()
            / points.len() as f32
    };
    vec![
        (frame.spread_x / frame.spread_y).ln(),
        length.max(0.1).ln(),
        (1.0 + ends).ln(),
        (1.0 + crossings).ln(),
        (1.0 + pieces).ln(),
        frame.lean,
        fourth(|point| point.0, frame.x, frame.spread_x),
        fourth(|point| point.1, frame.y, frame.spread_y),
        (skeleton.width as f32 / skeleton.height as f32).ln(),
    ]
}

/// Points from left to right, evenly chosen among all.
fn placed_points(skeleton: &Mask, mut points: Vec<(f32, f32, usize)>, frame: &Frame) -> Vec<f32> {
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let last = points.len() - 1;
    let chosen = (0..POINTS).filter_map(|rank| points.get(rank * last / (POINTS - 1)));
    chosen
        .flat_map(|&(x, y, _)| {
            let angle = direction(skeleton, x as isize, y as isize);
            [(x - frame.x) / frame.spread_x, (y - frame.y) / frame.spread_y, angle]
        })
        .map(|number| (number / GRAIN).round() * GRAIN)
        .collect()
}

/// The direction of the stroke through a point, 0 to π, 0 being level.
fn direction(skeleton: &Mask, x: isize, y: isize) -> f32 {
    let reach = (skeleton.height / WINDOW_PART).max(2) as isize;
    let (mut xx, mut yy, mut xy) = (0.0_f32, 0.0_f32, 0.0_f32);
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            if skeleton.at(x + dx, y + dy) {
                xx += (dx * dx) as f32;
                yy += (dy * dy) as f32;
                xy += (dx * dy) as f32;
            }
        }
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    let positive = if angle < 0.0 { angle + std::f32::consts::PI } else { angle };
    positive.min(std::f32::consts::PI - 1e-4)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::signature::overlay::mean_distance;

    fn cross(width: u32, pen: u32) -> RgbImage {
        RgbImage::from_fn(width, width / 2, |x, y| {
            let near_level = y.abs_diff(width / 4) < pen && x > width / 8 && x < width * 7 / 8;
            let near_upright = x.abs_diff(width / 3) < pen && y > width / 16 && y < width * 7 / 16;
            if near_level || near_upright { Rgb([20, 20, 60]) } else { Rgb([250, 250, 250]) }
        })
    }

    fn distance(first: &[f32], second: &[f32]) -> f32 {
        mean_distance(&stroke_points(first), &stroke_points(second))
    }

    #[test]
    fn size_and_pen_do_not_matter_and_form_does() {
        let shape = shape_of_picture(&cross(200, 3));
        let larger = shape_of_picture(&cross(400, 4));
        let turned = shape_of_picture(&image::imageops::flip_horizontal(&cross(200, 3)));

        assert_eq!(shape.len(), SHAPE_LENGTH);
        assert!(distance(&shape, &larger) * 2.0 < distance(&shape, &turned));
    }

    #[test]
    fn blank_paper_has_no_shape() {
        assert!(shape_of_picture(&RgbImage::from_pixel(50, 30, Rgb([240, 240, 240]))).is_empty());
        assert!(shape_of_picture(&RgbImage::new(0, 0)).is_empty());
    }
}
