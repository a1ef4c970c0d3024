//! Tesseract with `chi_sim`: the independent second opinion and the fallback.

use std::{io::Cursor, mem};

use domain::{
    field::Confidence,
    reading::{EngineVersion, Lattice},
};
use image::{ImageFormat, RgbImage};
use tesseract::{PageSegMode, Tesseract};

use super::{LineReading, RecognitionError, TextRecognizer};

const ENGINE: &str = "tesseract";
const LANGUAGE: &str = "chi_sim";
/// Dots an inch the engine is told; it only silences its own guess.
const RESOLUTION: i32 = 300;
/// White around the line, without which the first character is often lost.
const MARGIN: u32 = 10;

/// Tesseract, set to read single lines.
pub struct TesseractRecognizer {
    /// `None` after a failure that consumed the engine; the next line opens it anew.
    engine: Option<Tesseract>,
}

impl TesseractRecognizer {
    /// Opens the engine with the system's `chi_sim`.
    ///
    /// # Errors
    /// Tesseract or its language file is not installed.
    pub fn open() -> Result<Self, RecognitionError> {
        Ok(Self { engine: Some(open_engine()?) })
    }

    fn recognize_one(&mut self, line: &RgbImage) -> Result<LineReading, RecognitionError> {
        let engine = match mem::take(&mut self.engine) {
            Some(engine) => engine,
            None => open_engine()?,
        };
        let bytes = encode(line)?;
        let mut engine = engine.set_image_from_mem(&bytes).map_err(failed)?.set_source_resolution(RESOLUTION);
        let text = engine.get_text().map_err(failed)?;
        let confidence = Confidence::new(engine.mean_text_conf() as f32 / 100.0);
        self.engine = Some(engine);
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        Ok(LineReading { text, confidence, lattice: Lattice::default(), spans: Vec::new() })
    }
}

fn open_engine() -> Result<Tesseract, RecognitionError> {
    let mut engine = Tesseract::new(None, Some(LANGUAGE)).map_err(failed)?;
    engine.set_page_seg_mode(PageSegMode::PsmSingleLine);
    Ok(engine)
}

fn encode(line: &RgbImage) -> Result<Vec<u8>, RecognitionError> {
    let white = image::Rgb([255; 3]);
    let mut framed = RgbImage::from_pixel(line.width() + 2 * MARGIN, line.height() + 2 * MARGIN, white);
    image::imageops::replace(&mut framed, line, i64::from(MARGIN), i64::from(MARGIN));
    let mut bytes = Cursor::new(Vec::new());
    framed.write_to(&mut bytes, ImageFormat::Bmp).map_err(failed)?;
    Ok(bytes.into_inner())
}

fn failed(error: impl std::error::Error) -> RecognitionError {
    RecognitionError::Engine { engine: ENGINE, source: error.to_string().into() }
}

impl TextRecognizer for TesseractRecognizer {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: ENGINE.to_owned(), version: format!("5-{LANGUAGE}") }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        lines.iter().map(|line| self.recognize_one(line)).collect()
    }
}
