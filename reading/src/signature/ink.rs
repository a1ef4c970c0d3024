//! Finds ink on paper under uneven light; red marks are taken away on the way.

use image::RgbImage;

use super::mask::Mask;

/// Side of each cell in which the colour of the paper is estimated, millimetres.
const CELL_MM: f32 = 0.3;
/// The share of a cell that is darker than its paper.
const PAPER_SHARE: f32 = 0.85;
/// What is narrower than twice as many cells is ink, what is wider is shade: pens draw no stroke of three millimetres.
const REACH: usize = 5;
/// What is darker than this share of most of the paper is no paper in shade but what the sheet lies on.
const LEAST_OF_PAPER: f32 = 0.4;
/// Paper is no darker than this.
const DARKEST: f32 = 32.0;
/// A pixel whose red exceeds green and blue by more than this share of the paper's white is red.
const RED_FROM: f32 = 0.12;

/// How dark each pixel is against the paper around it, once without red marks and once red marks only.
pub(crate) struct Darkness {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// 0.0 paper to 1.0 black; red ink counts as paper.
    pub(crate) ink: Vec<f32>,
    /// How much redder than the paper, 0.0 to 1.0.
    pub(crate) red: Vec<f32>,
}

impl Darkness {
    /// Measures a picture of so many pixels to a millimetre.
    pub(crate) fn of(image: &RgbImage, px_per_mm: f32) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let cell = ((CELL_MM * px_per_mm).round() as usize).max(2);
        let papers = [0, 1, 2].map(|channel| Paper::of(image, channel, cell));
        let darkest = LEAST_OF_PAPER * papers[1].usual();
        let mut ink = Vec::with_capacity(width * height);
        let mut red = Vec::with_capacity(width * height);
        for (index, pixel) in image.as_raw().chunks_exact(3).enumerate() {
            let (x, y) = (index % width, index / width);
            if papers[1].at(x, y) < darkest {
                ink.push(0.0);
                red.push(0.0);
                continue;
            }
            let share = |channel: usize| (f32::from(pixel[channel]) / papers[channel].at(x, y)).min(1.0);
            let (r, g, b) = (share(0), share(1), share(2));
            let redness = (r - g.max(b)).max(0.0);
            // A red stamp is light in the red channel; what darkness it keeps there is taken off by its redness.
            let fading =
                if redness > RED_FROM { (1.0 - 2.0 * (redness - RED_FROM)).clamp(0.0, 1.0) } else { 1.0 };
            ink.push((1.0 - r) * fading);
            red.push(redness);
        }
        Self { width, height, ink, red }
    }

    /// Where the ink is at least this dark.
    pub(crate) fn darker_than(&self, threshold: f32) -> Mask {
        let bits = self.ink.iter().map(|&darkness| darkness > threshold).collect();
        Mask { width: self.width, height: self.height, bits }
    }

    /// Where the marks are red.
    pub(crate) fn red_marks(&self) -> Mask {
        let bits = self.red.iter().map(|&redness| redness > RED_FROM).collect();
        Mask { width: self.width, height: self.height, bits }
    }

    /// The darkness that a share of the ink does not exceed; full where there is none.
    pub(crate) fn level_of(&self, mask: &Mask, share: f32) -> f32 {
        let inked = mask.bits.iter().zip(&self.ink).filter(|(bit, _)| **bit);
        let mut values: Vec<f32> = inked.map(|(_, &value)| value).collect();
        if values.is_empty() {
            return 1.0;
        }
        let place = ((values.len() - 1) as f32 * share) as usize;
        *values.select_nth_unstable_by(place, f32::total_cmp).1
    }

    /// The darkness that a share of the pixels within left, top, right, bottom does not exceed.
    pub(crate) fn quantile(&self, [left, top, right, bottom]: [usize; 4], share: f32) -> f32 {
        let mut values: Vec<f32> = Vec::new();
        for y in top..bottom.min(self.height) {
            values.extend(
                &self.ink[y * self.width + left.min(self.width)..y * self.width + right.min(self.width)],
            );
        }
        if values.is_empty() {
            return 0.0;
        }
        let place = ((values.len() - 1) as f32 * share) as usize;
        *values.select_nth_unstable_by(place, f32::total_cmp).1
    }
}

/// The brightness of the paper in one channel, in a grid of cells.
struct Paper {
    cell: usize,
    columns: usize,
    rows: usize,
    cells: Vec<f32>,
}

