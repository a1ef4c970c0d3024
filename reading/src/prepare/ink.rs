//! Where ink begins and ends beside a line that was found.

use domain::geometry::Quad;
use image::RgbImage;

use super::{geometry::QuadMeasure, warp};
use crate::lines::part;

/// Height at which strips are looked at.
const STRIP_HEIGHT: u32 = 24;
/// Gaps wider than this share of the line's height end a value.
const WIDEST_GAP: f32 = 0.6;
/// Columns on either side in which paper is looked for: more than a ruled line is wide.
const PAPER_REACH: usize = STRIP_HEIGHT as usize / 3;
/// Paper and ink closer than this many of 255 grey levels between paper and black are not told apart.
const LEAST_CONTRAST: f32 = 30.0;

/// How far a line may be extended beyond its quad, in pixels of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// To the left.
    pub left: f32,
    /// To the right.
    pub right: f32,
}

/// The quad, extended on both sides until white paper or a ruled line, within the room there is.
pub fn extend(page: &RgbImage, quad: &Quad, room: Room) -> Quad {
    let height = quad.height().max(4.0);
    let (left, right) = (room.left.clamp(0.0, 2.0 * height), room.right.clamp(0.0, 4.0 * height));
    let wide = quad.grown(left, right, 0.0);
    let columns = ink_columns(page, &wide);
    if columns.is_empty() {
        return *quad;
    }
    let scale = columns.len() as f32 / wide.width().max(1.0);
    let start = (left * scale) as usize;
    let end = (((wide.width() - right) * scale) as usize).min(columns.len());
    let (first, last) = extent(&columns, start.min(end), end);
    let count = columns.len() as f32;
    part(&wide, first as f32 / count, last as f32 / count)
}

/// How far the ink reaches beyond the columns from `start` to `end`, with a margin where it does.
fn extent(columns: &[Column], start: usize, end: usize) -> (usize, usize) {
    let gap = (WIDEST_GAP * STRIP_HEIGHT as f32) as usize;
    let margin = STRIP_HEIGHT as usize / 6;
    let last = walk(&columns[end..], gap).map_or(end, |far| end + far + margin).min(columns.len());
    let before: Vec<Column> = columns[..start].iter().rev().copied().collect();
    (walk(&before, gap / 2).map_or(start, |far| start.saturating_sub(far + margin)), last)
}

/// The part of `quad` that holds ink, with a margin; `None` when there is none.
pub fn trim(page: &RgbImage, quad: &Quad) -> Option<Quad> {
    let columns = ink_columns(page, quad);
    let is_ink = |column: &Column| *column == Column::Ink;
    let first = columns.iter().position(is_ink)?;
    let last = columns.iter().rposition(is_ink)?;
    if last < first + 2 {
        return None;
    }
    let margin = STRIP_HEIGHT as usize / 4;
    let count = columns.len() as f32;
    let from = first.saturating_sub(margin) as f32 / count;
    let to = ((last + 1 + margin) as f32 / count).min(1.0);
    Some(part(quad, from, to))
}

/// What a column of a strip shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Paper,
    Ink,
    /// Ink from top to bottom: a ruled line.
    Rule,
}

/// The last column of ink that is reached over gaps of paper no wider than `gap`.
fn walk(columns: &[Column], gap: usize) -> Option<usize> {
    let (mut last, mut paper) = (None, 0);
    for (index, column) in columns.iter().enumerate() {
        match column {
            Column::Rule => break,
            Column::Ink => {
                last = Some(index);
                paper = 0;
            }
            Column::Paper => paper += 1,
        }
        if paper > gap {
            break;
        }
    }
    last
}

