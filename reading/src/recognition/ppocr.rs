//! PP-OCRv6 over any runtime: what goes into its models and what comes out.

use domain::{geometry::Point, reading::EngineVersion};
use image::RgbImage;

use super::{
    DetectedLine, Engine, LineReading, RecognitionError, TextDetector, TextRecognizer, ctc,
    ctc::Depth,
    detection,
    network::{Network, Tensor},
    ppocr_ort::{OrtNetwork, Sizes},
    ppocr_rten::RtenNetwork,
};
use crate::{
    models::{self, ModelSet, NeededBy},
    prepare::{geometry::Projection, warp},
};

/// Height of every line the recogniser sees.
const LINE_HEIGHT: u32 = 48;
/// Lines are widened to the next multiple, so that few shapes occur.
const WIDTH_STEP: u32 = 16;
/// Shorter lines are widened to this.
const LEAST_WIDTH: u32 = 48;
/// Longer lines are squeezed to this.
const MOST_WIDTH: u32 = 3200;
/// Sides of the picture the detector sees are multiples of this.
const DETECTOR_STEP: u32 = 32;
/// Picture the direction model sees.
const DIRECTION_SIZE: (u32, u32) = (192, 48);

/// The models of a folder, ready to be opened in one engine.
pub struct PpocrSet {
    models: ModelSet,
    engine: Engine,
}

impl PpocrSet {
    /// Takes the folder when it holds the pinned files; Tesseract uses the detector without a native library.
    ///
    /// # Errors
    /// A file is missing or altered.
    pub fn open(folder: &std::path::Path, engine: Engine) -> Result<Self, RecognitionError> {
        let needs = match engine {
            Engine::Ort => NeededBy::OnnxRuntimeOnly,
            Engine::Rten | Engine::Tesseract => NeededBy::EveryModelEngine,
        };
        Ok(Self { models: models::check(folder, needs)?, engine })
    }

    /// Finds lines quickly.
    ///
    /// # Errors
    /// The engine does not take the model.
    pub fn tiny_detector(&self) -> Result<PpocrDetector, RecognitionError> {
        Ok(PpocrDetector { network: self.network(models::TINY_DETECTION, Sizes::Few)? })
    }

    /// Finds lines well.
    ///
    /// # Errors
    /// The engine does not take the model.
    pub fn small_detector(&self) -> Result<PpocrDetector, RecognitionError> {
        Ok(PpocrDetector { network: self.network(models::SMALL_DETECTION, Sizes::Few)? })
    }

    /// Reads quickly, well enough for labels.
    ///
    /// # Errors
    /// The engine does not take the model.
    pub fn tiny_recognizer(&self) -> Result<PpocrRecognizer, RecognitionError> {
        let path = self.models.path(models::TINY_CHARACTERS);
        let text = std::fs::read_to_string(path)
            .map_err(|_| RecognitionError::Model { name: models::TINY_CHARACTERS.to_owned() })?;
        PpocrRecognizer::new(self.network(models::TINY_RECOGNITION, Sizes::Any)?, &text, "tiny")
    }

    /// Reads well.
    ///
    /// # Errors
    /// The engine does not take the model.
    pub fn small_recognizer(&self) -> Result<PpocrRecognizer, RecognitionError> {
        let network = self.network(models::SMALL_RECOGNITION, Sizes::Any)?;
        let text = network
            .metadata("character")
            .ok_or_else(|| RecognitionError::Model { name: models::SMALL_RECOGNITION.to_owned() })?;
        PpocrRecognizer::new(network, &text, "small")
    }

    /// Tells lines that stand on their head.
    ///
    /// # Errors
    /// The engine does not take the model.
    pub fn line_direction(&self) -> Result<LineDirection, RecognitionError> {
        Ok(LineDirection { network: self.network(models::LINE_DIRECTION, Sizes::Few)? })
    }

    fn network(&self, name: &str, sizes: Sizes) -> Result<Box<dyn Network>, RecognitionError> {
        let model = self.models.path(name);
        match self.engine {
            Engine::Ort => {
                let library = self.models.path(models::RUNTIME_LIBRARY);
                Ok(Box::new(OrtNetwork::open(&library, &model, sizes)?))
            }
            Engine::Rten | Engine::Tesseract => Ok(Box::new(RtenNetwork::open(&model)?)),
        }
    }
}

/// A PP-OCR recogniser of either size.
pub struct PpocrRecognizer {
    network: Box<dyn Network>,
    characters: Vec<char>,
    size: &'static str,
}

impl PpocrRecognizer {
    fn new(
        network: Box<dyn Network>,
        dictionary: &str,
        size: &'static str,
    ) -> Result<Self, RecognitionError> {
        let mut characters = Vec::new();
        for line in dictionary.trim_end_matches(['\n', '\r']).split('\n') {
            let mut symbols = line.trim_end_matches('\r').chars();
            match (symbols.next(), symbols.next()) {
                (Some(character), None) => characters.push(character),
                _ => return Err(RecognitionError::Malformed { engine: network.engine() }),
            }
        }
        Ok(Self { network, characters, size })
    }

