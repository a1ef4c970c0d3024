//! The size of a WebP, from whichever of its three headers it has.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Little, array, u16_at, u32_at},
    exif,
    source::Source,
    trailer,
};
use crate::refusal::Refusal;

/// Reads the first chunk; an animation is refused.
pub fn header(bytes: &(impl Source + ?Sized)) -> Result<PageHeader, Refusal> {
    let riff_bytes = u32_at(bytes, 4, Little).ok_or(Refusal::DamagedFile)? as usize;
    let end = riff_bytes.checked_add(8).filter(|end| *end <= bytes.size()).ok_or(Refusal::DamagedFile)?;
    trailer::refuse_second_file(bytes, end)?;
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

fn size(bytes: &(impl Source + ?Sized)) -> Option<Result<(u32, u32), Refusal>> {
    const BODY: usize = 20;
    let size = match &array(bytes, 12)? {
        b"VP8 " => {
            if array(bytes, BODY + 3)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            let side = |offset| u16_at(bytes, BODY + offset, Little).map(|value| u32::from(value & 0x3fff));
            (side(6)?, side(8)?)
        }
        b"VP8L" => {
            if array(bytes, BODY)? != [0x2f] {
                return None;
            }
            let packed = u32_at(bytes, BODY + 1, Little)?;
            ((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1)
        }
        b"VP8X" => {
            let is_animation = array::<1>(bytes, BODY)?[0] & 0x02 != 0;
            if is_animation {
                return Some(Err(Refusal::VariantNotSupported));
            }
            let side = |offset| u32_at(bytes, BODY + offset, Little).map(|value| (value & 0x00ff_ffff) + 1);
            (side(4)?, u32_at(bytes, BODY + 6, Little).map(|value| (value >> 8) + 1)?)
        }
        _ => return None,
    };
    Some(Ok(size))
}

fn orientation(bytes: &(impl Source + ?Sized)) -> Option<u8> {
    let mut offset = 12_usize;
    loop {
        let kind = array(bytes, offset)?;
        let length = u32_at(bytes, offset.checked_add(4)?, Little)? as usize;
        let start = offset.checked_add(8)?;
        let end = start.checked_add(length).filter(|end| *end <= bytes.size())?;
        if kind == *b"EXIF" {
            return exif::read_at(bytes, start..end).orientation;
        }
        // Chunks begin at even places.
        offset = end.checked_add(length & 1)?;
    }
}
