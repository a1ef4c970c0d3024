//! PP-OCR models on `rten`: no native library, about half the speed of ONNX Runtime.

use std::{path::Path, sync::Arc};

use rten::{Model, RunOptions, ThreadPool};
use rten_tensor::{NdTensor, prelude::*};

use super::{
    RecognitionError,
    network::{Network, Tensor},
};

const ENGINE: &str = "ppocr-v6-rten";

/// One model with a pool of a single thread.
pub(super) struct RtenNetwork {
    model: Model,
    pool: Arc<ThreadPool>,
}

impl RtenNetwork {
    pub(super) fn open(path: &Path) -> Result<Self, RecognitionError> {
        let model = Model::load_file(path).map_err(|error| failed(error.to_string()))?;
        Ok(Self { model, pool: Arc::new(ThreadPool::with_num_threads(1)) })
    }
}

fn failed(message: String) -> RecognitionError {
    RecognitionError::Engine { engine: ENGINE, source: message.into() }
}

impl Network for RtenNetwork {
    fn run(&mut self, input: Tensor) -> Result<Tensor, RecognitionError> {
        let [batch, channels, height, width] = input.shape[..] else {
            return Err(RecognitionError::Malformed { engine: ENGINE });
        };
        if input.values.len() != batch * channels * height * width {
            return Err(RecognitionError::Malformed { engine: ENGINE });
        }
        let tensor = NdTensor::from_data([batch, channels, height, width], input.values);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let output =
            self.model.run_one(tensor.into(), Some(options)).map_err(|error| failed(error.to_string()))?;
        let output: rten_tensor::Tensor<f32> =
            output.try_into().map_err(|_| RecognitionError::Malformed { engine: ENGINE })?;
        Ok(Tensor { shape: output.shape().to_vec(), values: output.to_vec() })
    }

    fn metadata(&self, key: &str) -> Option<String> {
        self.model.metadata().get(key).map(str::to_owned)
    }

    fn engine(&self) -> &'static str {
        ENGINE
    }
}
