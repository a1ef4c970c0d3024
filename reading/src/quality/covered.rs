//! What lies over a card: printed words that must be there show no print, where others do.
//!
//! Which words stand where is known from the form, and where the card lies from those that were read. A shadow leaves
//! the print to be seen, and so does a stamp; a thumb, a strip of paper or a slip laid over it does not.

use domain::geometry::Quad;
use image::RgbImage;

use crate::{
    forms::{Anchor, Form, Pattern},
    frame::Frame,
    prepare::{light, warp},
};

/// Height of a row of print on a card, as a share of the card's.
const ROW: f32 = 0.07;
/// Size of the copy of a word that is looked at, in pixels.
const LOOK: (u32, u32) = (48, 16);
/// Neighbours whose levels are compared stand so far apart there.
const APART: u32 = 2;
/// Of the differences between neighbours the one that so many do not exceed says how much print there is.
const MOST: f32 = 0.9;
/// So many words must be seen for the others to be missed.
const LEAST_SEEN: usize = 2;
/// Words seen with less print than this, as a share of the paper's level, say nothing of the others.
const LEAST_PRINT: f32 = 0.08;
/// Paper this light is under a lamp, which is another cause.
const BLINDING: f32 = 250.0;

/// Of the words that must stand on the card and were not read, the one with the least print: how much it has beside
/// those that were read, as a ratio. `None` where every word was read or too few were to compare with.
pub(super) fn least_print_ratio(page: &RgbImage, form: &Form, frame: &Frame) -> Option<f32> {
    let [width, height] = form.size_mm?;
    let (mut seen, mut missed) = (Vec::new(), Vec::new());
    for (index, anchor) in form.anchors.iter().enumerate() {
        let is_seen = frame.sightings.iter().any(|sighting| sighting.anchor == index);
        for [left, right] in words_of(anchor) {
            let middle = anchor.at[1].midpoint(anchor.at[3]);
            let place = Quad::rectangle(
                left * width,
                (middle - ROW / 2.0) * height,
                (right - left) * width,
                ROW * height,
            );
            let Some(print) = print_at(page, &frame.to_page.apply_quad(&place)) else { continue };
            if is_seen { seen.push(print) } else { missed.push(print) }
        }
    }
    if seen.len() < LEAST_SEEN {
        return None;
    }
    seen.sort_by(f32::total_cmp);
    let usual = seen[seen.len() / 2];
    let least = missed.into_iter().min_by(f32::total_cmp)?;
    (usual >= LEAST_PRINT).then_some(least / usual)
}

/// From where to where, as shares of the card's width, something is always printed: a label, the parts of a number.
fn words_of(anchor: &Anchor) -> Vec<[f32; 2]> {
    let [left, _, right, _] = anchor.at;
    let parts = match (&anchor.text, anchor.pattern) {
        (Some(_), _) => 1,
        (None, Some(Pattern::IdNumber)) => 4,
        (None, _) => 0,
    };
    let width = (right - left) / parts.max(1) as f32;
    (0..parts).map(|part| [left + width * part as f32, left + width * (part + 1) as f32]).collect()
}

/// How much neighbouring pixels differ, as a share of the level of the paper; `None` off the picture or under a lamp.
fn print_at(page: &RgbImage, place: &Quad) -> Option<f32> {
    let (width, height) = (page.width() as f32, page.height() as f32);
    let is_inside = |x: f32, y: f32| (0.0..width).contains(&x) && (0.0..height).contains(&y);
    if !place.0.iter().all(|corner| is_inside(corner.x, corner.y)) {
        return None;
    }
    let look = warp::cut(page, place, LOOK.0, LOOK.1);
    let level = |x: u32, y: u32| f32::from(light::luminance(look.get_pixel(x, y).0));
    let mut differences: Vec<f32> = (0..LOOK.1)
        .flat_map(|y| (0..LOOK.0 - APART).map(move |x| (x, y)))
        .map(|(x, y)| (level(x, y) - level(x + APART, y)).abs())
        .collect();
    let mut levels: Vec<f32> =
        (0..LOOK.1).flat_map(|y| (0..LOOK.0).map(move |x| (x, y))).map(|(x, y)| level(x, y)).collect();
    let paper = share(&mut levels, MOST);
    (paper < BLINDING || share(&mut levels, 0.1) < BLINDING)
        .then(|| share(&mut differences, MOST) / paper.max(1.0))
}

/// The value that a share of them does not exceed.
fn share(values: &mut [f32], share: f32) -> f32 {
    let place = ((values.len() - 1) as f32 * share) as usize;
    *values.select_nth_unstable_by(place, f32::total_cmp).1
}
