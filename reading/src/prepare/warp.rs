//! Cutting pictures out of pictures.

use domain::geometry::Quad;
use image::RgbImage;

use super::geometry::{Projection, QuadMeasure};

/// No cut-out is wider or higher than this.
const LONGEST_SIDE: u32 = 8000;

/// What stands inside `quad`, straightened to `width` by `height` pixels; what lies off the picture repeats its edge.
pub fn cut(picture: &RgbImage, quad: &Quad, width: u32, height: u32) -> RgbImage {
    let (width, height) = (width.clamp(1, LONGEST_SIDE), height.clamp(1, LONGEST_SIDE));
    let projection = Projection::onto(quad, width as f32, height as f32);
    let shrink = (quad.width() / width as f32).max(quad.height() / height as f32);
    project(picture, &projection, width, height, samples_for(shrink))
}

/// The same at a glance: from few places of the picture, for questions of brightness and colour.
pub fn glance(picture: &RgbImage, quad: &Quad, width: u32, height: u32) -> RgbImage {
    let (width, height) = (width.clamp(1, LONGEST_SIDE), height.clamp(1, LONGEST_SIDE));
    project(picture, &Projection::onto(quad, width as f32, height as f32), width, height, 2)
}

/// A picture of `width` by `height` pixels, each taken from where `projection` sends it.
pub fn view(picture: &RgbImage, projection: &Projection, width: u32, height: u32) -> RgbImage {
    project(picture, projection, width.clamp(1, LONGEST_SIDE), height.clamp(1, LONGEST_SIDE), 1)
}

/// A line cut out at `height` pixels, its width in proportion.
pub fn cut_line(picture: &RgbImage, quad: &Quad, height: u32) -> RgbImage {
    let width = (height as f32 * quad.width() / quad.height().max(1.0)).round().max(1.0);
    cut(picture, quad, (width as u32).clamp(4, LONGEST_SIDE), height)
}

/// The picture brought down to a longest side of at most `longest_side`, each pixel the mean of those it covers.
pub fn shrink(picture: &RgbImage, longest_side: u32) -> RgbImage {
    let longest = picture.width().max(picture.height());
    if longest <= longest_side || longest_side == 0 {
        return picture.clone();
    }
    let scale = f64::from(longest_side) / f64::from(longest);
    let size = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    resize_by_area(picture, size(picture.width()), size(picture.height()))
}

