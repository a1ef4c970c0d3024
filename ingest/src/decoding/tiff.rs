//! TIFF: every page, every compression a fax, scanner or archive uses.

use std::io::Cursor;

use hayro_ccitt::{DecodeSettings, Decoder as RowSink, DecoderContext, EncodingMode};
use image::{DynamicImage, GrayImage, ImageFormat, ImageReader};

use super::raster;
use crate::{
    inspection::{Directory, PageHeader, directories, tag},
    limits::Limits,
    sandbox::PageFault,
};

const BLACK: u8 = 0;
const WHITE: u8 = 255;

/// Decodes one page as stored.
pub fn decode_page(
    bytes: &[u8],
    page_index: usize,
    header: &PageHeader,
    limits: &Limits,
) -> Result<DynamicImage, PageFault> {
    let directories = directories(bytes, limits).map_err(|_| PageFault::Damaged)?;
    let directory = directories.get(page_index).ok_or(PageFault::NoSuchPage)?;
    match directory.number(bytes, tag::COMPRESSION).unwrap_or(1) {
        compression @ 2..=4 => fax(bytes, directory, header, compression),
        // The JPEG of TIFF 6.0 was withdrawn because no two writers agreed on it.
        6 => Err(PageFault::NotSupported),
        _ => other(bytes, directory, header),
    }
}

/// `image` opens only the first page, so the file is handed to it with this page as the first.
fn other(bytes: &[u8], directory: &Directory, header: &PageHeader) -> Result<DynamicImage, PageFault> {
    let mut copy = bytes.to_vec();
    let (place, link) = directory.header.link_to(directory.offset);
    copy.get_mut(place..place + link.len()).ok_or(PageFault::Damaged)?.copy_from_slice(&link);
    let mut reader = ImageReader::with_format(Cursor::new(copy), ImageFormat::Tiff);
    reader.no_limits();
    let picture = reader.decode().map_err(|error| raster::fault(&error))?;
    if (picture.width(), picture.height()) != (header.width, header.height) {
        return Err(PageFault::Damaged);
    }
    Ok(picture)
}

/// Group 3 and Group 4, and the Huffman coding both come from.
fn fax(
    bytes: &[u8],
    directory: &Directory,
    header: &PageHeader,
    compression: u64,
) -> Result<DynamicImage, PageFault> {
    let number = |tag, missing| directory.number(bytes, tag).unwrap_or(missing);
    let options = number(tag::T4_OPTIONS, 0);
    let uses_two_dimensions = compression == 3 && options & 1 == 1;
    let encoding = match compression {
        4 => EncodingMode::Group4,
        _ if uses_two_dimensions => EncodingMode::Group3_2D,
        _ => EncodingMode::Group3_1D,
    };
    let is_reversed = number(tag::FILL_ORDER, 1) == 2;
    // In the bits of a fax a run of ones is black; the photometric tag says what the writer meant by them.
    let is_inverted = number(tag::PHOTOMETRIC, 0) == 1;
    let rows_per_strip =
        number(tag::ROWS_PER_STRIP, u64::from(header.height)).clamp(1, u64::from(header.height)) as u32;
    let mut page = FaxPage::new(header, is_inverted)?;
    for (index, strip) in strips(bytes, directory, header.height.div_ceil(rows_per_strip)).enumerate() {
        let first_row = index as u32 * rows_per_strip;
        let rows = rows_per_strip.min(header.height.saturating_sub(first_row));
        page.start_strip(first_row);
        let strip = strip.ok_or(PageFault::Damaged)?;
        let turned: Vec<u8>;
        let data = if is_reversed {
            turned = strip.iter().map(|byte| byte.reverse_bits()).collect();
            &turned
        } else {
            strip
        };
        let settings = DecodeSettings {
            columns: header.width,
            rows,
            end_of_block: true,
            end_of_line: compression == 3,
            rows_are_byte_aligned: compression == 2,
            encoding,
            strict: false,
        };
        // Rows before an error stand; a strip that gave none is a damaged page.
        let outcome = hayro_ccitt::decode(data, &mut page, &mut DecoderContext::new(settings));
        if outcome.is_err() && page.rows_of_strip(first_row) < rows {
            return Err(PageFault::Damaged);
        }
    }
    Ok(DynamicImage::ImageLuma8(page.picture))
}

fn strips<'a>(bytes: &'a [u8], directory: &Directory, count: u32) -> impl Iterator<Item = Option<&'a [u8]>> {
    let offsets = directory.numbers(bytes, tag::STRIP_OFFSETS, count as usize).unwrap_or_default();
    let lengths = directory.numbers(bytes, tag::STRIP_BYTE_COUNTS, count as usize).unwrap_or_default();
    (0..count as usize).map(move |index| {
        let start = usize::try_from(*offsets.get(index)?).ok()?;
        // Some writers of a single strip leave its length out: it reaches to the end of the file.
        let end = match lengths.get(index) {
            Some(length) => start.checked_add(usize::try_from(*length).ok()?)?.min(bytes.len()),
            None if count == 1 => bytes.len(),
            None => return None,
        };
        bytes.get(start..end)
    })
}

struct FaxPage {
    picture: GrayImage,
    next_row: u32,
    paper: u8,
}

impl FaxPage {
    fn new(header: &PageHeader, is_inverted: bool) -> Result<Self, PageFault> {
        let paper = if is_inverted { BLACK } else { WHITE };
        let size = u64::from(header.width) * u64::from(header.height);
        let size = usize::try_from(size).map_err(|_| PageFault::TooLarge)?;
        let picture =
            GrayImage::from_raw(header.width, header.height, vec![paper; size]).ok_or(PageFault::TooLarge)?;
        Ok(Self { picture, next_row: 0, paper })
    }

    const fn start_strip(&mut self, first_row: u32) {
        self.next_row = first_row;
    }

    const fn rows_of_strip(&self, first_row: u32) -> u32 {
        self.next_row.saturating_sub(first_row)
    }
}

impl RowSink for FaxPage {
    fn push_row(&mut self, changes: &[u32]) {
        let width = self.picture.width() as usize;
        let start = self.next_row as usize * width;
        self.next_row += 1;
        let ink = if self.paper == WHITE { BLACK } else { WHITE };
        let Some(row) = self.picture.as_mut().get_mut(start..start + width) else {
            return;
        };
        for run in changes.chunks(2) {
            let from = (run[0] as usize).min(width);
            let to = run.get(1).map_or(width, |end| (*end as usize).min(width));
            if from < to {
                row[from..to].fill(ink);
            }
        }
    }
}
