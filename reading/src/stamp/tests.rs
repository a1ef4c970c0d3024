use domain::reading::EngineVersion;
use image::Rgb;

use super::*;
use crate::recognition::{DetectedLine, RecognitionError};

/// Reads every line as the same text, or fails.
struct Scripted(Result<&'static str, ()>);

impl TextRecognizer for Scripted {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "scripted".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        let text = self.0.map_err(|()| RecognitionError::Malformed { engine: "scripted" })?;
        let reading = LineReading {
            text: text.to_owned(),
            confidence: Confidence::FULL,
            lattice: Lattice::default(),
            spans: Vec::new(),
        };
        Ok(vec![reading; lines.len().min(1)])
    }
}

/// Finds one line, or fails.
struct OneLine(bool);

impl TextDetector for OneLine {
    fn detect(&mut self, _: &RgbImage, _: u32) -> Result<Vec<DetectedLine>, RecognitionError> {
        if self.0 {
            Ok(vec![DetectedLine { quad: Quad::rectangle(50.0, 50.0, 200.0, 20.0), score: 0.9 }])
        } else {
            Err(RecognitionError::Malformed { engine: "scripted" })
        }
    }
}

fn check(text: Result<&'static str, ()>, finds: Option<bool>, expected: Presence) {
    let sheet = RgbImage::from_pixel(400, 300, Rgb([255, 255, 255]));
    let mut detector = finds.map(OneLine);

    let mark = find_copy_stamp(
        &sheet,
        Known { cards: &[], others: &[], lines: None },
        Readers { quick: &mut Scripted(text), good: &mut Scripted(text) },
        detector.as_mut().map(|detector| detector as &mut dyn TextDetector),
    );

    assert_eq!(mark.presence, expected, "{text:?} {finds:?}");
}

#[test]
fn the_words_decide() {
    check(Ok("有效证件一次使用复印无效"), Some(true), Presence::Present);
    check(Ok("示范通信有限公司"), Some(true), Presence::Absent);
    check(Ok("证件次"), Some(true), Presence::Unclear);
}

#[test]
fn what_could_not_be_searched_is_unclear() {
    check(Ok("有效证件一次使用复印无效"), None, Presence::Unclear);
    check(Ok("有效证件一次使用复印无效"), Some(false), Presence::Unclear);
}

#[test]
fn a_line_that_stands_upright_is_read_along() {
    let upright = Quad::rectangle(10.0, 10.0, 20.0, 200.0);

    assert!(ratio(&along(upright)) > 9.0);
    assert!(slant(&along(upright)) > 1.5);
}

#[test]
fn pieces_are_read_row_by_row_along_their_slope() {
    let piece = |x: f32, y: f32, width: f32| Quad::rectangle(x, y, width, 20.0);
    let (first, second, below) =
        (piece(10.0, 10.0, 160.0), piece(220.0, 14.0, 60.0), piece(90.0, 50.0, 80.0));

    assert_eq!(in_reading_order(vec![first, below, second]), vec![first, second, below]);
    assert!(in_reading_order(Vec::new()).is_empty());
}
