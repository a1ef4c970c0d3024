//! Red ink on a sheet: where it lies in groups, and each group straightened as black on white.

use domain::geometry::{Point, Quad};
use image::{GrayImage, Luma, RgbImage, buffer::ConvertBuffer};

use crate::{prepare::warp, signature::Mask};

/// Pixels of the sheet to each cell in which ink is grouped.
const CELL: usize = 4;
/// A pixel is red when red exceeds green and blue by this share of white; skin and warm paper stay below.
const RED_FROM: f32 = 0.17;
/// Cells this near belong together, as a share of the sheet's shorter side.
const NEAR: f32 = 0.012;
/// The least red pixels of a group, as a share of the sheet: twelve characters are about a thousandth.
const LEAST_SHARE: f32 = 0.000_25;
/// A group as flat as this is a line or two of words; an emblem or a seal is not.
const LEAST_RATIO: f32 = 1.9;
/// Height at which a group is cut out, pixels.
const CUT_HEIGHT: u32 = 112;
/// Groups looked at.
const MOST_GROUPS: usize = 4;

/// How red each pixel of the sheet is.
pub(super) struct RedInk {
    width: usize,
    height: usize,
    redness: Vec<u8>,
    count: usize,
}

/// Red ink that lies together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// Around it, its longer side first.
    pub(super) quad: Quad,
    pixels: usize,
}

impl RedInk {
    pub(super) fn of(sheet: &RgbImage) -> Self {
        let per_level = paper_colour(sheet).map(|level| 1.0 / level);
        let mut count = 0;
        let redness = sheet
            .as_raw()
            .chunks_exact(3)
            .map(|pixel| {
                let share = |channel: usize| (f32::from(pixel[channel]) * per_level[channel]).min(1.0);
                let redness = share(0) - share(1).max(share(2));
                if redness < RED_FROM {
                    return 0;
                }
                count += 1;
                (redness * 255.0) as u8
            })
            .collect();
        Self { width: sheet.width() as usize, height: sheet.height() as usize, redness, count }
    }

    /// Whether there is red enough for twelve characters.
    pub(super) fn is_much(&self) -> bool {
        self.count as f32 >= LEAST_SHARE * self.redness.len() as f32
    }

    /// Flat groups of red ink, the largest first.
    pub(super) fn groups(&self) -> Vec<Group> {
        if !self.is_much() {
            return Vec::new();
        }
        let mut cells = Mask::empty(self.width.div_ceil(CELL), self.height.div_ceil(CELL));
        for (index, _) in self.redness.iter().enumerate().filter(|(_, redness)| **redness > 0) {
            let (x, y) = (index % self.width / CELL, index / self.width / CELL);
            cells.bits[y * cells.width + x] = true;
        }
        let reach = ((NEAR * self.width.min(self.height) as f32) as usize / CELL).max(1);
        let mut groups: Vec<Group> = cells
            .dilated(reach)
            .pieces()
            .iter()
            .filter_map(|piece| {
                let inked: Vec<usize> =
                    piece.pixels.iter().copied().filter(|&cell| cells.bits[cell]).collect();
                self.group(&inked, cells.width)
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.pixels));
        groups.truncate(MOST_GROUPS);
        groups
    }

    /// The rectangle along the main direction of some cells, when it is flat and full enough.
    fn group(&self, cells: &[usize], columns: usize) -> Option<Group> {
        let pixels = cells.len() * CELL * CELL / 2;
        if (pixels as f32) < LEAST_SHARE * self.redness.len() as f32 {
            return None;
        }
        let place =
            |cell: usize| (((cell % columns) * CELL) as f32 + 2.0, ((cell / columns) * CELL) as f32 + 2.0);
        let count = cells.len() as f32;
        let (mut x, mut y) = (0.0, 0.0);
        for &cell in cells {
            let (px, py) = place(cell);
            (x, y) = (x + px / count, y + py / count);
        }
        let (mut xx, mut yy, mut xy) = (0.0_f32, 0.0_f32, 0.0_f32);
        for &cell in cells {
            let (px, py) = place(cell);
            (xx, yy, xy) = (xx + (px - x).powi(2), yy + (py - y).powi(2), xy + (px - x) * (py - y));
        }
        let (sin, cos) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
        let (mut left, mut right, mut top, mut bottom) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for &cell in cells {
            let (px, py) = place(cell);
            let (along, across) = ((px - x) * cos + (py - y) * sin, (py - y) * cos - (px - x) * sin);
            (left, right) = (left.min(along), right.max(along));
            (top, bottom) = (top.min(across), bottom.max(across));
        }
        let margin = CELL as f32;
        let (left, right, top, bottom) = (left - margin, right + margin, top - margin, bottom + margin);
        let corner = |along: f32, across: f32| Point {
            x: x + along * cos - across * sin,
            y: y + along * sin + across * cos,
        };
        let quad = Quad([corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)]);
        ((right - left) / (bottom - top) >= LEAST_RATIO).then_some(Group { quad, pixels })
    }

    /// A group cut out along its slope, red as black on white.
    pub(super) fn straightened(&self, group: &Group) -> RgbImage {
        let [left, top, right, bottom] = group.quad.bounds();
        let x = |value: f32| value.clamp(0.0, self.width as f32) as usize;
        let y = |value: f32| value.clamp(0.0, self.height as f32) as usize;
        let (left, top, right, bottom) = (x(left), y(top), x(right.ceil()), y(bottom.ceil()));
        let part = self.drawn(left, top, right.max(left + 1), bottom.max(top + 1));
        let moved = group.quad.0.map(|point| Point { x: point.x - left as f32, y: point.y - top as f32 });
        warp::cut_line(&part, &Quad(moved), CUT_HEIGHT)
    }

    /// The whole sheet with nothing but its red ink, black on white; `None` when the sheet is empty.
    pub(super) fn alone(&self, sheet: &RgbImage) -> Option<RgbImage> {
        (sheet.width() > 0 && sheet.height() > 0).then(|| self.drawn(0, 0, self.width, self.height))
    }

    fn drawn(&self, left: usize, top: usize, right: usize, bottom: usize) -> RgbImage {
        let picture = GrayImage::from_fn((right - left) as u32, (bottom - top) as u32, |x, y| {
            let (x, y) = ((x as usize + left).min(self.width - 1), (y as usize + top).min(self.height - 1));
            let redness = self.redness[y * self.width + x];
            Luma([255 - redness.saturating_mul(2)])
        });
        picture.convert()
    }
}

