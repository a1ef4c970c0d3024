//! Looks at one signature field: from its picture to a mark.

use std::collections::HashSet;

use domain::{
    field::Confidence,
    geometry::{Point, Quad},
    reading::{Mark, Presence},
};
use image::{GrayImage, Luma, RgbImage, buffer::ConvertBuffer, imageops};

use super::{
    ink::Darkness,
    mask::Mask,
    presence::{Extent, Verdict, judge},
    print::{is_print, may_be_name},
    remains::{take_colon_away, take_dust_away, take_edges_of_red_away, take_sides_away},
    ruled, seal, shape, thin,
};
use crate::{
    prepare::{geometry::QuadMeasure, light},
    recognition::{LineReading, TextRecognizer},
};

/// Height of a printed label, millimetres, where the scale is not known.
const LABEL_MM: f32 = 4.4;
/// Scales outside of this are measured wrongly.
const SCALES: std::ops::RangeInclusive<f32> = 2.0..=40.0;
/// Ink counts from this share of the darkness of the printed label, within limits.
const SHARE_OF_LABEL: f32 = 0.45;
const THRESHOLDS: std::ops::RangeInclusive<f32> = 0.14..=0.30;
/// Ink that comes no nearer than this to the level of the label belongs to something else, millimetres.
const REACH_MM: f32 = 6.5;
/// Ink this far apart, or less, was written together, millimetres.
const TOGETHER_MM: f32 = 1.6;
/// People write a little above the level of the label, as a share of its height.
const WRITTEN_ABOVE: f32 = 0.5;
/// Quads whose middles are further apart than this, in heights of the label, stand on different rows.
const OTHER_ROW: f32 = 1.2;
/// More red than this, square millimetres, is a seal.
pub(super) const MUCH_RED_MM2: f32 = 15.0;
/// The share of a label that is fainter than its print.
pub(super) const PRINT_SHARE: f32 = 0.92;
/// Writing higher than this, millimetres, may be that of two people, one below the other.
const TWO_HANDS_MM: f32 = 11.0;
/// Groups of ink further apart than this are judged each alone, millimetres.
const GROUP_GAP_MM: f32 = 9.0;
/// A reading that could be a name and is surer than this leaves no doubt of what the ink is.
pub(crate) const CLEAR: f32 = 0.8;

/// The surroundings of a signature, cut from an upright page.
///
/// From the label to the next label on its right; above and below as far as whole words of the next rows are seen.
#[derive(Debug, Clone)]
pub struct SignatureField {
    /// The picture, in colour where the page has any.
    pub image: RgbImage,
    /// Pixels of `image` to a millimetre, where known; else it is judged by the label.
    pub px_per_mm: Option<f32>,
    /// The printed label, in pixels of `image`.
    pub label: Quad,
    /// The ruled line or box to sign on, where known.
    pub line_hint: Option<Quad>,
    /// Other printed words beside, above and below it, in pixels of `image`.
    pub others: Vec<Quad>,
}

