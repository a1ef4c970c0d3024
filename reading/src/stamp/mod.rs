//! The copy stamp 有效证件一次使用复印无效: on the sheet, not on the sheet, or look.
//!
//! Red ink is looked at first: it is cheap and nothing printed is in the way. Copies have lost the colour; there,
//! and for words written by hand, the lines a detector finds are read, also slanting and turned ones. Any other
//! mark, red or round, is not it: only its words are.

mod red;
mod wording;

use domain::{
    field::Confidence,
    geometry::{Point, Quad},
    reading::{Lattice, Mark, Presence},
};
use image::{RgbImage, imageops};

use crate::{
    prepare::{geometry::QuadMeasure, warp},
    recognition::{LineReading, TextDetector, TextRecognizer},
    verification::ctc_log_likelihood,
};
use wording::{Match, WORDS};

/// The longest side at which lines are looked for.
const DETECTION_SIDE: u32 = 960;
/// Lines found on a sheet this much smaller will do.
const NEARLY: f32 = 0.9;
/// Lines read at most in each search; a copied sheet has about twenty.
const MOST_LINES: usize = 28;
/// A line of the stamp is at least this many times as long as high.
const LEAST_RATIO: f32 = 2.6;
/// Height at which lines are cut out.
const LINE_HEIGHT: u32 = 48;

/// Who reads the lines that may be the stamp.
pub struct Readers<'a> {
    /// Reads every line, well enough to tell which may be.
    pub quick: &'a mut dyn TextRecognizer,
    /// Reads those.
    pub good: &'a mut dyn TextRecognizer,
}

/// What is known of a sheet.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Outlines of the identity cards on it.
    pub cards: &'a [Quad],
    /// Lines that were read clearly and are something else.
    pub others: &'a [Quad],
    /// Lines that were found where the sheet was at least of [`least_scale`]; `None` when they must be looked for.
    pub lines: Option<&'a [Quad]>,
}

/// How large a sheet must be, beside its own size, when lines are looked for that may be the stamp.
pub fn least_scale(sheet: &RgbImage) -> f32 {
    let longest = sheet.width().max(sheet.height()).max(1);
    (NEARLY * DETECTION_SIDE as f32 / longest as f32).min(1.0)
}

/// Looks for the copy stamp on an upright sheet.
///
/// Without a detector only red ink can be searched, so its absence remains unclear.
pub fn find_copy_stamp(
    sheet: &RgbImage,
    known: Known<'_>,
    readers: Readers<'_>,
    detector: Option<&mut dyn TextDetector>,
) -> Mark {
    let mut search = Search { readers, best: None };
    let red = red::RedInk::of(sheet);
    for group in red.groups() {
        search.try_group(&red, &group);
        if search.is_settled() {
            return search.settled();
        }
    }
    let Some(detector) = detector else { return search.unsearched() };
    if red.is_much()
        && let Some(picture) = red.alone(sheet)
        && search.try_lines(&picture, Known { cards: &[], others: &[], lines: None }, &mut *detector).is_err()
    {
        return search.unsearched();
    }
    if search.is_settled() {
        return search.settled();
    }
    match search.try_lines(sheet, known, detector) {
        Ok(()) => search.settled(),
        Err(_) => search.unsearched(),
    }
}

/// What was found so far.
struct Search<'a> {
    readers: Readers<'a>,
    best: Option<Found>,
}

struct Found {
    matched: Match,
    text: String,
    lattices: Vec<Lattice>,
    region: Quad,
}

