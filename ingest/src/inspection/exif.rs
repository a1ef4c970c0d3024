//! Orientation and resolution out of an EXIF block, which is a small TIFF file.

use std::ops::Range;

use super::{
    bytes::u16_at,
    source::Source,
    tiff::{Directory, TiffHeader, tag},
};

/// What an EXIF block says about how to show the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ExifNotes {
    /// 1 to 8, when there is one.
    pub orientation: Option<u8>,
    /// Pixels an inch, when it is there.
    pub dpi: Option<f32>,
}

/// How much of a block is read: what is said of the picture stands in front, previews behind.
const MOST_BYTES: usize = 64 << 10;

/// Reads the block that stands at `place`, with or without `Exif\0\0` before it.
pub fn read_at(bytes: &(impl Source + ?Sized), place: Range<usize>) -> ExifNotes {
    let end = place.end.min(place.start.saturating_add(MOST_BYTES));
    let block = bytes.part(place.start..end).unwrap_or_default();
    read(block.strip_prefix(b"Exif\0\0").unwrap_or(&block))
}

/// Reads the block that follows `Exif\0\0`; what is broken in it is as if it were not there.
pub fn read(block: &[u8]) -> ExifNotes {
    let Some(header) = TiffHeader::read(block) else {
        return ExifNotes::default();
    };
    let Some((directory, _)) = Directory::read(block, header, header.first_directory) else {
        return ExifNotes::default();
    };
    ExifNotes { orientation: orientation(&directory, block), dpi: directory.dpi(block) }
}

fn orientation(directory: &Directory, block: &[u8]) -> Option<u8> {
    let entry = directory.entry(tag::ORIENTATION)?;
    let value = u16_at(block, entry.value_offset(), directory.header.order)?;
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}
