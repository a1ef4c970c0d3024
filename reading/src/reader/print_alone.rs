//! Cards on colourless copies read again without the grey ink over them: a stamp that lost its colour hides rows
//! of print, which is darker.

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
    frame,
    prepare::{
        geometry::{Projection, QuadMeasure},
        levels, light,
    },
    recognition::RecognitionError,
};

/// A card with a required field that is less sure is read again.
const SURE: f32 = 0.8;
/// A copy with a larger share of coloured pixels has kept the colour of its stamp.
const MOST_COLOUR: f32 = 0.01;
/// What is seen around a card, as a share of its width.
const MARGIN: f32 = 0.06;
/// What is left of the confidence of a value that differs from one read before.
const TRUST_OF_CHANGE: f32 = 0.92;
/// A value read before with less confidence is no rival.
const NO_RIVAL: f32 = 0.5;

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
        if light::coloured_share(&card) > MOST_COLOUR {
            return Ok(Vec::new());
        }
        let Some(print) = levels::print_only(&card) else { return Ok(Vec::new()) };
        let detected = self.engines.detect(&print, CARD_SIDE)?;
        let quads: Vec<Quad> = detected.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&print, &quads)?;
        let Some(frame) = frame::best(form, &frame::sightings(form, &lines)) else { return Ok(Vec::new()) };
        let mut fields = fields::card::read(&print, form, &frame, &lines, &[], &mut self.engines)?;
        let back = Projection::shift(left as f32, top as f32);
        for field in &mut fields {
            field.region = back.apply_quad(&field.region);
            "print_alone".clone_into(&mut field.decided_by);
        }
        Ok(fields)
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
    if field.confidence > before.confidence {
        *before = field;
    }
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
    fn a_field_that_was_not_there_is_added() {
        let mut fields = Vec::new();

        take_if_surer(&mut fields, field("王涛", 0.4));

        assert_eq!(fields.len(), 1);
    }
}
