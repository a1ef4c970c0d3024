//! The signature field of a slip and the copy stamp on a sheet of cards, handed to those who judge them.

use domain::{
    field::Confidence,
    geometry::{Point, Quad},
    reading::{Lattice, Mark, Presence},
};
use image::{RgbImage, imageops};

use super::{
    segments::{Label, Segments, is_paragraph},
    signature_line,
};
use crate::{
    engines::Engines,
    forms::Form,
    lines::Line,
    prepare::geometry::{Projection, QuadMeasure},
    signature::{self, SignatureField},
    stamp,
};

/// What the copy stamp says.
const STAMP: &str = "有效证件一次使用复印无效";
/// A line with this many of its characters in order bears it.
const STAMP_READ: usize = 8;
/// A line that is half made of so many of them is a piece of it.
const STAMP_PART: usize = 4;
/// A line the quick reader is this sure of is what it says.
const CLEARLY_READ: f32 = 0.9;
/// A label this many times as high as others was found together with something else.
const MUCH_HIGHER: f32 = 1.3;
/// What stands farther above or below the label than this, in its heights, and reads as print is no signature.
const APART: f32 = 1.0;
/// A clearly read line of so many characters is print.
const LEAST_PRINT: usize = 4;
/// Space above the middle of the label that may hold a signature, in heights of the label.
const SIGNATURE_REACH: f32 = 2.2;
/// The same below, so far that what is written on the next row is seen whole.
const SIGNATURE_REACH_BELOW: f32 = 3.4;
/// The field ends this many heights right of its label when nothing else is there.
const SIGNATURE_LENGTH: f32 = 12.0;

/// Looks at what is written where the customer signs; cannot tell when there is no such place.
pub fn signature(
    page: &RgbImage,
    form: &Form,
    (lines, quads): (&[Line], &[Quad]),
    px_per_mm: Option<f32>,
    engines: &mut Engines,
) -> Option<Mark> {
    form.signature.as_ref()?;
    let segments = Segments::of(form, lines);
    let labelled = segments.labels.iter().filter(|label| label.is_signature);
    // Of labels read alike well the longest: 签字 alone may stand in a sentence.
    let better = |one: &&Label, other: &&Label| {
        let longer = || other.quad.width().total_cmp(&one.quad.width());
        one.differences.cmp(&other.differences).then_with(longer)
    };
    let found = labelled.min_by(better).map(|label| label.quad);
    let Some(label) = found.or_else(|| segments.worn_signature_label(form, lines)) else {
        return Some(mark(Presence::Unclear, 0.0, None, None));
    };
    let whole = label;
    let label = as_high_as_others(label, &segments);
    let [left, top, right, bottom] = surroundings(page, &label, &segments);
    let image = imageops::crop_imm(page, left, top, right - left, bottom - top).to_image();
    let away = Projection::shift(-(left as f32), -(top as f32));
    let others = segments.labels.iter().map(|other| other.quad).filter(|other| *other != whole);
    let others = others.chain(terms(form, lines, quads, &label));
    let field = SignatureField {
        image,
        px_per_mm,
        label: away.apply_quad(&label),
        line_hint: None,
        others: others.map(|other| away.apply_quad(&other)).collect(),
    };
    let mut mark = signature::look(&field, engines.values.as_mut());
    let back = Projection::shift(left as f32, top as f32);
    mark.region = mark.region.map(|region| back.apply_quad(&region));
    Some(signature_line::look_again(page, &label, right as f32, &segments, mark, engines))
}

/// A label that was found together with what is written behind it is as high as the writing: print is not.
fn as_high_as_others(label: Quad, segments: &Segments) -> Quad {
    let mut heights: Vec<f32> = segments.labels.iter().map(|other| other.quad.height()).collect();
    heights.sort_by(f32::total_cmp);
    let usual = heights.get(heights.len() / 2).copied().unwrap_or_default();
    let excess = label.height() - usual;
    if usual > 0.0 && label.height() > MUCH_HIGHER * usual {
        label.grown(0.0, 0.0, -0.5 * excess)
    } else {
        label
    }
}

/// Small print above and below the signature: lines left unread as a paragraph, and those that read as terms.
fn terms(form: &Form, lines: &[Line], quads: &[Quad], label: &Quad) -> Vec<Quad> {
    let slope = label.angle().tan();
    let is_apart = |quad: &Quad| {
        let (here, there) = (label.centre(), quad.centre());
        (there.y - here.y - slope * (there.x - here.x)).abs() > APART * label.height()
    };
    let is_print = |quad: &Quad| match lines.iter().find(|line| line.quad == *quad) {
        Some(line) => {
            is_paragraph(form, line) || line.confidence > CLEARLY_READ && line.text.len() >= LEAST_PRINT
        }
        None => true,
    };
    quads.iter().filter(|quad| is_apart(quad) && is_print(quad)).copied().collect()
}

