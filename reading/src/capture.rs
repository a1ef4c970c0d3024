//! How a paper came to be on the page: laid on a scanner, photographed, or copied first.

use domain::{
    geometry::Quad,
    reading::{Capture, PaperKind},
};
use image::RgbImage;

use crate::prepare::{geometry::QuadMeasure, light, warp};

/// A card wider than this share of the picture was photographed by itself.
const ALONE: f32 = 0.62;
/// Pixels whose channels differ by more are not paper.
const PAPER_SPREAD: f32 = 45.0;
/// Nineteen of twenty pixels of a picture without colour differ in their channels by no more.
const GREY_SPREAD: f32 = 6.0;
/// Grey levels that paper varies by, light and shadow included.
const PAPER_TEXTURE: f32 = 40.0;
/// Paper is at least this bright beside the card on it.
const LEAST_PAPER: f32 = 0.965;
/// How much around a card is looked at, as a share of its width.
const MARGIN: f32 = 0.12;
/// Side of the pictures that are looked at.
const LOOK: u32 = 96;

/// What a frame of pixels looks like.
struct Ground {
    brightness: f32,
    spread: f32,
    texture: f32,
}

/// How the paper of `kind`, outlined by `outline` on an upright page, was captured; `small` is a copy of the page,
/// either way up.
pub fn of(page: &RgbImage, small: &RgbImage, kind: PaperKind, outline: &Quad) -> Capture {
    match kind {
        PaperKind::Slip | PaperKind::Authorisation | PaperKind::Licence => of_sheet(small),
        _ => of_card(page, outline),
    }
}

/// A paper known by its title, whose print `outline` surrounds: what lies around it is the paper itself, so the edges
/// of the sheet tell whether it is one. A licence is a sheet of its own.
pub fn of_titled(page: &RgbImage, small: &RgbImage, kind: PaperKind, outline: &Quad) -> Capture {
    let longest = page.width().max(page.height()) as f32;
    match of_sheet(small) {
        capture if kind == PaperKind::Licence => capture,
        Capture::Photograph => Capture::Photograph,
        _ if outline.width() > ALONE * longest => Capture::Photograph,
        _ => Capture::Photocopy,
    }
}

/// Around a copied card is the white of the sheet it was copied to, no darker than the card; around a
/// photographed one anything else.
fn of_card(page: &RgbImage, outline: &Quad) -> Capture {
    let longest = page.width().max(page.height()) as f32;
    if outline.width() > ALONE * longest {
        // Cut to the card nothing of the sheet is left, but a card has colours.
        return if is_grey(page, outline) { Capture::Photocopy } else { Capture::Photograph };
    }
    let margin = MARGIN * outline.width();
    let around = ground(page, &outline.grown(margin, margin, margin), Some(0.10));
    let is_paper = around.spread < PAPER_SPREAD && around.texture < PAPER_TEXTURE;
    if is_paper && beyond_the_edge(page, outline) > LEAST_PAPER {
        Capture::Photocopy
    } else {
        Capture::Photograph
    }
}

/// Whether a part of the page has no colour at all, but for what compression adds.
fn is_grey(page: &RgbImage, part: &Quad) -> bool {
    let look = warp::glance(page, part, LOOK, LOOK);
    let coloured = look.pixels().filter(|pixel| channel_spread(pixel.0) > GREY_SPREAD).count();
    20 * coloured <= (look.width() * look.height()) as usize
}

fn channel_spread([r, g, b]: [u8; 3]) -> f32 {
    f32::from(r.max(g).max(b) - r.min(g).min(b))
}

