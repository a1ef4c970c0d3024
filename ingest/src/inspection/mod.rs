//! What the headers of a file claim, held against the limits before anything is decoded.

mod bmp;
mod bytes;
mod exif;
mod jpeg;
mod pdf;
mod png;
mod source;
mod tiff;
mod trailer;
mod webp;

use std::io::{self, Read, Seek};

use serde::{Deserialize, Serialize};

use self::source::{Remote, Source};
pub(crate) use self::tiff::{Directory, directories, tag};

use crate::{
    limits::Limits,
    media_type::{MediaType, sniff},
    refusal::Refusal,
};

/// How much of a file is looked at to tell what it is.
const FRONT_BYTES: usize = 64 << 10;

/// What colours a page is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourKind {
    /// Black or white, nothing between.
    Bilevel,
    /// Shades of grey.
    Grey,
    /// Colours.
    Colour,
}

/// What the headers say about one page, as stored: before EXIF orientation is applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageHeader {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels an inch across, when the file says so.
    pub dpi: Option<f32>,
    /// What colours it is stored in.
    pub colour: ColourKind,
    /// Bits that one pixel takes when decoded.
    pub bits_per_pixel: u32,
    /// EXIF orientation, 1 to 8; 1 is upright.
    pub orientation: u8,
}

impl PageHeader {
    const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

/// What a file claims to be, within the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// What kind of file.
    pub media_type: MediaType,
    /// Its pages in order; empty for PDF, whose pages only the decoder can count.
    pub pages: Vec<PageHeader>,
}

/// Reads the headers of a file and refuses what is not accepted, is damaged at first sight or claims too much.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection, Refusal> {
    inspect_source(bytes, limits)
}

/// Does the same with a file that is not in memory, of which it reads little. `Err`: it cannot be read.
pub fn inspect_from(file: impl Read + Seek, limits: &Limits) -> io::Result<Result<Inspection, Refusal>> {
    let file = Remote::new(file)?;
    let outcome = inspect_source(&file, limits);
    file.into_failure().map_or(Ok(outcome), Err)
}

fn inspect_source(bytes: &(impl Source + ?Sized), limits: &Limits) -> Result<Inspection, Refusal> {
    if bytes.size() == 0 {
        return Err(Refusal::EmptyFile);
    }
    if bytes.size() as u64 > limits.max_bytes {
        return Err(Refusal::FileTooLarge { limit_bytes: limits.max_bytes });
    }
    let media_type = sniff(&bytes.part_up_to(0..FRONT_BYTES).unwrap_or_default())?;
    let pages = match media_type {
        MediaType::Jpeg => vec![jpeg::header(bytes)?],
        MediaType::Png => vec![png::header(bytes)?],
        MediaType::Bmp => vec![bmp::header(bytes)?],
        MediaType::WebP => vec![webp::header(bytes)?],
        MediaType::Tiff => tiff::headers(bytes, limits)?,
        MediaType::Pdf => {
            pdf::check(bytes)?;
            Vec::new()
        }
    };
    check_pages(&pages, bytes.size() as u64, limits)?;
    Ok(Inspection { media_type, pages })
}

fn check_pages(pages: &[PageHeader], size_bytes: u64, limits: &Limits) -> Result<(), Refusal> {
    if pages.len() > limits.max_pages as usize {
        return Err(Refusal::TooManyPages { limit_pages: limits.max_pages });
    }
    let mut total_pixels = 0_u64;
    let mut decoded_bits = 0_u64;
    for (page_number, page) in (1..).zip(pages) {
        if page.width == 0 || page.height == 0 {
            return Err(Refusal::DamagedFile);
        }
        if page.pixels() > limits.max_page_pixels {
            return Err(Refusal::PageTooLarge { page_number, limit_pixels: limits.max_page_pixels });
        }
        total_pixels = total_pixels.saturating_add(page.pixels());
        decoded_bits =
            decoded_bits.saturating_add(page.pixels().saturating_mul(u64::from(page.bits_per_pixel)));
    }
    if total_pixels > limits.max_total_pixels {
        return Err(Refusal::ScanTooLarge { limit_pixels: limits.max_total_pixels });
    }
    let decoded_bytes = decoded_bits / 8;
    let allowed_bytes = size_bytes.saturating_mul(limits.max_expansion).max(limits.expansion_floor_bytes);
    if decoded_bytes > allowed_bytes {
        return Err(Refusal::ExpandsTooMuch { limit_ratio: limits.max_expansion });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
