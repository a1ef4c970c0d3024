//! Engines that turn a picture of one line of ink into text, behind one trait.

use domain::{
    field::Confidence,
    reading::{EngineVersion, Lattice},
};
use image::RgbImage;
use thiserror::Error;

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
}
