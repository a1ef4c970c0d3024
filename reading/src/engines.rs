//! The engines of one worker thread, with a count of what they were asked.

use std::mem;

use domain::reading::ReadingCost;
use image::RgbImage;

use crate::{
    cpu::{self, Stage, Stopwatch},
    recognition::{DetectedLine, LineDirection, LineReading, RecognitionError, TextDetector, TextRecognizer},
};

/// Everything a page reader calls.
pub struct Engines {
    /// Finds lines.
    pub detector: Box<dyn TextDetector>,
    /// Reads labels: quick.
    pub labels: Box<dyn TextRecognizer>,
    /// Reads values: good.
    pub values: Box<dyn TextRecognizer>,
    /// Tells lines that stand on their head; without it lines are read both ways.
    pub direction: Option<LineDirection>,
    /// The independent second opinion.
    pub second: Option<Box<dyn TextRecognizer>>,
    /// What was asked since it was last taken.
    pub cost: ReadingCost,
    /// What takes the time of this page.
    pub watch: Stopwatch,
    /// CPU clock of the thread at which second looks at this page end.
    pub second_looks_until_ms: f64,
}

impl Engines {
    /// Whether the page's budget for second looks is spent.
    pub(crate) fn is_out_of_time(&self) -> bool {
        cpu::thread_ms() > self.second_looks_until_ms
    }

    /// Does `work` as if the budget for second looks were spent: what stays undecided has another chance later.
    pub(crate) fn without_second_looks<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let until = mem::replace(&mut self.second_looks_until_ms, 0.0);
        let done = work(self);
        self.second_looks_until_ms = until;
        done
    }

    /// Counts what `work` does to a stage, then goes on with the stage before.
    pub(crate) fn during<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.watch.switch(stage);
        let done = work(self);
        self.watch.switch(before);
        done
    }

    pub(crate) fn detect(
        &mut self,
        picture: &RgbImage,
        side: u32,
    ) -> Result<Vec<DetectedLine>, RecognitionError> {
        self.cost.detections += 1;
        self.during(Stage::Detection, |engines| engines.detector.detect(picture, side))
    }

    pub(crate) fn read_labels(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        self.cost.recognitions += lines.len() as u32;
        self.during(Stage::Labels, |engines| engines.labels.recognize(lines))
    }

    pub(crate) fn read_value(&mut self, line: &RgbImage) -> Result<LineReading, RecognitionError> {
        self.cost.recognitions += 1;
        let readings = self.values.recognize(std::slice::from_ref(line))?;
        Ok(readings.into_iter().next().unwrap_or_else(LineReading::nothing))
    }
}
