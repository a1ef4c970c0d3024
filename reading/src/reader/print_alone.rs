//! Cards on copies read again without the grey or coloured ink over them: a stamp hides rows of print, which is
//! darker, from those who look for lines.

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{Capture, FieldReading, PaperReading},
};
use image::{RgbImage, imageops};

use super::{PageReader, cards::CARD_SIDE, illegible};
use crate::{
    fields,
    forms::{Form, FormSet, Layout},
    frame::{self, Frame},
    lines::Line,
    prepare::{
        geometry::{Projection, QuadMeasure},
        levels,
    },
    recognition::RecognitionError,
};

/// A card with a required field that is less sure is read again.
const SURE: f32 = 0.8;
/// A frame found in the print alone must have so many times the support of the one found before: labels are grey as
/// well, and without them little is left to tell a frame by.
const BETTER_FRAME: f32 = 1.25;
/// What is seen around a card, as a share of its width.
const MARGIN: f32 = 0.06;
/// What is left of the confidence of a value that differs from one read before.
const TRUST_OF_CHANGE: f32 = 0.92;
/// A value read before with less confidence is no rival.
const NO_RIVAL: f32 = 0.5;
/// Many times as long.
const FULLER: f32 = 1.3;

impl PageReader {
    /// Takes what is surer without the grey ink.
    ///
    /// # Errors
    /// An engine failed.
    pub(super) fn read_print_alone(
        &mut self,
        image: &RgbImage,
        forms: &FormSet,
        papers: &mut [PaperReading],
    ) -> Result<(), RecognitionError> {
        for paper in papers.iter_mut().filter(|paper| paper.capture == Capture::Photocopy) {
            let Some(form) = forms.get(&paper.form).filter(|form| form.layout == Layout::Card) else {
                continue;
            };
            if is_sure(form, &paper.fields) {
                continue;
            }
            self.engines.cost.second_looks += 1;
            for field in self.read_card_in_print(image, form, &paper.region)? {
                take_if_surer(&mut paper.fields, field);
            }
            paper.illegible = illegible(form, &paper.fields);
        }
        Ok(())
    }

    fn read_card_in_print(
        &mut self,
        image: &RgbImage,
        form: &Form,
        outline: &Quad,
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let margin = MARGIN * outline.width();
        let [left, top, right, bottom] = outline.grown(margin, margin, margin).bounds();
        let (left, top) = (left.max(0.0) as u32, top.max(0.0) as u32);
        let width = (right.max(0.0) as u32).min(image.width()).saturating_sub(left).max(16);
        let height = (bottom.max(0.0) as u32).min(image.height()).saturating_sub(top).max(16);
        let card = imageops::crop_imm(image, left, top, width, height).to_image();
        let Some(print) = levels::print_only(&card) else { return Ok(Vec::new()) };
        let detected = self.engines.detect(&print, CARD_SIDE)?;
        let quads: Vec<Quad> = detected.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&print, &quads)?;
        let outline = Projection::shift(left as f32, top as f32).inverse().apply_quad(outline);
        let Some(frame) = frame_of_print(form, &outline, &lines) else { return Ok(Vec::new()) };
        let mut fields = fields::card::read(&print, form, &frame, &lines, &[], &mut self.engines)?;
        let back = Projection::shift(left as f32, top as f32);
        for field in &mut fields {
            field.region = back.apply_quad(&field.region);
            "print_alone".clone_into(&mut field.decided_by);
        }
        Ok(fields)
    }
}

/// Where the card lies as its print says it, or as it was seen before.
fn frame_of_print(form: &Form, outline: &Quad, lines: &[Line]) -> Option<Frame> {
    let seen = frame::sightings(form, lines);
    let (before, found) = (frame::at(form, outline, &seen), frame::best(form, &seen));
    match (before, found) {
        (Some(before), Some(found)) if found.weight > BETTER_FRAME * before.weight => Some(found),
        (Some(before), _) => Some(before),
        (None, found) => found,
    }
}

fn is_sure(form: &Form, fields: &[FieldReading]) -> bool {
    let confidence =
        |name| fields.iter().find(|field| field.field == name).map_or(0.0, |f| f.confidence.value());
    form.fields.iter().filter(|plan| plan.required).all(|plan| confidence(plan.field) >= SURE)
}

/// Puts a field in the place of the one read before where it is surer, doubt for their difference taken off.
fn take_if_surer(fields: &mut Vec<FieldReading>, mut field: FieldReading) {
    let Some(before) = fields.iter_mut().find(|before| before.field == field.field) else {
        fields.push(field);
        return;
    };
    if before.confidence.value() >= NO_RIVAL && before.text != field.text {
        field.confidence = Confidence::new(field.confidence.value() * TRUST_OF_CHANGE);
    }
    if field.confidence > before.confidence || is_fuller(&field, before) {
        *before = field;
    }
}

/// Of two values of which neither is to be believed, the one that holds much more tells what is there.
fn is_fuller(field: &FieldReading, before: &FieldReading) -> bool {
    let length = |field: &FieldReading| field.text.as_ref().map_or(0, |text| text.chars().count()) as f32;
    before.confidence.value() < NO_RIVAL && length(field) > FULLER * length(before)
}

#[cfg(test)]
mod tests {
    use domain::field::FieldName;

    use super::*;

    fn field(text: &str, confidence: f32) -> FieldReading {
        FieldReading {
            field: FieldName::Name,
            text: Some(text.to_owned()),
            confidence: Confidence::new(confidence),
            region: Quad::rectangle(0.0, 0.0, 1.0, 1.0),
            repair: None,
            lattices: Vec::new(),
            decided_by: "first".to_owned(),
        }
    }

    fn taken(before: FieldReading, after: FieldReading) -> (String, f32) {
        let mut fields = vec![before];
        take_if_surer(&mut fields, after);
        let field = fields.remove(0);
        (field.text.unwrap_or_default(), field.confidence.value())
    }

    #[test]
    fn a_surer_value_is_taken_and_doubted_where_it_differs() {
        assert_eq!(taken(field("王涛", 0.6), field("王涛", 0.9)), ("王涛".to_owned(), 0.9));
        assert_eq!(taken(field("王涛", 0.6), field("王海", 0.62)), ("王涛".to_owned(), 0.6));
        assert_eq!(taken(field("王", 0.2), field("王涛", 0.95)), ("王涛".to_owned(), 0.95));
        let (text, confidence) = taken(field("王海", 0.7), field("王涛", 0.95));
        assert!(text == "王涛" && confidence < 0.9);
    }

    #[test]
    fn of_two_unsure_values_the_fuller_one_is_taken() {
        assert_eq!(taken(field("天津市", 0.2), field("天津市南开区", 0.1)), ("天津市南开区".to_owned(), 0.1));
        assert_eq!(taken(field("天津市", 0.6), field("天津市南开区", 0.1)), ("天津市".to_owned(), 0.6));
    }

    #[test]
    fn a_field_that_was_not_there_is_added() {
        let mut fields = Vec::new();

        take_if_surer(&mut fields, field("王涛", 0.4));

        assert_eq!(fields.len(), 1);
    }
}
