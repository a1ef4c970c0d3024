//! How well a page can be read, as causes an outlet can act on.

use domain::reading::{Quality, QualityCause};
use image::RgbImage;

use crate::prepare::light;

/// Side of the cells a faint picture is divided into.
const CELL: usize = 8;
/// A cell is compared with those so many cells away.
const AROUND: usize = 4;
/// Grey levels that the mean of a cell differs by from those around it where something is.
const STANDS_OUT: f32 = 2.5;
/// So many cells are more than a speck.
const LEAST_CELLS: usize = 8;

/// Quality of a picture whose longest side has `longest_side` pixels, judged by a `small` copy of it.
pub fn look(small: &RgbImage, longest_side: u32) -> Quality {
    let levels = Levels::of(small);
    let mut causes = Vec::new();
    let (dark, middle, light) = (levels.percentile(0.01), levels.percentile(0.5), levels.percentile(0.99));
    if light - dark < 12.0 {
        return if shows_something(small) {
            Quality { score: 0.1, causes: vec![QualityCause::OverExposed] }
        } else {
            Quality { score: 0.0, causes: vec![QualityCause::Blank] }
        };
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

/// Whether a picture nearly without contrast shows more than paper: parts of it differ from what is around them by
/// more than the grain of paper or light falling from one side can make.
fn shows_something(small: &RgbImage) -> bool {
    let grey: Vec<f32> = small.pixels().map(|pixel| f32::from(light::luminance(pixel.0))).collect();
    let width = small.width() as usize;
    let (columns, rows) = (width / CELL, grey.len() / width.max(1) / CELL);
    let mean = |column: usize, row: usize| {
        let of_row = |y: usize| {
            let start = (row * CELL + y) * width + column * CELL;
            grey.get(start..start + CELL).map_or(0.0, |part| part.iter().sum::<f32>())
        };
        (0..CELL).map(of_row).sum::<f32>() / (CELL * CELL) as f32
    };
    let means: Vec<f32> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column, row)))
        .map(|(c, r)| mean(c, r))
        .collect();
    let stands_out = |column: usize, row: usize| {
        let at = |c: usize, r: usize| means[r * columns + c];
        let around = at(column - AROUND, row)
            + at(column + AROUND, row)
            + at(column, row - AROUND)
            + at(column, row + AROUND);
        (at(column, row) - around / 4.0).abs() > STANDS_OUT
    };
    let inner = |count: usize| AROUND + 1..count.saturating_sub(AROUND + 1);
    let found = inner(rows).map(|row| inner(columns).filter(|column| stands_out(*column, row)).count());
    found.sum::<usize>() >= LEAST_CELLS
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

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Paper with grain and light from one side, and a faint box on it.
    fn page(box_level: u8) -> RgbImage {
        RgbImage::from_fn(620, 877, |x, y| {
            let paper = 246 + (x / 200) as u8 + ((x * 7 + y * 13) % 5) as u8 / 2;
            let inside = (200..400).contains(&x) && (300..420).contains(&y);
            Rgb([if inside { paper - box_level } else { paper }; 3])
        })
    }

    #[test]
    fn paper_alone_is_blank_and_a_faint_copy_is_not() {
        assert_eq!(look(&page(0), 877).causes, vec![QualityCause::Blank]);
        assert_eq!(look(&page(7), 877).causes, vec![QualityCause::OverExposed]);
    }

    #[test]
    fn the_smallest_pictures_are_looked_at() {
        for side in [1, 7, 16, 90] {
            assert_eq!(
                look(&RgbImage::from_pixel(side, side, Rgb([250; 3])), side).causes,
                vec![QualityCause::Blank]
            );
        }
    }
}
