//! Lines of print: how high they are, how sharp their edges, how dark their ink.

use domain::geometry::Quad;
use image::RgbImage;

use crate::prepare::{geometry::QuadMeasure, warp};

/// So many lines are looked at.
const MOST_LINES: usize = 12;
/// Of each so many pixels.
const LONGEST: f32 = 240.0;
/// Ink and paper closer than this are not told apart.
const LEAST_CONTRAST: f32 = 24.0;
/// Only lines so many times as long as high are print.
const LEAST_RATIO: f32 = 2.0;

/// What lines of print look like; of each the middle one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Print {
    pub(super) height_px: f32,
    pub(super) edge_width_px: f32,
    pub(super) ink_level: f32,
}

/// The print in the lines of a page; `None` where there is none.
pub(super) fn measure(page: &RgbImage, lines: &[Quad]) -> Option<Print> {
    let is_print = |quad: &&Quad| quad.width() > LEAST_RATIO * quad.height() && quad.height() >= 3.0;
    let mut print: Vec<&Quad> = lines.iter().filter(is_print).collect();
    let height_px = median(print.iter().map(|quad| quad.height()))?;
    // The longest tell most; headings stand out by their height.
    print.retain(|quad| quad.height() < 2.0 * height_px);
    print.sort_by(|a, b| b.width().total_cmp(&a.width()));
    print.truncate(MOST_LINES);
    let looks: Vec<Look> = print.into_iter().filter_map(|quad| look(page, quad)).collect();
    Some(Print {
        height_px,
        edge_width_px: median(looks.iter().map(|look| look.edge_width_px))?,
        ink_level: median(looks.iter().map(|look| look.ink_level))?,
    })
}

struct Look {
    edge_width_px: f32,
    ink_level: f32,
}

/// One line at the resolution of the page: how many pixels lie between ink and paper at its steepest edges.
fn look(page: &RgbImage, quad: &Quad) -> Option<Look> {
    let share = (LONGEST / quad.width()).min(1.0);
    let part = crate::lines::part(quad, 0.5 - share / 2.0, 0.5 + share / 2.0);
    let (width, height) = (part.width().round() as u32, part.height().round() as u32);
    if width < 8 || height < 4 {
        return None;
    }
    let grey = image::imageops::grayscale(&warp::cut(page, &part, width, height));
    let (width, height) = grey.dimensions();
    let mut levels: Vec<u8> = grey.pixels().map(|pixel| pixel.0[0]).collect();
    levels.sort_unstable();
    let at = |share: f32| f32::from(levels.get((levels.len() as f32 * share) as usize).copied().unwrap_or(0));
    let (ink, paper) = (at(0.05), at(0.90));
    if paper - ink < LEAST_CONTRAST {
        return None;
    }
    let mut steps = Vec::new();
    for y in 1..height - 1 {
        // The mean of three rows, so that grain is not taken for an edge.
        let column =
            |x: u32| (y - 1..=y + 1).map(|y| f32::from(grey.get_pixel(x, y).0[0])).sum::<f32>() / 3.0;
        steps.extend((1..width).map(|x| (column(x) - column(x - 1)).abs()));
    }
    let steepest = steps.len() * 97 / 100;
    let step = *steps.select_nth_unstable_by(steepest, f32::total_cmp).1;
    Some(Look { edge_width_px: (paper - ink) / step.max(1.0), ink_level: ink })
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return None;
    }
    let at = values.len() / 2;
    Some(*values.select_nth_unstable_by(at, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;

    /// Strokes four pixels wide in a line of thirty.
    fn strokes() -> (RgbImage, Quad) {
        let is_ink = |x: u32, y: u32| (20..50).contains(&y) && x % 12 < 4;
        let picture = RgbImage::from_fn(400, 70, |x, y| Rgb([if is_ink(x, y) { 30 } else { 230 }; 3]));
        (picture, Quad::rectangle(10.0, 20.0, 380.0, 30.0))
    }

    #[test]
    fn blur_widens_the_edges_of_print() {
        let (picture, line) = strokes();
        let sharp = measure(&picture, &[line]).unwrap();
        let soft = measure(&imageops::blur(&picture, 2.0), &[line]).unwrap();

        assert!(sharp.ink_level < 40.0 && sharp.edge_width_px < 1.5, "{sharp:?}");
        assert!(soft.edge_width_px > 2.0 * sharp.edge_width_px, "{soft:?}");
    }

    #[test]
    fn where_there_is_no_print_nothing_is_measured() {
        let plain = RgbImage::from_pixel(400, 70, Rgb([230; 3]));

        assert_eq!(measure(&plain, &[Quad::rectangle(10.0, 20.0, 380.0, 30.0)]), None);
        assert_eq!(measure(&plain, &[]), None);
        assert_eq!(measure(&plain, &[Quad::rectangle(f32::NAN, 0.0, 1e9, 1e7)]), None);
    }
}