/// Says whether the field is signed, and reads what is written.
///
/// A seal neither hides a signature nor stands for one; ruled lines, ticks and dates are no signature. When the
/// engine fails the presence still stands, without text.
pub fn look(field: &SignatureField, recognizer: &mut dyn TextRecognizer) -> Mark {
    let scale = scale_of(field);
    let darkness = Darkness::of(&field.image, scale);
    let label = pixels_of(&field.label, &darkness);
    let mut ink = darkness.darker_than(threshold(&darkness, label));
    keep_field(&mut ink, field, label);
    take_dust_away(&mut ink, scale);
    take_colon_away(&mut ink, label);
    take_edges_of_red_away(&mut ink, &darkness, label, scale);
    ruled::take_away(&mut ink, scale);
    take_sides_away(&mut ink, scale);
    let with_seals = ink.clone();
    let mut seals = seal::take_away(&mut ink, &darkness, scale);
    take_dust_away(&mut ink, scale);
    keep_own_ink(&mut ink, field, label, scale);
    let (mut signature, mut readings) = keep_handwriting(&ink, &darkness, scale, recognizer);
    if !seals.is_empty() && surest_name(&readings) < CLEAR {
        let mut ink = with_seals;
        take_dust_away(&mut ink, scale);
        keep_own_ink(&mut ink, field, label, scale);
        let (untouched, as_it_was) = keep_handwriting(&ink, &darkness, scale, recognizer);
        // Strokes that happen to lie on a circle: with a ring left in it nothing would read as a name.
        if surest_name(&as_it_was) >= CLEAR {
            (signature, readings) = (untouched, as_it_was);
            seals.clear();
        }
    }
    read_as_it_stands(&field.image, &signature, &mut readings, recognizer);
    let hidden =
        seals.iter().any(|ring| covers(ring, label, &darkness)) || has_red_over(&darkness, label, scale);
    let extent = Extent::of(&signature, scale);
    let verdict = judge(&extent, &readings, hidden);
    mark_of(field, &signature, &extent, verdict, readings)
}

fn mark_of(
    field: &SignatureField,
    signature: &Mask,
    extent: &Extent,
    verdict: Verdict,
    readings: Vec<LineReading>,
) -> Mark {
    let bounds = signature.bounds();
    let is_written = verdict.presence != Presence::Absent && bounds.is_some();
    let region = bounds.map(|[left, top, right, bottom]| {
        Quad::rectangle(left as f32, top as f32, (right - left) as f32, (bottom - top) as f32)
    });
    let best = readings.iter().max_by(|a, b| a.confidence.value().total_cmp(&b.confidence.value()));
    let text = best.map(|reading| reading.text.clone()).filter(|text| is_written && !text.is_empty());
    Mark {
        presence: verdict.presence,
        confidence: Confidence::new(verdict.confidence),
        region: if is_written { region } else { field.line_hint },
        text,
        lattices: if is_written {
            readings.into_iter().map(|reading| reading.lattice).collect()
        } else {
            Vec::new()
        },
        extent_mm: is_written.then_some([extent.width_mm, extent.height_mm]),
        shape: if is_written { shape::shape_of(signature) } else { Vec::new() },
    }
}

fn scale_of(field: &SignatureField) -> f32 {
    let [_, top, _, bottom] = field.label.bounds();
    let by_label = (bottom - top) / LABEL_MM;
    let scale = field.px_per_mm.filter(|scale| SCALES.contains(scale)).unwrap_or(by_label);
    if scale.is_finite() { scale.clamp(*SCALES.start(), *SCALES.end()) } else { *SCALES.start() }
}

/// The rectangle in whole pixels, within the picture.
fn pixels_of(quad: &Quad, darkness: &Darkness) -> [usize; 4] {
    let [left, top, right, bottom] = quad.bounds();
    let x = |value: f32| (value.max(0.0) as usize).min(darkness.width);
    let y = |value: f32| (value.max(0.0) as usize).min(darkness.height);
    [x(left), y(top), x(right.ceil()), y(bottom.ceil())]
}

/// The pen may be fainter than the print, but not by much: a copy fades both.
fn threshold(darkness: &Darkness, label: [usize; 4]) -> f32 {
    let print = darkness.quantile(label, PRINT_SHARE);
    (print * SHARE_OF_LABEL).clamp(*THRESHOLDS.start(), *THRESHOLDS.end())
}

