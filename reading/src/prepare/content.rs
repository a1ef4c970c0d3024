//! Where on a page anything stands: bare paper around it need not be searched for lines.

use image::RgbImage;

use super::light;

/// Side of the cells a small copy of a page is divided into.
const CELL: usize = 8;
/// A pixel this much darker than the lightest of its cell is ink.
const DARKER: u8 = 16;
/// Fewer dark pixels in a cell are dust.
const LEAST_INK: u32 = 6;
/// Fewer cells that hang together are dirt.
const LEAST_CELLS: usize = 4;
/// Ink in no more columns of a cell than this is a streak, when it goes on above and below.
const THIN: usize = 3;
/// A streak runs along this share of the page at least.
const LEAST_STREAK: f32 = 0.25;
/// Cells to both sides that are bare beside a streak.
const BARE: usize = 3;
/// Cells left around what was found.
const MARGIN: usize = 3;

/// A part of a page, as shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Left and right end.
    pub across: (f32, f32),
    /// Upper and lower end.
    pub down: (f32, f32),
}

impl Part {
    /// The whole page.
    pub const WHOLE: Self = Self { across: (0.0, 1.0), down: (0.0, 1.0) };

    /// Left, top, width and height in pixels of a picture of that size; never empty unless the picture is.
    pub fn pixels(&self, width: u32, height: u32) -> [u32; 4] {
        let [left, right] = [self.across.0, self.across.1].map(|share| share.clamp(0.0, 1.0) * width as f32);
        let [top, bottom] = [self.down.0, self.down.1].map(|share| share.clamp(0.0, 1.0) * height as f32);
        let (left, top) =
            ((left as u32).min(width.saturating_sub(1)), (top as u32).min(height.saturating_sub(1)));
        let (right, bottom) = ((right.ceil() as u32).min(width), (bottom.ceil() as u32).min(height));
        [left, top, right.saturating_sub(left).max(1), bottom.saturating_sub(top).max(1)]
    }
}

/// The part of a page that holds everything on it but dirt and the streaks of copiers, judged by a `small` copy.
pub fn find(small: &RgbImage) -> Part {
    let mut cells = Cells::of(small);
    cells.wipe_streaks();
    let Some([left, top, right, bottom]) = cells.bounds() else { return Part::WHOLE };
    let share = |cell: usize, side: u32| ((cell * CELL) as f32 / side.max(1) as f32).min(1.0);
    let (width, height) = small.dimensions();
    // The last cells of a row or column may be narrower than the rest and were not looked at.
    let end = |cell: usize, count: usize, side: u32| {
        if cell + MARGIN >= count { 1.0 } else { share(cell + MARGIN, side) }
    };
    Part {
        across: (share(left.saturating_sub(MARGIN), width), end(right, cells.columns, width)),
        down: (share(top.saturating_sub(MARGIN), height), end(bottom, cells.rows, height)),
    }
}

/// Which cells of a page are inked, and whether only in a thin upright line.
struct Cells {
    columns: usize,
    rows: usize,
    inked: Vec<bool>,
    thin: Vec<bool>,
}

impl Cells {
    fn of(small: &RgbImage) -> Self {
        let (columns, rows) = (small.width() as usize / CELL, small.height() as usize / CELL);
        let mut cells = Self { columns, rows, inked: Vec::new(), thin: Vec::new() };
        for place in 0..columns * rows {
            let (inked, thin) = look(small, place % columns * CELL, place / columns * CELL);
            cells.inked.push(inked);
            cells.thin.push(thin);
        }
        cells
    }

    fn is_inked(&self, column: usize, row: usize) -> bool {
        self.inked[row * self.columns + column]
    }

    /// Takes away the thin lines that copiers and scanners draw down a page where nothing stands beside them.
    fn wipe_streaks(&mut self) {
        let places: Vec<usize> = (0..self.inked.len()).filter(|place| self.is_lone(*place)).collect();
        let mut in_column = vec![0; self.columns];
        for place in &places {
            in_column[place % self.columns] += 1;
        }
        // A streak that leans passes from one column of cells to the next.
        let along = |column: usize| -> usize {
            in_column[column.saturating_sub(1)..(column + 2).min(self.columns)].iter().sum()
        };
        let least = (LEAST_STREAK * self.rows as f32) as usize;
        for place in places {
            if along(place % self.columns) > least {
                self.inked[place] = false;
            }
        }
    }

    /// Whether a cell holds a thin upright line and those to its left and right hold nothing else.
    fn is_lone(&self, place: usize) -> bool {
        let (column, row) = (place % self.columns, place / self.columns);
        let (from, to) = (column.saturating_sub(BARE), (column + BARE + 1).min(self.columns));
        let inked = (from..to).filter(|near| self.is_inked(*near, row)).count();
        self.inked[place] && self.thin[place] && inked <= 2
    }

