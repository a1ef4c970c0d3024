//! Decides from the extent of the ink whether a field is signed.

use domain::reading::Presence;

use super::{field::framed, mask::Mask, thin};
use crate::recognition::LineReading;

/// A name of two characters, each of a few strokes, has more than this length of stroke, millimetres.
const SIGNED_FROM_MM: f32 = 24.0;
/// What has less is a slip of the pen or what is left of the form.
const NOTHING_BELOW_MM: f32 = 9.0;
/// Least width and height of the longer side, millimetres.
const LEAST_SIDE_MM: f32 = 5.0;
/// A tick runs at most this many times its own diagonal, in one or two pieces.
const TICK_RATIO: f32 = 2.1;
/// A tick is no longer than this, millimetres.
const TICK_MM: f32 = 40.0;
/// What is left of a ruled line or of the edge of a seal runs at most this many times its own diagonal.
const LINE_RATIO: f32 = 1.3;
/// It is in no more pieces than this.
const LINE_PIECES: usize = 3;

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) width_mm: f32,
    pub(super) height_mm: f32,
    /// Length of all strokes.
    pub(super) length_mm: f32,
    /// Pieces that are not tiny.
    pub(super) pieces: usize,
}

impl Extent {
    pub(super) fn of(ink: &Mask, scale: f32) -> Self {
        let Some(bounds) = ink.bounds() else {
            return Self { width_mm: 0.0, height_mm: 0.0, length_mm: 0.0, pieces: 0 };
        };
        let part = ink.cut(bounds);
        let length = thin::length(&thin::thinned(&framed(&part, 2)));
        let large = (1.2 * scale) as usize;
        let pieces = part.pieces().iter().filter(|piece| piece.width().max(piece.height()) > large).count();
        Self {
            width_mm: part.width as f32 / scale,
            height_mm: part.height as f32 / scale,
            length_mm: length / scale,
            pieces,
        }
    }

    fn is_tick(&self) -> bool {
        let diagonal = self.width_mm.hypot(self.height_mm);
        let is_line = self.pieces <= LINE_PIECES && self.length_mm < LINE_RATIO * diagonal;
        is_line || self.pieces <= 2 && self.length_mm <= TICK_MM && self.length_mm < TICK_RATIO * diagonal
    }
}

/// The answer and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    pub(super) presence: Presence,
    pub(super) confidence: f32,
}

/// Judges the ink left when form and seal are gone; `hidden` says that a seal lies over the field.
pub(super) fn judge(extent: &Extent, readings: &[LineReading], hidden: bool) -> Verdict {
    let longest = extent.width_mm.max(extent.height_mm);
    let reads_as_name = readings.iter().any(|reading| {
        let characters = reading.text.chars().filter(|c| is_han(*c)).count();
        characters >= 2 && reading.confidence.value() >= 0.5
    });
    if extent.length_mm >= SIGNED_FROM_MM && longest >= LEAST_SIDE_MM && (reads_as_name || !extent.is_tick())
    {
        let confidence = 0.9 + 0.1 * ((extent.length_mm - SIGNED_FROM_MM) / 60.0).min(1.0);
        return Verdict { presence: Presence::Present, confidence };
    }
    if reads_as_name && longest >= LEAST_SIDE_MM {
        return Verdict { presence: Presence::Present, confidence: 0.9 };
    }
    let is_nothing = extent.length_mm < NOTHING_BELOW_MM || extent.is_tick();
    if is_nothing && !hidden {
        return Verdict {
            presence: Presence::Absent,
            confidence: if extent.pieces == 0 { 0.99 } else { 0.9 },
        };
    }
    if is_nothing && extent.length_mm < NOTHING_BELOW_MM / 2.0 {
        // A seal over an empty field is the usual way to seal; a hidden signature would stick out of it.
        return Verdict { presence: Presence::Absent, confidence: 0.85 };
    }
    Verdict { presence: Presence::Unclear, confidence: 0.5 }
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(extent: (f32, f32, f32, usize), hidden: bool, expected: Presence) {
        let (width_mm, height_mm, length_mm, pieces) = extent;
        let extent = Extent { width_mm, height_mm, length_mm, pieces };

        assert_eq!(judge(&extent, &[], hidden).presence, expected, "{extent:?}");
    }

    #[test]
    fn extent_in_millimetres_decides() {
        check((30.0, 12.0, 150.0, 9), false, Presence::Present);
        check((25.0, 10.0, 80.0, 1), false, Presence::Present);
        check((0.0, 0.0, 0.0, 0), false, Presence::Absent);
        check((3.0, 2.0, 5.0, 1), false, Presence::Absent);
        check((12.0, 10.0, 17.0, 1), false, Presence::Absent);
        check((52.0, 2.0, 54.0, 2), false, Presence::Absent);
        check((9.0, 8.0, 18.0, 4), false, Presence::Unclear);
        check((9.0, 8.0, 18.0, 4), true, Presence::Unclear);
        check((0.0, 0.0, 0.0, 0), true, Presence::Absent);
    }
}
