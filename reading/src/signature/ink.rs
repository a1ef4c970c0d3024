//! Finds ink on paper under uneven light; red marks are taken away on the way.

use image::RgbImage;

use super::mask::Mask;

/// Pixels of each cell in which the colour of the paper is estimated.
const CELL: usize = 24;
/// The share of a cell's neighbourhood that is darker than its paper.
const PAPER_SHARE: f32 = 0.85;
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
    /// Measures a picture.
    pub(crate) fn of(image: &RgbImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let papers = [0, 1, 2].map(|channel| Paper::of(image, channel));
        let mut ink = Vec::with_capacity(width * height);
        let mut red = Vec::with_capacity(width * height);
        for (index, pixel) in image.as_raw().chunks_exact(3).enumerate() {
            let (x, y) = (index % width, index / width);
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
    columns: usize,
    rows: usize,
    cells: Vec<f32>,
}

impl Paper {
    fn of(image: &RgbImage, channel: usize) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (columns, rows) = (width.div_ceil(CELL).max(1), height.div_ceil(CELL).max(1));
        let mut counts = vec![[0_u32; 256]; columns * rows];
        for (index, pixel) in image.as_raw().chunks_exact(3).enumerate() {
            let (x, y) = (index % width, index / width);
            counts[y / CELL * columns + x / CELL][usize::from(pixel[channel])] += 1;
        }
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                cells.push(bright_level(&counts, columns, rows, column, row));
            }
        }
        Self { columns, rows, cells }
    }

    /// Between the four nearest cell centres.
    fn at(&self, x: usize, y: usize) -> f32 {
        let (column, right) = between(x, self.columns);
        let (row, below) = between(y, self.rows);
        let (next_column, next_row) = ((column + 1).min(self.columns - 1), (row + 1).min(self.rows - 1));
        let cell = |c: usize, r: usize| self.cells[r * self.columns + c];
        let upper = cell(column, row) * (1.0 - right) + cell(next_column, row) * right;
        let lower = cell(column, next_row) * (1.0 - right) + cell(next_column, next_row) * right;
        upper * (1.0 - below) + lower * below
    }
}

fn between(place: usize, cells: usize) -> (usize, f32) {
    let position = (place as f32 + 0.5) / CELL as f32 - 0.5;
    if position <= 0.0 {
        return (0, 0.0);
    }
    let first = (position as usize).min(cells - 1);
    (first, (position - first as f32).min(1.0))
}

/// The brightness that all but a few pixels of a cell and its neighbours stay under.
fn bright_level(counts: &[[u32; 256]], columns: usize, rows: usize, column: usize, row: usize) -> f32 {
    let mut sum = [0_u32; 256];
    for r in row.saturating_sub(1)..=(row + 1).min(rows - 1) {
        for c in column.saturating_sub(1)..=(column + 1).min(columns - 1) {
            for (total, count) in sum.iter_mut().zip(&counts[r * columns + c]) {
                *total += count;
            }
        }
    }
    let all: u32 = sum.iter().sum();
    let wanted = (all as f32 * PAPER_SHARE) as u32;
    let mut seen = 0;
    for (level, count) in sum.iter().enumerate() {
        seen += count;
        if seen > wanted {
            return (level as f32).max(32.0);
        }
    }
    255.0
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn uneven_light_is_no_ink() {
        let image = RgbImage::from_fn(300, 100, |x, _| Rgb([(120 + x / 3) as u8; 3]));

        let mask = Darkness::of(&image).darker_than(0.15);

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

        let darkness = Darkness::of(&image);

        assert_eq!(darkness.darker_than(0.3).area(), 30);
        assert!(darkness.red_marks().area() >= 90 * 6 - 6);
    }

    #[test]
    fn an_empty_picture_has_no_ink() {
        assert!(Darkness::of(&RgbImage::new(0, 0)).ink.is_empty());
    }
}
