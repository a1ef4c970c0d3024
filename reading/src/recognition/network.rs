//! What PP-OCR needs from a runtime: one tensor in, one tensor out.

use super::RecognitionError;

/// Numbers with a shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// A loaded model with one input and one output.
pub(super) trait Network: Send {
    /// Runs the model; every size but the number of channels may change from call to call.
    fn run(&mut self, input: Tensor) -> Result<Tensor, RecognitionError>;

    /// A text the model file carries under `key`.
    fn metadata(&self, key: &str) -> Option<String>;

    /// Name of the runtime, for errors and versions.
    fn engine(&self) -> &'static str;
}
