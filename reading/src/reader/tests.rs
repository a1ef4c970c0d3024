//! Engines that fail or answer rubbish, instead of the real ones.

use domain::reading::Lattice;
use image::Rgb;

use super::*;
use crate::recognition::{LineReading, TextDetector};

/// Finds the same lines on every picture.
struct ScriptedDetector(Vec<Quad>);

impl TextDetector for ScriptedDetector {
    fn detect(&mut self, _: &RgbImage, _: u32) -> Result<Vec<DetectedLine>, RecognitionError> {
        Ok(self.0.iter().map(|quad| DetectedLine { quad: *quad, score: 0.9 }).collect())
    }
}

/// Answers every line with the same text, or fails.
struct ScriptedRecognizer(Option<&'static str>);

impl TextRecognizer for ScriptedRecognizer {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "scripted".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        let text = self.0.ok_or(RecognitionError::Malformed { engine: "scripted" })?;
        let reading = LineReading {
            text: text.to_owned(),
            confidence: Confidence::new(0.99),
            lattice: Lattice::default(),
            spans: Vec::new(),
        };
        Ok(vec![reading; lines.len()])
    }
}

fn reader(quads: Vec<Quad>, text: Option<&'static str>) -> PageReader {
    let engines = Engines {
        detector: Box::new(ScriptedDetector(quads)),
        labels: Box::new(ScriptedRecognizer(text)),
        values: Box::new(ScriptedRecognizer(text)),
        direction: None,
        second: None,
        cost: ReadingCost::default(),
        watch: Stopwatch::start(),
        second_looks_until_ms: 0.0,
    };
    PageReader::with_engines(engines, FormSet::embedded().unwrap())
}

fn page() -> RgbImage {
    RgbImage::from_fn(400, 300, |x, y| Rgb([if (x / 7 + y / 5) % 5 == 0 { 20 } else { 240 }; 3]))
}

fn lines() -> Vec<Quad> {
    (0..8).map(|row| Quad::rectangle(20.0, 20.0 + 30.0 * row as f32, 200.0, 22.0)).collect()
}

#[test]
fn an_engine_that_fails_is_an_error_not_a_guess() {
    let answer = reader(lines(), None).read_page(&page(), None, &PageHints::default());

    assert!(matches!(answer, Err(RecognitionError::Malformed { .. })));
}

#[test]
fn rubbish_is_no_paper() {
    for text in ["", "\u{fffd}\u{fffd}", "%%%%", "一一一一一一一一"] {
        let reading = reader(lines(), Some(text)).read_page(&page(), None, &PageHints::default()).unwrap();

        assert!(reading.papers.is_empty(), "{text}: {:?}", reading.papers);
    }
}

#[test]
fn lines_far_off_the_page_do_no_harm() {
    let quads = vec![Quad::rectangle(-5e6, 1e7, 3e6, 10.0), Quad::rectangle(f32::NAN, 0.0, 1.0, 1.0)];

    let reading = reader(quads, Some("客户名称:")).read_page(&page(), None, &PageHints::default()).unwrap();

    assert!(reading.papers.is_empty());
}

#[test]
fn a_blank_page_has_no_papers() {
    let blank = RgbImage::from_pixel(600, 800, Rgb([255; 3]));

    let reading = reader(lines(), Some("姓名")).read_page(&blank, None, &PageHints::default()).unwrap();

    assert_eq!((reading.papers.len(), reading.quality.score), (0, 0.0));
}