    /// Around all groups of cells that are large enough: left, top, one past right, one past bottom.
    fn bounds(&self) -> Option<[usize; 4]> {
        let mut seen = vec![false; self.inked.len()];
        let mut all: Option<[usize; 4]> = None;
        for start in 0..self.inked.len() {
            if !self.inked[start] || seen[start] {
                continue;
            }
            let group = self.group(start, &mut seen);
            if group.len() < LEAST_CELLS {
                continue;
            }
            for place in group {
                let (column, row) = (place % self.columns, place / self.columns);
                let [left, top, right, bottom] = all.unwrap_or([column, row, 0, 0]);
                all = Some([left.min(column), top.min(row), right.max(column + 1), bottom.max(row + 1)]);
            }
        }
        all
    }

    /// The inked cells that hang together with `start`.
    fn group(&self, start: usize, seen: &mut [bool]) -> Vec<usize> {
        let mut group = vec![start];
        seen[start] = true;
        let mut next = 0;
        while let Some(&place) = group.get(next) {
            next += 1;
            let (column, row) = (place % self.columns, place / self.columns);
            for near_row in row.saturating_sub(1)..(row + 2).min(self.rows) {
                for near_column in column.saturating_sub(1)..(column + 2).min(self.columns) {
                    let near = near_row * self.columns + near_column;
                    if self.inked[near] && !seen[near] {
                        seen[near] = true;
                        group.push(near);
                    }
                }
            }
        }
        group
    }
}

/// Whether the cell at a place is inked, and whether only in a few columns.
fn look(small: &RgbImage, left: usize, top: usize) -> (bool, bool) {
    let mut levels = [[0_u8; CELL]; CELL];
    for (y, row) in levels.iter_mut().enumerate() {
        for (x, level) in row.iter_mut().enumerate() {
            *level = light::luminance(small.get_pixel((left + x) as u32, (top + y) as u32).0);
        }
    }
    let lightest = levels.iter().flatten().copied().max().unwrap_or(0);
    let is_ink = |level: u8| level.saturating_add(DARKER) < lightest;
    let dark = levels.iter().flatten().filter(|level| is_ink(**level)).count() as u32;
    let columns = (0..CELL).filter(|x| levels.iter().any(|row| is_ink(row[*x]))).count();
    (dark >= LEAST_INK, columns <= THIN)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    /// A page of 400 by 560 with dark squares in some rectangles of it.
    fn page(inked: &[[u32; 4]]) -> RgbImage {
        RgbImage::from_fn(400, 560, |x, y| {
            let inside = |[left, top, right, bottom]: &[u32; 4]| {
                (*left..*right).contains(&x) && (*top..*bottom).contains(&y)
            };
            let is_ink = inked.iter().any(inside) && (x / 3 + y / 3) % 2 == 0;
            Rgb([if is_ink { 60 } else { 245 }; 3])
        })
    }

    #[test]
    fn bare_paper_is_left_out() {
        let part = find(&page(&[[100, 80, 260, 120], [90, 200, 240, 230]]));

        let [left, top, width, height] = part.pixels(400, 560);
        assert!((48..=90).contains(&left) && (40..=80).contains(&top), "{part:?}");
        assert!((260..=300).contains(&(left + width)) && (230..=270).contains(&(top + height)), "{part:?}");
    }

    #[test]
    fn dirt_and_streaks_are_nothing() {
        let mut picture = page(&[[100, 80, 260, 120], [350, 500, 358, 508]]);
        for y in 0..560 {
            picture.put_pixel(30 + y / 70, y, Rgb([90; 3]));
        }

        assert_eq!(find(&picture), find(&page(&[[100, 80, 260, 120]])));
    }

    #[test]
    fn a_line_of_text_down_the_page_is_something() {
        let [left, ..] = find(&page(&[[200, 80, 300, 120], [20, 60, 34, 500]])).pixels(400, 560);

        assert!(left <= 20, "{left}");
    }

    #[test]
    fn a_page_full_or_empty_is_whole() {
        assert_eq!(find(&page(&[])), Part::WHOLE);
        assert_eq!(find(&page(&[[0, 0, 400, 560]])), Part::WHOLE);
    }

    proptest! {
        #[test]
        fn any_picture_is_taken(width in 0_u32..40, height in 0_u32..40, seed in proptest::num::u8::ANY) {
            let picture = RgbImage::from_fn(width, height, |x, y| Rgb([seed.wrapping_mul((x * 7 + y) as u8); 3]));

            let [left, top, part_width, part_height] = find(&picture).pixels(width, height);

            prop_assert!(width == 0 || (left < width && left + part_width <= width.max(1)));
            prop_assert!(height == 0 || (top < height && top + part_height <= height.max(1)));
        }
    }
}
