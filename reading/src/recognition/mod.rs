//! Engines that find lines of ink and turn a picture of one line into text, behind two traits.

pub mod ctc;
pub mod detection;
mod network;
mod ppocr;
mod ppocr_ort;
mod ppocr_rten;
mod tesseract;

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{EngineVersion, Lattice},
};
use image::RgbImage;
use thiserror::Error;

pub use ppocr::{Direction, LineDirection, PpocrDetector, PpocrRecognizer, PpocrSet};
pub use tesseract::TesseractRecognizer;

/// Which engine reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// PP-OCRv6 on ONNX Runtime, loaded from the models folder.
    #[default]
    Ort,
    /// The same models without a native library, at about half the speed.
    Rten,
    /// Tesseract reads the lines PP-OCR (without a native library) finds.
    Tesseract,
}

/// What an engine made of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineReading {
    /// The most probable text; empty when the engine saw none.
    pub text: String,
    /// Of the whole string, not of its weakest character.
    pub confidence: Confidence,
    /// The probabilities behind it; empty for an engine that gives none.
    pub lattice: Lattice,
    /// Horizontal extent of each character of `text`, in pixels of the line; empty where unknown.
    pub spans: Vec<(f32, f32)>,
}

impl LineReading {
    /// The answer to a line without ink.
    pub fn nothing() -> Self {
        Self {
            text: String::new(),
            confidence: Confidence::NONE,
            lattice: Lattice::default(),
            spans: Vec::new(),
        }
    }
}

/// A line of ink somewhere on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedLine {
    /// Around the ink with a small margin; the first side is the one nearest to horizontal.
    pub quad: Quad,
    /// Mean probability of its pixels, 0.0 to 1.0.
    pub score: f32,
}

/// Why an engine gave no answer.
#[derive(Debug, Error)]
pub enum RecognitionError {
    /// The model or library is missing or is not the pinned one.
    #[error("reading model {name} is missing or altered; run `guidang models install`")]
    Model {
        /// File name of the model.
        name: String,
    },
    /// The engine failed on this picture.
    #[error("ocr engine {engine} failed")]
    Engine {
        /// Name of the engine.
        engine: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer has a shape no version of the model gives.
    #[error("ocr engine {engine} gave an answer of an unknown shape")]
    Malformed {
        /// Name of the engine.
        engine: &'static str,
    },
}

/// Reads single lines. One instance belongs to one worker thread; it starts no threads of its own.
pub trait TextRecognizer: Send {
    /// Which engine and version answers.
    fn version(&self) -> EngineVersion;

    /// Reads lines of ink, each cut out tightly and upright; one answer for each, in order.
    ///
    /// # Errors
    /// The engine failed; the page may be tried with another.
    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError>;

    /// As [`Self::recognize`], with lattices that also tell unlikely characters from impossible ones, where the
    /// engine can.
    ///
    /// # Errors
    /// The engine failed; the page may be tried with another.
    fn recognize_deeply(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        self.recognize(lines)
    }
}

/// Finds lines. One instance belongs to one worker thread; it starts no threads of its own.
pub trait TextDetector: Send {
    /// Finds lines on the picture, brought to `longest_side` pixels first (never enlarged); in no order.
    ///
    /// # Errors
    /// The engine failed; the page may be tried with another.
    fn detect(&mut self, image: &RgbImage, longest_side: u32) -> Result<Vec<DetectedLine>, RecognitionError>;
}
