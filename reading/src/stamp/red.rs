//! Red ink on a sheet: where it lies in groups, and each group straightened as black on white.

use domain::geometry::{Point, Quad};
use image::{GrayImage, Luma, RgbImage, buffer::ConvertBuffer};

use crate::{
    prepare::{geometry::QuadMeasure, warp},
    signature::Mask,
};

/// Pixels of the sheet to each cell in which ink is grouped.
const CELL: usize = 4;
/// A pixel is red when red exceeds green and blue by this share of white; skin and warm paper stay below.
const RED_FROM: f32 = 0.17;
/// Ink is drawn from this redness on, where red itself is as bright as this; hair under a stamp is not.
const DRAWN_FROM: f32 = 0.09;
const LEAST_RED: f32 = 0.45;
/// Cells this near belong together, as a share of the sheet's shorter side.
const NEAR: f32 = 0.012;
/// The least red pixels of a group, as a share of the sheet: twelve characters are about a thousandth.
const LEAST_SHARE: f32 = 0.000_25;
/// A group as flat as this is a line or two of words; an emblem or a seal is not.
const LEAST_RATIO: f32 = 1.9;
/// A group that spreads over more than this share of the sheet is its ground.
const MOST_SPREAD: f32 = 0.06;
/// Height at which a group is cut out, pixels.
const CUT_HEIGHT: u32 = 112;
/// Groups looked at.
const MOST_GROUPS: usize = 4;
/// Side to which the surroundings of a group are enlarged, and how often at most.
const CLOSE_SIDE: f32 = 800.0;
const MOST_ENLARGED: f32 = 2.5;
/// What is seen around a group, as a share of its longer side: a portrait under a stamp tears it in two.
const MARGIN: f32 = 0.8;

/// How red each pixel of the sheet is.
pub(super) struct RedInk {
    width: usize,
    height: usize,
    /// How much redder than the paper, where that is clear; groups are made of these.
    redness: Vec<u8>,
    /// The ink as it is drawn: its own shade where it is red at all, for a camera blurs colour more than shade.
    shades: Vec<u8>,
    count: usize,
}

/// Red ink that lies together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// Around it, its longer side first.
    pub(super) quad: Quad,
    pixels: usize,
}

impl Group {
    /// What is looked at closely: left, top, right, bottom.
    pub(super) fn surroundings(&self) -> [f32; 4] {
        let [left, top, right, bottom] = self.quad.bounds();
        let margin = MARGIN * (right - left).max(bottom - top);
        [left - margin, top - margin, right + margin, bottom + margin]
    }

    /// Whether its middle is seen when another is looked at closely.
    pub(super) fn is_seen_with(&self, other: &Self) -> bool {
        let ([left, top, right, bottom], middle) = (other.surroundings(), self.quad.centre());
        (left..right).contains(&middle.x) && (top..bottom).contains(&middle.y)
    }

    /// Whether it is as flat as words are; an emblem, a seal, or words beside one are not.
    pub(super) fn is_flat(&self) -> bool {
        self.quad.width() >= LEAST_RATIO * self.quad.height()
    }
}

impl RedInk {
    pub(super) fn of(sheet: &RgbImage) -> Self {
        let per_level = paper_colour(sheet).map(|level| 1.0 / level);
        let mut ink = Self {
            width: sheet.width() as usize,
            height: sheet.height() as usize,
            redness: Vec::with_capacity(sheet.as_raw().len() / 3),
            shades: Vec::with_capacity(sheet.as_raw().len() / 3),
            count: 0,
        };
        for pixel in sheet.as_raw().chunks_exact(3) {
            let share = |channel: usize| (f32::from(pixel[channel]) * per_level[channel]).min(1.0);
            let (red, other) = (share(0), share(1).max(share(2)));
            let redness = red - other;
            let is_ink = redness >= RED_FROM;
            ink.count += usize::from(is_ink);
            ink.redness.push(if is_ink { (redness * 255.0) as u8 } else { 0 });
            let is_drawn = redness >= DRAWN_FROM && red >= LEAST_RED;
            ink.shades.push(if is_drawn { (other * 255.0) as u8 } else { 255 });
        }
        ink
    }

    /// Whether there is red enough for twelve characters.
    pub(super) fn is_much(&self) -> bool {
        self.count as f32 >= LEAST_SHARE * self.redness.len() as f32
    }

    /// Groups of red ink, the largest first.
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
        groups.sort_by_key(|group| (!group.is_flat(), std::cmp::Reverse(group.pixels)));
        groups.truncate(MOST_GROUPS);
        groups
    }

    /// The rectangle along the main direction of some cells, when there is ink enough in it.
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
        let spread = (right - left) * (bottom - top) / self.redness.len() as f32;
        (spread <= MOST_SPREAD).then_some(Group { quad, pixels })
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

    /// The surroundings of a group with nothing but red ink, black on white and brought to a size for a detector.
    pub(super) fn closer(&self, group: &Group) -> RgbImage {
        let [left, top, right, bottom] = group.surroundings();
        let x = |value: f32| value.clamp(0.0, self.width as f32) as usize;
        let y = |value: f32| value.clamp(0.0, self.height as f32) as usize;
        let (left, top) = (x(left), y(top));
        let (right, bottom) = (x(right).max(left + 1), y(bottom).max(top + 1));
        let part = self.drawn(left, top, right, bottom);
        let (width, height) = (part.width() as f32, part.height() as f32);
        let scale = (CLOSE_SIDE / width.max(height)).clamp(0.1, MOST_ENLARGED);
        let size = |side: f32| (side * scale).round().max(1.0) as u32;
        warp::cut(&part, &Quad::rectangle(0.0, 0.0, width, height), size(width), size(height))
    }

    fn drawn(&self, left: usize, top: usize, right: usize, bottom: usize) -> RgbImage {
        let picture = GrayImage::from_fn((right - left) as u32, (bottom - top) as u32, |x, y| {
            let (x, y) = ((x as usize + left).min(self.width - 1), (y as usize + top).min(self.height - 1));
            Luma([self.shades[y * self.width + x]])
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
    fn grey_paper_is_no_group_and_round_marks_are_not_flat() {
        let grey = RgbImage::from_pixel(400, 400, Rgb([200, 200, 200]));
        let round = RgbImage::from_fn(400, 400, |x, y| {
            let distance = (x as f32 - 200.0).hypot(y as f32 - 200.0);
            if (distance - 80.0).abs() < 5.0 { Rgb([210, 50, 50]) } else { Rgb([250, 250, 250]) }
        });

        assert!(RedInk::of(&grey).groups().is_empty());
        assert!(RedInk::of(&round).groups().iter().all(|group| !group.is_flat()));
        assert!(RedInk::of(&RgbImage::new(0, 0)).groups().is_empty());
    }
}
