//! QR codes, through the finder of `rxing`.

use domain::geometry::{Point, Quad};
use image::{GrayImage, imageops};
use rxing::{BarcodeFormat, DecodeHints, RXingResult, helpers};

use super::{Barcode, Symbology, corner};

/// Longest side of the page that is searched: A4 at 200 pixels an inch is taken as it is, for shrinking it costs more
/// than searching it.
const SEARCH_SIDE: u32 = 2400;

/// Reads the QR code of a page, if there is one, on a grey copy of which one pixel is `scale` of the page.
pub fn read(grey: &GrayImage, scale: f32) -> Option<Barcode> {
    let longest = grey.width().max(grey.height());
    if longest <= SEARCH_SIDE {
        return decode(grey, 1.0 / scale);
    }
    let smaller = SEARCH_SIDE as f32 / longest as f32;
    let side = |length: u32| ((length as f32 * smaller) as u32).max(1);
    decode(&imageops::thumbnail(grey, side(grey.width()), side(grey.height())), smaller / scale)
}

fn decode(grey: &GrayImage, scale: f32) -> Option<Barcode> {
    let mut hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    let (width, height) = grey.dimensions();
    let format = Some(BarcodeFormat::QR_CODE);
    let result =
        helpers::detect_in_luma_slice_with_hints(grey.as_raw(), width, height, format, &mut hints).ok()?;
    let text = result.getText().to_owned();
    if text.trim().is_empty() {
        return None;
    }
    Some(Barcode { symbology: Symbology::QrCode, text, region: region(&result, scale)? })
}

/// The finder gives three corners, bottom left, top left, top right; the fourth completes the square.
fn region(result: &RXingResult, scale: f32) -> Option<Quad> {
    let [bottom_left, top_left, top_right, ..] = result.getPoints() else {
        return None;
    };
    let place = |x: f32, y: f32| corner(x / scale, y / scale);
    let opposite: Point =
        place(bottom_left.x + top_right.x - top_left.x, bottom_left.y + top_right.y - top_left.y);
    Some(Quad([
        place(top_left.x, top_left.y),
        place(top_right.x, top_right.y),
        opposite,
        place(bottom_left.x, bottom_left.y),
    ]))
}
