//! The size of a PNG, from its IHDR chunk.

use std::ops::Range;

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Big, array, u32_at},
    exif,
    source::Source,
    trailer,
};
use crate::refusal::Refusal;

/// Walks the chunks: the header, the resolution, the orientation, and what stands behind the end.
pub fn header(bytes: &(impl Source + ?Sized)) -> Result<PageHeader, Refusal> {
    let mut page = image_header(bytes).ok_or(Refusal::DamagedFile)??;
    let mut offset = 33;
    while let Some(chunk) = Chunk::read(bytes, offset) {
        match &chunk.kind {
            b"pHYs" => page.dpi = bytes.part(chunk.body).and_then(|body| dots_per_metre(&body)),
            b"eXIf" => page.orientation = exif::read_at(bytes, chunk.body).orientation.unwrap_or(1),
            b"IEND" => {
                trailer::refuse_second_file(bytes, chunk.end)?;
                return Ok(page);
            }
            _ => {}
        }
        offset = chunk.end;
    }
    // Without its end chunk the picture was cut off.
    Err(Refusal::DamagedFile)
}

fn image_header(bytes: &(impl Source + ?Sized)) -> Option<Result<PageHeader, Refusal>> {
    let chunk = Chunk::read(bytes, 8)?;
    if chunk.kind != *b"IHDR" || chunk.body.len() != 13 {
        return None;
    }
    let body = array::<13>(bytes, chunk.body.start)?;
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
        width: u32_at(&body[..], 0, Big)?,
        height: u32_at(&body[..], 4, Big)?,
        dpi: None,
        colour,
        bits_per_pixel: bit_depth * channels,
        orientation: 1,
    }))
}

/// Where one chunk stands. Most hold pixels, which nobody looks at here.
struct Chunk {
    kind: [u8; 4],
    body: Range<usize>,
    end: usize,
}

impl Chunk {
    fn read(bytes: &(impl Source + ?Sized), offset: usize) -> Option<Self> {
        let length = usize::try_from(u32_at(bytes, offset, Big)?).ok()?;
        let kind = array(bytes, offset.checked_add(4)?)?;
        let start = offset.checked_add(8)?;
        let end = start.checked_add(length)?;
        let size = bytes.size();
        (end <= size).then_some(Self { kind, body: start..end, end: end.checked_add(4)?.min(size) })
    }
}

fn dots_per_metre(body: &[u8]) -> Option<f32> {
    let across = u32_at(body, 0, Big)?;
    (body.get(8) == Some(&1) && across > 0).then_some(across as f32 * 0.0254)
}
