//! Engines that fail or answer rubbish, instead of the real ones.

use domain::reading::{Lattice, LatticeStep};
use image::Rgb;
use proptest::prelude::*;

use super::*;
use crate::recognition::{DetectedLine, LineReading, TextDetector};

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

/// Answers each line with the next of some texts, with a lattice of any numbers.
struct NoisyRecognizer {
    texts: Vec<String>,
    logs: Vec<f32>,
    asked: usize,
}

impl TextRecognizer for NoisyRecognizer {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "noisy".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        Ok(lines.iter().map(|_| self.answer()).collect())
    }
}

impl NoisyRecognizer {
    fn answer(&mut self) -> LineReading {
        self.asked += 1;
        let text = self.texts[self.asked % self.texts.len()].clone();
        let log = |place: usize| self.logs[(self.asked + place) % self.logs.len()];
        let step = |place: usize, character: Option<char>| LatticeStep {
            classes: vec![(character, log(place)), (None, log(place + 1))],
            floor: log(place + 2),
        };
        let steps = text.chars().enumerate().map(|(place, character)| step(place, Some(character))).collect();
        LineReading {
            confidence: Confidence::new(log(0)),
            lattice: Lattice { steps },
            spans: text.chars().enumerate().map(|(place, _)| (log(place), log(place + 1))).collect(),
            text,
        }
    }
}

/// Words that papers are known by, so that noise gets as far as possible.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "姓名",
        "性别",
        "民族",
        "出生",
        "住址",
        "公民身份号码",
        "签发机关",
        "有效期限",
        "中华人民共和国",
        "居民身份证",
        "客户名称:",
        "证件号码:",
        "业务流水号:",
        "受理日期:",
        "客户签字:",
        "男",
        "汉",
        "120111198409105819",
        "2021.06.08-2041.06.08",
        "天津市西青区解放南路",
        "有效证件一次使用复印无效",
    ];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => proptest::collection::vec(proptest::char::any(), 0..12).prop_map(String::from_iter),
    ]
}

fn numbers() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -12.0_f32..0.0, 1 => proptest::num::f32::ANY]
}

fn places() -> impl Strategy<Value = Quad> {
    let near = (-50.0_f32..450.0, -50.0_f32..350.0, 0.0_f32..300.0, 0.0_f32..60.0);
    let corners = proptest::array::uniform8(proptest::num::f32::ANY);
    prop_oneof![
        8 => near.prop_map(|(left, top, width, height)| Quad::rectangle(left, top, width, height)),
        1 => corners.prop_map(|[a, b, c, d, e, f, g, h]| {
            let point = |x, y| domain::geometry::Point { x, y };
            Quad([point(a, b), point(c, d), point(e, f), point(g, h)])
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_engines_say_a_page_has_a_reading(
        quads in proptest::collection::vec(places(), 0..24),
        texts in proptest::collection::vec(words(), 1..24),
        logs in proptest::collection::vec(numbers(), 1..40),
        (width, height) in (0_u32..420, 0_u32..320),
    ) {
        let noisy = || Box::new(NoisyRecognizer { texts: texts.clone(), logs: logs.clone(), asked: 0 });
        let mut reader = reader(quads, None);
        reader.engines.labels = noisy();
        reader.engines.values = noisy();
        reader.budget_ms = 400;
        let page = RgbImage::from_fn(width, height, |x, y| Rgb([if (x / 3 + y / 5) % 4 == 0 { 20 } else { 240 }; 3]));

        let reading = reader.read_page(&page, None, &PageHints::default()).unwrap();

        for field in reading.papers.iter().flat_map(|paper| &paper.fields) {
            prop_assert!((0.0..=1.0).contains(&field.confidence.value()));
        }
    }
}
