//! The page in grey: small enough to search, and as sharp as it is where something was found.

use image::{GrayImage, RgbImage};

use super::stripes::Stripes;

/// A page with a longer side is searched at half its size: bars of 300 pixels an inch stay apart.
const LEAST_HALVED: u32 = 3000;
/// Pixels left around bars that are cut out.
const MARGIN: f32 = 40.0;
/// And a share of their length, for the direction is known to a few degrees only.
const SWAY: f32 = 0.06;

/// A grey copy of a page to search.
pub struct Search<'a> {
    page: &'a RgbImage,
    /// The copy.
    pub grey: GrayImage,
    /// How many pixels of the page are one of the copy.
    pub scale: f32,
}

impl<'a> Search<'a> {
    /// Makes the copy.
    pub fn of(page: &'a RgbImage) -> Self {
        if page.width().max(page.height()) < LEAST_HALVED {
            let [width, height] = [page.width(), page.height()];
            return Self { page, grey: part(page, 0, 0, width, height), scale: 1.0 };
        }
        Self { page, grey: halved(page), scale: 2.0 }
    }

    /// The surroundings of bars found on the copy, in grey and as sharp as the page is, the bars on them, and where
    /// they lie on the page.
    pub fn cut_out(&self, found: &Stripes) -> (GrayImage, Stripes, (f32, f32)) {
        let place = Stripes {
            middle: (found.middle.0 * self.scale, found.middle.1 * self.scale),
            half_length: found.half_length * self.scale,
            half_height: found.half_height * self.scale,
            ..*found
        };
        let (sine, cosine) = (place.angle.sin().abs(), place.angle.cos().abs());
        let margin = MARGIN + SWAY * place.half_length;
        let reach = (
            place.half_length * cosine + place.half_height * sine + margin,
            place.half_length * sine + place.half_height * cosine + margin,
        );
        let side = |from: f32, to: f32, length: u32| {
            let start = (from.max(0.0) as u32).min(length.saturating_sub(1));
            (start, (to.max(0.0).ceil() as u32).clamp(start + 1, length.max(start + 1)))
        };
        let (left, right) = side(place.middle.0 - reach.0, place.middle.0 + reach.0, self.page.width());
        let (top, bottom) = side(place.middle.1 - reach.1, place.middle.1 + reach.1, self.page.height());
        let grey = part(self.page, left, top, right - left, bottom - top);
        let corner = (left as f32, top as f32);
        let middle = (place.middle.0 - corner.0, place.middle.1 - corner.1);
        (grey, Stripes { middle, ..place }, corner)
    }
}

/// A part of a picture in grey; it must lie on the picture.
fn part(page: &RgbImage, left: u32, top: u32, width: u32, height: u32) -> GrayImage {
    let stride = page.width() as usize * 3;
    let from = left as usize * 3;
    let rows = page.as_raw().chunks_exact(stride.max(3)).skip(top as usize).take(height as usize);
    let mut levels = Vec::with_capacity(width as usize * height as usize);
    for row in rows {
        let pixels = row.get(from..from + width as usize * 3).unwrap_or_default();
        levels.extend(pixels.chunks_exact(3).map(|pixel| (weighed(pixel) >> 8) as u8));
    }
    GrayImage::from_raw(width, height, levels).unwrap_or_default()
}

/// Each pixel the mean of four.
fn halved(page: &RgbImage) -> GrayImage {
    let (width, height) = (page.width() / 2, page.height() / 2);
    let stride = page.width() as usize * 3;
    let mut levels = Vec::with_capacity(width as usize * height as usize);
    for rows in page.as_raw().chunks_exact(2 * stride) {
        let (upper, lower) = rows.split_at(stride);
        for (above, below) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            let sum =
                weighed(&above[..3]) + weighed(&above[3..]) + weighed(&below[..3]) + weighed(&below[3..]);
            levels.push((sum >> 10) as u8);
        }
    }
    GrayImage::from_raw(width, height, levels).unwrap_or_default()
}

/// Brightness of a pixel, times 256.
fn weighed(pixel: &[u8]) -> u32 {
    match *pixel {
        [red, green, blue] => 54 * u32::from(red) + 183 * u32::from(green) + 19 * u32::from(blue),
        _ => 0,
    }
}