/// Each pixel of the smaller picture is the weighted mean of those it covers.
pub fn resize_by_area(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let columns = coverage(picture.width(), width);
    let rows = coverage(picture.height(), height);
    let source = picture.as_raw();
    let stride = picture.width() as usize * 3;
    let mut output = RgbImage::new(width, height);
    let mut mixed = vec![0.0_f32; stride];
    for (row, target) in rows.iter().zip(output.chunks_exact_mut(width as usize * 3)) {
        mixed.fill(0.0);
        for (weight, line) in row.weights.iter().zip(source[row.first * stride..].chunks_exact(stride)) {
            for (sum, value) in mixed.iter_mut().zip(line) {
                *sum += f32::from(*value) * weight;
            }
        }
        for (column, pixel) in columns.iter().zip(target.chunks_exact_mut(3)) {
            let mut sums = [0.5_f32; 3];
            for (weight, covered) in column.weights.iter().zip(mixed[column.first * 3..].chunks_exact(3)) {
                for (sum, value) in sums.iter_mut().zip(covered) {
                    *sum += value * weight;
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = sum as u8;
            }
        }
    }
    output
}

/// Neighbouring pixels that one pixel of a smaller picture covers, and how much of it each makes up.
struct Covered {
    first: usize,
    weights: Vec<f32>,
}

/// For each of `to` pixels, which of the `from` pixels it covers.
fn coverage(from: u32, to: u32) -> Vec<Covered> {
    let scale = f64::from(from) / f64::from(to.max(1));
    let one = |index: u32| {
        let (start, end) = (f64::from(index) * scale, f64::from(index + 1) * scale);
        let last = ((end.ceil() as usize).max(1) - 1).min(from.saturating_sub(1) as usize);
        let first = (start.floor() as usize).min(last);
        let share = |x: usize| {
            let overlap = (end.min(x as f64 + 1.0) - start.max(x as f64)).max(0.0);
            (overlap / scale) as f32
        };
        Covered { first, weights: (first..=last).map(share).collect() }
    };
    (0..to).map(one).collect()
}

fn samples_for(shrink: f32) -> u32 {
    if shrink.is_finite() { (shrink.round() as u32).clamp(1, 8) } else { 1 }
}

fn project(picture: &RgbImage, projection: &Projection, width: u32, height: u32, samples: u32) -> RgbImage {
    let mut output = RgbImage::new(width, height);
    if picture.width() == 0 || picture.height() == 0 {
        return output;
    }
    let step = 1.0 / f64::from(samples);
    let share = 1.0 / (samples * samples) as f32;
    for (y, row) in output.chunks_exact_mut(width as usize * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let mut sums = [0.5_f32; 3];
            for sample in 0..samples * samples {
                let dx = (f64::from(sample % samples) + 0.5) * step;
                let dy = (f64::from(sample / samples) + 0.5) * step;
                let (sx, sy) = projection.at(x as f64 + dx, y as f64 + dy);
                let colour = between(picture, sx - 0.5, sy - 0.5);
                for channel in 0..3 {
                    sums[channel] += colour[channel] * share;
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = sum as u8;
            }
        }
    }
    output
}

/// Bilinear mean of the four pixels around a place.
fn between(picture: &RgbImage, x: f64, y: f64) -> [f32; 3] {
    let (right_most, bottom_most) = (picture.width() - 1, picture.height() - 1);
    let x = if x.is_nan() { 0.0 } else { x.clamp(0.0, f64::from(right_most)) };
    let y = if y.is_nan() { 0.0 } else { y.clamp(0.0, f64::from(bottom_most)) };
    let (left, top) = (x as u32, y as u32);
    let (right, bottom) = ((left + 1).min(right_most), (top + 1).min(bottom_most));
    let (fx, fy) = ((x - f64::from(left)) as f32, (y - f64::from(top)) as f32);
    let raw = picture.as_raw();
    let place = |x: u32, y: u32| (y as usize * picture.width() as usize + x as usize) * 3;
    let (a, b, c, d) = (place(left, top), place(right, top), place(left, bottom), place(right, bottom));
    let mut colour = [0.0; 3];
    for (channel, value) in colour.iter_mut().enumerate() {
        let upper = f32::from(raw[a + channel]) * (1.0 - fx) + f32::from(raw[b + channel]) * fx;
        let lower = f32::from(raw[c + channel]) * (1.0 - fx) + f32::from(raw[d + channel]) * fx;
        *value = upper * (1.0 - fy) + lower * fy;
    }
    colour
}

#[cfg(test)]
mod tests {
    use domain::geometry::Point;
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shrinking_keeps_the_mean() {
        let picture = RgbImage::from_fn(30, 20, |x, _| Rgb([if x % 3 == 0 { 0 } else { 255 }; 3]));

        let small = shrink(&picture, 10);

        assert_eq!(small.dimensions(), (10, 7));
        assert!(small.pixels().all(|pixel| pixel[0] == 170), "{:?}", small.get_pixel(0, 0));
    }

    #[test]
    fn a_turned_quad_comes_out_upright() {
        let mut picture = RgbImage::from_pixel(20, 20, Rgb([255; 3]));
        picture.put_pixel(15, 4, Rgb([0; 3]));
        let on_its_side = Quad([
            Point { x: 20.0, y: 0.0 },
            Point { x: 20.0, y: 20.0 },
            Point { x: 0.0, y: 20.0 },
            Point { x: 0.0, y: 0.0 },
        ]);

        let upright = cut(&picture, &on_its_side, 20, 20);

        assert_eq!(upright.get_pixel(4, 4)[0], 0);
    }

    proptest! {
        #[test]
        fn any_quad_can_be_cut(corners in proptest::array::uniform8(proptest::num::f32::ANY)) {
            let picture = RgbImage::from_pixel(9, 7, Rgb([9; 3]));
            let [a, b, c, d, e, f, g, h] = corners;
            let quad = Quad([
                Point { x: a, y: b }, Point { x: c, y: d }, Point { x: e, y: f }, Point { x: g, y: h },
            ]);

            let cut_out = cut(&picture, &quad, 12, 5);

            prop_assert_eq!(cut_out.dimensions(), (12, 5));
        }
    }
}
