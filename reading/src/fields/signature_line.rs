//! A signature whose ink could not be told from what lies around it, read as the line that was found on its row.
//!
//! The detector sees past shadows, folds and seals that a threshold does not.

use domain::{
    geometry::Quad,
    reading::{Mark, Presence},
};
use image::RgbImage;

use super::{
    labelled::{left_of, right_of},
    segments::Segments,
};
use crate::{
    engines::Engines,
    prepare::{geometry::QuadMeasure, light, warp},
    recognition::{LineReading, ctc},
    signature::{CLEAR, is_print, may_be_name},
};

/// A name read with this confidence was written, though its ink was not told from the form.
const WRITTEN: f32 = 0.7;
/// Writing stands no farther above or below its label than this, in heights of the label.
const ROW: f32 = 1.6;
/// Lines read on the row at most.
const MOST_LINES: usize = 2;
/// Height at which they are cut out, and room left around them, as a share of their own.
const CUT_HEIGHT: u32 = 48;
const ROOM: f32 = 0.1;

/// Reads the lines on the row of a signature whose reading is in doubt; `end` is where the field ends.
pub(super) fn look_again(
    page: &RgbImage,
    label: &Quad,
    end: f32,
    segments: &Segments,
    mark: Mark,
    engines: &mut Engines,
) -> Mark {
    let before = confidence_of(&mark);
    if before >= CLEAR && mark.presence == Presence::Present {
        return mark;
    }
    let lines = lines_on_row(label, end, segments);
    let pictures: Vec<RgbImage> = lines.iter().flat_map(|line| pictures_of(page, line)).collect();
    // Whatever time is left: what is said of a signature must not depend on how busy the machine is.
    if pictures.is_empty() {
        return mark;
    }
    engines.cost.second_looks += 1;
    engines.cost.recognitions += pictures.len() as u32;
    let Ok(mut readings) = engines.values.recognize_deeply(&pictures) else { return mark };
    readings.retain(|reading| may_be_name(&reading.text) && !is_print(&reading.text));
    with_readings(mark, before, readings)
}

/// How sure the surest reading of the ink is.
fn confidence_of(mark: &Mark) -> f32 {
    let readings = mark.lattices.iter().map(|lattice| ctc::read(lattice.clone(), 1.0));
    let names = readings.filter(|reading| may_be_name(&reading.text));
    names.map(|reading| reading.confidence.value()).fold(0.0, f32::max)
}

/// Lines right of the label that stand on its row, the nearest row first.
fn lines_on_row(label: &Quad, end: f32, segments: &Segments) -> Vec<Quad> {
    let slope = label.angle().tan();
    let off = |quad: &Quad| {
        let (here, there) = (label.centre(), quad.centre());
        (there.y - here.y - slope * (there.x - here.x)).abs()
    };
    let is_in_field = |quad: &Quad| {
        left_of(quad) > right_of(label) - 0.5 * label.height()
            && left_of(quad) < end
            && off(quad) < ROW * label.height()
    };
    let mut lines: Vec<Quad> = segments.values.iter().map(|value| value.quad).filter(is_in_field).collect();
    lines.sort_by(|a, b| off(a).total_cmp(&off(b)));
    lines.truncate(MOST_LINES);
    lines
}

fn pictures_of(page: &RgbImage, line: &Quad) -> [RgbImage; 2] {
    let room = ROOM * line.height();
    let plain = warp::cut_line(page, &line.grown(room, room, room), CUT_HEIGHT);
    [light::without_red(plain.clone()), plain]
}

/// The mark with more readings of its ink; a name read clearly was written.
fn with_readings(mut mark: Mark, before: f32, readings: Vec<LineReading>) -> Mark {
    let surest = readings.iter().max_by(|a, b| a.confidence.value().total_cmp(&b.confidence.value()));
    let Some(surest) = surest else { return mark };
    if mark.presence != Presence::Present && surest.confidence.value() >= WRITTEN {
        mark.presence = Presence::Present;
        mark.confidence = surest.confidence;
    }
    if mark.presence == Presence::Present {
        if surest.confidence.value() > before {
            mark.text = Some(surest.text.clone());
        }
        mark.lattices.extend(readings.into_iter().map(|reading| reading.lattice));
    }
    mark
}

#[cfg(test)]
mod tests {
    use domain::{field::Confidence, reading::Lattice};

    use super::*;

    fn mark(presence: Presence, text: Option<&str>) -> Mark {
        Mark {
            presence,
            confidence: Confidence::new(0.5),
            region: None,
            text: text.map(str::to_owned),
            lattices: Vec::new(),
            extent_mm: None,
            shape: Vec::new(),
        }
    }

    fn reading(text: &str, confidence: f32) -> LineReading {
        LineReading {
            text: text.to_owned(),
            confidence: Confidence::new(confidence),
            lattice: Lattice::default(),
            spans: Vec::new(),
        }
    }

    #[test]
    fn a_name_that_the_line_shows_clearly_was_written() {
        let seen = with_readings(mark(Presence::Unclear, Some("下")), 0.1, vec![reading("王涛", 0.9)]);

        assert_eq!((seen.presence, seen.text.as_deref()), (Presence::Present, Some("王涛")));
        assert_eq!(seen.lattices.len(), 1);
    }

    #[test]
    fn a_doubtful_line_changes_nothing_of_an_empty_field() {
        let seen = with_readings(mark(Presence::Absent, None), 0.0, vec![reading("王涛", 0.4)]);

        assert_eq!((seen.presence, seen.lattices.len()), (Presence::Absent, 0));
    }

    #[test]
    fn what_was_read_better_before_is_still_shown() {
        let seen = with_readings(mark(Presence::Present, Some("王海")), 0.6, vec![reading("王涛", 0.5)]);

        assert_eq!((seen.text.as_deref(), seen.lattices.len()), (Some("王海"), 1));
    }
}
