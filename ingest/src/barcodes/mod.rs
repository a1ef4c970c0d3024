//! Barcodes on a page: Code 128 and QR, wherever and however they lie.

use domain::geometry::{Point, Quad};
use image::{GrayImage, RgbImage, imageops};
use rxing::{BarcodeFormat, DecodeHints, RXingResult, helpers};

/// What a barcode is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbology {
    /// Bars.
    Code128,
    /// A square of modules.
    QrCode,
}

/// A barcode that was read. Its text is personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Barcode {
    /// What it is written in.
    pub symbology: Symbology,
    /// What it says.
    pub text: String,
    /// Where it is, upright as its reader would hold it.
    pub region: Quad,
}

/// Reads the barcodes of a page.
pub fn find_barcodes(page: &RgbImage) -> Vec<Barcode> {
    let grey = imageops::grayscale(page);
    let mut found = Vec::new();
    for format in [BarcodeFormat::CODE_128, BarcodeFormat::QR_CODE] {
        if let Some(barcode) = detect(&grey, format) {
            found.push(barcode);
        }
    }
    found
}

fn detect(grey: &GrayImage, format: BarcodeFormat) -> Option<Barcode> {
    let mut hints = DecodeHints::default();
    let (width, height) = grey.dimensions();
    let result =
        helpers::detect_in_luma_slice_with_hints(grey.as_raw(), width, height, Some(format), &mut hints).ok()?;
    let symbology = if format == BarcodeFormat::QR_CODE { Symbology::QrCode } else { Symbology::Code128 };
    Some(Barcode { symbology, text: result.getText().to_owned(), region: region(&result) })
}

fn region(result: &RXingResult) -> Quad {
    let points = result.getPoints();
    let start = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    let [left, top, right, bottom] = points.iter().fold(start, |[left, top, right, bottom], point| {
        [left.min(point.x), top.min(point.y), right.max(point.x), bottom.max(point.y)]
    });
    let corner = |x, y| Point { x, y };
    Quad([corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)])
}
