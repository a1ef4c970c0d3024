//! The size of a BMP, from its information header.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Little, u16_at, u32_at},
    source::Source,
};
use crate::refusal::Refusal;

/// Reads the two fixed headers.
pub fn header(bytes: &(impl Source + ?Sized)) -> Result<PageHeader, Refusal> {
    let header = read(bytes).ok_or(Refusal::DamagedFile)?;
    // A header may claim more than 64 bits can count.
    let stored_bits = header.pixels().saturating_mul(u64::from(header.bits_per_pixel));
    let is_packed = matches!(u32_at(bytes, 30, Little), Some(1 | 2)) && u32_at(bytes, 14, Little) != Some(12);
    // Without run lengths the pixels are all there or the file was cut off.
    if !is_packed && stored_bits / 8 > bytes.size() as u64 {
        return Err(Refusal::DamagedFile);
    }
    Ok(header)
}

fn read(bytes: &(impl Source + ?Sized)) -> Option<PageHeader> {
    let (width, height, bits_per_pixel, dpi) = if u32_at(bytes, 14, Little)? == 12 {
        (
            u32::from(u16_at(bytes, 18, Little)?),
            u32::from(u16_at(bytes, 20, Little)?),
            u16_at(bytes, 24, Little)?,
            None,
        )
    } else {
        let across = u32_at(bytes, 38, Little)?;
        let dpi = (across > 0).then_some(across as f32 * 0.0254);
        // A negative height means that the first row is the top one.
        let height = u32_at(bytes, 22, Little)?.cast_signed().unsigned_abs();
        (u32_at(bytes, 18, Little)?, height, u16_at(bytes, 28, Little)?, dpi)
    };
    if !matches!(bits_per_pixel, 1 | 2 | 4 | 8 | 16 | 24 | 32) {
        return None;
    }
    let colour = if bits_per_pixel == 1 { ColourKind::Bilevel } else { ColourKind::Colour };
    Some(PageHeader { width, height, dpi, colour, bits_per_pixel: u32::from(bits_per_pixel), orientation: 1 })
}
