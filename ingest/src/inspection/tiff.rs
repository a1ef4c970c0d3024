//! The directories of a TIFF: every page's claims, without loops and without believing in gigabytes.

use super::{
    ColourKind, PageHeader,
    bytes::{ByteOrder, array, u16_at, u32_at, u64_at},
    source::Source,
    trailer,
};
use crate::{limits::Limits, refusal::Refusal};

/// The numbers of the tags we look at.
pub mod tag {
    /// Kind of sub-file: bit 0 marks a thumbnail.
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    /// Pixels across.
    pub const WIDTH: u16 = 256;
    /// Pixels down.
    pub const HEIGHT: u16 = 257;
    /// Bits of each channel.
    pub const BITS_PER_SAMPLE: u16 = 258;
    /// How strips are packed.
    pub const COMPRESSION: u16 = 259;
    /// What zero means.
    pub const PHOTOMETRIC: u16 = 262;
    /// Which bit of a byte is the leftmost pixel.
    pub const FILL_ORDER: u16 = 266;
    /// Where the strips begin.
    pub const STRIP_OFFSETS: u16 = 273;
    /// Which way up.
    pub const ORIENTATION: u16 = 274;
    /// Channels.
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    /// Rows in a strip.
    pub const ROWS_PER_STRIP: u16 = 278;
    /// How long the strips are.
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    /// Pixels a unit across.
    pub const X_RESOLUTION: u16 = 282;
    /// Group 3: bit 0 two-dimensional, bit 2 byte-aligned ends of line.
    pub const T4_OPTIONS: u16 = 292;
    /// Inch or centimetre.
    pub const RESOLUTION_UNIT: u16 = 296;
}

/// Most entries a directory may have: baseline and private tags together stay far below.
const MAX_ENTRIES: u64 = 4096;

/// The eight or sixteen bytes a TIFF begins with.
#[derive(Debug, Clone, Copy)]
pub struct TiffHeader {
    /// In which order numbers are stored.
    pub order: ByteOrder,
    /// Whether offsets have 64 bits.
    pub is_big: bool,
    /// Where the first directory is.
    pub first_directory: u64,
}

impl TiffHeader {
    /// Reads the header, if it is one.
    pub fn read(bytes: &(impl Source + ?Sized)) -> Option<Self> {
        let order = match &array::<2>(bytes, 0)? {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return None,
        };
        match u16_at(bytes, 2, order)? {
            42 => Some(Self { order, is_big: false, first_directory: u32_at(bytes, 4, order)?.into() }),
            43 if u16_at(bytes, 4, order)? == 8 => {
                Some(Self { order, is_big: true, first_directory: u64_at(bytes, 8, order)? })
            }
            _ => None,
        }
    }

    /// Where the link to the first directory stands, and how a link to `offset` is written.
    pub fn link_to(self, offset: u64) -> (usize, Vec<u8>) {
        match (self.is_big, self.order) {
            (true, ByteOrder::Little) => (8, offset.to_le_bytes().to_vec()),
            (true, ByteOrder::Big) => (8, offset.to_be_bytes().to_vec()),
            (false, ByteOrder::Little) => (4, (offset as u32).to_le_bytes().to_vec()),
            (false, ByteOrder::Big) => (4, (offset as u32).to_be_bytes().to_vec()),
        }
    }
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    value_offset: usize,
}

impl Entry {
    /// Where its values stand in the file.
    pub const fn value_offset(&self) -> usize {
        self.value_offset
    }

    const fn value_bytes(kind: u16) -> u64 {
        match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            _ => 8,
        }
    }
}

/// One directory: what is said about one page.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The header of the file it is in.
    pub header: TiffHeader,
    /// Where it stands in the file.
    pub offset: u64,
    entries: Vec<Entry>,
}

impl Directory {
    /// Reads the directory at `offset` and where the next one is; zero means that it is the last.
    pub fn read(bytes: &(impl Source + ?Sized), header: TiffHeader, offset: u64) -> Option<(Self, u64)> {
        let start = usize::try_from(offset).ok()?;
        let (count, first, entry_bytes) = if header.is_big {
            (u64_at(bytes, start, header.order)?, start.checked_add(8)?, 20)
        } else {
            (u16_at(bytes, start, header.order)?.into(), start.checked_add(2)?, 12)
        };
        if count > MAX_ENTRIES {
            return None;
        }
        let end = first.checked_add(count as usize * entry_bytes)?;
        let block = bytes.part(first..end)?;
        let mut entries = Vec::with_capacity(count as usize);
        for (place, entry) in (first..).step_by(entry_bytes).zip(block.chunks_exact(entry_bytes)) {
            entries.push(read_entry(entry, header, place)?);
        }
        let next = if header.is_big {
            u64_at(bytes, end, header.order)
        } else {
            u32_at(bytes, end, header.order).map(u64::from)
        };
        // Some writers leave the last link out altogether.
        Some((Self { header, offset, entries }, next.unwrap_or(0)))
    }

    /// The entry of `tag`.
    pub fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The first value of `tag` as a whole number.
    pub fn number(&self, bytes: &(impl Source + ?Sized), tag: u16) -> Option<u64> {
        self.numbers(bytes, tag, 1)?.first().copied()
    }

