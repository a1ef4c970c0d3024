//! How well a page can be read, as causes an outlet can act on.

use domain::reading::{Quality, QualityCause};
use image::RgbImage;

use crate::prepare::light;

/// Quality of a picture whose longest side has `longest_side` pixels, judged by a `small` copy of it.
pub fn look(small: &RgbImage, longest_side: u32) -> Quality {
    let levels = Levels::of(small);
    let mut causes = Vec::new();
    let (dark, middle, light) = (levels.percentile(0.01), levels.percentile(0.5), levels.percentile(0.99));
    if light - dark < 12.0 {
        return Quality { score: 0.0, causes: vec![QualityCause::Blank] };
    }
    if light < 90.0 {
        causes.push(QualityCause::UnderExposed);
    }
    if middle > 252.0 && dark > 150.0 {
        causes.push(QualityCause::OverExposed);
    }
    if longest_side < 500 {
        causes.push(QualityCause::TooSmall);
    }
    let score = 1.0 - 0.3 * causes.len() as f32;
    Quality { score: score.clamp(0.0, 1.0), causes }
}

/// How many pixels have each level of grey.
struct Levels {
    counts: [usize; 256],
    total: usize,
}

impl Levels {
    fn of(picture: &RgbImage) -> Self {
        let mut counts = [0; 256];
        for pixel in picture.pixels() {
            counts[usize::from(light::luminance(pixel.0))] += 1;
        }
        Self { counts, total: counts.iter().sum() }
    }

    /// The level that a share of the pixels does not exceed.
    fn percentile(&self, share: f32) -> f32 {
        let wanted = (self.total.saturating_sub(1) as f32 * share) as usize;
        let mut seen = 0;
        let level = self.counts.iter().position(|count| {
            seen += count;
            seen > wanted
        });
        level.unwrap_or(0) as f32
    }
}
