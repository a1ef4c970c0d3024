//! Cutting pictures out of pictures.

use domain::geometry::Quad;
use image::RgbImage;

use super::geometry::{Projection, QuadMeasure};

/// No cut-out is wider or higher than this.
const LONGEST_SIDE: u32 = 8000;
/// Shares of a pixel are counted in parts of this.
const WHOLE: u16 = 256;
/// Further bits of a place while many are added up.
const FRACTION: u32 = 24;

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

/// A part of a picture, as large as it is there; what lies off the picture is left out.
pub fn crop(picture: &RgbImage, [left, top, width, height]: [u32; 4]) -> RgbImage {
    let (left, top) = (left.min(picture.width()), top.min(picture.height()));
    let (width, height) = (width.min(picture.width() - left), height.min(picture.height() - top));
    let stride = (picture.width() as usize * 3).max(1);
    let rows = picture.as_raw().chunks_exact(stride).skip(top as usize).take(height as usize);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for row in rows {
        let part = row.get(left as usize * 3..(left + width) as usize * 3);
        pixels.extend_from_slice(part.unwrap_or_default());
    }
    RgbImage::from_raw(width, height, pixels).unwrap_or_default()
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
    let mut output = RgbImage::new(width, height);
    if picture.width() == 0 || picture.height() == 0 || width == 0 || height == 0 {
        return output;
    }
    let columns = coverage(picture.width(), width);
    let rows = coverage(picture.height(), height);
    let source = picture.as_raw();
    let stride = picture.width() as usize * 3;
    let mut mixed = vec![0_u16; stride];
    for (row, target) in rows.iter().zip(output.chunks_exact_mut(width as usize * 3)) {
        mixed.fill(0);
        for (weight, line) in row.weights.iter().zip(source[row.first * stride..].chunks_exact(stride)) {
            for (sum, value) in mixed.iter_mut().zip(line) {
                // Invariant: weights add up to `WHOLE`, so that no sum exceeds 65,280. Operations that cannot
                // fail are done on many pixels at once.
                *sum = sum.wrapping_add(u16::from(*value).wrapping_mul(*weight));
            }
        }
        for (column, pixel) in columns.iter().zip(target.chunks_exact_mut(3)) {
            let mut sums = [u32::from(WHOLE) * u32::from(WHOLE) / 2; 3];
            for (weight, covered) in column.weights.iter().zip(mixed[column.first * 3..].chunks_exact(3)) {
                for (sum, value) in sums.iter_mut().zip(covered) {
                    *sum += u32::from(*value) * u32::from(*weight);
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = (sum / (u32::from(WHOLE) * u32::from(WHOLE))) as u8;
            }
        }
    }
    output
}

/// Neighbouring pixels that one pixel of a smaller picture covers, and how much of `WHOLE` each makes up.
struct Covered {
    first: usize,
    weights: Vec<u16>,
}

/// For each of `to` pixels, which of the `from` pixels it covers.
fn coverage(from: u32, to: u32) -> Vec<Covered> {
    let scale = f64::from(from) / f64::from(to.max(1));
    let one = |index: u32| {
        let (start, end) = (f64::from(index) * scale, f64::from(index + 1) * scale);
        let last = ((end.ceil() as usize).max(1) - 1).min(from.saturating_sub(1) as usize);
        let first = (start.floor() as usize).min(last);
        // Rounded where each pixel ends, the weights add up exactly.
        let until = |x: usize| ((x as f64 + 1.0 - start) / scale * f64::from(WHOLE)).round() as u16;
        let mut before = 0;
        let mut weights = Vec::with_capacity(last + 1 - first);
        for x in first..=last {
            let here = if x == last { WHOLE } else { until(x).min(WHOLE) };
            weights.push(here - before);
            before = here;
        }
        Covered { first, weights }
    };
    (0..to).map(one).collect()
}

/// Samples each way for a pixel that covers `shrink` pixels each way. A sample is the mean of two by two, so that half
/// as many see every pixel.
fn samples_for(shrink: f32) -> u32 {
    if !shrink.is_finite() || shrink < 1.5 {
        return 1;
    }
    ((shrink / 2.0).ceil() as u32).clamp(2, 8)
}

fn project(picture: &RgbImage, projection: &Projection, width: u32, height: u32, samples: u32) -> RgbImage {
    let mut output = RgbImage::new(width, height);
    if picture.width() == 0 || picture.height() == 0 {
        return output;
    }
    let source = Source::of(picture);
    let step = 1.0 / f64::from(samples);
    let share = 1.0 / ((samples * samples) as f32 * f32::from(WHOLE) * f32::from(WHOLE));
    let mut sums = vec![[0_u32; 3]; width as usize];
    for (y, row) in output.chunks_exact_mut(width as usize * 3).enumerate() {
        sums.fill([0; 3]);
        for part in 0..samples {
            let v = y as f64 + (f64::from(part) + 0.5) * step;
            source.add_row(projection, (v, step), samples, &mut sums);
        }
        for (pixel, sums) in row.chunks_exact_mut(3).zip(&sums) {
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = (*sum as f32 * share + 0.5) as u8;
            }
        }
    }
    output
}

