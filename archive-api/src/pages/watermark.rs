//! The watermark burnt into every page that is shown: who looked, when, and a digest of why.

use chrono::{DateTime, FixedOffset, Utc};
use image::RgbImage;
use sha2::{Digest, Sha256};

use super::letters::{HEIGHT, WIDTH, glyph};
use crate::record::hex;

/// Who looks, when and why.
pub(super) struct Watermark {
    pub staff_number: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

const OFFICE_OFFSET_SECONDS: i32 = 8 * 3600;
/// How far ink is moved towards mid grey: readable on white and on black, and print stays legible beneath.
const STRENGTH: f32 = 0.45;

impl Watermark {
    /// The line that is burnt in. The reason may be Chinese, which the small letters cannot draw: when it is, the
    /// digest of it stands there, by which the entry of the operation log is found.
    fn line(&self) -> String {
        let office = FixedOffset::east_opt(OFFICE_OFFSET_SECONDS);
        let time = office.map_or_else(String::new, |office| {
            self.at.with_timezone(&office).format("%Y-%m-%d %H:%M").to_string()
        });
        let reason = if self.reason.is_ascii() {
            self.reason.chars().take(24).collect()
        } else {
            hex(&Sha256::digest(&self.reason)[..4])
        };
        format!("{} {time} {reason}", self.staff_number).to_uppercase()
    }

    /// Burns the line over the whole picture, row after row, each row shifted against the one above.
    pub(super) fn burn_into(&self, picture: &mut RgbImage) {
        let line: Vec<char> = self.line().chars().collect();
        let scale = (picture.width().max(picture.height()) / 700).max(1);
        let (row_height, width) = (HEIGHT * scale * 9, (line.len() as u32 + 6) * (WIDTH + 1) * scale);
        let mut row = 0;
        while row * row_height < picture.height() {
            let top = row * row_height + row_height / 3;
            let shift = (row % 3) * width / 3;
            let mut left = 0;
            while left < picture.width() + shift {
                draw(picture, &line, (i64::from(left) - i64::from(shift), i64::from(top)), scale);
                left += width;
            }
            row += 1;
        }
    }
}

fn draw(picture: &mut RgbImage, line: &[char], (left, top): (i64, i64), scale: u32) {
    for (index, letter) in line.iter().enumerate() {
        let letter_left = left + i64::from(index as u32 * (WIDTH + 1) * scale);
        for (y, bits) in glyph(*letter).iter().enumerate() {
            for x in 0..WIDTH {
                if bits >> (WIDTH - 1 - x) & 1 == 1 {
                    let (x, y) = (letter_left + i64::from(x * scale), top + i64::from(y as u32 * scale));
                    shade(picture, (x, y), scale);
                }
            }
        }
    }
}

fn shade(picture: &mut RgbImage, (left, top): (i64, i64), side: u32) {
    for y in top..top + i64::from(side) {
        for x in left..left + i64::from(side) {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            let Some(pixel) = picture.get_pixel_mut_checked(x, y) else { continue };
            for channel in &mut pixel.0 {
                let ink = if *channel > 127 { 90.0 } else { 165.0 };
                *channel = (f32::from(*channel) + (ink - f32::from(*channel)) * STRENGTH) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watermark(reason: &str) -> Watermark {
        let at = DateTime::from_timestamp(1_789_000_000, 0).unwrap();
        Watermark { staff_number: "hx9497".to_owned(), at, reason: reason.to_owned() }
    }

    #[test]
    fn the_line_names_who_when_and_why() {
        assert_eq!(watermark("complaint").line(), "HX9497 2026-09-10 08:26 COMPLAINT");
        assert!(watermark("客户投诉").line().is_ascii());
    }

    #[test]
    fn it_is_seen_on_white_and_on_black() {
        for level in [0, 255] {
            let mut picture = RgbImage::from_pixel(700, 500, image::Rgb([level; 3]));

            watermark("complaint").burn_into(&mut picture);

            let changed = picture.pixels().filter(|pixel| pixel[0] != level).count();
            assert!(changed > 2000, "{changed}");
        }
    }
}