impl Search<'_> {
    /// Reads a group of red ink along its own slope, either way up; two lines are read apart.
    fn try_group(&mut self, red: &red::RedInk, group: &red::Group) {
        let upright = red.straightened(group);
        for turned in [false, true] {
            let picture = if turned { imageops::rotate180(&upright) } else { upright.clone() };
            let rows = red::rows_of_text(&picture);
            self.read_together(&rows, group.quad);
            if self.is_settled() {
                return;
            }
        }
    }

    /// Reads the lines that are known or a detector finds, those outside of cards first.
    fn try_lines(
        &mut self,
        picture: &RgbImage,
        known: Known<'_>,
        detector: &mut dyn TextDetector,
    ) -> Result<(), crate::recognition::RecognitionError> {
        let lines = match known.lines {
            Some(lines) => lines.to_vec(),
            None => detector.detect(picture, DETECTION_SIDE)?.iter().map(|line| line.quad).collect(),
        };
        let mut quads: Vec<Quad> =
            lines.into_iter().map(along).filter(|quad| ratio(quad) >= LEAST_RATIO).collect();
        quads.retain(|quad| !known.others.iter().any(|other| is_same_line(quad, other)));
        quads.sort_by(|a, b| {
            let rank = |quad: &Quad| (is_inside_any(quad, known.cards), -slant(quad));
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        quads.truncate(MOST_LINES);
        for &quad in &quads {
            let cut = warp::cut_line(picture, &quad, LINE_HEIGHT);
            self.read_together(std::slice::from_ref(&cut), quad);
            if !self.is_settled() && slant(&quad) > 0.5 {
                self.read_together(&[imageops::rotate180(&cut)], quad);
            }
            if self.is_settled() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_together(&mut self, rows: &[RgbImage], region: Quad) {
        let Ok(quick) = self.readers.quick.recognize(rows) else { return };
        if !matched(&quick).is_worth_reading() {
            return;
        }
        let Ok(readings) = self.readers.good.recognize(rows) else { return };
        let text = text_of(&readings);
        let matched = matched(&readings);
        if self.best.as_ref().is_none_or(|best| matched.strength() > best.matched.strength()) {
            let lattices = readings.into_iter().map(|LineReading { lattice, .. }| lattice).collect();
            self.best = Some(Found { matched, text, lattices, region });
        }
    }

    fn is_settled(&self) -> bool {
        self.best.as_ref().is_some_and(|best| best.matched.is_the_stamp())
    }

    /// The answer when everything was searched.
    fn settled(self) -> Mark {
        match self.best {
            Some(found) if found.matched.is_the_stamp() => {
                let confidence = 0.9 + 0.1 * found.matched.share();
                mark(Presence::Present, confidence, Some(found))
            }
            Some(found) if found.matched.may_be_the_stamp() => mark(Presence::Unclear, 0.5, Some(found)),
            _ => mark(Presence::Absent, 0.9, None),
        }
    }

    /// The answer when lines could not be looked for.
    fn unsearched(self) -> Mark {
        if self.is_settled() { self.settled() } else { mark(Presence::Unclear, 0.3, self.best) }
    }
}

fn text_of(readings: &[LineReading]) -> String {
    readings.iter().map(|reading| reading.text.as_str()).collect()
}

fn matched(readings: &[LineReading]) -> Match {
    Match::of(&text_of(readings)).explained(explanation(readings))
}

/// How much worse the stamp's words explain one line of ink than its free reading does, for each character.
///
/// Worn and faint stamps read as other characters, but their words still explain the ink far better than chance.
fn explanation(readings: &[LineReading]) -> f32 {
    let [reading] = readings else { return f32::NEG_INFINITY };
    if reading.text.is_empty() || reading.lattice.steps.is_empty() {
        return f32::NEG_INFINITY;
    }
    let ratio =
        ctc_log_likelihood(&reading.lattice, WORDS) - ctc_log_likelihood(&reading.lattice, &reading.text);
    ratio as f32 / WORDS.chars().count() as f32
}

fn mark(presence: Presence, confidence: f32, found: Option<Found>) -> Mark {
    let (region, text, lattices) = match found {
        Some(found) => (Some(found.region), Some(found.text), found.lattices),
        None => (None, None, Vec::new()),
    };
    let text = text.filter(|text| !text.is_empty());
    Mark {
        presence,
        confidence: Confidence::new(confidence),
        region,
        text,
        lattices,
        extent_mm: None,
        shape: Vec::new(),
    }
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// The quad with its longer side first, so that upright boxes of turned stamps are read along.
fn along(quad: Quad) -> Quad {
    let [a, b, c, d] = quad.0;
    if distance(a, b) >= distance(b, c) { quad } else { Quad([d, a, b, c]) }
}

fn ratio(quad: &Quad) -> f32 {
    let [a, b, c, _] = quad.0;
    distance(a, b) / distance(b, c).max(1.0)
}

/// How far the first side is from level, 0 to π/2.
fn slant(quad: &Quad) -> f32 {
    let [a, b, ..] = quad.0;
    (b.y - a.y).abs().atan2((b.x - a.x).abs())
}

/// Whether two quads lie around the same line, within half of its height.
fn is_same_line(a: &Quad, b: &Quad) -> bool {
    let height = b.height();
    a.0.iter().zip(along(*b).0).all(|(p, q)| distance(*p, q) < 0.5 * height.max(1.0))
}

/// Whether the middle of the line lies within a card; slanting lines never count, cards do not print them.
fn is_inside_any(quad: &Quad, cards: &[Quad]) -> bool {
    let middle = Point {
        x: quad.0.iter().map(|point| point.x).sum::<f32>() / 4.0,
        y: quad.0.iter().map(|point| point.y).sum::<f32>() / 4.0,
    };
    cards.iter().any(|card| {
        let [left, top, right, bottom] = card.bounds();
        (left..=right).contains(&middle.x) && (top..=bottom).contains(&middle.y)
    })
}

#[cfg(test)]
mod tests;
