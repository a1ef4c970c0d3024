//! Where bars are: places in which all edges run one way, across a wide stretch.

use image::GrayImage;

/// Side of the squares the page is divided into.
const CELL: usize = 16;
/// How much of the edges of a square must run one way.
const MIN_COHERENCE: f32 = 0.7;
/// Mean squared step from pixel to pixel below which a square counts as plain.
const MIN_ENERGY: f32 = 350.0;
/// How far the direction may differ between neighbours, as the cosine of twice the angle: 12 degrees.
const MIN_AGREEMENT: f32 = 0.91;
/// Fewest squares of a barcode.
const MIN_CELLS: usize = 10;

/// A stretch of bars.
#[derive(Debug, Clone, Copy)]
pub struct Stripes {
    /// Its middle.
    pub middle: (f32, f32),
    /// The direction across the bars, in radians.
    pub angle: f32,
    /// Half its length across the bars.
    pub half_length: f32,
    /// Half its height along the bars.
    pub half_height: f32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Cosine and sine of twice the direction of the edges; both 0 where nothing is.
    direction: (f32, f32),
    is_striped: bool,
}

/// Finds stretches of bars, the longest first.
pub fn find(grey: &GrayImage) -> Vec<Stripes> {
    let columns = grey.width() as usize / CELL;
    let rows = grey.height() as usize / CELL;
    let cells = cells(grey, columns, rows);
    let mut is_taken = vec![false; cells.len()];
    let mut found = Vec::new();
    for start in 0..cells.len() {
        if cells[start].is_striped && !is_taken[start] {
            let members = spread(&cells, columns, start, &mut is_taken);
            found.extend(measure(&cells, columns, &members));
        }
    }
    found.sort_by(|a: &Stripes, b| b.half_length.total_cmp(&a.half_length));
    found
}

fn cells(grey: &GrayImage, columns: usize, rows: usize) -> Vec<Cell> {
    let width = grey.width() as usize;
    let levels = grey.as_raw();
    let mut cells = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let start = row * CELL * width + column * CELL;
            cells.push(look_at(levels, width, start));
        }
    }
    cells
}

/// The structure tensor of one square, from differences of neighbouring pixels.
fn look_at(levels: &[u8], width: usize, start: usize) -> Cell {
    let (mut xx, mut yy, mut xy) = (0_i32, 0_i32, 0_i32);
    for line in 0..CELL - 1 {
        let here = &levels[start + line * width..][..CELL];
        let below = &levels[start + (line + 1) * width..][..CELL];
        for at in 0..CELL - 1 {
            let across = i32::from(here[at + 1]) - i32::from(here[at]);
            let down = i32::from(below[at]) - i32::from(here[at]);
            xx += across * across;
            yy += down * down;
            xy += across * down;
        }
    }
    let count = ((CELL - 1) * (CELL - 1)) as f32;
    let (xx, yy, xy) = (xx as f32 / count, yy as f32 / count, xy as f32 / count);
    let energy = xx + yy;
    let length = ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt();
    if energy < MIN_ENERGY || length < MIN_COHERENCE * energy {
        return Cell::default();
    }
    Cell { direction: ((xx - yy) / length, 2.0 * xy / length), is_striped: true }
}

/// All striped squares that hang together with `start` and run its way; one square may be missing between two.
fn spread(cells: &[Cell], columns: usize, start: usize, is_taken: &mut [bool]) -> Vec<usize> {
    let rows = cells.len() / columns;
    let mut members = vec![start];
    is_taken[start] = true;
    let mut next = 0;
    while let Some(&member) = members.get(next) {
        next += 1;
        let (x, y) = (member % columns, member / columns);
        for near_y in y.saturating_sub(1)..=(y + 1).min(rows - 1) {
            for near_x in x.saturating_sub(2)..=(x + 2).min(columns - 1) {
                let near = near_y * columns + near_x;
                let (a, b) = (cells[start].direction, cells[near].direction);
                let agrees = a.0 * b.0 + a.1 * b.1 > MIN_AGREEMENT;
                if cells[near].is_striped && !is_taken[near] && agrees {
                    is_taken[near] = true;
                    members.push(near);
                }
            }
        }
    }
    members
}

/// Middle, direction and size, when it is as long across its bars as a barcode is.
fn measure(cells: &[Cell], columns: usize, members: &[usize]) -> Option<Stripes> {
    if members.len() < MIN_CELLS {
        return None;
    }
    let place = |member: &usize| {
        let half = CELL as f32 / 2.0;
        ((member % columns * CELL) as f32 + half, (member / columns * CELL) as f32 + half)
    };
    let sum = members.iter().fold((0.0, 0.0), |sum, member| {
        let direction = cells[*member].direction;
        (sum.0 + direction.0, sum.1 + direction.1)
    });
    let angle = f32::atan2(sum.1, sum.0) / 2.0;
    let (sine, cosine) = angle.sin_cos();
    let across: Vec<f32> = members.iter().map(place).map(|(x, y)| x * cosine + y * sine).collect();
    let along: Vec<f32> = members.iter().map(place).map(|(x, y)| y * cosine - x * sine).collect();
    let (first, last) = ends(&across);
    let (upper, lower) = ends(&along);
    let (length, height) = (last - first + CELL as f32, lower - upper + CELL as f32);
    // A ruled line is long along its edges and short across them; bars are the other way round.
    if length < 5.0 * CELL as f32 || length < height * 0.8 {
        return None;
    }
    let (u, v) = (f32::midpoint(first, last), f32::midpoint(upper, lower));
    Some(Stripes {
        middle: (u * cosine - v * sine, u * sine + v * cosine),
        angle,
        half_length: length / 2.0,
        half_height: height / 2.0,
    })
}

fn ends(values: &[f32]) -> (f32, f32) {
    values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}
