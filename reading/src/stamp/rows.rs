//! A straightened cut-out with words: its frame taken off, its rows told apart.

use image::{Rgb, RgbImage, imageops};

use crate::{prepare::light, signature::Mask};

/// Ink is darker than the paper by this share of the way to the darkest ink.
const INK_FROM: f32 = 0.4;
/// Paper and ink closer than this many grey levels are not told apart.
const LEAST_CONTRAST: f32 = 24.0;
/// Steepest slope that a cut-out may be left with, and the steps in which it is looked for.
const STEEPEST: f32 = 0.08;
const SLOPE_STEP: f32 = 0.01;
/// The share of a row that words cover at least; a frame covers more than they ever do, of rows and of columns.
const WORDS_COVER: f32 = 0.015;
const FRAME_COVERS: f32 = 0.62;
const FRAME_STANDS: f32 = 0.8;
/// Rows further apart than this many pixels are two.
const SAME_ROW: usize = 2;
/// A cut-out with more rows than this is no stamp.
const MOST_ROWS: usize = 3;

/// The rows of words on a cut-out, dark on light, without the frame around them; the whole when no rows are told.
pub(super) fn rows_of_words(picture: &RgbImage) -> Vec<RgbImage> {
    let Some(inked) = ink_of(picture) else { return vec![picture.clone()] };
    let slope = slope_of(&inked);
    let mut words = sheared_mask(&inked, slope);
    let unframed = without_frame(sheared_picture(picture, slope), &mut words);
    let rows = bands(&words);
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return vec![unframed];
    }
    let height = unframed.height() as usize;
    let cut = |&(top, bottom): &(usize, usize)| {
        let (top, bottom) = (top.saturating_sub(3), (bottom + 3).min(height));
        imageops::crop_imm(&unframed, 0, top as u32, unframed.width(), (bottom - top) as u32).to_image()
    };
    rows.iter().map(cut).collect()
}

/// Where the cut-out is dark; `None` where ink and paper are not told apart.
fn ink_of(picture: &RgbImage) -> Option<Mask> {
    let (dark, light) = light::range(picture);
    if light - dark < LEAST_CONTRAST {
        return None;
    }
    let limit = light - INK_FROM * (light - dark);
    let bits = picture.pixels().map(|pixel| f32::from(light::luminance(pixel.0)) < limit).collect();
    Some(Mask { width: picture.width() as usize, height: picture.height() as usize, bits })
}

/// The picture with paper in the place of rows and columns that are inked nearly from end to end.
fn without_frame(mut picture: RgbImage, words: &mut Mask) -> RgbImage {
    let (width, height) = (words.width, words.height);
    let row = |y: usize| (0..width).filter(|x| words.bits[y * width + x]).count() as f32;
    let column = |x: usize| (0..height).filter(|y| words.bits[y * width + x]).count() as f32;
    let rows: Vec<bool> = (0..height).map(|y| row(y) > FRAME_COVERS * width as f32).collect();
    let columns: Vec<bool> = (0..width).map(|x| column(x) > FRAME_STANDS * height as f32).collect();
    let near =
        |of: &[bool], place: usize| of[place.saturating_sub(1)..(place + 2).min(of.len())].contains(&true);
    let paper = Rgb([light::range(&picture).1 as u8; 3]);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (x, y) = (x as usize, y as usize);
        if near(&rows, y) || near(&columns, x) {
            *pixel = paper;
            words.bits[y * width + x] = false;
        }
    }
    picture
}

/// The slope at which the rows of words stand out most: a tilted cut-out blurs them.
fn slope_of(words: &Mask) -> f32 {
    let steps = (STEEPEST / SLOPE_STEP) as i32;
    let sharpness = |slope: f32| {
        let mut counts = vec![0_u64; words.height];
        for (index, _) in words.bits.iter().enumerate().filter(|(_, bit)| **bit) {
            let (x, y) = (index % words.width, index / words.width);
            if let Some(row) = moved(y, shift(x, words.width, slope), words.height) {
                counts[row] += 1;
            }
        }
        counts.iter().map(|count| count * count).sum::<u64>()
    };
    let slopes = (-steps..=steps).map(|step| step as f32 * SLOPE_STEP);
    let best = slopes.map(|slope| (sharpness(slope), slope)).max_by(|a, b| {
        // Of equal ones the most level.
        a.0.cmp(&b.0).then(b.1.abs().total_cmp(&a.1.abs()))
    });
    best.map_or(0.0, |(_, slope)| slope)
}