/// What each column of a line's strip shows.
fn ink_columns(page: &RgbImage, quad: &Quad) -> Vec<Column> {
    let strip = warp::cut_line(page, quad, STRIP_HEIGHT);
    let (width, height) = (strip.width() as usize, strip.height() as usize);
    let grey = beside_paper(&strip);
    if grey.is_empty() {
        return Vec::new();
    }
    let mut levels = grey.clone();
    let mut ranked = |rank: usize| *levels.select_nth_unstable_by(rank, f32::total_cmp).1;
    let (dark, light) = (ranked(grey.len() / 50), ranked(grey.len() * 3 / 4));
    if light - dark < LEAST_CONTRAST {
        return vec![Column::Paper; width];
    }
    let threshold = light - 0.4 * (light - dark);
    let kind = |x: usize| {
        let inner = (height / 8..height - height / 8).filter(|y| grey[y * width + x] < threshold).count();
        let all = (0..height).filter(|y| grey[y * width + x] < threshold).count();
        match (all, inner) {
            (all, _) if all + 1 >= height => Column::Rule,
            (_, 0) => Column::Paper,
            _ => Column::Ink,
        }
    };
    (0..width).map(kind).collect()
}

/// Grey levels of a strip, row by row, measured against the paper near each column, which is 255: in a shadow ink and
/// paper are both darker. Where the shadow ends, the paper on its own side counts.
fn beside_paper(strip: &RgbImage) -> Vec<f32> {
    let (width, height) = (strip.width() as usize, strip.height() as usize);
    let grey: Vec<f32> = strip.pixels().map(|pixel| luminance(pixel.0)).collect();
    let lightest = |x: usize| (0..height).map(|y| grey[y * width + x]).fold(1.0, f32::max);
    let columns: Vec<f32> = (0..width).map(lightest).collect();
    let lightest_of = |part: &[f32]| part.iter().copied().fold(1.0, f32::max);
    let paper: Vec<f32> = (0..width)
        .map(|x| {
            let (from, to) = (x.saturating_sub(PAPER_REACH), (x + PAPER_REACH + 1).min(width));
            lightest_of(&columns[from..=x]).min(lightest_of(&columns[x..to]))
        })
        .collect();
    (0..grey.len()).map(|place| grey[place] / paper[place % width] * 255.0).collect()
}

/// Luminance.
fn luminance(pixel: [u8; 3]) -> f32 {
    0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2])
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn page_with(columns: &[(u32, u32, u32, u32)]) -> RgbImage {
        let mut page = RgbImage::from_pixel(400, 60, Rgb([240; 3]));
        for &(left, top, right, bottom) in columns {
            for y in top..bottom {
                for x in left..right {
                    page.put_pixel(x, y, Rgb([20; 3]));
                }
            }
        }
        page
    }

    #[test]
    fn a_box_that_ends_too_early_is_extended_to_white_paper() {
        let page = page_with(&[(20, 24, 60, 36), (66, 24, 100, 36), (106, 24, 130, 36), (200, 24, 230, 36)]);
        let quad = Quad::rectangle(15.0, 20.0, 70.0, 20.0);

        let [left, _, right, _] = extend(&page, &quad, Room { left: 15.0, right: 300.0 }).bounds();

        assert!((128.0..145.0).contains(&right), "{right}");
        assert!(left > 10.0, "{left}");
    }

    #[test]
    fn a_ruled_line_ends_a_value() {
        let page = page_with(&[(20, 24, 60, 36), (70, 0, 72, 60), (76, 24, 100, 36)]);
        let quad = Quad::rectangle(15.0, 20.0, 40.0, 20.0);

        let [_, _, right, _] = extend(&page, &quad, Room { left: 0.0, right: 300.0 }).bounds();

        assert!(right < 72.0, "{right}");
    }

    #[test]
    fn a_box_that_ends_where_a_shadow_begins_is_extended_into_it() {
        let mut page = page_with(&[(60, 24, 100, 36), (106, 24, 130, 36), (136, 24, 150, 36)]);
        for (x, _, pixel) in page.enumerate_pixels_mut() {
            if x >= 103 {
                pixel.0 = pixel.0.map(|level| level / 3);
            }
        }
        let quad = Quad::rectangle(55.0, 20.0, 50.0, 20.0);

        let [_, _, right, _] = extend(&page, &quad, Room { left: 0.0, right: 300.0 }).bounds();

        assert!((148.0..165.0).contains(&right), "{right}");
    }

    #[test]
    fn paper_alone_is_trimmed_to_nothing() {
        assert_eq!(trim(&page_with(&[]), &Quad::rectangle(10.0, 10.0, 100.0, 30.0)), None);
    }
}