impl Paper {
    /// The bright level of each cell, dark places that are narrow filled from around them: the paper under ink is as
    /// bright as beside it, and the edge of a shadow stays where it is.
    fn of(image: &RgbImage, channel: usize, cell: usize) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (columns, rows) = (width.div_ceil(cell).max(1), height.div_ceil(cell).max(1));
        let mut values = vec![Vec::with_capacity(cell * cell); columns * rows];
        for (index, pixel) in image.as_raw().chunks_exact(3).enumerate() {
            let (x, y) = (index % width, index / width);
            values[y / cell * columns + x / cell].push(pixel[channel]);
        }
        let bright: Vec<f32> = values.iter_mut().map(|values| bright_level(values)).collect();
        let wide = spread(&spread(&bright, columns, Across, f32::max), columns, Down, f32::max);
        let cells = spread(&spread(&wide, columns, Across, f32::min), columns, Down, f32::min);
        Self { cell, columns, rows, cells }
    }

    /// The level of most of it.
    fn usual(&self) -> f32 {
        let mut cells = self.cells.clone();
        let middle = cells.len() / 2;
        if cells.is_empty() { 0.0 } else { *cells.select_nth_unstable_by(middle, f32::total_cmp).1 }
    }

    /// Between the four nearest cell centres.
    fn at(&self, x: usize, y: usize) -> f32 {
        let (column, right) = self.between(x, self.columns);
        let (row, below) = self.between(y, self.rows);
        let (next_column, next_row) = ((column + 1).min(self.columns - 1), (row + 1).min(self.rows - 1));
        let cell = |c: usize, r: usize| self.cells[r * self.columns + c];
        let upper = cell(column, row) * (1.0 - right) + cell(next_column, row) * right;
        let lower = cell(column, next_row) * (1.0 - right) + cell(next_column, next_row) * right;
        upper * (1.0 - below) + lower * below
    }

    fn between(&self, place: usize, cells: usize) -> (usize, f32) {
        let position = (place as f32 + 0.5) / self.cell as f32 - 0.5;
        if position <= 0.0 {
            return (0, 0.0);
        }
        let first = (position as usize).min(cells - 1);
        (first, (position - first as f32).min(1.0))
    }
}

/// The brightness that all but a few pixels stay under.
fn bright_level(values: &mut [u8]) -> f32 {
    if values.is_empty() {
        return DARKEST;
    }
    let place = ((values.len() - 1) as f32 * PAPER_SHARE) as usize;
    f32::from(*values.select_nth_unstable(place).1).max(DARKEST)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Across,
    Down,
}
use Direction::{Across, Down};

/// Each cell takes the most of those within reach in one direction, as `most` says.
fn spread(cells: &[f32], columns: usize, direction: Direction, most: fn(f32, f32) -> f32) -> Vec<f32> {
    let rows = cells.len() / columns;
    let (length, step) = if direction == Across { (columns, 1) } else { (rows, columns) };
    let mut out = Vec::with_capacity(cells.len());
    for index in 0..cells.len() {
        let place = if direction == Across { index % columns } else { index / columns };
        let first = index - place * step;
        let near = place.saturating_sub(REACH)..(place + REACH + 1).min(length);
        out.push(near.map(|other| cells[first + other * step]).fold(cells[index], most));
    }
    out
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    const PX_PER_MM: f32 = 8.0;

    #[test]
    fn a_shadow_is_no_ink_and_a_stroke_across_it_is() {
        let image = |stroke: std::ops::Range<u32>| {
            RgbImage::from_fn(400, 200, |x, y| {
                let light = if (100..180).contains(&x) { 110 } else { 230 };
                Rgb([if stroke.contains(&y) { light / 4 } else { light }; 3])
            })
        };

        let inked = |stroke| Darkness::of(&image(stroke), PX_PER_MM).darker_than(0.3).area();

        assert_eq!(inked(0..0), 0);
        assert_eq!(inked(90..96), 400 * 6);
    }

    #[test]
    fn what_the_sheet_lies_on_is_no_ink() {
        let cloth = |x: u32, y: u32| Rgb([if (x * 7 + y * 13) % 5 < 2 { 20 } else { 60 }; 3]);
        let image = RgbImage::from_fn(400, 200, |x, y| if x > 280 { cloth(x, y) } else { Rgb([230; 3]) });

        // But for the very edge.
        assert!(Darkness::of(&image, PX_PER_MM).darker_than(0.3).area() <= 2 * 200);
    }

    #[test]
    fn uneven_light_is_no_ink() {
        let image = RgbImage::from_fn(300, 100, |x, _| Rgb([(120 + x / 3) as u8; 3]));

        let mask = Darkness::of(&image, PX_PER_MM).darker_than(0.15);

        assert_eq!(mask.area(), 0);
    }

    #[test]
    fn a_red_mark_is_no_ink_and_dark_ink_over_it_is() {
        let mut image = RgbImage::from_pixel(120, 60, Rgb([250, 248, 245]));
        for x in 10..100 {
            for y in 20..26 {
                image.put_pixel(x, y, Rgb([205, 60, 60]));
            }
        }
        for y in 10..40 {
            image.put_pixel(50, y, Rgb([25, 25, 60]));
        }

        let darkness = Darkness::of(&image, PX_PER_MM);

        assert_eq!(darkness.darker_than(0.3).area(), 30);
        assert!(darkness.red_marks().area() >= 90 * 6 - 6);
    }

    #[test]
    fn an_empty_picture_has_no_ink() {
        assert!(Darkness::of(&RgbImage::new(0, 0), PX_PER_MM).ink.is_empty());
    }
}
