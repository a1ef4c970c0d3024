//! How well a page can be read, as causes an outlet can act on.

use domain::reading::{Quality, QualityCause};
use image::RgbImage;

use crate::prepare::warp;

/// Side of the picture that is looked at.
const LOOK_SIDE: u32 = 640;

/// Quality of a picture of a page or a paper.
pub fn look(picture: &RgbImage) -> Quality {
    let small = warp::shrink(picture, LOOK_SIDE);
    let grey = grey(&small);
    let mut causes = Vec::new();
    let (dark, middle, light) = (percentile(&grey, 0.01), percentile(&grey, 0.5), percentile(&grey, 0.99));
    if light - dark < 12.0 {
        return Quality { score: 0.0, causes: vec![QualityCause::Blank] };
    }
    if light < 90.0 {
        causes.push(QualityCause::UnderExposed);
    }
    if middle > 252.0 && dark > 150.0 {
        causes.push(QualityCause::OverExposed);
    }
    if picture.width().max(picture.height()) < 500 {
        causes.push(QualityCause::TooSmall);
    }
    let score = 1.0 - 0.3 * causes.len() as f32;
    Quality { score: score.clamp(0.0, 1.0), causes }
}

fn grey(picture: &RgbImage) -> Vec<f32> {
    let value = |p: [u8; 3]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    picture.pixels().map(|pixel| value(pixel.0)).collect()
}

fn percentile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    if sorted.is_empty() {
        return 0.0;
    }
    let at = ((sorted.len() - 1) as f32 * share) as usize;
    *sorted.select_nth_unstable_by(at, f32::total_cmp).1
}
