//! The size of a PNG, from its IHDR chunk.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Big, u32_at},
    exif, trailer,
};
use crate::refusal::Refusal;

/// Walks the chunks: the header, the resolution, the orientation, and what stands behind the end.
pub fn header(bytes: &[u8]) -> Result<PageHeader, Refusal> {
    let mut page = image_header(bytes).ok_or(Refusal::DamagedFile)??;
    let mut offset = 33;
    while let Some((kind, body, end)) = chunk(bytes, offset) {
        match kind {
            b"pHYs" => page.dpi = dots_per_metre(body),
            b"eXIf" => page.orientation = exif::read(body).orientation.unwrap_or(1),
            b"IEND" => {
                trailer::refuse_second_file(&bytes[end..])?;
                return Ok(page);
            }
            _ => {}
        }
        offset = end;
    }
    // Without its end chunk the picture was cut off.
    Err(Refusal::DamagedFile)
}

fn image_header(bytes: &[u8]) -> Option<Result<PageHeader, Refusal>> {
    let (kind, body, _) = chunk(bytes, 8)?;
    if kind != b"IHDR" || body.len() != 13 {
        return None;
    }
    let (bit_depth, colour_type) = (u32::from(body[8]), body[9]);
    let (colour, channels) = match colour_type {
        0 if bit_depth == 1 => (ColourKind::Bilevel, 1),
        0 => (ColourKind::Grey, 1),
        4 => (ColourKind::Grey, 2),
        2 => (ColourKind::Colour, 3),
        3 => (ColourKind::Colour, 1),
        6 => (ColourKind::Colour, 4),
        _ => return Some(Err(Refusal::DamagedFile)),
    };
    if !matches!(bit_depth, 1 | 2 | 4 | 8 | 16) {
        return Some(Err(Refusal::DamagedFile));
    }
    Some(Ok(PageHeader {
        width: u32_at(body, 0, Big)?,
        height: u32_at(body, 4, Big)?,
        dpi: None,
        colour,
        bits_per_pixel: bit_depth * channels,
        orientation: 1,
    }))
}

fn chunk(bytes: &[u8], offset: usize) -> Option<(&[u8; 4], &[u8], usize)> {
    let length = usize::try_from(u32_at(bytes, offset, Big)?).ok()?;
    let kind = bytes.get(offset + 4..offset + 8)?.try_into().ok()?;
    let end = (offset + 8).checked_add(length)?;
    let body = bytes.get(offset + 8..end)?;
    Some((kind, body, end.checked_add(4)?.min(bytes.len())))
}

fn dots_per_metre(body: &[u8]) -> Option<f32> {
    let across = u32_at(body, 0, Big)?;
    (body.get(8) == Some(&1) && across > 0).then_some(across as f32 * 0.0254)
}
