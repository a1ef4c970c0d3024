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
/// Side of the pictures that are looked at.
const LOOK: u32 = 96;

/// What a frame of pixels looks like.
struct Ground {
    brightness: f32,
    spread: f32,
    texture: f32,
}

/// How the paper of `kind`, outlined by `outline` on an upright page, was captured.
pub fn of(page: &RgbImage, kind: PaperKind, outline: &Quad) -> Capture {
    match kind {
        PaperKind::Slip | PaperKind::Authorisation | PaperKind::Licence => of_sheet(page),
        _ => of_card(page, outline),
    }
}

/// Around a copied card is the white of the sheet it was copied to; around a photographed one anything else.
fn of_card(page: &RgbImage, outline: &Quad) -> Capture {
    let longest = page.width().max(page.height()) as f32;
    if outline.width() > ALONE * longest {
        return Capture::Photograph;
    }
    let inside = ground(page, outline, None);
    let margin = 0.12 * outline.width();
    let around = ground(page, &outline.grown(margin, margin, margin), Some(0.10));
    let like_paper = around.spread < PAPER_SPREAD && around.brightness > 0.85 * inside.brightness;
    if like_paper && around.texture < 40.0 { Capture::Photocopy } else { Capture::Photograph }
}

/// A scanned sheet is white to its edges; a copy of a sheet has no colour at all.
fn of_sheet(page: &RgbImage) -> Capture {
    let whole = Quad::rectangle(0.0, 0.0, page.width() as f32, page.height() as f32);
    let edge = ground(page, &whole, Some(0.02));
    if edge.brightness < 190.0 || edge.spread > PAPER_SPREAD {
        return Capture::Photograph;
    }
    let small = warp::shrink(page, 800);
    if light::coloured_share(&small) < 0.0005 { Capture::Photocopy } else { Capture::Flatbed }
}

/// Of the whole quad, or of a border of `border` of its width.
fn ground(page: &RgbImage, quad: &Quad, border: Option<f32>) -> Ground {
    let look = warp::cut(page, quad, LOOK, LOOK);
    let rim = border.map_or(LOOK, |share| ((LOOK as f32 * share) as u32).max(1));
    let mut brightness = Vec::new();
    let mut spreads = Vec::new();
    for (x, y, pixel) in look.enumerate_pixels() {
        if x < rim || y < rim || x >= LOOK - rim.min(LOOK) || y >= LOOK - rim.min(LOOK) {
            let [r, g, b] = pixel.0;
            brightness.push(f32::from(light::luminance(pixel.0)));
            spreads.push(f32::from(r.max(g).max(b) - r.min(g).min(b)));
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
        assert_eq!(of(&sheet, PaperKind::IdCardFront, &outline), Capture::Photocopy);

        let (wood, outline) = page([140, 90, 40], [225, 235, 240], [100, 100, 320, 200]);
        assert_eq!(of(&wood, PaperKind::IdCardFront, &outline), Capture::Photograph);

        let (alone, outline) = page([250; 3], [225, 235, 240], [20, 20, 760, 480]);
        assert_eq!(of(&alone, PaperKind::IdCardBack, &outline), Capture::Photograph);
    }
}