    /// At most `most` values of `tag` as whole numbers.
    pub fn numbers(&self, bytes: &(impl Source + ?Sized), tag: u16, most: usize) -> Option<Vec<u64>> {
        let entry = self.entry(tag)?;
        let order = self.header.order;
        let count = usize::try_from(entry.count).ok()?.min(most);
        let mut values = Vec::new();
        for index in 0..count {
            let at = entry
                .value_offset
                .checked_add(index.checked_mul(Entry::value_bytes(entry.kind) as usize)?)?;
            values.push(match entry.kind {
                1 | 7 => array::<1>(bytes, at)?[0].into(),
                3 => u16_at(bytes, at, order)?.into(),
                4 | 13 => u32_at(bytes, at, order)?.into(),
                16 | 18 => u64_at(bytes, at, order)?,
                _ => return None,
            });
        }
        Some(values)
    }

    /// Pixels an inch across, when the directory says so.
    pub fn dpi(&self, bytes: &(impl Source + ?Sized)) -> Option<f32> {
        let entry = self.entry(tag::X_RESOLUTION)?;
        let numerator = u32_at(bytes, entry.value_offset, self.header.order)? as f32;
        let denominator = u32_at(bytes, entry.value_offset.checked_add(4)?, self.header.order)? as f32;
        let per_inch = match self.number(bytes, tag::RESOLUTION_UNIT).unwrap_or(2) {
            2 => 1.0,
            3 => 2.54,
            _ => return None,
        };
        let dpi = numerator / denominator * per_inch;
        (dpi.is_finite() && dpi >= 1.0).then_some(dpi)
    }

    fn is_thumbnail(&self, bytes: &(impl Source + ?Sized)) -> bool {
        self.number(bytes, tag::NEW_SUBFILE_TYPE).is_some_and(|kind| kind & 1 == 1)
    }

    /// What it claims about its page.
    pub fn page_header(&self, bytes: &(impl Source + ?Sized)) -> Option<PageHeader> {
        let size = |tag| self.number(bytes, tag).and_then(|value| u32::try_from(value).ok());
        let (width, height) = (size(tag::WIDTH)?, size(tag::HEIGHT)?);
        let channels = self.number(bytes, tag::SAMPLES_PER_PIXEL).unwrap_or(1).clamp(1, 16) as u32;
        let depth = self.number(bytes, tag::BITS_PER_SAMPLE).unwrap_or(1).clamp(1, 64) as u32;
        let colour = match self.number(bytes, tag::PHOTOMETRIC) {
            Some(0 | 1) | None if depth == 1 && channels == 1 => ColourKind::Bilevel,
            Some(0 | 1) => ColourKind::Grey,
            _ => ColourKind::Colour,
        };
        let orientation = self.number(bytes, tag::ORIENTATION).and_then(|value| u8::try_from(value).ok());
        Some(PageHeader {
            width,
            height,
            dpi: self.dpi(bytes),
            colour,
            bits_per_pixel: channels * depth,
            orientation: orientation.filter(|value| (1..=8).contains(value)).unwrap_or(1),
        })
    }
}

/// Reads the entry that stands at `place` in the file.
fn read_entry(entry: &[u8], header: TiffHeader, place: usize) -> Option<Entry> {
    let order = header.order;
    let (tag, kind) = (u16_at(entry, 0, order)?, u16_at(entry, 2, order)?);
    let (count, value_at, inline_bytes) = if header.is_big {
        (u64_at(entry, 4, order)?, 12, 8)
    } else {
        (u32_at(entry, 4, order)?.into(), 8, 4)
    };
    let size_bytes = Entry::value_bytes(kind).checked_mul(count)?;
    let value_offset = if size_bytes <= inline_bytes {
        place.checked_add(value_at)?
    } else if header.is_big {
        usize::try_from(u64_at(entry, value_at, order)?).ok()?
    } else {
        u32_at(entry, value_at, order)? as usize
    };
    Some(Entry { tag, kind, count, value_offset })
}

/// The directories of all pages in order; thumbnails are no pages.
pub fn directories(bytes: &(impl Source + ?Sized), limits: &Limits) -> Result<Vec<Directory>, Refusal> {
    let header = TiffHeader::read(bytes).ok_or(Refusal::DamagedFile)?;
    let mut seen = Vec::new();
    let mut pages = Vec::new();
    let mut offset = header.first_directory;
    while offset != 0 {
        // A chain that bites its tail is never the work of a scanner.
        if seen.contains(&offset) {
            return Err(Refusal::DamagedFile);
        }
        seen.push(offset);
        if pages.len() > limits.max_pages as usize || seen.len() > 2 * limits.max_pages as usize + 2 {
            return Err(Refusal::TooManyPages { limit_pages: limits.max_pages });
        }
        let (directory, next) = Directory::read(bytes, header, offset).ok_or(Refusal::DamagedFile)?;
        if !directory.is_thumbnail(bytes) {
            pages.push(directory);
        }
        offset = next;
    }
    Ok(pages)
}

/// What every page claims.
pub fn headers(bytes: &(impl Source + ?Sized), limits: &Limits) -> Result<Vec<PageHeader>, Refusal> {
    let directories = directories(bytes, limits)?;
    if directories.is_empty() {
        return Err(Refusal::NoPages);
    }
    // The pages of a TIFF may stand anywhere in it, so there is no end to look behind.
    trailer::refuse_archive(bytes, 0)?;
    directories.iter().map(|directory| directory.page_header(bytes).ok_or(Refusal::DamagedFile)).collect()
}
