//! Pictures that look like scans and are cheap to read: light paper, a little noise, a few dark marks.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{GrayImage, ImageFormat, Luma};

use crate::{client::OutgoingFile, random::Random};

/// Pixels across and down of a small page.
const SMALL: (u32, u32) = (300, 200);
/// Pixels of the narrowest bar.
const MODULE: u32 = 3;

/// A small page with nothing on it that can be read; no two seeds give the same bytes.
pub fn small_page(seed: u64) -> Result<OutgoingFile> {
    let mut page = paper(SMALL, seed);
    let mut random = Random::new(seed);
    for line in 0..4 {
        let top = 30 + line * 40;
        let width = 60 + random.below(150) as u32;
        rectangle(&mut page, (30, top), (width, 6));
    }
    Ok(OutgoingFile::new(format!("scan-{seed}.png"), png(&page)?))
}

/// A page of random shades that does not shrink when it is packed: about `size_bytes`.
pub fn page_of_bytes(seed: u64, size_bytes: u32) -> Result<OutgoingFile> {
    let mut random = Random::new(seed);
    let width = 1000;
    let page = GrayImage::from_fn(width, size_bytes.div_ceil(width), |_, _| Luma([random.next() as u8]));
    Ok(OutgoingFile::new(format!("noise-{seed}.png"), png(&page)?))
}

/// A page that bears `text` as Code 128.
pub fn page_with_barcode(text: &str, seed: u64) -> Result<OutgoingFile> {
    let bars = code_128(text)?;
    let modules: u32 = bars.iter().sum();
    let mut page = paper(((modules + 40) * MODULE, 260), seed);
    let mut left = 20 * MODULE;
    for (index, width) in bars.iter().enumerate() {
        if index % 2 == 0 {
            rectangle(&mut page, (left, 60), (width * MODULE, 120));
        }
        left += width * MODULE;
    }
    Ok(OutgoingFile::new(format!("slip-{seed}.png"), png(&page)?))
}

fn paper((width, height): (u32, u32), seed: u64) -> GrayImage {
    let mut random = Random::new(seed);
    GrayImage::from_fn(width, height, |_, _| Luma([236 + random.below(12) as u8]))
}

fn rectangle(page: &mut GrayImage, (left, top): (u32, u32), (width, height): (u32, u32)) {
    for y in top..(top + height).min(page.height()) {
        for x in left..(left + width).min(page.width()) {
            page.put_pixel(x, y, Luma([24]));
        }
    }
}

fn png(page: &GrayImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// Widths of bars and spaces in turn, beginning with a bar, in code set B.
fn code_128(text: &str) -> Result<Vec<u32>> {
    const START_B: u32 = 104;
    let mut values = vec![START_B];
    let mut sum = START_B;
    for (place, c) in (1..).zip(text.chars()) {
        let value = u32::from(c).checked_sub(32).filter(|value| *value < 96).context("not in code set B")?;
        values.push(value);
        sum += place * value;
    }
    values.push(sum % 103);
    let symbols: Vec<&str> = SYMBOLS.split(' ').collect();
    let mut widths = Vec::new();
    for symbol in values.iter().map(|value| symbols[*value as usize]).chain(["2331112"]) {
        widths.extend(symbol.chars().filter_map(|width| width.to_digit(10)));
    }
    Ok(widths)
}

/// The symbols 0 to 105 of ISO/IEC 15417 as widths of bar, space, bar, space, bar, space.
const SYMBOLS: &str = "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 \
122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 \
322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 \
113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 \
221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 \
413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 \
111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_eleven_modules_wide_and_none_occurs_twice() {
        let symbols: Vec<&str> = SYMBOLS.split(' ').collect();
        let unique: std::collections::BTreeSet<&&str> = symbols.iter().collect();

        assert_eq!(symbols.len(), 106);
        assert_eq!(unique.len(), 106);
        for symbol in symbols {
            assert_eq!(symbol.chars().filter_map(|width| width.to_digit(10)).sum::<u32>(), 11, "{symbol}");
        }
    }

    #[test]
    fn the_reader_of_barcodes_reads_what_is_drawn_here() {
        let page = page_with_barcode("TJ20260901HX010100001", 1).unwrap();
        let picture = image::load_from_memory(&page.bytes).unwrap().to_rgb8();

        let found = ingest::find_barcodes(&picture);

        assert_eq!(
            found.into_iter().map(|barcode| barcode.text).collect::<Vec<_>>(),
            ["TJ20260901HX010100001"]
        );
    }

    #[test]
    fn no_two_seeds_give_the_same_bytes() {
        assert_ne!(small_page(1).unwrap().bytes, small_page(2).unwrap().bytes);
        assert_eq!(small_page(3).unwrap().bytes, small_page(3).unwrap().bytes);
    }
}