/// The level most bright pixels have, in each channel.
fn paper_colour(sheet: &RgbImage) -> [f32; 3] {
    let mut counts = [[0_u32; 256]; 3];
    for pixel in sheet.as_raw().chunks_exact(3).step_by(7) {
        for (channel, &value) in pixel.iter().enumerate() {
            counts[channel][usize::from(value)] += 1;
        }
    }
    counts.map(|levels| {
        let wanted = levels.iter().sum::<u32>() * 7 / 10;
        let mut seen = 0;
        let level = levels.iter().position(|count| {
            seen += count;
            seen > wanted
        });
        level.map_or(255.0, |level| (level as f32).max(64.0))
    })
}

/// The rows of words on a straightened group, its frame left out; the whole when no rows can be told.
pub(super) fn rows_of_text(picture: &RgbImage) -> Vec<RgbImage> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let dark = |x: usize, y: usize| picture.as_raw()[(y * width + x) * 3] < 160;
    let cover: Vec<f32> = (0..height)
        .map(|y| (0..width).filter(|&x| dark(x, y)).count() as f32 / width.max(1) as f32)
        .collect();
    // A frame covers nearly all of a row; words cover less than half of any.
    let is_word_row: Vec<bool> = cover.iter().map(|&share| share > 0.015 && share < 0.62).collect();
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for y in (0..height).filter(|&y| is_word_row[y]) {
        match rows.last_mut() {
            Some((_, end)) if y - *end <= 2 => *end = y + 1,
            _ => rows.push((y, y + 1)),
        }
    }
    let highest = rows.iter().map(|row| row.1 - row.0).max().unwrap_or(0);
    rows.retain(|row| (row.1 - row.0) * 2 >= highest && row.1 - row.0 >= height / 6);
    let cut = |top: usize, bottom: usize| {
        let (top, bottom) = (top.saturating_sub(3), (bottom + 3).min(height));
        image::imageops::crop_imm(picture, 0, top as u32, picture.width(), (bottom - top) as u32).to_image()
    };
    let pictures: Vec<RgbImage> = rows.iter().map(|&(top, bottom)| cut(top, bottom)).collect();
    if pictures.is_empty() || pictures.len() > 3 { vec![picture.clone()] } else { pictures }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn sheet_with_bar(angle: f32) -> RgbImage {
        let (sin, cos) = angle.sin_cos();
        RgbImage::from_fn(800, 800, |x, y| {
            let (dx, dy) = (x as f32 - 400.0, y as f32 - 400.0);
            let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
            let is_red = along.abs() < 200.0 && across.abs() < 20.0;
            if is_red { Rgb([210, 60, 60]) } else { Rgb([245, 240, 230]) }
        })
    }

    #[test]
    fn a_slanting_group_is_found_along_its_slope() {
        for angle in [0.0_f32, 0.3, -0.5] {
            let red = RedInk::of(&sheet_with_bar(angle));

            let groups = red.groups();

            assert_eq!(groups.len(), 1);
            let [a, b, ..] = groups[0].quad.0;
            assert!(((b.y - a.y).atan2(b.x - a.x) - angle).abs() < 0.03);
            let picture = red.straightened(&groups[0]);
            assert!(picture.width() > 6 * picture.height());
        }
    }

    #[test]
    fn grey_paper_and_round_marks_are_no_group() {
        let grey = RgbImage::from_pixel(400, 400, Rgb([200, 200, 200]));
        let round = RgbImage::from_fn(400, 400, |x, y| {
            let distance = (x as f32 - 200.0).hypot(y as f32 - 200.0);
            if (distance - 80.0).abs() < 5.0 { Rgb([210, 50, 50]) } else { Rgb([250, 250, 250]) }
        });

        assert!(RedInk::of(&grey).groups().is_empty());
        assert!(RedInk::of(&round).groups().is_empty());
        assert!(RedInk::of(&RgbImage::new(0, 0)).groups().is_empty());
    }

    #[test]
    fn the_frame_is_left_out_and_two_rows_are_told_apart() {
        let picture = RgbImage::from_fn(400, 112, |x, y| {
            let frame = !(6..106).contains(&y);
            let words = ((20..50).contains(&y) || (62..92).contains(&y)) && x % 20 < 9;
            if frame || words { Rgb([0, 0, 0]) } else { Rgb([255, 255, 255]) }
        });

        let rows = rows_of_text(&picture);

        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| (30..=40).contains(&row.height())));
    }
}
