//! Barcodes on a page: Code 128 and QR, wherever and however they lie.
//!
//! Bars are looked for first, as places where all edges run one way (`stripes`). Each is flattened into one line of
//! light, averaged along the bars, which heals what copiers and fax machines wear away (`profile`).

mod grey;
mod profile;
mod qr;
mod stripes;

use domain::geometry::{Point, Quad};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use self::grey::Search;

/// What a barcode is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symbology {
    /// Bars.
    Code128,
    /// A square of modules.
    QrCode,
}

/// A barcode that was read. Its text is personal data: never for a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Barcode {
    /// What it is written in.
    pub symbology: Symbology,
    /// What it says.
    pub text: String,
    /// Where it is, upright as its reader would hold it.
    pub region: Quad,
}

/// Most places that are tried as bars; a page of print has none.
const MAX_PLACES: usize = 6;

/// Reads the barcodes of a page: those of bars first, then a QR code.
pub fn find_barcodes(page: &RgbImage) -> Vec<Barcode> {
    if page.width() < 32 || page.height() < 32 {
        return Vec::new();
    }
    let search = Search::of(page);
    let mut found: Vec<Barcode> = stripes::find(&search.grey)
        .iter()
        .take(MAX_PLACES)
        .filter_map(|place| {
            let (grey, place, corner) = search.cut_out(place);
            profile::read(&grey, &place).map(|barcode| moved(barcode, corner))
        })
        .collect();
    found.extend(qr::read(&search.grey, search.scale));
    found
}

fn moved(barcode: Barcode, by: (f32, f32)) -> Barcode {
    let region = Quad(barcode.region.0.map(|point| corner(point.x + by.0, point.y + by.1)));
    Barcode { region, ..barcode }
}

const fn corner(x: f32, y: f32) -> Point {
    Point { x, y }
}

#[cfg(test)]
mod tests;
