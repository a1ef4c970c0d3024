use domain::reading::EngineVersion;
use image::{Rgb, RgbImage};

use super::*;
use crate::recognition::RecognitionError;

const SCALE: f32 = 8.0;

/// Reads every line as the same text, or fails.
struct Scripted(Result<&'static str, ()>);

impl TextRecognizer for Scripted {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "scripted".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        let text = self.0.map_err(|()| RecognitionError::Malformed { engine: "scripted" })?;
        let reading =
            LineReading { text: text.to_owned(), confidence: Confidence::new(0.4), ..LineReading::nothing() };
        Ok(vec![reading; lines.len()])
    }
}

/// A blank form: a printed label and a ruled line.
fn form() -> RgbImage {
    RgbImage::from_fn(560, 200, |x, y| {
        let label = (20..120).contains(&x) && (80..112).contains(&y) && (x / 4 + y / 4) % 2 == 0;
        let line = (130..540).contains(&x) && (128..131).contains(&y);
        if label || line { Rgb([30, 30, 30]) } else { Rgb([246, 244, 240]) }
    })
}

fn stroke(image: &mut RgbImage, from: (f32, f32), to: (f32, f32), colour: Rgb<u8>) {
    for step in 0..=400 {
        let part = step as f32 / 400.0;
        let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
        for dy in 0..4 {
            for dx in 0..4 {
                image.put_pixel(x as u32 + dx, y as u32 + dy, colour);
            }
        }
    }
}

fn sign(image: &mut RgbImage) {
    for character in 0..3 {
        let left = 200.0 + 90.0 * character as f32;
        stroke(image, (left, 60.0), (left + 70.0, 66.0), Rgb([20, 25, 80]));
        stroke(image, (left + 30.0, 40.0), (left + 34.0, 140.0), Rgb([20, 25, 80]));
        stroke(image, (left + 30.0, 80.0), (left, 125.0), Rgb([20, 25, 80]));
        stroke(image, (left + 34.0, 80.0), (left + 70.0, 125.0), Rgb([20, 25, 80]));
    }
}

fn seal(image: &mut RgbImage, colour: Rgb<u8>) {
    for y in 0..image.height() {
        for x in 0..image.width() {
            let distance = (x as f32 - 320.0).hypot(y as f32 - 100.0);
            if (distance - 130.0).abs() < 4.0 || distance < 22.0 {
                image.put_pixel(x, y, colour);
            }
        }
    }
}

fn seen(image: RgbImage, recognizer: &mut dyn TextRecognizer) -> Mark {
    let label = Quad::rectangle(20.0, 80.0, 100.0, 32.0);
    look(
        &SignatureField { image, px_per_mm: Some(SCALE), label, line_hint: None, others: Vec::new() },
        recognizer,
    )
}

fn check(image: RgbImage, text: &'static str, expected: Presence) {
    assert_eq!(seen(image, &mut Scripted(Ok(text))).presence, expected);
}

#[test]
fn a_blank_form_is_not_signed() {
    check(form(), "", Presence::Absent);
}

#[test]
fn writing_is_found_with_its_extent_and_shape() {
    let mut image = form();
    sign(&mut image);

    let mark = seen(image, &mut Scripted(Ok("某某某")));

    assert_eq!(mark.presence, Presence::Present);
    let [width, height] = mark.extent_mm.unwrap();
    assert!((28.0..36.0).contains(&width) && (11.0..15.0).contains(&height), "{width} {height}");
    assert_eq!(mark.shape.len(), super::super::SHAPE_LENGTH);
    assert_eq!(mark.text.as_deref(), Some("某某某"));
}

#[test]
fn a_red_seal_neither_hides_a_signature_nor_stands_for_one() {
    let red = Rgb([210, 60, 60]);
    let mut sealed = form();
    seal(&mut sealed, red);
    check(sealed.clone(), "", Presence::Absent);

    sign(&mut sealed);
    check(sealed, "某某某", Presence::Present);
}

#[test]
fn a_copied_grey_seal_alone_is_no_signature() {
    let mut sealed = form();
    seal(&mut sealed, Rgb([110, 110, 110]));
    assert_ne!(seen(sealed.clone(), &mut Scripted(Ok(""))).presence, Presence::Present);

    sign(&mut sealed);
    check(sealed, "某某某", Presence::Present);
}

#[test]
fn a_date_in_the_field_and_a_tick_are_no_signature() {
    let mut dated = form();
    sign(&mut dated);
    check(dated, "2026.09.02", Presence::Absent);

    let mut ticked = form();
    stroke(&mut ticked, (250.0, 90.0), (270.0, 115.0), Rgb([40, 40, 40]));
    stroke(&mut ticked, (270.0, 115.0), (320.0, 60.0), Rgb([40, 40, 40]));
    check(ticked, "", Presence::Absent);
}

#[test]
fn presence_stands_when_the_engine_fails() {
    let mut image = form();
    sign(&mut image);

    let mark = seen(image, &mut Scripted(Err(())));

    assert_eq!(mark.presence, Presence::Present);
    assert!(mark.text.is_none() && mark.lattices.is_empty());
}

#[test]
fn nonsense_sizes_are_survived() {
    let empty = Quad::rectangle(0.0, 0.0, 0.0, 0.0);
    let far = Quad::rectangle(1e9, -1e9, f32::NAN, f32::INFINITY);
    for label in [empty, far] {
        for (width, height) in [(0, 0), (1, 1), (3, 200)] {
            let image = RgbImage::from_pixel(width, height, Rgb([0, 0, 0]));
            let field = SignatureField {
                image,
                px_per_mm: Some(f32::NAN),
                label,
                line_hint: Some(far),
                others: vec![far],
            };

            look(&field, &mut Scripted(Ok("")));
        }
    }
}
