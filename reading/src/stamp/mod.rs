//! The copy stamp 有效证件一次使用复印无效: on the sheet, not on the sheet, or look.
//!
//! Red ink is looked at first: it is cheap and nothing printed is in the way. Copies have lost the colour; there,
//! and for words written by hand, the lines a detector finds are read, also slanting and turned ones; faint ink is
//! looked for again in a darker and larger picture. Any other mark, red or round, is not it: only its words are.

mod closer;
mod red;
mod rows;
mod wording;

use domain::{
    field::Confidence,
    geometry::{Point, Quad},
    reading::{Lattice, Mark, Presence},
};
use image::{RgbImage, imageops};

use crate::{
    prepare::{
        geometry::{Projection, QuadMeasure},
        warp,
    },
    recognition::{LineReading, RecognitionError, TextDetector, TextRecognizer},
    verification::{ctc_log_likelihood, segmented_log_likelihood},
};
use wording::{LINES, Match, PART_OF_THE_WORDS, WORDS};

/// The longest side at which lines are looked for.
const DETECTION_SIDE: u32 = 960;
/// Lines found on a sheet this much smaller will do.
const NEARLY: f32 = 0.9;
/// Lines read at most in each search; a copied sheet has about twenty.
const MOST_LINES: usize = 24;
/// A line of the stamp, or both of its lines together, is at least this many times as long as high.
const LEAST_RATIO: f32 = 1.9;
/// A cut-out this many times as long as high holds one line only.
const ONE_LINE: f32 = 6.5;
/// Height at which lines are cut out, and cut-outs that may hold a frame or two lines.
const LINE_HEIGHT: u32 = 48;
const ROWS_HEIGHT: u32 = 96;
/// A line steeper than this, in radians, may stand on its head.
const STEEP: f32 = 0.5;
const AS_IT_STANDS: &[bool] = &[false];
const EITHER_WAY: &[bool] = &[false, true];
/// Pieces of red ink read together at most.
const MOST_PIECES: usize = 10;
/// Middles less than this apart, in heights of the widest piece, stand on one row.
const ROW_APART: f32 = 0.6;

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
    let groups = red.groups();
    for group in groups.iter().filter(|group| group.is_flat()) {
        search.try_group(&red, group);
        if search.is_settled() {
            return search.settled();
        }
    }
    let Some(detector) = detector else { return search.unsearched() };
    match search.try_everywhere(sheet, (&red, &groups), known, detector) {
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
    /// With a detector: each group of red ink by itself, then the sheet, then the sheet darker and larger.
    fn try_everywhere(
        &mut self,
        sheet: &RgbImage,
        (red, groups): (&red::RedInk, &[red::Group]),
        known: Known<'_>,
        detector: &mut dyn TextDetector,
    ) -> Result<(), RecognitionError> {
        let mut seen: Vec<&red::Group> = Vec::new();
        for group in groups {
            if seen.iter().any(|other| group.is_seen_with(other)) {
                continue;
            }
            seen.push(group);
            self.try_closely(&red.closer(group), group.quad, detector)?;
            if self.is_settled() {
                return Ok(());
            }
        }
        self.try_lines((sheet, DETECTION_SIDE), known, detector)?;
        let part = closer::Part::around(sheet, known.cards);
        for picture in part.pictures() {
            if self.is_settled() {
                break;
            }
            self.try_part(&picture, &part.onto, known, detector)?;
        }
        Ok(())
    }

    /// Reads the lines a detector finds in red ink as one text, either way up: what a portrait under it tears apart
    /// belongs together.
    fn try_closely(
        &mut self,
        picture: &RgbImage,
        region: Quad,
        detector: &mut dyn TextDetector,
    ) -> Result<(), RecognitionError> {
        let lines = detector.detect(picture, DETECTION_SIDE)?;
        let mut quads: Vec<Quad> = lines.iter().map(|line| along(line.quad)).collect();
        quads.sort_by(|a, b| b.width().total_cmp(&a.width()));
        quads.truncate(MOST_PIECES);
        let pieces: Vec<RgbImage> =
            in_reading_order(quads).iter().flat_map(|quad| cut_rows(picture, quad)).collect();
        self.read_together(&pieces, region);
        if !self.is_settled() {
            let turned: Vec<RgbImage> = pieces.iter().rev().map(imageops::rotate180).collect();
            self.read_together(&turned, region);
        }
        Ok(())
    }

    /// Reads a picture of a part of the sheet, whose places `onto` gives.
    fn try_part(
        &mut self,
        picture: &RgbImage,
        onto: &Projection,
        known: Known<'_>,
        detector: &mut dyn TextDetector,
    ) -> Result<(), RecognitionError> {
        let moved = |quads: &[Quad]| quads.iter().map(|quad| onto.apply_quad(quad)).collect::<Vec<_>>();
        let (cards, others) = (moved(known.cards), moved(known.others));
        let before = self.best.take();
        let known = Known { cards: &cards, others: &others, lines: None };
        self.try_lines((picture, closer::SIDE), known, detector)?;
        if let Some(found) = &mut self.best {
            found.region = onto.inverse().apply_quad(&found.region);
        }
        if let Some(before) = before {
            self.keep(before);
        }
        Ok(())
    }

    /// Reads a group of red ink along its own slope, either way up; two lines are read apart.
    fn try_group(&mut self, red: &red::RedInk, group: &red::Group) {
        let upright = red.straightened(group);
        for turned in [false, true] {
            let picture = if turned { imageops::rotate180(&upright) } else { upright.clone() };
            self.read_together(&rows::rows_of_words(&picture), group.quad);
            if self.is_settled() {
                return;
            }
        }
    }

    /// Reads the lines that are known or a detector finds, those outside of cards first.
    fn try_lines(
        &mut self,
        (picture, side): (&RgbImage, u32),
        known: Known<'_>,
        detector: &mut dyn TextDetector,
    ) -> Result<(), RecognitionError> {
        let lines = match known.lines {
            Some(lines) => lines.to_vec(),
            None => detector.detect(picture, side)?.iter().map(|line| line.quad).collect(),
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
            let ways = if slant(&quad) > STEEP { EITHER_WAY } else { AS_IT_STANDS };
            self.read_line(picture, &quad, quad, ways);
            if self.is_settled() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads what stands in a quad; where that may be the stamp, also without the frame around it and row by row.
    fn read_line(&mut self, picture: &RgbImage, quad: &Quad, region: Quad, ways: &[bool]) {
        for &turned in ways {
            let cut_out = |height: u32| {
                let cut_out = warp::cut_line(picture, quad, height);
                if turned { imageops::rotate180(&cut_out) } else { cut_out }
            };
            let is_other = ratio(quad) >= ONE_LINE && !self.read_together(&[cut_out(LINE_HEIGHT)], region);
            if !is_other && !self.is_settled() {
                self.read_together(&rows::rows_of_words(&cut_out(ROWS_HEIGHT)), region);
            }
            if self.is_settled() {
                return;
            }
        }
    }

    /// Reads rows of words as one text; whether there is anything of the stamp in it.
    fn read_together(&mut self, rows: &[RgbImage], region: Quad) -> bool {
        let Ok(quick) = self.readers.quick.recognize(rows) else { return false };
        let at_first = matched(&quick);
        if !at_first.is_worth_reading() {
            return at_first.is_hinted();
        }
        let Ok(readings) = self.readers.good.recognize(rows) else { return false };
        let text = text_of(&readings);
        let matched = matched(&readings);
        let lattices = readings.into_iter().map(|LineReading { lattice, .. }| lattice).collect();
        self.keep(Found { matched, text, lattices, region });
        true
    }

    /// Keeps the stronger of what was found before and now.
    fn keep(&mut self, found: Found) {
        if self.best.as_ref().is_none_or(|best| found.matched.strength() > best.matched.strength()) {
            self.best = Some(found);
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

/// How much worse the stamp's words, or one of its lines, explain the ink than its free reading does, for each
/// character.
///
/// Worn and faint stamps read as other characters, but their words still explain the ink far better than chance.
fn explanation(readings: &[LineReading]) -> f32 {
    let inked =
        readings.iter().filter(|reading| !reading.text.is_empty() && !reading.lattice.steps.is_empty());
    let lattices: Vec<Lattice> = inked.clone().map(|reading| reading.lattice.clone()).collect();
    if lattices.is_empty() {
        return f32::NEG_INFINITY;
    }
    let free: f64 = inked.map(|reading| ctc_log_likelihood(&reading.lattice, &reading.text)).sum();
    let of = |words: &str| {
        let ratio = segmented_log_likelihood(&lattices, words) - free;
        ratio as f32 / words.chars().count() as f32
    };
    let of_a_line = LINES.iter().map(|line| of(line) - PART_OF_THE_WORDS).fold(f32::NEG_INFINITY, f32::max);
    of(WORDS).max(of_a_line)
}

/// The lines in a quad as they are read: one, or the rows in it.
fn cut_rows(picture: &RgbImage, quad: &Quad) -> Vec<RgbImage> {
    if (LEAST_RATIO..ONE_LINE).contains(&ratio(quad)) {
        rows::rows_of_words(&warp::cut_line(picture, quad, ROWS_HEIGHT))
    } else {
        vec![warp::cut_line(picture, quad, LINE_HEIGHT)]
    }
}

/// Quads row by row along the slope of the widest, which comes first.
fn in_reading_order(quads: Vec<Quad>) -> Vec<Quad> {
    let Some(widest) = quads.first() else { return quads };
    let (sin, cos) = widest.angle().sin_cos();
    let same_row = ROW_APART * widest.height();
    let mut placed: Vec<(f32, f32, Quad)> = quads
        .iter()
        .map(|quad| {
            let Point { x, y } = quad.centre();
            (y * cos - x * sin, x * cos + y * sin, *quad)
        })
        .collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rows: Vec<Vec<(f32, f32, Quad)>> = Vec::new();
    for quad in placed {
        match rows.last_mut() {
            Some(row) if quad.0 - row[0].0 < same_row => row.push(quad),
            _ => rows.push(vec![quad]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.1.total_cmp(&b.1));
    }
    rows.into_iter().flatten().map(|(_, _, quad)| quad).collect()
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
