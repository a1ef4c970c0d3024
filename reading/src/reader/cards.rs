//! Cards: read where their lines were found, and looked at closer where that leaves anything undecided.

use domain::{geometry::Quad, reading::FieldReading};
use image::RgbImage;

use super::{PageReader, Sheet};
use crate::{
    fields,
    forms::Form,
    frame::{self, Frame},
    lines::Line,
    prepare::{
        geometry::{Projection, QuadMeasure},
        light, warp,
    },
    recognition::RecognitionError,
};

/// Longest side of a card when lines are looked for.
pub(super) const CARD_SIDE: u32 = 576;
/// The lines of a card that was smaller than this where they were looked for are found better by themselves.
pub(super) const LEAST_CARD_WIDTH: f32 = 420.0;
/// Of a card smaller than this hardly any line is found whole.
const LEAST_GLANCE_WIDTH: f32 = 190.0;
/// What a first glance reads with less confidence is read again from closer by.
const CLEAR: f32 = 0.9;
/// A closer look that finds less than this share of what the first found went wrong.
const LEAST_FOUND: f32 = 0.8;
/// Surroundings taken along, as a share of the card's width.
const MARGIN: f32 = 0.06;

impl PageReader {
    /// The fields of a card, each from as far off as it can be read.
    ///
    /// # Errors
    /// An engine failed.
    pub(super) fn read_card(
        &mut self,
        sheet: &Sheet<'_>,
        form: &Form,
        frame: &Frame,
        lines: &[Line],
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let width = frame.outline(size_of(form)).width() * sheet.scale;
        if width >= LEAST_CARD_WIDTH {
            return fields::card::read(sheet.image, form, frame, lines, &[], &mut self.engines);
        }
        let clear = if width >= LEAST_GLANCE_WIDTH {
            self.clear_fields(sheet.image, form, frame, lines)?
        } else {
            Vec::new()
        };
        if clear.len() == form.fields.len() {
            return Ok(clear);
        }
        let mut fields = self.look_closer(sheet.image, form, frame, &clear)?;
        let place = |field: &FieldReading| form.fields.iter().position(|plan| plan.field == field.field);
        fields.extend(clear);
        fields.sort_by_key(place);
        fields.dedup_by_key(|field| field.field);
        Ok(fields)
    }

    /// What is clear at the first glance.
    fn clear_fields(
        &mut self,
        image: &RgbImage,
        form: &Form,
        frame: &Frame,
        lines: &[Line],
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let mut fields = self
            .engines
            .without_second_looks(|engines| fields::card::read(image, form, frame, lines, &[], engines))?;
        fields.retain(|field| {
            field.text.is_some() && field.repair.is_none() && field.confidence.value() >= CLEAR
        });
        Ok(fields)
    }

    /// What is not `settled`, with the lines of the card looked for again by themselves.
    fn look_closer(
        &mut self,
        image: &RgbImage,
        form: &Form,
        frame: &Frame,
        settled: &[FieldReading],
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let outline = frame.outline(size_of(form));
        let (closer, shift) = cut_out(image, &outline);
        let detected = self.engines.detect(&closer, CARD_SIDE)?;
        let quads: Vec<Quad> = detected.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&closer, &quads)?;
        let near = frame::best(form, &frame::sightings(form, &lines));
        let Some(near) = near.filter(|near| near.weight >= LEAST_FOUND * frame.weight) else {
            let lines = moved(&lines, &shift);
            return fields::card::read(image, form, frame, &lines, settled, &mut self.engines);
        };
        let mut fields = fields::card::read(&closer, form, &near, &lines, settled, &mut self.engines)?;
        for field in &mut fields {
            field.region = shift.apply_quad(&field.region);
        }
        Ok(fields)
    }
}

fn size_of(form: &Form) -> [f32; 2] {
    form.size_mm.unwrap_or([85.6, 54.0])
}

/// A card with a little around it and without red ink, and the way back to the picture it is of.
fn cut_out(image: &RgbImage, outline: &Quad) -> (RgbImage, Projection) {
    let margin = MARGIN * outline.width();
    let [left, top, right, bottom] = outline.grown(margin, margin, margin).bounds();
    let left = left.max(0.0) as u32;
    let top = top.max(0.0) as u32;
    let width = (right as u32).min(image.width()).saturating_sub(left).max(16);
    let height = (bottom as u32).min(image.height()).saturating_sub(top).max(16);
    let closer = light::without_red(warp::crop(image, [left, top, width, height]));
    (closer, Projection::shift(left as f32, top as f32))
}

fn moved(lines: &[Line], by: &Projection) -> Vec<Line> {
    lines.iter().map(|line| Line { quad: by.apply_quad(&line.quad), ..line.clone() }).collect()
}
