//! Reading the ink of one value.

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::FieldReading,
};
use image::RgbImage;

use crate::{
    candidates::{self, Known},
    confidence,
    engines::Engines,
    forms::FieldPlan,
    prepare::{
        geometry::least_rectangle,
        ink::{self, Room},
        warp,
    },
    recognition::{LineReading, RecognitionError},
};

/// Height at which values are cut out.
const CROP_HEIGHT: u32 = 48;

/// One line of a value: where, and how far it may be extended.
#[derive(Debug, Clone, Copy)]
pub struct InkLine {
    /// Where it was found.
    pub quad: Quad,
    /// How far the next thing is.
    pub room: Room,
}

/// A value's ink, read once.
#[derive(Debug, Clone)]
pub struct Ink {
    /// Its lines, top to bottom.
    pub quads: Vec<Quad>,
    /// What they say.
    pub readings: Vec<LineReading>,
    /// Which look it was.
    pub decided_by: &'static str,
}

/// Cuts the lines out and reads them.
///
/// # Errors
/// The engine failed.
pub fn read(page: &RgbImage, lines: &[InkLine], engines: &mut Engines) -> Result<Ink, RecognitionError> {
    let mut quads = Vec::new();
    let mut readings = Vec::new();
    for line in lines {
        let quad = ink::extend(page, &line.quad, line.room);
        readings.push(engines.read_value(&warp::cut_line(page, &quad, CROP_HEIGHT))?);
        quads.push(quad);
    }
    Ok(Ink { quads, readings, decided_by: "first" })
}

/// The field a value's ink stands for.
pub fn field(plan: &FieldPlan, ink: &Ink, known: &Known) -> FieldReading {
    let decision = candidates::decide(plan.kind, &ink.readings, known);
    let confidence = confidence::calibrated(plan.kind, &decision);
    let corners: Vec<_> = ink.quads.iter().flat_map(|quad| quad.0).collect();
    FieldReading {
        field: plan.field,
        confidence: if decision.text.is_some() { Confidence::new(confidence) } else { Confidence::NONE },
        text: decision.text,
        region: least_rectangle(&corners).unwrap_or(Quad::rectangle(0.0, 0.0, 0.0, 0.0)),
        repair: decision.repair,
        lattices: candidates::lattices(&ink.readings),
        decided_by: ink.decided_by.to_owned(),
    }
}
