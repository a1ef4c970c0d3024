//! One way of looking at a picture: 64 by 64 cells, each darker or lighter than its surroundings.

use image::RgbImage;

/// Cells along one side.
pub const SIDE: usize = 64;
/// Cells of a view.
pub const CELLS: usize = SIDE * SIDE;

/// Longest side of the picture that views are taken of.
const SHADE_SIDE: u32 = 800;
/// How much of the ink may lie outside what it is trimmed to, at each end: specks and edges of the glass.
const STRAY_INK: f32 = 0.02;
/// Levels for one unit of local contrast; three units are kept.
const LEVELS_PER_UNIT: f32 = 42.0;

/// A small grey copy of a picture.
pub struct Shade {
    width: usize,
    height: usize,
    levels: Vec<f32>,
}

/// A part of a shade: left, top, right, bottom.
#[derive(Debug, Clone, Copy)]
pub struct Bounds([f32; 4]);

impl Shade {
    /// Averages a picture down; `None` when it is too small to be one.
    pub fn of(page: &RgbImage) -> Option<Self> {
        let (full_width, full_height) = page.dimensions();
        let longest = full_width.max(full_height);
        if full_width < 16 || full_height < 16 {
            return None;
        }
        let scale = (SHADE_SIDE as f32 / longest as f32).min(1.0);
        let side = |length: u32| ((length as f32 * scale).round() as usize).max(1);
        let (width, height) = (side(full_width), side(full_height));
        let mut sums = vec![(0.0_f32, 0.0_f32); width * height];
        for (y, row) in page.rows().enumerate() {
            let line = (y * height / full_height as usize) * width;
            for (x, pixel) in row.enumerate() {
                let [r, g, b] = pixel.0.map(u32::from);
                let cell = &mut sums[line + x * width / full_width as usize];
                cell.0 += ((r * 77 + g * 150 + b * 29) >> 8) as f32;
                cell.1 += 1.0;
            }
        }
        let levels = sums.into_iter().map(|(sum, count)| sum / count.max(1.0)).collect();
        Some(Self { width, height, levels })
    }

    /// All of it.
    pub const fn bounds(&self) -> Bounds {
        Bounds([0.0, 0.0, self.width as f32, self.height as f32])
    }

    /// The mean of the cell between these edges; cells smaller than a pixel take the pixel they lie in.
    fn mean(&self, left: f32, top: f32, right: f32, bottom: f32) -> f32 {
        let span = |from: f32, to: f32, most: usize| {
            let first = (from.round().max(0.0) as usize).min(most - 1);
            first..(to.round() as usize).clamp(first + 1, most)
        };
        let (columns, rows) = (span(left, right, self.width), span(top, bottom, self.height));
        let count = (columns.len() * rows.len()) as f32;
        let sum: f32 = rows.map(|y| self.levels[y * self.width..][columns.clone()].iter().sum::<f32>()).sum();
        sum / count
    }
}

/// Where the ink of a picture lies, with a small margin; `None` when the picture is blank.
pub fn ink_bounds(shade: &Shade) -> Option<Bounds> {
    let mut histogram = [0_usize; 256];
    for level in &shade.levels {
        histogram[(*level as usize).min(255)] += 1;
    }
    let percentile = |share: f32| {
        let wanted = (shade.levels.len() as f32 * share) as usize;
        let mut seen = 0;
        histogram.iter().position(|count| {
            seen += count;
            seen > wanted
        })
    };
    let (paper, darkest) = (percentile(0.8)? as f32, percentile(0.005)? as f32);
    if paper - darkest < 24.0 {
        return None;
    }
    let ink_below = paper - 0.4 * (paper - darkest);
    // The edge of the glass and the shadow of the lid are no ink.
    let edge = shade.width.max(shade.height) * 3 / 200;
    let mut by_column = vec![0_usize; shade.width];
    let mut by_row = vec![0_usize; shade.height];
    let inside = |at: usize, length: usize| at >= edge && at < length.saturating_sub(edge);
    for (at, level) in shade.levels.iter().enumerate() {
        let (x, y) = (at % shade.width, at / shade.width);
        if *level < ink_below && inside(x, shade.width) && inside(y, shade.height) {
            by_column[x] += 1;
            by_row[y] += 1;
        }
    }
    let (left, right) = extent(&by_column)?;
    let (top, bottom) = extent(&by_row)?;
    Some(Bounds([left, top, right, bottom]))
}