/// Takes away the label, what stands left of it, other words, and what lies outside of a box that was found.
fn keep_field(ink: &mut Mask, field: &SignatureField, label: [usize; 4]) {
    let margin = (label[3] - label[1]) / 6;
    for y in 0..ink.height {
        let beside_label = y + margin >= label[1] && y < label[3] + margin;
        let until = if beside_label { label[2] + margin } else { label[0] };
        let end = until.min(ink.width);
        ink.bits[y * ink.width..y * ink.width + end].fill(false);
    }
    for other in &field.others {
        erase_quad(ink, other);
    }
    let Some(hint) = field.line_hint else { return };
    let [left, top, right, bottom] = hint.bounds();
    let is_box = bottom - top > 1.2 * (label[3] - label[1]) as f32;
    if is_box && right > left {
        for index in 0..ink.bits.len() {
            let (x, y) = ((index % ink.width) as f32, (index / ink.width) as f32);
            if x < left || x > right || y < top || y > bottom {
                ink.bits[index] = false;
            }
        }
    }
}

/// Takes away what lies in a quad that runs roughly level.
fn erase_quad(ink: &mut Mask, quad: &Quad) {
    let [a, b, c, d] = quad.0;
    let along = |from: Point, to: Point, x: f32| {
        let share = (x - from.x) / (to.x - from.x).max(1.0);
        from.y + share.clamp(0.0, 1.0) * (to.y - from.y)
    };
    let (from, to) = (a.x.min(d.x).max(0.0) as usize, b.x.max(c.x).max(0.0) as usize);
    for x in from..to.min(ink.width) {
        let (top, bottom) = (along(a, b, x as f32), along(d, c, x as f32));
        for y in top.max(0.0) as usize..(bottom.max(0.0) as usize).min(ink.height) {
            ink.bits[y * ink.width + x] = false;
        }
    }
}

/// Keeps what was written together on the level of the label or of the line, and not on that of other words.
fn keep_own_ink(ink: &mut Mask, field: &SignatureField, label: [usize; 4], scale: f32) {
    let height = (label[3] - label[1]) as f32;
    let middle = (label[1] + label[3]) as f32 / 2.0;
    let line = field.line_hint.map_or(middle, |hint| hint.bounds()[3].max(middle).min(middle + 12.0 * scale));
    let (from, to) = (middle - REACH_MM * scale, line + REACH_MM * scale);
    let own = middle - WRITTEN_ABOVE * height;
    let slope = field.label.angle().tan();
    let others: Vec<(f32, f32)> =
        field.others.iter().map(|other| (other.bounds()[0], level(other, &field.label, slope))).collect();
    let is_own = |pixels: &[usize], top: usize, bottom: usize| {
        let Some((x, y)) = middle_of(pixels, ink.width) else { return true };
        let y = y - slope * (x - field.label.centre().x);
        let of_another = others.iter().any(|&(left, level)| {
            let is_other_row = (level - middle).abs() > OTHER_ROW * height;
            is_other_row && left < x && (y - (level - WRITTEN_ABOVE * height)).abs() < (y - own).abs()
        });
        !of_another && (bottom as f32) >= from && (top as f32) <= to
    };
    let together = ink.dilated((TOGETHER_MM * scale / 2.0).max(1.0) as usize);
    let mut foreign: Vec<usize> = Vec::new();
    for group in together.pieces() {
        let pixels: Vec<usize> = group.pixels.iter().copied().filter(|&pixel| ink.bits[pixel]).collect();
        let [_, top, _, bottom] = group.bounds;
        if is_own(&pixels, top, bottom) {
            continue;
        }
        let two_hands = (bottom - top) as f32 > TWO_HANDS_MM * scale;
        let own: HashSet<usize> = if two_hands { own_pieces(ink, &pixels, is_own) } else { HashSet::new() };
        foreign.extend(pixels.into_iter().filter(|pixel| !own.contains(pixel)));
    }
    for pixel in foreign {
        ink.bits[pixel] = false;
    }
}

/// Of ink that two people wrote, so near to each other that it hangs together, what stands on the row of the label.
fn own_pieces(
    ink: &Mask,
    pixels: &[usize],
    is_own: impl Fn(&[usize], usize, usize) -> bool,
) -> HashSet<usize> {
    let mut group = Mask::empty(ink.width, ink.height);
    for &pixel in pixels {
        group.bits[pixel] = true;
    }
    let own =
        group.pieces().into_iter().filter(|piece| is_own(&piece.pixels, piece.bounds[1], piece.bounds[3]));
    own.flat_map(|piece| piece.pixels).collect()
}

