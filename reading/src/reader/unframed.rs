//! Papers that lie on a page without a known frame: slips, and papers known by their title.

use domain::{geometry::Quad, reading::FieldReading};
use image::{RgbImage, imageops};

use super::{
    PageReader, Sheet,
    cards::{CARD_SIDE, LEAST_CARD_WIDTH},
    upright::PAGE_SIDE,
};
use crate::{
    candidates::Known,
    classify::{self, Found},
    fields::{self, spaced_labels},
    forms::Form,
    lines::Line,
    prepare::geometry::{Projection, QuadMeasure, least_rectangle},
    recognition::RecognitionError,
};

/// Room left around the lines of a paper when it is looked at by itself, as a share of its height.
const MARGIN: f32 = 0.08;

impl PageReader {
    /// The fields of a paper without a frame, and where it lies.
    ///
    /// # Errors
    /// An engine failed.
    pub(super) fn read_unframed(
        &mut self,
        sheet: &Sheet<'_>,
        found: &Found<'_>,
        lines: &[Line],
    ) -> Result<(Vec<FieldReading>, Quad), RecognitionError> {
        let image = sheet.image;
        let whole = Quad::rectangle(0.0, 0.0, image.width() as f32, image.height() as f32);
        let barcodes = sheet.hints.barcodes.iter().map(|hint| hint.text.clone()).collect();
        let text_layer = sheet.hints.text_layer.clone();
        let known = Known { barcodes, text_layer, ..Known::default() };
        if !found.form.needs_title {
            return Ok((self.read_labels_of(image, found.form, lines, &known)?, whole));
        }
        let own: Vec<Line> = match &found.part {
            Some(part) => lines.iter().filter(|line| classify::holds(part, &line.quad)).cloned().collect(),
            None => lines.to_vec(),
        };
        let corners: Vec<_> = own.iter().flat_map(|line| line.quad.0).collect();
        let region = found.part.or_else(|| least_rectangle(&corners)).unwrap_or(whole);
        let shrunk = (PAGE_SIDE as f32 / image.width().max(image.height()) as f32).min(1.0);
        if region.width() * shrunk >= LEAST_CARD_WIDTH {
            return Ok((self.read_labels_of(image, found.form, &own, &known)?, region));
        }
        let (closer, shift) = cut_out(image, &region);
        let detected = self.engines.detect(&closer, CARD_SIDE)?;
        let quads: Vec<Quad> = detected.iter().map(|line| line.quad).collect();
        let near = self.read_lines(&closer, &quads)?;
        // What was seen from afar and not from near is worse than the other way about.
        if near.len() < own.len() {
            return Ok((self.read_labels_of(image, found.form, &own, &known)?, region));
        }
        let mut fields = self.read_labels_of(&closer, found.form, &near, &known)?;
        for field in &mut fields {
            field.region = shift.apply_quad(&field.region);
        }
        Ok((fields, region))
    }

    /// The values behind the labels of a form, and what its machine-readable zone says of them.
    fn read_labels_of(
        &mut self,
        image: &RgbImage,
        form: &Form,
        lines: &[Line],
        known: &Known,
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let zone = fields::mrz::read(image, form, lines, &mut self.engines)?;
        let joined;
        let lines = if form.needs_title {
            joined = spaced_labels::joined(form, lines);
            &joined[..]
        } else {
            lines
        };
        let outside: Vec<Line> = match &zone {
            Some((field, _)) => {
                lines.iter().filter(|line| !classify::holds(&field.region, &line.quad)).cloned().collect()
            }
            None => lines.to_vec(),
        };
        let lines = self.read_worn_labels(image, form, &outside)?;
        let mut fields = fields::labelled::read(image, form, &lines, known, &mut self.engines)?;
        if let Some((field, proved)) = zone {
            if let Some(proved) = &proved {
                fields::mrz::bear_out(form, &mut fields, field.region, proved);
            }
            fields.push(field);
        }
        Ok(fields)
    }
}

/// The part of the page around `region`, and the map back.
fn cut_out(image: &RgbImage, region: &Quad) -> (RgbImage, Projection) {
    let margin = MARGIN * region.height();
    let [left, top, right, bottom] = region.grown(margin, margin, margin).bounds();
    let (left, top) = (left.max(0.0) as u32, top.max(0.0) as u32);
    let width = (right.max(0.0) as u32).min(image.width()).saturating_sub(left).max(16);
    let height = (bottom.max(0.0) as u32).min(image.height()).saturating_sub(top).max(16);
    let closer = imageops::crop_imm(image, left, top, width, height).to_image();
    (closer, Projection::shift(left as f32, top as f32))
}
