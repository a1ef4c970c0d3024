//! The size of a JPEG, from its start-of-frame segment.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Big, u16_at},
    exif::{self, ExifNotes},
    trailer,
};
use crate::refusal::Refusal;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Walks the segments up to the first scan; never looks into compressed data except to find what follows it.
pub fn header(bytes: &[u8]) -> Result<PageHeader, Refusal> {
    let mut frame = None;
    let mut jfif_dpi = None;
    let mut notes = ExifNotes::default();
    let mut offset = 2;
    while let Some(segment) = Segment::read(bytes, offset) {
        match segment.marker {
            START_OF_SCAN => {
                trailer::refuse_second_file(after_image(bytes, segment.end).ok_or(Refusal::DamagedFile)?)?;
                let page: PageHeader = frame.ok_or(Refusal::DamagedFile)?;
                let dpi = jfif_dpi.or(notes.dpi);
                return Ok(PageHeader { dpi, orientation: notes.orientation.unwrap_or(1), ..page });
            }
            0xe0 => jfif_dpi = jfif_dpi.or_else(|| density(segment.body)),
            0xe1 => {
                if let Some(block) = segment.body.strip_prefix(b"Exif\0\0") {
                    notes = exif::read(block);
                }
            }
            0xc0..=0xcf if !matches!(segment.marker, 0xc4 | 0xc8 | 0xcc) => {
                frame = Some(start_of_frame(segment.marker, segment.body)?);
            }
            END_OF_IMAGE => break,
            _ => {}
        }
        offset = segment.end;
    }
    Err(Refusal::DamagedFile)
}

struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
    end: usize,
}

impl<'a> Segment<'a> {
    fn read(bytes: &'a [u8], mut offset: usize) -> Option<Self> {
        if *bytes.get(offset)? != 0xff {
            return None;
        }
        // Any number of 0xff may stand before a marker.
        while *bytes.get(offset)? == 0xff {
            offset += 1;
        }
        let marker = bytes[offset];
        let stands_alone = matches!(marker, 0x01 | 0xd0..=0xd9);
        if stands_alone {
            return Some(Self { marker, body: &[], end: offset + 1 });
        }
        let length = usize::from(u16_at(bytes, offset + 1, Big)?);
        let body = bytes.get(offset + 3..(offset + 1).checked_add(length.max(2))?)?;
        Some(Self { marker, body, end: offset + 1 + length.max(2) })
    }
}

/// Baseline, extended and progressive Huffman pictures of eight bits; the rest is refused as rare.
fn start_of_frame(marker: u8, body: &[u8]) -> Result<PageHeader, Refusal> {
    let read = || Some((*body.first()?, u16_at(body, 1, Big)?, u16_at(body, 3, Big)?, *body.get(5)?));
    let (bits, height, width, components) = read().ok_or(Refusal::DamagedFile)?;
    if !matches!(marker, 0xc0..=0xc2) || bits != 8 {
        return Err(Refusal::VariantNotSupported);
    }
    let colour = match components {
        1 => ColourKind::Grey,
        3 | 4 => ColourKind::Colour,
        _ => return Err(Refusal::VariantNotSupported),
    };
    Ok(PageHeader {
        width: u32::from(width),
        height: u32::from(height),
        dpi: None,
        colour,
        bits_per_pixel: 8 * u32::from(components),
        orientation: 1,
    })
}

fn density(body: &[u8]) -> Option<f32> {
    let body = body.strip_prefix(b"JFIF\0")?;
    let value = f32::from(u16_at(body, 3, Big)?);
    let dpi = match body.get(2)? {
        1 => value,
        2 => value * 2.54,
        _ => return None,
    };
    (dpi >= 1.0).then_some(dpi)
}

/// What stands behind the end-of-image marker; `None` when the picture was cut off before it.
///
/// Decoders forgive a missing end and paint the rest grey, which would be taken for the paper.
fn after_image(bytes: &[u8], scan_start: usize) -> Option<&[u8]> {
    let data = &bytes[scan_start..];
    let end = data.windows(2).position(|pair| pair == [0xff, END_OF_IMAGE])?;
    Some(&data[end + 2..])
}
