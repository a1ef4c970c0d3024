//! The size of a WebP, from whichever of its three headers it has.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Little, u16_at, u32_at},
    exif, trailer,
};
use crate::refusal::Refusal;

/// Reads the first chunk; an animation is refused.
pub fn header(bytes: &[u8]) -> Result<PageHeader, Refusal> {
    let riff_bytes = u32_at(bytes, 4, Little).ok_or(Refusal::DamagedFile)? as usize;
    let rest = riff_bytes.checked_add(8).and_then(|end| bytes.get(end..)).ok_or(Refusal::DamagedFile)?;
    trailer::refuse_second_file(rest)?;
    let (width, height) = size(bytes).ok_or(Refusal::DamagedFile)??;
    Ok(PageHeader {
        width,
        height,
        dpi: None,
        colour: ColourKind::Colour,
        bits_per_pixel: 24,
        orientation: orientation(bytes).unwrap_or(1),
    })
}

fn size(bytes: &[u8]) -> Option<Result<(u32, u32), Refusal>> {
    let body = bytes.get(20..)?;
    let size = match bytes.get(12..16)? {
        b"VP8 " => {
            if body.get(3..6)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            let side = |offset| u16_at(body, offset, Little).map(|value| u32::from(value & 0x3fff));
            (side(6)?, side(8)?)
        }
        b"VP8L" => {
            if *body.first()? != 0x2f {
                return None;
            }
            let packed = u32_at(body, 1, Little)?;
            ((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1)
        }
        b"VP8X" => {
            let is_animation = *body.first()? & 0x02 != 0;
            if is_animation {
                return Some(Err(Refusal::VariantNotSupported));
            }
            let side = |offset| u32_at(body, offset, Little).map(|value| (value & 0x00ff_ffff) + 1);
            (side(4)?, u32_at(body, 6, Little).map(|value| (value >> 8) + 1)?)
        }
        _ => return None,
    };
    Some(Ok(size))
}

fn orientation(bytes: &[u8]) -> Option<u8> {
    let mut offset = 12_usize;
    loop {
        let kind = bytes.get(offset..offset.checked_add(4)?)?;
        let length = u32_at(bytes, offset + 4, Little)? as usize;
        let body = bytes.get(offset + 8..(offset + 8).checked_add(length)?)?;
        if kind == b"EXIF" {
            return exif::read(body.strip_prefix(b"Exif\0\0").unwrap_or(body)).orientation;
        }
        // Chunks begin at even places.
        offset = (offset + 8).checked_add(length)?.checked_add(length & 1)?;
    }
}
