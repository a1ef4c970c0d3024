//! Evening the light and choosing what of the colour to read, without thresholds that erase faint print.

use image::{Rgb, RgbImage};

/// A pixel whose channels differ by more than this is coloured.
const COLOURED: u8 = 48;
/// A pixel whose red is brighter than its other channels by more is red ink.
const RED: u8 = 30;
/// Red ink on bare paper has at least this share of the paper's red.
const RED_ON_PAPER: f32 = 0.6;
/// Grey levels between ink and paper that are not stretched any further.
const LEAST_RANGE: f32 = 80.0;
/// The same where only what is near counts.
const LEAST_LOCAL_RANGE: f32 = 30.0;
/// A cut-out with a larger share of coloured pixels has a stamp or ground to be taken away.
const LEAST_COLOURED: f32 = 0.01;

/// The share of coloured pixels.
pub fn coloured_share(picture: &RgbImage) -> f32 {
    let count = picture.pixels().filter(|pixel| spread(pixel.0) > COLOURED).count();
    count as f32 / (picture.width() * picture.height()).max(1) as f32
}

/// Stamps and coloured grounds made pale: of each pixel the brightest channel. Black print keeps its darkness.
/// `None` when there is no colour to take away.
pub fn without_colour(picture: &RgbImage) -> Option<RgbImage> {
    (coloured_share(picture) > LEAST_COLOURED).then(|| map_grey(picture, |p| p[0].max(p[1]).max(p[2])))
}

/// Red ink made paper, everything else as it is: what a red stamp lies over can be found and read. Black strokes
/// under the ink stay.
pub fn without_red(mut picture: RgbImage) -> RgbImage {
    let (_, paper) = range(&picture);
    let paper = paper.min(255.0) as u8;
    for pixel in picture.pixels_mut() {
        let [r, g, b] = pixel.0;
        if r > g.saturating_add(RED) && r > b.saturating_add(RED) {
            let level = if f32::from(r) > RED_ON_PAPER * f32::from(paper) { paper } else { r };
            pixel.0 = [level; 3];
        }
    }
    picture
}

/// Only the darkest ink: what is lighter than halfway between ink and paper becomes paper.
pub fn dark_ink_only(picture: &RgbImage) -> RgbImage {
    let (dark, light) = range(picture);
    let limit = dark + 0.55 * (light - dark);
    stretch(picture, dark, limit.max(dark + 8.0))
}

/// Strokes thickened by a pixel on each side, so that broken ones meet.
pub fn thickened(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let mut least = [255_u8; 3];
        for (dx, dy) in [(0_i64, 0_i64), (-1, 0), (1, 0), (0, -1), (0, 1)] {
            let nx = (i64::from(x) + dx).clamp(0, i64::from(width) - 1) as u32;
            let ny = (i64::from(y) + dy).clamp(0, i64::from(height) - 1) as u32;
            let pixel = picture.get_pixel(nx, ny).0;
            for channel in 0..3 {
                least[channel] = least[channel].min(pixel[channel]);
            }
        }
        Rgb(least)
    })
}

/// Light evened from left to right and the contrast stretched: each column is measured against the paper near it.
pub fn flattened(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return picture.clone();
    }
    let grey = map_grey(picture, luminance);
    let reach = i64::from((height / 2).max(4));
    let paper: Vec<f32> = (0..width)
        .map(|x| (0..height).map(|y| f32::from(grey.get_pixel(x, y)[0])).fold(0.0, f32::max))
        .collect();
    let near = |x: u32| {
        let from = (i64::from(x) - reach).max(0) as usize;
        let to = ((i64::from(x) + reach) as usize + 1).min(paper.len());
        paper[from..to].iter().copied().fold(1.0, f32::max)
    };
    let ground: Vec<f32> = (0..width).map(near).collect();
    let even = RgbImage::from_fn(width, height, |x, y| {
        let value = f32::from(grey.get_pixel(x, y)[0]) / ground[x as usize] * 255.0;
        Rgb([value.min(255.0) as u8; 3])
    });
    let (dark, light) = range(&even);
    // Where there is hardly any ink, stretching would make ink of the grain of the paper.
    stretch(&even, dark.min(light - LEAST_RANGE), light)
}

/// Contrast stretched by the ink and paper near each column: where a spot of light lies over a part of the line, its
/// ink is hardly darker than paper elsewhere.
pub fn stretched_locally(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let grey = map_grey(picture, luminance);
    let of_column = |x: u32, better: fn(f32, f32) -> f32, worst: f32| {
        (0..height).map(|y| f32::from(grey_at(&grey, x, y))).fold(worst, better)
    };
    let darkest: Vec<f32> = (0..width).map(|x| of_column(x, f32::min, 255.0)).collect();
    let lightest: Vec<f32> = (0..width).map(|x| of_column(x, f32::max, 0.0)).collect();
    let reach = height.max(8) as usize;
    let near = |x: u32| x as usize - (x as usize).min(reach)..(x as usize + reach + 1).min(width as usize);
    let ends: Vec<(f32, f32)> = (0..width)
        .map(|x| {
            let ink = darkest[near(x)].iter().copied().fold(255.0, f32::min);
            let paper = lightest[near(x)].iter().copied().fold(0.0, f32::max);
            (ink.min(paper - LEAST_LOCAL_RANGE), paper)
        })
        .collect();
    RgbImage::from_fn(width, height, |x, y| {
        let (ink, paper) = ends[x as usize];
        Rgb([((f32::from(grey_at(&grey, x, y)) - ink) / (paper - ink) * 255.0).clamp(0.0, 255.0) as u8; 3])
    })
}