/// How bright it is just outside the card beside just inside, in the middle of all places along its edges: light
/// and shadow lie on both alike.
fn beyond_the_edge(page: &RgbImage, outline: &Quad) -> f32 {
    let margin = MARGIN * outline.width();
    let per_width = outline.height() / outline.width().max(1.0);
    let (inner_width, rim) = (100, (100.0 * MARGIN) as u32);
    let inner_height = (100.0 * per_width).clamp(20.0, 200.0) as u32;
    let (width, height) = (inner_width + 2 * rim, inner_height + 2 * rim);
    let look = warp::cut(page, &outline.grown(margin, margin, margin), width, height);
    let at = |x: u32, y: u32| f32::from(light::luminance(look.get_pixel(x, y).0)) + 1.0;
    let step = rim / 2;
    let mut ratios = Vec::new();
    for x in rim + step..width - rim - step {
        ratios.push(at(x, rim - step) / at(x, rim + step));
        ratios.push(at(x, height - rim + step) / at(x, height - rim - step));
    }
    for y in rim + step..height - rim - step {
        ratios.push(at(rim - step, y) / at(rim + step, y));
        ratios.push(at(width - rim + step, y) / at(width - rim - step, y));
    }
    median(&mut ratios)
}

/// A scanned sheet is white to its edges; a copy of a sheet has no colour at all.
fn of_sheet(small: &RgbImage) -> Capture {
    let whole = Quad::rectangle(0.0, 0.0, small.width() as f32, small.height() as f32);
    let edge = ground(small, &whole, Some(0.02));
    if edge.brightness < 190.0 || edge.spread > PAPER_SPREAD {
        return Capture::Photograph;
    }
    if light::coloured_share(small) < 0.0005 { Capture::Photocopy } else { Capture::Flatbed }
}

/// Of the whole quad, or of a border of `border` of its width.
fn ground(page: &RgbImage, quad: &Quad, border: Option<f32>) -> Ground {
    let look = warp::glance(page, quad, LOOK, LOOK);
    let rim = border.map_or(LOOK, |share| ((LOOK as f32 * share) as u32).max(1));
    let mut brightness = Vec::new();
    let mut spreads = Vec::new();
    for (x, y, pixel) in look.enumerate_pixels() {
        if x < rim || y < rim || x >= LOOK - rim.min(LOOK) || y >= LOOK - rim.min(LOOK) {
            brightness.push(f32::from(light::luminance(pixel.0)));
            spreads.push(channel_spread(pixel.0));
        }
    }
    let middle = median(&mut brightness);
    let mut off: Vec<f32> = brightness.iter().map(|value| (value - middle).abs()).collect();
    Ground { brightness: middle, spread: median(&mut spreads), texture: median(&mut off) }
}

fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = values.len() / 2;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn page(ground: [u8; 3], card: [u8; 3], place: [u32; 4]) -> (RgbImage, Quad) {
        let [left, top, width, height] = place;
        let inside = |x: u32, y: u32| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        let picture = RgbImage::from_fn(800, 1100, |x, y| Rgb(if inside(x, y) { card } else { ground }));
        (picture, Quad::rectangle(left as f32, top as f32, width as f32, height as f32))
    }

    #[test]
    fn a_card_on_white_paper_is_a_copy_and_on_wood_a_photograph() {
        let (sheet, outline) = page([250; 3], [225, 235, 240], [100, 100, 320, 200]);
        assert_eq!(of(&sheet, &sheet, PaperKind::IdCardFront, &outline), Capture::Photocopy);

        let (wood, outline) = page([140, 90, 40], [225, 235, 240], [100, 100, 320, 200]);
        assert_eq!(of(&wood, &wood, PaperKind::IdCardFront, &outline), Capture::Photograph);

        let (alone, outline) = page([250; 3], [225, 235, 240], [20, 20, 760, 480]);
        assert_eq!(of(&alone, &alone, PaperKind::IdCardBack, &outline), Capture::Photograph);

        let (cut_out, outline) = page([250; 3], [231; 3], [20, 20, 760, 480]);
        assert_eq!(of(&cut_out, &cut_out, PaperKind::IdCardFront, &outline), Capture::Photocopy);
    }
}