    fn recognize_one(&mut self, line: &RgbImage, depth: Depth) -> Result<LineReading, RecognitionError> {
        if line.width() == 0 || line.height() == 0 {
            return Ok(LineReading::nothing());
        }
        let (input, width) = line_tensor(line);
        let padded = input.shape[3] as f32;
        let output = self.network.run(input)?;
        let classes = self.characters.len() + 2;
        let [1, steps, columns] = output.shape[..] else {
            return Err(RecognitionError::Malformed { engine: self.network.engine() });
        };
        if columns != classes || steps == 0 || output.values.len() != steps * columns {
            return Err(RecognitionError::Malformed { engine: self.network.engine() });
        }
        let mut reading = ctc::decode(&output.values, classes, &self.characters, padded, depth);
        let scale = line.width() as f32 / width as f32;
        for span in &mut reading.spans {
            *span = (span.0 * scale, span.1 * scale);
        }
        Ok(reading)
    }
}

impl TextRecognizer for PpocrRecognizer {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: self.network.engine().to_owned(), version: format!("6-{}", self.size) }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        // One line a call: a batch saves nothing on one thread and pads every line to the longest.
        lines.iter().map(|line| self.recognize_one(line, Depth::Likely)).collect()
    }

    fn recognize_deeply(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        lines.iter().map(|line| self.recognize_one(line, Depth::Deep)).collect()
    }
}

/// A PP-OCR detector of either size.
pub struct PpocrDetector {
    network: Box<dyn Network>,
}

impl TextDetector for PpocrDetector {
    fn detect(&mut self, image: &RgbImage, longest_side: u32) -> Result<Vec<DetectedLine>, RecognitionError> {
        if image.width() == 0 || image.height() == 0 {
            return Ok(Vec::new());
        }
        let longest = image.width().max(image.height());
        let scale = (longest_side.max(DETECTOR_STEP) as f32 / longest as f32).min(1.0);
        let side = |pixels: u32| {
            let scaled = (pixels as f32 * scale / DETECTOR_STEP as f32).round() as u32;
            scaled.max(1) * DETECTOR_STEP
        };
        let (width, height) = (side(image.width()), side(image.height()));
        let small = warp::resize_by_area(image, width, height);
        let output = self.network.run(picture_tensor(&small))?;
        if output.values.len() != (width * height) as usize {
            return Err(RecognitionError::Malformed { engine: self.network.engine() });
        }
        let to_picture =
            Projection::scaling(image.width() as f32 / width as f32, image.height() as f32 / height as f32);
        let mut lines = detection::lines(&output.values, width as usize, &to_picture);
        lines.retain(|line| line.quad.0.iter().all(|Point { x, y }| x.is_finite() && y.is_finite()));
        Ok(lines)
    }
}

/// Which way up a line stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// Probability that it stands on its head.
    pub upside_down: f32,
}

/// The model that tells a line from the same line upside down.
pub struct LineDirection {
    network: Box<dyn Network>,
}

impl LineDirection {
    /// Looks at one line.
    ///
    /// # Errors
    /// The engine failed.
    pub fn look(&mut self, line: &RgbImage) -> Result<Direction, RecognitionError> {
        let (width, height) = DIRECTION_SIZE;
        let fitting = (line.width() * height / line.height().max(1)).clamp(1, width);
        let resized = resize_line(line, fitting, height);
        let output = self.network.run(tensor_of(&resized, width))?;
        match output.values[..] {
            [_, upside_down] => Ok(Direction { upside_down }),
            _ => Err(RecognitionError::Malformed { engine: self.network.engine() }),
        }
    }
}

/// The tensor of a line and the width of its ink in it; the rest is the grey the training padded with.
fn line_tensor(line: &RgbImage) -> (Tensor, u32) {
    let ratio = line.width() as f32 / line.height() as f32;
    let width = ((LINE_HEIGHT as f32 * ratio).round() as u32).clamp(8, MOST_WIDTH);
    let padded = (width.max(LEAST_WIDTH)).div_ceil(WIDTH_STEP) * WIDTH_STEP;
    let resized = resize_line(line, width, LINE_HEIGHT);
    (tensor_of(&resized, padded), width)
}

fn resize_line(line: &RgbImage, width: u32, height: u32) -> RgbImage {
    if line.dimensions() == (width, height) {
        return line.clone();
    }
    let whole = domain::geometry::Quad::rectangle(0.0, 0.0, line.width() as f32, line.height() as f32);
    warp::cut(line, &whole, width, height)
}

fn picture_tensor(picture: &RgbImage) -> Tensor {
    tensor_of(picture, picture.width())
}

/// Blue, green, red planes between -1 and 1, `padded` columns wide.
fn tensor_of(picture: &RgbImage, padded: u32) -> Tensor {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let columns = (padded as usize).max(width);
    let mut values = vec![0.0_f32; 3 * columns * height];
    let plane = columns * height;
    for (y, row) in picture.as_raw().chunks_exact(width * 3).enumerate() {
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let place = y * columns + x;
            values[place] = f32::from(pixel[2]) / 127.5 - 1.0;
            values[plane + place] = f32::from(pixel[1]) / 127.5 - 1.0;
            values[2 * plane + place] = f32::from(pixel[0]) / 127.5 - 1.0;
        }
    }
    Tensor { shape: vec![1, 3, height, columns], values }
}

#[cfg(test)]
mod tests;