/// From the label to the next label on its right, in pixels of the page.
fn surroundings(page: &RgbImage, label: &Quad, segments: &Segments) -> [u32; 4] {
    let height = label.height();
    let [left, _, right, _] = label.bounds();
    let middle = label.centre();
    let slope = label.angle().tan();
    let mut end = right + SIGNATURE_LENGTH * height;
    for other in &segments.labels {
        let start = other.quad.bounds()[0];
        let level = other.quad.centre().y - slope * (other.quad.centre().x - middle.x);
        if start > right + height && (level - middle.y).abs() < 1.5 * height {
            end = end.min(start);
        }
    }
    let drop = slope * (end - middle.x);
    let top = (middle.y + drop.min(0.0) - SIGNATURE_REACH * height).max(0.0) as u32;
    let bottom = (middle.y + drop.max(0.0) + SIGNATURE_REACH_BELOW * height) as u32;
    let left = (left - 0.3 * height).max(0.0) as u32;
    let (end, bottom) = ((end as u32).min(page.width()), bottom.min(page.height()));
    [left.min(end.saturating_sub(1)), top.min(bottom.saturating_sub(1)), end, bottom]
}

/// The lines that were found on a sheet, and how large it was then beside its own size.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// All of them, read or not.
    pub quads: &'a [Quad],
    /// 1.0 at full size.
    pub scale: f32,
}

/// Looks for the copy stamp on a sheet: in the lines already read, and where that does not settle it everywhere.
pub fn copy_stamp(
    page: &RgbImage,
    cards: &[Quad],
    lines: &[Line],
    found: Found<'_>,
    engines: &mut Engines,
) -> Mark {
    if let Some((line, second)) = stamp_in(lines) {
        let corners: Vec<Point> =
            line.quad.0.iter().chain(second.iter().flat_map(|line| &line.quad.0)).copied().collect();
        let region = crate::prepare::geometry::least_rectangle(&corners);
        let mut text = line.string();
        text.extend(second.map(Line::string));
        let mut stamp = mark(Presence::Present, 0.99, region, Some(text));
        stamp.lattices =
            std::iter::once(line).chain(second).map(|line| line.lattice.clone()).collect::<Vec<Lattice>>();
        return stamp;
    }
    let is_fine = found.scale >= stamp::least_scale(page);
    engines.cost.detections += u32::from(!is_fine);
    let others: Vec<Quad> =
        lines.iter().filter(|line| is_clearly_other(line)).map(|line| line.quad).collect();
    let Engines { labels, values, detector, .. } = engines;
    let readers = stamp::Readers { quick: labels.as_mut(), good: values.as_mut() };
    let known = stamp::Known { cards, others: &others, lines: is_fine.then_some(found.quads) };
    stamp::find_copy_stamp(page, known, readers, Some(detector.as_mut()))
}

/// The line that says the words, or the two lines that say them between them.
fn stamp_in(lines: &[Line]) -> Option<(&Line, Option<&Line>)> {
    let words: Vec<char> = STAMP.chars().collect();
    if let Some(line) = lines.iter().find(|line| common(&line.text, &words) >= STAMP_READ) {
        return Some((line, None));
    }
    let first = lines.iter().find(|line| common(&line.text, &words[..8]) >= 6)?;
    let second = lines.iter().find(|line| {
        let near = (line.quad.centre().y - first.quad.centre().y).abs() < 3.0 * first.quad.height();
        near && line.quad != first.quad && common(&line.text, &words[8..]) >= 3
    })?;
    Some((first, Some(second)))
}

/// Whether a line is the stamp, or the better part of it, and no value.
pub(super) fn is_stamp(line: &Line) -> bool {
    let words: Vec<char> = STAMP.chars().collect();
    let common = common(&line.text, &words);
    common >= STAMP_PART && 2 * common >= line.text.len()
}

/// Whether a line was read clearly as something that is no part of the stamp.
fn is_clearly_other(line: &Line) -> bool {
    let words: Vec<char> = STAMP.chars().collect();
    line.confidence > CLEARLY_READ && common(&line.text, &words) < STAMP_PART
}

/// Length of the longest common subsequence.
fn common(a: &[char], b: &[char]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (column, y) in b.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if x == y { diagonal + 1 } else { above.max(row[column]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

fn mark(presence: Presence, confidence: f32, region: Option<Quad>, text: Option<String>) -> Mark {
    Mark {
        presence,
        confidence: Confidence::new(confidence),
        region,
        text,
        lattices: Vec::new(),
        extent_mm: None,
        shape: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_found_with_the_writing_behind_it_is_as_high_as_others() {
        let label = |quad: Quad| Label { quad, field: None, differences: 0, is_signature: false };
        let usual = Quad::rectangle(10.0, 10.0, 100.0, 30.0);
        let high = Quad::rectangle(10.0, 200.0, 100.0, 70.0);
        let mut segments = Segments::default();
        segments.labels = vec![label(usual), label(usual), label(high)];

        let lowered = as_high_as_others(high, &segments);

        assert!((lowered.height() - 30.0).abs() < 1.0 && (lowered.centre().y - 235.0).abs() < 1.0);
        assert_eq!(as_high_as_others(usual, &segments), usual);
    }

    #[test]
    fn the_words_of_the_stamp_are_counted_in_order() {
        let count =
            |text: &str| common(&text.chars().collect::<Vec<_>>(), &STAMP.chars().collect::<Vec<_>>());

        assert_eq!(count("有效证件一次使用复印无效"), 12);
        assert_eq!(count("有效1正件次使用复印无"), 9);
        assert_eq!(count("有效期限2022.02.07"), 2);
    }
}
