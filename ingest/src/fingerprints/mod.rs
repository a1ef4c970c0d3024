//! Recognises the same picture again after it was saved, scanned or copied once more.

use image::{GrayImage, RgbImage, imageops};
use serde::{Deserialize, Serialize};

const SIDE: u32 = 32;

/// What is remembered of a picture to know it again. Says nothing readable about it, but is kept sealed all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    bands: Vec<u32>,
    levels: Vec<u8>,
}

impl Fingerprint {
    /// Keys for a table: the same picture shares at least one of them at the same index, other pictures seldom do.
    pub fn bands(&self) -> &[u32] {
        &self.bands
    }

    /// How much two pictures differ: 0 for the same, about 1 for pictures that have nothing to do with each other.
    pub fn distance(&self, other: &Self) -> f32 {
        let pairs = self.levels.iter().zip(&other.levels);
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        sum as f32 / (self.levels.len().max(1) as f32 * 64.0)
    }

    /// Whether the two are the same picture.
    pub fn is_same_picture(&self, other: &Self) -> bool {
        self.distance(other) < 0.2
    }
}

/// Takes the fingerprint of a page or of a part of it; `None` when there is nothing on it.
pub fn fingerprint(picture: &RgbImage) -> Option<Fingerprint> {
    let grey: GrayImage = imageops::grayscale(picture);
    let small = imageops::thumbnail(&grey, SIDE, SIDE);
    let levels = small.into_raw();
    let lightest = levels.iter().max().copied().unwrap_or(0);
    let darkest = levels.iter().min().copied().unwrap_or(0);
    if lightest.saturating_sub(darkest) < 8 {
        return None;
    }
    let mean = levels.iter().map(|level| u32::from(*level)).sum::<u32>() / (SIDE * SIDE);
    let bands = levels
        .chunks(64)
        .map(|chunk| chunk.iter().step_by(2).fold(0, |bits, level| bits << 1 | u32::from(u32::from(*level) > mean)))
        .collect();
    Some(Fingerprint { bands, levels })
}
