//! PP-OCR models on ONNX Runtime, loaded from the models folder when first needed.

use std::{path::Path, sync::OnceLock};

use ort::{
    environment::Environment,
    ep::CPU,
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};

use super::{
    RecognitionError,
    network::{Network, Tensor},
};

const ENGINE: &str = "ppocr-v6-ort";

/// The runtime can be loaded once a process; sessions of every worker share it.
static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();

/// How the pictures differ that a model is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// Large, and of a few sizes: the memory for them is kept from call to call, which saves asking for it anew.
    Few,
    /// Any: kept memory would only grow.
    Any,
}

/// One model in a session of its own, on one thread.
pub(super) struct OrtNetwork {
    session: Session,
}

impl OrtNetwork {
    /// Loads the runtime (the first time) and the model.
    pub(super) fn open(library: &Path, model: &Path, sizes: Sizes) -> Result<Self, RecognitionError> {
        let environment = match ENVIRONMENT.get_or_init(|| load_runtime(library)) {
            Ok(environment) => environment,
            Err(message) => return Err(failed(message.clone())),
        };
        let session = open_session(environment, model, sizes).map_err(|error| failed(error.to_string()))?;
        Ok(Self { session })
    }
}

fn load_runtime(library: &Path) -> Result<Environment, String> {
    let builder = ort::init_from(library).map_err(|error| error.to_string())?;
    builder.with_name("guidang").with_telemetry(false).build().map_err(|error| error.to_string())
}

/// Without a memory pattern: one would be kept for each size.
fn open_session(environment: &Environment, model: &Path, sizes: Sizes) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        .with_execution_providers([CPU::default().with_arena_allocator(sizes == Sizes::Few).build()])?
        .commit_from_file(model)
}

fn failed(message: String) -> RecognitionError {
    RecognitionError::Engine { engine: ENGINE, source: message.into() }
}

impl Network for OrtNetwork {
    fn run(&mut self, input: Tensor) -> Result<Tensor, RecognitionError> {
        let view = TensorRef::from_array_view((input.shape, input.values.as_slice()))
            .map_err(|error| failed(error.to_string()))?;
        let outputs = self.session.run(ort::inputs![view]).map_err(|error| failed(error.to_string()))?;
        let (shape, values) =
            outputs[0].try_extract_tensor::<f32>().map_err(|error| failed(error.to_string()))?;
        let shape = shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
        Ok(Tensor { shape, values: values.to_vec() })
    }

    fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    fn engine(&self) -> &'static str {
        ENGINE
    }
}
