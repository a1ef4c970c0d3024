//! Networks that answer rubbish, instead of the real ones.

use image::Rgb;
use proptest::prelude::*;

use super::*;

#[test]
fn a_line_is_padded_with_grey_to_the_next_step() {
    let line = RgbImage::from_pixel(50, 24, Rgb([255, 0, 0]));

    let (tensor, width) = line_tensor(&line);

    assert_eq!((tensor.shape, width), (vec![1, 3, 48, 112], 100));
    assert_eq!(tensor.values[..3], [-1.0, -1.0, -1.0], "blue comes first");
    assert!(tensor.values[111].abs() < f32::EPSILON);
}

struct Rubbish(Tensor);

impl Network for Rubbish {
    fn run(&mut self, _: Tensor) -> Result<Tensor, RecognitionError> {
        Ok(self.0.clone())
    }

    fn metadata(&self, _: &str) -> Option<String> {
        None
    }

    fn engine(&self) -> &'static str {
        "rubbish"
    }
}

#[test]
fn an_answer_of_the_wrong_shape_is_an_error() {
    for shape in [vec![], vec![1, 2], vec![1, 0, 4], vec![2, 1, 4], vec![1, 2, 4]] {
        let network = Box::new(Rubbish(Tensor { shape: shape.clone(), values: vec![0.1; 5] }));
        let mut recognizer = PpocrRecognizer::new(network, "甲\n乙\n", "tiny").unwrap();

        let answer = recognizer.recognize(&[RgbImage::new(60, 20)]);

        assert!(matches!(answer, Err(RecognitionError::Malformed { .. })), "{shape:?}");
    }
}

#[test]
fn a_dictionary_with_an_empty_line_is_refused() {
    let network = Box::new(Rubbish(Tensor { shape: vec![], values: vec![] }));

    assert!(PpocrRecognizer::new(network, "甲\n\n乙", "tiny").is_err());
}

/// Answers with the shape that is expected for the input and with numbers of any kind.
struct Noise {
    numbers: Vec<f32>,
    steps_per_pixel: Option<(usize, usize)>,
}

impl Network for Noise {
    fn run(&mut self, input: Tensor) -> Result<Tensor, RecognitionError> {
        let [_, _, height, width] = input.shape[..] else {
            return Err(RecognitionError::Malformed { engine: "noise" });
        };
        let shape = match self.steps_per_pixel {
            Some((pixels, classes)) => vec![1, width / pixels, classes],
            None => vec![1, 1, height, width],
        };
        let count = shape.iter().product();
        Ok(Tensor { shape, values: self.numbers.iter().copied().cycle().take(count).collect() })
    }

    fn metadata(&self, _: &str) -> Option<String> {
        None
    }

    fn engine(&self) -> &'static str {
        "noise"
    }
}

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 + y * 11) as u8; 3]))
}

proptest! {
    #[test]
    fn whatever_the_network_says_a_line_is_text_or_nothing(
        numbers in proptest::collection::vec(proptest::num::f32::ANY, 1..50),
        (width, height) in (0_u32..300, 0_u32..60),
    ) {
        let network = Box::new(Noise { numbers, steps_per_pixel: Some((8, 4)) });
        let mut recognizer = PpocrRecognizer::new(network, "甲\n乙\n", "tiny").unwrap();

        let reading = recognizer.recognize(&[picture(width, height)]).unwrap().remove(0);

        prop_assert!((0.0..=1.0).contains(&reading.confidence.value()));
        prop_assert_eq!(reading.spans.len(), reading.text.chars().count());
        prop_assert!(reading.spans.iter().all(|(from, to)| from.is_finite() && to.is_finite()));
    }

    #[test]
    fn whatever_the_network_says_lines_are_places(
        numbers in proptest::collection::vec(proptest::num::f32::ANY, 1..50),
        (width, height) in (0_u32..120, 0_u32..120),
        longest_side in 0_u32..200,
    ) {
        let mut detector = PpocrDetector { network: Box::new(Noise { numbers, steps_per_pixel: None }) };

        let lines = detector.detect(&picture(width, height), longest_side).unwrap();

        prop_assert!(lines.iter().all(|line| line.quad.0.iter().all(|p| p.x.is_finite() && p.y.is_finite())));
    }

    #[test]
    fn whatever_the_network_says_a_line_has_a_direction_or_an_error(
        numbers in proptest::collection::vec(proptest::num::f32::ANY, 0..4),
        (width, height) in (0_u32..120, 0_u32..120),
    ) {
        let shape = vec![1, numbers.len()];
        let is_answer = numbers.len() == 2;
        let mut direction = LineDirection { network: Box::new(Rubbish(Tensor { shape, values: numbers })) };

        prop_assert_eq!(direction.look(&picture(width, height)).is_ok(), is_answer);
    }
}