fn extent(ink: &[usize]) -> Option<(f32, f32)> {
    let total: usize = ink.iter().sum();
    if total < 50 {
        return None;
    }
    let reach = |share: f32| {
        let wanted = total as f32 * share;
        let mut seen = 0;
        ink.iter().position(|count| {
            seen += count;
            seen as f32 >= wanted
        })
    };
    let (first, last) = (reach(STRAY_INK)? as f32, reach(1.0 - STRAY_INK)? as f32);
    let margin = (last - first).max(1.0) * 0.06;
    Some(((first - margin).max(0.0), (last + margin).min(ink.len() as f32)))
}

/// A grid of local contrasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View(Vec<i8>);

impl View {
    /// Looks at a part of a picture; `None` when nothing stands out in it.
    pub fn of(shade: &Shade, Bounds([left, top, right, bottom]): Bounds) -> Option<Self> {
        let (across, down) = ((right - left) / SIDE as f32, (bottom - top) / SIDE as f32);
        let mut cells = Vec::with_capacity(CELLS);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (x, y) = (left + column as f32 * across, top + row as f32 * down);
                cells.push(shade.mean(x, y, x + across, y + down));
            }
        }
        let surroundings = blurred(&cells, 3.0);
        let contrast: Vec<f32> =
            cells.iter().zip(&surroundings).map(|(cell, around)| cell - around).collect();
        let energy: Vec<f32> = contrast.iter().map(|value| value * value).collect();
        let overall = (energy.iter().sum::<f32>() / CELLS as f32).sqrt();
        if overall < 0.5 {
            return None;
        }
        let floor = (overall * 0.3).max(2.0);
        let spread = blurred(&energy, 6.0);
        let level = |(value, energy): (&f32, &f32)| {
            (value / (energy.max(0.0).sqrt() + floor) * LEVELS_PER_UNIT).clamp(-127.0, 127.0) as i8
        };
        Some(Self(contrast.iter().zip(&spread).map(level).collect()))
    }

    /// Takes back what was stored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == CELLS).then(|| Self(bytes.iter().map(|byte| byte.cast_signed()).collect()))
    }

    /// The cells, row by row.
    pub fn levels(&self) -> impl Iterator<Item = i8> {
        self.0.iter().copied()
    }

    /// The cells as numbers to reckon with.
    pub fn values(&self) -> Vec<f32> {
        self.0.iter().map(|level| f32::from(*level)).collect()
    }
}

/// A Gaussian blur of a grid, mirrored at its edges.
pub fn blurred(cells: &[f32], sigma: f32) -> Vec<f32> {
    let reach = (sigma * 3.0).ceil() as isize;
    let weights: Vec<f32> = (-reach..=reach).map(|at| (-0.5 * (at as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let mirror = |at: isize| {
        let last = SIDE as isize - 1;
        let folded = if at < 0 { -at } else { at };
        (if folded > last { 2 * last - folded } else { folded }).clamp(0, last) as usize
    };
    let pass = |source: &[f32], step: usize, line: usize| {
        let mut out = vec![0.0; CELLS];
        for row in 0..SIDE {
            for column in 0..SIDE {
                let taps = (-reach..=reach).zip(&weights);
                let sum: f32 = taps
                    .map(|(tap, weight)| source[row * line + mirror(column as isize + tap) * step] * weight)
                    .sum();
                out[row * line + column * step] = sum / total;
            }
        }
        out
    };
    let across = pass(cells, 1, SIDE);
    pass(&across, SIDE, 1)
}
