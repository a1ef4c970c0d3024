//! Which way up a page lies, judged by the lines found on it.

use domain::geometry::Quad;
use image::{RgbImage, imageops};

use super::{geometry::QuadMeasure, warp};
use crate::{
    lines::part,
    recognition::{DetectedLine, LineDirection, RecognitionError, TextRecognizer},
};

/// Lines looked at to decide.
const WITNESSES: usize = 4;
/// The direction model sees pieces this many times as long as high.
const WITNESS_RATIO: f32 = 5.0;
/// A decision by the direction model needs this much; otherwise the lines are read both ways.
const CLEAR: f32 = 1.5;

/// Whether most ink stands in lines that run up or down the page.
pub fn lies_on_its_side(lines: &[DetectedLine]) -> bool {
    let (mut along, mut across) = (0.0_f32, 0.0_f32);
    for line in lines {
        let (width, height) = (line.quad.width(), line.quad.height());
        if width > 1.8 * height {
            along += width;
        } else if height > 1.8 * width {
            across += height;
        }
    }
    across > along
}

/// Whether the lines of an otherwise level picture stand on their head.
///
/// # Errors
/// An engine failed.
pub fn stands_on_its_head(
    picture: &RgbImage,
    lines: &[DetectedLine],
    direction: Option<&mut LineDirection>,
    reader: &mut dyn TextRecognizer,
) -> Result<bool, RecognitionError> {
    let witnesses = longest(lines);
    let crops: Vec<RgbImage> =
        witnesses.iter().map(|line| warp::cut_line(picture, &beginning(&line.quad), 48)).collect();
    if crops.is_empty() {
        return Ok(false);
    }
    if let Some(model) = direction {
        let mut evidence = 0.0;
        for crop in &crops {
            let p = model.look(crop)?.upside_down.clamp(0.01, 0.99);
            evidence += (p / (1.0 - p)).ln() * 0.5;
        }
        if evidence.abs() > CLEAR {
            return Ok(evidence > 0.0);
        }
    }
    let turned: Vec<RgbImage> = crops.iter().map(imageops::rotate180).collect();
    let worth = |readings: Vec<crate::recognition::LineReading>| -> f32 {
        readings.iter().map(|reading| reading.confidence.value() * reading.text.chars().count() as f32).sum()
    };
    Ok(worth(reader.recognize(&turned)?) > worth(reader.recognize(&crops)?))
}

/// As much of a line as the direction model can read.
fn beginning(quad: &Quad) -> Quad {
    part(quad, 0.0, (WITNESS_RATIO * quad.height() / quad.width().max(1.0)).min(1.0))
}

fn longest(lines: &[DetectedLine]) -> Vec<DetectedLine> {
    let mut sorted: Vec<DetectedLine> =
        lines.iter().filter(|line| line.quad.width() > 2.5 * line.quad.height()).copied().collect();
    sorted.sort_by(|a, b| b.quad.width().total_cmp(&a.quad.width()));
    sorted.truncate(WITNESSES);
    sorted
}