fn grey_at(grey: &RgbImage, x: u32, y: u32) -> u8 {
    grey.get_pixel(x, y)[0]
}

/// Grey levels of ink and paper.
pub fn range(picture: &RgbImage) -> (f32, f32) {
    let mut counts = [0_u32; 256];
    for pixel in picture.pixels() {
        counts[usize::from(luminance(pixel.0))] += 1;
    }
    let total: u32 = counts.iter().sum();
    let at = |share: f32| {
        let wanted = (total as f32 * share) as u32;
        let mut sum = 0;
        counts.iter().position(|count| {
            sum += count;
            sum > wanted
        })
    };
    (at(0.02).unwrap_or(0) as f32, at(0.80).unwrap_or(255) as f32)
}

/// Brightness as the eye sees it.
pub fn luminance(pixel: [u8; 3]) -> u8 {
    ((u32::from(pixel[0]) * 299 + u32::from(pixel[1]) * 587 + u32::from(pixel[2]) * 114) / 1000) as u8
}

fn spread(pixel: [u8; 3]) -> u8 {
    let most = pixel[0].max(pixel[1]).max(pixel[2]);
    let least = pixel[0].min(pixel[1]).min(pixel[2]);
    most - least
}

fn stretch(picture: &RgbImage, dark: f32, light: f32) -> RgbImage {
    map_grey(picture, |pixel| {
        ((f32::from(luminance(pixel)) - dark) / (light - dark) * 255.0).clamp(0.0, 255.0) as u8
    })
}

fn map_grey(picture: &RgbImage, grey: impl Fn([u8; 3]) -> u8) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| Rgb([grey(picture.get_pixel(x, y).0); 3]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_red_stamp_becomes_pale_and_black_print_stays() {
        let colours = [[200, 30, 30], [20, 20, 20], [250, 250, 250], [110, 40, 160]];
        let picture = RgbImage::from_fn(4, 4, |x, _| Rgb(colours[x as usize]));

        let without = without_colour(&picture).unwrap();

        let row: Vec<u8> = (0..4).map(|x| without.get_pixel(x, 0)[0]).collect();
        assert_eq!(row, vec![200, 20, 250, 160]);
        assert_eq!(without_colour(&without), None);
    }

    #[test]
    fn red_ink_becomes_paper_and_what_is_under_it_stays() {
        let colours = [[200, 30, 30], [90, 20, 20], [40, 60, 180], [240, 240, 240], [240, 240, 240]];
        let picture = RgbImage::from_fn(5, 1, |x, _| Rgb(colours[x as usize]));

        let without = without_red(picture);

        let row: Vec<[u8; 3]> = (0..3).map(|x| without.get_pixel(x, 0).0).collect();
        assert_eq!(row, vec![[240; 3], [90; 3], colours[2]]);
    }

    #[test]
    fn grey_stamps_vanish_where_only_dark_ink_is_kept() {
        let levels = [20, 150, 240, 240, 240, 240, 240, 240];
        let picture = RgbImage::from_fn(8, 8, |x, _| Rgb([levels[x as usize]; 3]));

        let kept = dark_ink_only(&picture);

        assert_eq!((kept.get_pixel(0, 0)[0], kept.get_pixel(1, 0)[0]), (0, 255));
    }

    #[test]
    fn uneven_light_is_evened() {
        let picture = RgbImage::from_fn(200, 20, |x, y| {
            let paper = 100 + x as u8 / 2;
            Rgb([if y == 10 && x % 20 == 0 { paper / 3 } else { paper }; 3])
        });

        let even = flattened(&picture);

        assert!(even.get_pixel(5, 3)[0] > 200 && even.get_pixel(195, 3)[0] > 200);
        assert!(even.get_pixel(20, 10)[0] < 120 && even.get_pixel(180, 10)[0] < 120);
    }

    #[test]
    fn ink_under_a_spot_of_light_becomes_as_dark_as_any() {
        let picture = RgbImage::from_fn(200, 20, |x, y| {
            let (ink, paper) = if x < 100 { (30, 210) } else { (215, 252) };
            Rgb([if y == 10 && x % 10 == 0 { ink } else { paper }; 3])
        });

        let even = stretched_locally(&picture);

        assert!(even.get_pixel(20, 10)[0] < 20 && even.get_pixel(160, 10)[0] < 20);
        assert!(even.get_pixel(25, 3)[0] > 240 && even.get_pixel(165, 3)[0] > 240);
    }

    proptest! {
        #[test]
        fn any_picture_is_taken(width in 0_u32..9, height in 0_u32..9, fill in proptest::num::u8::ANY) {
            let picture = RgbImage::from_pixel(width, height, Rgb([fill, fill / 2, 255 - fill]));

            let others = [dark_ink_only, thickened, flattened, stretched_locally].map(|other| other(&picture));
            for other in others {
                prop_assert_eq!(other.dimensions(), picture.dimensions());
            }
        }
    }
}
