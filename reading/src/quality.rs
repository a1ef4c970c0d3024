//! How well a page can be read, as causes an outlet can act on.

use domain::reading::{Quality, QualityCause};
use image::RgbImage;

use crate::prepare::warp;

/// Side of the picture that is looked at.
const LOOK_SIDE: u32 = 640;

/// Side of the cells a faint picture is divided into.
const CELL: usize = 8;
/// A cell is compared with those so many cells away.
const AROUND: usize = 4;
/// Grey levels that the mean of a cell differs by from those around it where something is.
const STANDS_OUT: f32 = 2.5;
/// So many cells are more than a speck.
const LEAST_CELLS: usize = 8;

/// Quality of a picture of a page or a paper.
pub fn look(picture: &RgbImage) -> Quality {
    let small = warp::shrink(picture, LOOK_SIDE);
    let grey = grey(&small);
    let mut causes = Vec::new();
    let (dark, middle, light) = (percentile(&grey, 0.01), percentile(&grey, 0.5), percentile(&grey, 0.99));
    if light - dark < 12.0 {
        return if shows_something(&grey, small.width() as usize) {
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
    if picture.width().max(picture.height()) < 500 {
        causes.push(QualityCause::TooSmall);
    }
    let score = 1.0 - 0.3 * causes.len() as f32;
    Quality { score: score.clamp(0.0, 1.0), causes }
}

/// Whether a picture nearly without contrast shows more than paper: parts of it differ from what is around them by
/// more than the grain of paper or light falling from one side can make.
fn shows_something(grey: &[f32], width: usize) -> bool {
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
        assert_eq!(look(&page(0)).causes, vec![QualityCause::Blank]);
        assert_eq!(look(&page(7)).causes, vec![QualityCause::OverExposed]);
    }

    #[test]
    fn the_smallest_pictures_are_looked_at() {
        for side in [1, 7, 16, 90] {
            assert_eq!(
                look(&RgbImage::from_pixel(side, side, Rgb([250; 3]))).causes,
                vec![QualityCause::Blank]
            );
        }
    }
}
