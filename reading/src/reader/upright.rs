//! The page turned upright, with the lines that were found on it.

use std::borrow::Cow;

use image::{RgbImage, imageops};

use super::{PageReader, cards::CARD_SIDE};
use crate::{
    engines::Engines,
    prepare::{
        content::{self, Part},
        geometry::{Projection, start_horizontally},
        upright, warp,
    },
    recognition::{DetectedLine, RecognitionError},
};

/// Longest side of a page when lines are looked for.
pub(super) const PAGE_SIDE: u32 = 736;
/// What takes up more of a page than this is looked at with all of it.
const MOST_OF_PAGE: f32 = 0.9;
/// What is shorter than this share of a page is looked at as large as the whole page would be.
const SHORT: f32 = 0.82;
/// But at most so many times as large.
const MOST_ZOOM: f32 = 2.0;

/// A page turned upright.
pub(super) struct Upright<'a> {
    pub(super) image: Cow<'a, RgbImage>,
    pub(super) quarter_turns: u8,
    pub(super) found: FoundLines,
    /// From the upright picture to the page as decoded.
    pub(super) to_page: Projection,
}

/// The lines of a picture.
pub(super) struct FoundLines {
    pub(super) lines: Vec<DetectedLine>,
    /// How large the picture was when they were looked for, beside its own size.
    pub(super) scale: f32,
}

impl PageReader {
    /// Turns a page upright by the lines on it; `small` is a copy of it.
    ///
    /// # Errors
    /// An engine failed.
    pub(super) fn upright<'a>(
        &mut self,
        page: &'a RgbImage,
        small: &RgbImage,
    ) -> Result<Upright<'a>, RecognitionError> {
        let mut found = self.find_lines(page, content::find(small))?;
        let sideways = upright::lies_on_its_side(&found.lines);
        let mut image = if sideways { Cow::Owned(imageops::rotate90(page)) } else { Cow::Borrowed(page) };
        if sideways {
            found = self.find_lines(&image, content::find(&imageops::rotate90(small)))?;
        }
        let Engines { direction, labels, .. } = &mut self.engines;
        let inverted =
            upright::stands_on_its_head(&image, &found.lines, direction.as_mut(), labels.as_mut())?;
        if inverted {
            let back = Projection::unturn(2, image.width(), image.height()).inverse();
            for line in &mut found.lines {
                line.quad = start_horizontally(&back.apply_quad(&line.quad));
            }
            image = Cow::Owned(imageops::rotate180(image.as_ref()));
        }
        let quarter_turns = u8::from(sideways) + 2 * u8::from(inverted);
        let to_page = Projection::unturn(quarter_turns, page.width(), page.height());
        Ok(Upright { image, quarter_turns, found, to_page })
    }

    /// Looks for lines on the part of a picture where anything stands.
    fn find_lines(&mut self, image: &RgbImage, part: Part) -> Result<FoundLines, RecognitionError> {
        let side = if is_card_shaped(image) { CARD_SIDE } else { PAGE_SIDE };
        let [left, top, width, height] = part.pixels(image.width(), image.height());
        let longest = image.width().max(image.height()) as f32;
        let share = width as f32 / image.width() as f32 * (height as f32 / image.height() as f32);
        if share > MOST_OF_PAGE {
            let scale = (side as f32 / longest).min(1.0);
            return Ok(FoundLines { lines: self.engines.detect(image, side)?, scale });
        }
        let part_longest = width.max(height) as f32;
        let zoom = if part_longest < SHORT * longest { (longest / part_longest).min(MOST_ZOOM) } else { 1.0 };
        let scale = (zoom * side as f32 / longest).min(1.0);
        let picture = warp::crop(image, [left, top, width, height]);
        let mut lines = self.engines.detect(&picture, (scale * part_longest).round() as u32)?;
        let shift = Projection::shift(left as f32, top as f32);
        for line in &mut lines {
            line.quad = shift.apply_quad(&line.quad);
        }
        Ok(FoundLines { lines, scale })
    }
}

fn is_card_shaped(page: &RgbImage) -> bool {
    let ratio = page.width().max(page.height()) as f32 / page.width().min(page.height()).max(1) as f32;
    page.width().max(page.height()) < 1300 && ratio > 1.45
}