/// A place as a whole number of parts of a pixel, far smaller than `WHOLE`; 0 for what is no number.
fn fixed(place: f64) -> i64 {
    (place * f64::from(WHOLE) * (1_i64 << FRACTION) as f64) as i64
}

/// A picture of which the mean of four neighbours is taken, in whole numbers.
struct Source<'a> {
    pixels: &'a [u8],
    stride: usize,
    /// Last column and row that have a neighbour behind them, or the only ones.
    last: (u32, u32),
    /// Farthest place, in parts of which `WHOLE` are a pixel.
    farthest: (i64, i64),
    /// Bytes to the neighbour on the right and to the one below.
    next: (usize, usize),
}

impl<'a> Source<'a> {
    fn of(picture: &'a RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        let stride = width as usize * 3;
        let farthest = |side: u32| i64::from(side.saturating_sub(1)) * i64::from(WHOLE);
        Self {
            pixels: picture.as_raw(),
            stride,
            last: (width.saturating_sub(2), height.saturating_sub(2)),
            farthest: (farthest(width), farthest(height)),
            next: (if width > 1 { 3 } else { 0 }, if height > 1 { stride } else { 0 }),
        }
    }

    /// Adds to each pixel of a row its samples at the level `v`, `step` apart.
    fn add_row(&self, projection: &Projection, (v, step): (f64, f64), samples: u32, sums: &mut [[u32; 3]]) {
        let place = |index: usize| {
            let (x, y) = projection.at((index as f64 + 0.5) * step, v);
            (fixed(x - 0.5), fixed(y - 0.5))
        };
        let (mut x, mut y) = place(0);
        let next = place(1);
        // Where parallels stay parallel, as in most cut-outs, one place is as far from the last as any.
        let (dx, dy) = (next.0.wrapping_sub(x), next.1.wrapping_sub(y));
        let mut index = 0;
        for sums in sums {
            for _ in 0..samples {
                self.add(x >> FRACTION, y >> FRACTION, sums);
                index += 1;
                (x, y) = if projection.keeps_parallels() {
                    (x.wrapping_add(dx), y.wrapping_add(dy))
                } else {
                    place(index)
                };
            }
        }
    }

    /// Adds the bilinear mean of the four pixels around a place, times `WHOLE` squared.
    fn add(&self, x: i64, y: i64, sums: &mut [u32; 3]) {
        let x = x.clamp(0, self.farthest.0) as u32;
        let y = y.clamp(0, self.farthest.1) as u32;
        let whole = u32::from(WHOLE);
        let (left, top) = ((x / whole).min(self.last.0), (y / whole).min(self.last.1));
        let (right_share, lower_share) = (x - left * whole, y - top * whole);
        let (left_share, upper_share) = (whole - right_share, whole - lower_share);
        let at = top as usize * self.stride + left as usize * 3;
        let (right, below) = self.next;
        let pixel = |at: usize| self.pixels.get(at..).and_then(<[u8]>::first_chunk::<3>).unwrap_or(&[0; 3]);
        let upper = (pixel(at), pixel(at + right));
        let lower = (pixel(at + below), pixel(at + below + right));
        for (channel, sum) in sums.iter_mut().enumerate() {
            let above = u32::from(upper.0[channel]) * left_share + u32::from(upper.1[channel]) * right_share;
            let under = u32::from(lower.0[channel]) * left_share + u32::from(lower.1[channel]) * right_share;
            *sum += above * upper_share + under * lower_share;
        }
    }
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
    fn a_place_between_pixels_is_their_mean() {
        let picture = RgbImage::from_fn(3, 2, |x, _| Rgb([100 * x as u8; 3]));
        let between = Quad::rectangle(0.5, 0.0, 2.0, 2.0);

        let cut_out = cut(&picture, &between, 2, 2);

        assert!(cut_out.pixels().zip([50, 150, 50, 150]).all(|(pixel, mean)| pixel[0] == mean));
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
        fn any_size_becomes_any_other(
            (width, height) in (0_u32..40, 0_u32..40),
            (to_width, to_height) in (0_u32..40, 0_u32..40),
            level in proptest::num::u8::ANY,
        ) {
            let picture = RgbImage::from_pixel(width, height, Rgb([level; 3]));

            let resized = resize_by_area(&picture, to_width, to_height);

            prop_assert_eq!(resized.dimensions(), (to_width, to_height));
            prop_assert!(width * height == 0 || resized.pixels().all(|pixel| pixel[0] == level));
            prop_assert!(width * height == 0 || shrink(&picture, to_width).width() <= width);
        }

        #[test]
        fn any_picture_can_be_cut_anywhere(
            (width, height) in (0_u32..4, 0_u32..4),
            (left, top) in (-9.0_f32..9.0, -9.0_f32..9.0),
            (to_width, to_height) in (0_u32..9, 0_u32..9),
        ) {
            let picture = RgbImage::from_pixel(width, height, Rgb([77; 3]));

            let cut_out = cut(&picture, &Quad::rectangle(left, top, 5.0, 3.0), to_width, to_height);

            prop_assert!(width * height == 0 || cut_out.pixels().all(|pixel| pixel[0] == 77));
            let part = crop(&picture, [left.max(0.0) as u32, 1, to_width, to_height]);
            prop_assert!(part.width() <= to_width && part.height() <= height.saturating_sub(1));
        }

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
