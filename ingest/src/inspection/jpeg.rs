//! The size of a JPEG, from its start-of-frame segment.

use std::borrow::Cow;

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder::Big, array, u16_at},
    exif::{self, ExifNotes},
    source::Source,
    trailer,
};
use crate::refusal::Refusal;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;
/// Most segments before the picture; notes and colour profiles of many megabytes stay below.
const MOST_SEGMENTS: usize = 8192;
/// Most bytes that may be filled in before a marker.
const MOST_FILL_BYTES: usize = 4096;

/// Walks the segments up to the first scan; never looks into compressed data except to find what follows it.
pub fn header(bytes: &(impl Source + ?Sized)) -> Result<PageHeader, Refusal> {
    let mut frame = None;
    let mut jfif_dpi = None;
    let mut notes = ExifNotes::default();
    let mut offset = 2;
    for _ in 0..MOST_SEGMENTS {
        let segment = Segment::read(bytes, offset).ok_or(Refusal::DamagedFile)?;
        match segment.marker {
            START_OF_SCAN => {
                let end = end_of_image(bytes, segment.end).ok_or(Refusal::DamagedFile)?;
                trailer::refuse_second_file(bytes, end)?;
                let page: PageHeader = frame.ok_or(Refusal::DamagedFile)?;
                let dpi = jfif_dpi.or(notes.dpi);
                return Ok(PageHeader { dpi, orientation: notes.orientation.unwrap_or(1), ..page });
            }
            0xe0 => jfif_dpi = jfif_dpi.or_else(|| density(&segment.body)),
            0xe1 => {
                if let Some(block) = segment.body.strip_prefix(b"Exif\0\0") {
                    notes = exif::read(block);
                }
            }
            0xc0..=0xcf if !matches!(segment.marker, 0xc4 | 0xc8 | 0xcc) => {
                frame = Some(start_of_frame(segment.marker, &segment.body)?);
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
    body: Cow<'a, [u8]>,
    end: usize,
}

impl<'a> Segment<'a> {
    fn read(bytes: &'a (impl Source + ?Sized), mut offset: usize) -> Option<Self> {
        let mut marker = array::<1>(bytes, offset)?[0];
        if marker != 0xff {
            return None;
        }
        let most = offset.checked_add(MOST_FILL_BYTES)?;
        while marker == 0xff && offset < most {
            offset += 1;
            marker = array::<1>(bytes, offset)?[0];
        }
        if marker == 0xff {
            return None;
        }
        let stands_alone = matches!(marker, 0x01 | 0xd0..=0xd9);
        if stands_alone {
            return Some(Self { marker, body: Cow::Borrowed(&[]), end: offset + 1 });
        }
        let length = usize::from(u16_at(bytes, offset + 1, Big)?);
        let body = bytes.part(offset + 3..(offset + 1).checked_add(length.max(2))?)?;
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

/// Where the picture ends, behind its end-of-image marker; `None` when it was cut off before that.
///
/// Decoders forgive a missing end and paint the rest grey, which would be taken for the paper.
fn end_of_image(bytes: &(impl Source + ?Sized), scan_start: usize) -> Option<usize> {
    bytes.find_pair([0xff, END_OF_IMAGE], scan_start).map(|marker| marker + 2)
}