/// Height of the middle of a quad on the page as if the rows were level, those through the label staying.
fn level(quad: &Quad, label: &Quad, slope: f32) -> f32 {
    quad.centre().y - slope * (quad.centre().x - label.centre().x)
}

fn middle_of(pixels: &[usize], width: usize) -> Option<(f32, f32)> {
    let count = pixels.len() as f32;
    let sum = pixels
        .iter()
        .fold((0.0, 0.0), |(x, y), &pixel| (x + (pixel % width) as f32, y + (pixel / width) as f32));
    (!pixels.is_empty()).then_some((sum.0 / count, sum.1 / count))
}

/// Stretches of `true` that are not interrupted for `gap` or more, as first and one past the last.
fn runs(on: &[bool], gap: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in (0..on.len()).filter(|&place| on[place]) {
        match runs.last_mut() {
            Some((_, end)) if place - *end < gap => *end = place + 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

/// Splits the ink into groups from left to right and keeps those that are no date, label or other print.
fn keep_handwriting(
    ink: &Mask,
    darkness: &Darkness,
    scale: f32,
    recognizer: &mut dyn TextRecognizer,
) -> (Mask, Vec<LineReading>) {
    let columns: Vec<bool> =
        (0..ink.width).map(|x| (0..ink.height).any(|y| ink.bits[y * ink.width + x])).collect();
    let groups = runs(&columns, (GROUP_GAP_MM * scale) as usize);
    let mut kept = ink.clone();
    let mut alone = Vec::new();
    if groups.len() > 1 {
        for &(left, right) in &groups {
            let mut group = Mask::empty(ink.width, ink.height);
            for y in 0..ink.height {
                let row = y * ink.width;
                group.bits[row + left..row + right].copy_from_slice(&ink.bits[row + left..row + right]);
            }
            let readings = read(&group, darkness, recognizer);
            if readings.iter().any(|reading| is_print(&reading.text)) {
                for y in 0..ink.height {
                    kept.bits[y * ink.width + left..y * ink.width + right].fill(false);
                }
            } else {
                alone.extend(readings.into_iter().filter(|reading| may_be_name(&reading.text)));
            }
        }
    }
    let mut readings = read(&kept, darkness, recognizer);
    if readings.iter().any(|reading| is_print(&reading.text)) {
        kept = Mask::empty(ink.width, ink.height);
        readings.clear();
        alone.clear();
    }
    // What lies beside a name, the edge of a seal or of the sheet, spoils its reading.
    readings.extend(alone);
    (kept, readings)
}

/// How sure the surest reading is that could be a name.
fn surest_name(readings: &[LineReading]) -> f32 {
    let names = readings.iter().filter(|reading| may_be_name(&reading.text));
    names.map(|reading| reading.confidence.value()).fold(0.0, f32::max)
}

/// Where no reading is clear, adds those of the picture itself where the ink stands: what was taken away may have been
/// strokes.
fn read_as_it_stands(
    image: &RgbImage,
    signature: &Mask,
    readings: &mut Vec<LineReading>,
    recognizer: &mut dyn TextRecognizer,
) {
    let Some([left, top, right, bottom]) = signature.bounds() else { return };
    if readings.is_empty() || surest_name(readings) >= CLEAR {
        return;
    }
    let margin = (bottom - top) / 10 + 1;
    let (left, top) = (left.saturating_sub(2 * margin), top.saturating_sub(margin));
    let (width, height) = (right + 2 * margin - left, bottom + margin - top);
    let plain = imageops::crop_imm(image, left as u32, top as u32, width as u32, height as u32).to_image();
    let pictures = [light::without_red(plain.clone()), plain];
    let seen = recognizer.recognize_deeply(&pictures).unwrap_or_default();
    readings
        .extend(seen.into_iter().filter(|reading| may_be_name(&reading.text) && !is_print(&reading.text)));
}

/// Reads the ink as it is, and with its strokes redrawn evenly.
fn read(ink: &Mask, darkness: &Darkness, recognizer: &mut dyn TextRecognizer) -> Vec<LineReading> {
    let Some(bounds) = ink.bounds() else { return Vec::new() };
    let pictures = [as_written(ink, darkness, bounds), redrawn(&ink.cut(bounds))];
    recognizer.recognize_deeply(&pictures).unwrap_or_default()
}

/// The ink with its own shades on white, cut tightly.
fn as_written(ink: &Mask, darkness: &Darkness, [left, top, right, bottom]: [usize; 4]) -> RgbImage {
    let near = ink.dilated(1);
    let strength = strength_of(ink, darkness);
    let margin = (bottom - top) / 8 + 2;
    let (width, height) = (right - left + 4 * margin, bottom - top + 2 * margin);
    let picture = GrayImage::from_fn(width as u32, height as u32, |x, y| {
        let (x, y) = ((x as usize + left).wrapping_sub(2 * margin), (y as usize + top).wrapping_sub(margin));
        let is_ink = x < ink.width && y < ink.height && near.bits[y * ink.width + x];
        let shade = if is_ink { darkness.ink[y * ink.width + x] / strength } else { 0.0 };
        Luma([(255.0 * (1.0 - shade.min(1.0))) as u8])
    });
    picture.convert()
}

/// How dark the stronger half of the ink is; what is as dark is drawn black.
fn strength_of(ink: &Mask, darkness: &Darkness) -> f32 {
    darkness.level_of(ink, 0.5).max(0.1)
}

/// The skeleton drawn with a pen of constant width.
fn redrawn(ink: &Mask) -> RgbImage {
    let skeleton = thin::thinned(&framed(ink, 3));
    let pen = (skeleton.height / 40).max(1);
    let margin = skeleton.height / 8 + 2;
    let drawn = framed(&skeleton, 2 * margin).dilated(pen);
    let top = margin;
    let height = skeleton.height + 2 * margin;
    let picture = GrayImage::from_fn(drawn.width as u32, height as u32, |x, y| {
        Luma([if drawn.bits[(y as usize + top) * drawn.width + x as usize] { 20 } else { 255 }])
    });
    picture.convert()
}

/// The mask with blank pixels on all sides.
pub(super) fn framed(ink: &Mask, by: usize) -> Mask {
    let mut wide = Mask::empty(ink.width + 2 * by, ink.height + 2 * by);
    for y in 0..ink.height {
        let to = (y + by) * wide.width + by;
        wide.bits[to..to + ink.width].copy_from_slice(&ink.bits[y * ink.width..(y + 1) * ink.width]);
    }
    wide
}

/// Whether the seal lies over the place to sign.
fn covers(ring: &seal::Ring, label: [usize; 4], darkness: &Darkness) -> bool {
    let level = (label[1] + label[3]) as f32 / 2.0;
    let is_level = (ring.y - level).abs() < ring.radius;
    is_level && ring.x + ring.radius > label[2] as f32 && ring.x - ring.radius < darkness.width as f32
}

/// Whether much red lies right of the label, where a signature would be.
fn has_red_over(darkness: &Darkness, label: [usize; 4], scale: f32) -> bool {
    let red = darkness.red_marks();
    let (from, to) = (
        label[1].saturating_sub(label[3] - label[1]),
        (2 * label[3]).saturating_sub(label[1]).min(red.height),
    );
    let area: usize = (from..to)
        .map(|y| {
            red.bits[y * red.width + label[2].min(red.width)..(y + 1) * red.width]
                .iter()
                .filter(|&&b| b)
                .count()
        })
        .sum();
    area as f32 > MUCH_RED_MM2 * scale * scale
}

#[cfg(test)]
mod tests;
