//! Where a paper lies: over the edge of the picture, in the mirror image of a lamp.

use domain::geometry::{Point, Quad};
use image::RgbImage;

use crate::prepare::{geometry::QuadMeasure, light, warp};

/// Size of the copy of a paper that is looked at.
const LOOK: (u32, u32) = (128, 80);
/// In every channel so light is a mirrored lamp, and no paper in the sun.
const BLINDING: u8 = 254;
/// On paper lighter than this a spot of light is not told from the paper.
const LIGHT_PAPER: f32 = 236.0;
/// Rays sent from each side of a paper to the end of the picture.
const RAYS: usize = 24;
/// Steps of a ray to the width of a paper.
const STEPS_ACROSS: f32 = 160.0;
/// An edge takes no more steps.
const STEPS_OF_EDGE: usize = 3;
/// A smaller change of colour is light or grain.
const LEAST_EDGE: u8 = 26;
/// Of a side that is there, hardly more of the rays miss its edge.
const MOST_OPEN_OF_CLOSED: f32 = 0.35;

/// How far a paper's outline lies off the picture at its worst corner, as a share of the paper's width.
pub(super) fn off_picture(page: &RgbImage, outline: &Quad) -> f32 {
    let (width, height) = (page.width() as f32, page.height() as f32);
    let beyond = |point: &Point| (-point.x).max(point.x - width).max(-point.y).max(point.y - height).max(0.0);
    outline.0.iter().map(beyond).fold(0.0, f32::max) / outline.width().max(1.0)
}

/// How much of one side of a photographed paper, whose print `outline` surrounds, has no edge between print and the end
/// of the picture; `None` when fewer than two other sides show theirs, so that nothing can be said.
pub(super) fn open_side(page: &RgbImage, outline: &Quad) -> Option<f32> {
    let mut open: Vec<f32> = (0..4).map(|side| share_without_edge(page, outline, side)).collect();
    open.sort_by(f32::total_cmp);
    let [first, second, _, widest] = open[..] else { return None };
    (first.max(second) < MOST_OPEN_OF_CLOSED).then_some(widest)
}

/// The share of rays from a side of the outline to the end of the picture that meet no edge.
fn share_without_edge(page: &RgbImage, outline: &Quad, side: usize) -> f32 {
    let (from, to) = (outline.0[side], outline.0[(side + 1) % 4]);
    let middle = outline.centre();
    let side_middle = Point { x: from.x.midpoint(to.x), y: from.y.midpoint(to.y) };
    let away = Point { x: side_middle.x - middle.x, y: side_middle.y - middle.y };
    let length = away.x.hypot(away.y).max(1.0);
    let step = (outline.width() / STEPS_ACROSS).max(1.0);
    let stride = Point { x: away.x / length * step, y: away.y / length * step };
    let without = (0..RAYS).filter(|ray| {
        let along = (*ray as f32 + 0.5) / RAYS as f32;
        let start = Point { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along };
        !meets_edge(page, start, stride)
    });
    without.count() as f32 / RAYS as f32
}

/// Whether colour changes, within a few steps of a ray, by more than light and shadow can.
fn meets_edge(page: &RgbImage, start: Point, stride: Point) -> bool {
    let mut seen: Vec<[u8; 3]> = Vec::new();
    let mut at = start;
    while let Some(pixel) = pixel_at(page, at) {
        let before = seen.len().checked_sub(STEPS_OF_EDGE).and_then(|index| seen.get(index));
        if before.is_some_and(|before| before.iter().zip(pixel).any(|(a, b)| a.abs_diff(b) > LEAST_EDGE)) {
            return true;
        }
        seen.push(pixel);
        at = Point { x: at.x + stride.x, y: at.y + stride.y };
    }
    false
}

fn pixel_at(page: &RgbImage, at: Point) -> Option<[u8; 3]> {
    let inside = at.x >= 0.0 && at.y >= 0.0;
    page.get_pixel_checked(at.x as u32, at.y as u32).filter(|_| inside).map(|pixel| pixel.0)
}

/// The share of a paper that is as light as a lamp, on paper that is not.
pub(super) fn glare(page: &RgbImage, outline: &Quad) -> f32 {
    let look = warp::glance(page, outline, LOOK.0, LOOK.1);
    let mut levels: Vec<u8> = look.pixels().map(|pixel| light::luminance(pixel.0)).collect();
    let lamp = look.pixels().filter(|pixel| pixel.0.iter().all(|level| *level >= BLINDING)).count();
    let blinding = lamp as f32 / levels.len().max(1) as f32;
    let middle = levels.len() / 2;
    let paper = f32::from(*levels.select_nth_unstable(middle).1);
    if paper > LIGHT_PAPER { 0.0 } else { blinding }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_paper_over_the_edge_is_measured_by_its_worst_corner() {
        let page = RgbImage::new(400, 300);

        assert_eq!(off_picture(&page, &Quad::rectangle(10.0, 10.0, 380.0, 200.0)), 0.0);
        assert!((off_picture(&page, &Quad::rectangle(100.0, 10.0, 400.0, 200.0)) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_side_that_runs_out_of_the_picture_is_open() {
        let card = |left: u32| {
            RgbImage::from_fn(400, 300, |x, y| {
                let inside = (left..360).contains(&x) && (30..270).contains(&y);
                Rgb(if inside { [225, 230, 235] } else { [120, 80, 40] })
            })
        };
        let print = Quad::rectangle(80.0, 60.0, 240.0, 180.0);

        assert_eq!(open_side(&card(30), &print), Some(0.0));
        assert_eq!(open_side(&card(0), &print), Some(1.0));
        assert_eq!(open_side(&RgbImage::from_pixel(400, 300, Rgb([230; 3])), &print), None);
    }

    #[test]
    fn a_spot_of_light_is_glare_on_grey_paper_only() {
        let spot = |paper: u8| {
            let far = |x: u32, y: u32| (f64::from(x) - 200.0).hypot(f64::from(y) - 150.0);
            RgbImage::from_fn(400, 300, |x, y| Rgb([if far(x, y) < 40.0 { 255 } else { paper }; 3]))
        };
        let outline = Quad::rectangle(0.0, 0.0, 400.0, 300.0);

        assert!((0.03..0.06).contains(&glare(&spot(200), &outline)));
        assert_eq!((glare(&spot(245), &outline), glare(&RgbImage::new(400, 300), &outline)), (0.0, 0.0));
    }
}
