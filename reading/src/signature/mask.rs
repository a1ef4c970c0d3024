//! A yes-or-no picture of where ink is, and its connected pieces.

/// Where ink is; row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// One for each pixel.
    pub(crate) bits: Vec<bool>,
}

/// One connected piece of ink (eight neighbours).
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Left, top, one past right, one past bottom.
    pub(crate) bounds: [usize; 4],
    /// Its pixels, as indices into the mask.
    pub(crate) pixels: Vec<usize>,
}

impl Piece {
    pub(crate) fn width(&self) -> usize {
        self.bounds[2] - self.bounds[0]
    }

    pub(crate) fn height(&self) -> usize {
        self.bounds[3] - self.bounds[1]
    }
}

impl Mask {
    /// A mask without ink.
    pub(crate) fn empty(width: usize, height: usize) -> Self {
        Self { width, height, bits: vec![false; width * height] }
    }

    /// Whether there is ink at a place; outside there is none.
    pub(crate) fn at(&self, x: isize, y: isize) -> bool {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height;
        inside && self.bits[y as usize * self.width + x as usize]
    }

    /// Number of ink pixels.
    pub(crate) fn area(&self) -> usize {
        self.bits.iter().filter(|&&bit| bit).count()
    }

    /// The smallest rectangle around the ink: left, top, one past right, one past bottom.
    pub(crate) fn bounds(&self) -> Option<[usize; 4]> {
        let mut bounds = [usize::MAX, usize::MAX, 0, 0];
        for (index, _) in self.bits.iter().enumerate().filter(|(_, bit)| **bit) {
            grow(&mut bounds, index % self.width, index / self.width);
        }
        (bounds[2] > 0).then_some(bounds)
    }

    /// The part within left, top, one past right, one past bottom.
    pub(crate) fn cut(&self, [left, top, right, bottom]: [usize; 4]) -> Self {
        let mut part = Self::empty(right - left, bottom - top);
        for y in top..bottom {
            let from = y * self.width;
            let to = (y - top) * part.width;
            part.bits[to..to + part.width].copy_from_slice(&self.bits[from + left..from + right]);
        }
        part
    }

    /// The connected pieces, in reading order of their first pixel.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let mut seen = vec![false; self.bits.len()];
        let mut pieces = Vec::new();
        for start in 0..self.bits.len() {
            if self.bits[start] && !seen[start] {
                pieces.push(self.flood(start, &mut seen));
            }
        }
        pieces
    }

    fn flood(&self, start: usize, seen: &mut [bool]) -> Piece {
        let mut bounds = [usize::MAX, usize::MAX, 0, 0];
        let mut pixels = vec![start];
        seen[start] = true;
        let mut next = 0;
        while let Some(&index) = pixels.get(next) {
            next += 1;
            let (x, y) = (index % self.width, index / self.width);
            grow(&mut bounds, x, y);
            for ny in y.saturating_sub(1)..=(y + 1).min(self.height - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(self.width - 1) {
                    let neighbour = ny * self.width + nx;
                    if self.bits[neighbour] && !seen[neighbour] {
                        seen[neighbour] = true;
                        pixels.push(neighbour);
                    }
                }
            }
        }
        Piece { bounds, pixels }
    }

    /// Takes pieces away.
    pub(crate) fn erase(&mut self, piece: &Piece) {
        for &index in &piece.pixels {
            self.bits[index] = false;
        }
    }

    /// Every pixel within `reach` of ink, to the sides and diagonally.
    pub(crate) fn dilated(&self, reach: usize) -> Self {
        let mut wide = Self::empty(self.width, self.height);
        for (index, _) in self.bits.iter().enumerate().filter(|(_, bit)| **bit) {
            let (x, y) = (index % self.width, index / self.width);
            let (from, to) = (x.saturating_sub(reach), (x + reach + 1).min(self.width));
            wide.bits[y * self.width + from..y * self.width + to].fill(true);
        }
        let mut dilated = wide.clone();
        for y in 0..self.height {
            for near in y.saturating_sub(reach)..(y + reach + 1).min(self.height) {
                for x in 0..self.width {
                    if wide.bits[near * self.width + x] {
                        dilated.bits[y * self.width + x] = true;
                    }
                }
            }
        }
        dilated
    }

    /// Columns as rows.
    pub(crate) fn transposed(&self) -> Self {
        let mut turned = Self::empty(self.height, self.width);
        for (index, _) in self.bits.iter().enumerate().filter(|(_, bit)| **bit) {
            let (x, y) = (index % self.width, index / self.width);
            turned.bits[x * self.height + y] = true;
        }
        turned
    }
}

fn grow(bounds: &mut [usize; 4], x: usize, y: usize) {
    *bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x + 1), bounds[3].max(y + 1)];
}

/// A mask drawn with characters, for tests: `#` is ink.
#[cfg(test)]
pub(crate) fn drawn(rows: &[&str]) -> Mask {
    let width = rows[0].len();
    Mask {
        width,
        height: rows.len(),
        bits: rows.iter().flat_map(|row| row.bytes().map(|b| b == b'#')).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_touch_also_at_corners() {
        let mask = drawn(&["#...#", ".#..#", "....."]);

        let pieces = mask.pieces();

        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].bounds, [0, 0, 2, 2]);
        assert_eq!((pieces[1].width(), pieces[1].height()), (1, 2));
    }

    #[test]
    fn dilation_and_turning_keep_the_frame() {
        let mask = drawn(&["#....", ".....", "....."]);

        assert_eq!(mask.dilated(1), drawn(&["##...", "##...", "....."]));
        assert_eq!(mask.transposed().transposed(), mask);
    }

    #[test]
    fn an_empty_mask_has_no_bounds() {
        assert_eq!(Mask::empty(4, 3).bounds(), None);
        assert!(Mask::empty(0, 0).pieces().is_empty());
    }
}