/// How far column `x` is moved up to bring a slope to the level of the middle.
fn shift(x: usize, width: usize, slope: f32) -> isize {
    (slope * (x as f32 - width as f32 / 2.0)).round() as isize
}

fn moved(row: usize, up: isize, height: usize) -> Option<usize> {
    row.checked_add_signed(-up).filter(|row| *row < height)
}

fn sheared_mask(mask: &Mask, slope: f32) -> Mask {
    let mut sheared = Mask::empty(mask.width, mask.height);
    for (index, _) in mask.bits.iter().enumerate().filter(|(_, bit)| **bit) {
        let (x, y) = (index % mask.width, index / mask.width);
        if let Some(row) = moved(y, shift(x, mask.width, slope), mask.height) {
            sheared.bits[row * mask.width + x] = true;
        }
    }
    sheared
}

/// The same of the picture; rows that come from outside repeat its edge.
fn sheared_picture(picture: &RgbImage, slope: f32) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let from = i64::from(y) + shift(x as usize, width as usize, slope) as i64;
        *picture.get_pixel(x, from.clamp(0, i64::from(height) - 1) as u32)
    })
}

/// First and one past the last row of each band of words; remains of a frame and specks are no band.
fn bands(words: &Mask) -> Vec<(usize, usize)> {
    let cover = |y: usize| {
        let row = &words.bits[y * words.width..(y + 1) * words.width];
        row.iter().filter(|bit| **bit).count() as f32 / words.width.max(1) as f32
    };
    let mut bands: Vec<(usize, usize)> = Vec::new();
    for y in (0..words.height).filter(|&y| cover(y) > WORDS_COVER) {
        match bands.last_mut() {
            Some((_, end)) if y - *end <= SAME_ROW => *end = y + 1,
            _ => bands.push((y, y + 1)),
        }
    }
    let highest = bands.iter().map(|band| band.1 - band.0).max().unwrap_or(0);
    bands.retain(|band| (band.1 - band.0) * 2 >= highest && (band.1 - band.0) * 6 >= words.height);
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of strokes in a frame, the whole sloping.
    fn stamp(slope: f32) -> RgbImage {
        RgbImage::from_fn(400, 112, |x, y| {
            let y = y as f32 - slope * (x as f32 - 200.0);
            let frame = (8.0..11.0).contains(&y) || (101.0..104.0).contains(&y);
            let row = (22.0..50.0).contains(&y) || (62.0..90.0).contains(&y);
            let words = row && (20..380).contains(&x) && x % 20 < 9;
            if frame || words { Rgb([20, 20, 20]) } else { Rgb([250, 250, 250]) }
        })
    }

    #[test]
    fn the_frame_is_left_out_and_two_rows_are_told_apart() {
        for slope in [0.0, 0.03, -0.05] {
            let rows = rows_of_words(&stamp(slope));

            assert_eq!(rows.len(), 2, "{slope}");
            assert!(rows.iter().all(|row| (28..=42).contains(&row.height())), "{slope}");
            let darkest_row = rows.iter().map(covered).fold(0.0, f32::max);
            assert!(darkest_row < 0.6, "{slope} {darkest_row}");
        }
    }

    /// The most of any row that is dark.
    fn covered(picture: &RgbImage) -> f32 {
        let dark = |y: u32| (0..picture.width()).filter(|&x| picture.get_pixel(x, y)[0] < 128).count();
        (0..picture.height()).map(dark).max().unwrap_or(0) as f32 / picture.width() as f32
    }

    #[test]
    fn what_has_no_rows_is_left_whole() {
        let paper = RgbImage::from_pixel(200, 48, Rgb([240; 3]));

        assert_eq!(rows_of_words(&paper), vec![paper.clone()]);
        assert_eq!(rows_of_words(&RgbImage::new(0, 0)).len(), 1);
    }
}
