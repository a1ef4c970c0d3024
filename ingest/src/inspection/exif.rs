//! Orientation and resolution out of an EXIF block, which is a small TIFF file.

use super::{
    bytes::u16_at,
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
