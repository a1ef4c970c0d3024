//! How well a page can be read, as causes an outlet can act on. Each cause rests on a measure;
//! `docs/benchmarks.md` says what is known of how often each is right.

mod covered;
mod pattern;
mod place;
mod print;

use domain::{
    geometry::Quad,
    reading::{Quality, QualityCause, QualityMeasures},
};
use image::RgbImage;

use crate::{forms::Form, frame::Frame, prepare::light};

/// A page whose lightest parts are darker had too little light.
const LEAST_LIGHT: f32 = 90.0;
/// Ink lighter than this, as a level of grey, on paper that is white throughout is washed out.
const MOST_INK: f32 = 150.0;
/// Without print to judge by, a page is washed out where nothing on it is darker.
const FAINT: f32 = 150.0;
/// Half of a washed out page is at least this light.
const WASHED_OUT: f32 = 246.0;
/// Lines of print lower than this, in pixels, are too small to be read well.
const LEAST_PRINT_PX: f32 = 16.0;
/// Edges wider than this share of the height of the print are blurred.
const WIDEST_EDGE: f32 = 0.14;
/// Edges of fewer pixels are as sharp as the picture can show.
const LEAST_EDGE_PX: f32 = 2.4;
/// A pattern that stands out by more is the grid of a screen.
const MOST_PATTERN: f32 = 2.8;
/// A larger share of a paper in a spot of light is glare.
const MOST_GLARE: f32 = 0.03;
/// Where words must stand and less of their print than this, beside others, is to be seen, something lies over them.
const LEAST_PRINT_RATIO: f32 = 0.3;
/// A paper that lies off the picture by more of its width is cut off.
const MOST_OFF_PICTURE: f32 = 0.04;
/// A paper of which more of a side has no edge in the picture is cut off.
const MOST_OPEN: f32 = 0.7;

/// Side of the cells a faint picture is divided into.
const CELL: usize = 8;
/// A cell is compared with those so many cells away.
const AROUND: usize = 4;
/// Grey levels that the mean of a cell differs by from those around it where something is.
const STANDS_OUT: f32 = 2.5;
/// So many cells are more than a speck.
const LEAST_CELLS: usize = 8;

/// Quality of a picture judged by a `small` copy of it: its light, and whether anything is on it.
pub fn look(small: &RgbImage) -> Quality {
    let levels = Levels::of(small);
    let (dark, middle, light) = (levels.percentile(0.01), levels.percentile(0.5), levels.percentile(0.99));
    let measures = QualityMeasures {
        light_level: Some(light),
        middle_level: Some(middle),
        dark_level: Some(dark),
        colour_share: Some(light::coloured_share(small)),
        ..QualityMeasures::default()
    };
    if light - dark < 12.0 {
        let (score, cause) = if shows_something(small) {
            (0.1, QualityCause::OverExposed)
        } else {
            (0.0, QualityCause::Blank)
        };
        return Quality { score, causes: vec![cause], measures };
    }
    judged(measures, None)
}

/// The same with what the lines of print found on the `page` say.
pub fn with_print(seen: &Quality, page: &RgbImage, lines: &[Quad]) -> Quality {
    let print = print::measure(page, lines);
    let measures = QualityMeasures {
        print_height_px: print.map(|print| print.height_px),
        edge_width_px: print.map(|print| print.edge_width_px),
        pattern_ratio: pattern::ratio(page),
        ..seen.measures
    };
    judged(measures, print.map(|print| print.ink_level))
}

/// What the outline of a paper is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// Where the frame of a card says that its corners are.
    Corners,
    /// The print of a photographed paper, somewhere inside it.
    PhotographedPrint,
    /// The print of a paper on a sheet, whose edges are white on white.
    PrintOnSheet,
}

/// That of one paper on the page.
pub fn of_paper(seen: &Quality, page: &RgbImage, region: &Quad, outline: Outline) -> Quality {
    let measures = QualityMeasures {
        off_picture_share: (outline == Outline::Corners).then(|| place::off_picture(page, region)),
        open_side_share: (outline == Outline::PhotographedPrint)
            .then(|| place::open_side(page, region))
            .flatten(),
        glare_share: Some(place::glare(page, region)),
        ..seen.measures
    };
    let mut quality = seen.clone();
    quality.measures = measures;
    let worse = [
        (
            QualityCause::CutOff,
            is_over(measures.off_picture_share, MOST_OFF_PICTURE)
                || is_over(measures.open_side_share, MOST_OPEN),
        ),
        (QualityCause::Glare, is_over(measures.glare_share, MOST_GLARE)),
    ];
    quality.causes.extend(worse.into_iter().filter(|(_, found)| *found).map(|(cause, _)| cause));
    Quality { score: score(&quality.causes), ..quality }
}

/// The same of a card whose frame is known, of which words may lie under something.
pub fn of_card(seen: &Quality, page: &RgbImage, form: &Form, frame: &Frame) -> Quality {
    let mut quality = seen.clone();
    quality.measures.least_print_ratio = covered::least_print_ratio(page, form, frame);
    if quality.measures.least_print_ratio.is_some_and(|ratio| ratio < LEAST_PRINT_RATIO) {
        quality.causes.push(QualityCause::Covered);
    }
    Quality { score: score(&quality.causes), ..quality }
}

fn is_over(measure: Option<f32>, limit: f32) -> bool {
    measure.is_some_and(|value| value > limit)
}

/// The causes that the measures of a whole page give.
fn judged(measures: QualityMeasures, ink_level: Option<f32>) -> Quality {
    let print = measures.print_height_px.unwrap_or(f32::MAX);
    let edge = measures.edge_width_px.unwrap_or(0.0);
    let is_white = is_over(measures.middle_level, WASHED_OUT);
    let is_faint = ink_level.map_or_else(|| is_over(measures.dark_level, FAINT), |level| level > MOST_INK);
    let is_small = print < LEAST_PRINT_PX;
    let causes = [
        (QualityCause::UnderExposed, measures.light_level.is_some_and(|level| level < LEAST_LIGHT)),
        (QualityCause::OverExposed, is_white && is_faint),
        (QualityCause::TooSmall, is_small),
        (QualityCause::Blurred, !is_small && edge > LEAST_EDGE_PX && edge > WIDEST_EDGE * print),
        (QualityCause::Screen, !is_small && is_over(measures.pattern_ratio, MOST_PATTERN)),
    ];
    let causes: Vec<QualityCause> =
        causes.into_iter().filter(|(_, found)| *found).map(|(cause, _)| cause).collect();
    Quality { score: score(&causes), causes, measures }
}

fn score(causes: &[QualityCause]) -> f32 {
    (1.0 - 0.3 * causes.len() as f32).clamp(0.0, 1.0)
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
        assert_eq!(look(&page(0)).causes, vec![QualityCause::Blank]);
        assert_eq!(look(&page(7)).causes, vec![QualityCause::OverExposed]);
    }

    #[test]
    fn the_smallest_pictures_are_looked_at() {
        for side in [1, 7, 16, 90] {
            let picture = RgbImage::from_pixel(side, side, Rgb([250; 3]));
            assert_eq!(look(&picture).causes, vec![QualityCause::Blank]);
        }
    }
}
