//! Builders of small files.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};

/// A picture whose corners are told apart: red top left, green top right, blue bottom left, white elsewhere.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([220, 20, 20]),
        (false, true) => Rgb([20, 200, 20]),
        (true, false) => Rgb([20, 20, 220]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

/// The picture in a format.
pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG of the picture.
pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    encoded(&DynamicImage::ImageRgb8(picture.clone()), ImageFormat::Jpeg)
}

/// A JPEG that says which way up it is.
pub fn jpeg_turned(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let plain = jpeg(picture);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = (exif.len() + 2) as u16;
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&plain[2..]);
    bytes
}

/// A sheet of white with a black rectangle.
pub fn sheet(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        let is_ink = (width / 4..width / 2).contains(&x) && (height / 4..height / 2).contains(&y);
        Luma([if is_ink { 0 } else { 255 }])
    })
}

/// The header of a PNG of any size, with a checksum, and an end.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(&DynamicImage::ImageLuma8(sheet(8, 8)), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |state, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| {
            if state & 1 == 1 { (state >> 1) ^ 0xedb8_8320 } else { state >> 1 }
        })
    })
}

/// One page of a TIFF: tags with their values, and the bytes of its only strip.
pub struct TiffPage {
    pub tags: Vec<(u16, u32)>,
    pub strip: Vec<u8>,
}

/// A little-endian TIFF of these pages; `last_link` is what stands where the chain should end.
pub fn tiff(pages: &[TiffPage], last_link: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    let mut link_at = 4;
    for page in pages {
        let strip_at = bytes.len() as u32;
        bytes.extend(&page.strip);
        let directory_at = bytes.len() as u32;
        bytes[link_at..link_at + 4].copy_from_slice(&directory_at.to_le_bytes());
        let mut tags = page.tags.clone();
        tags.extend([(273, strip_at), (279, page.strip.len() as u32)]);
        tags.sort_unstable();
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        link_at = bytes.len();
        bytes.extend(0_u32.to_le_bytes());
    }
    bytes[link_at..link_at + 4].copy_from_slice(&last_link.to_le_bytes());
    bytes
}

/// The tags of a bilevel page.
pub fn bilevel_tags(width: u32, height: u32, compression: u32) -> Vec<(u16, u32)> {
    vec![(256, width), (257, height), (258, 1), (259, compression), (262, 0), (277, 1), (278, height)]
}

/// A PDF of these numbered objects; the first is the catalogue. Offsets are right.
pub fn pdf(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(bytes.len());
        bytes.extend(format!("{number} 0 obj\n").bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let table_at = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let count = objects.len() + 1;
    bytes.extend(
        format!("trailer\n<< /Size {count} /Root 1 0 R {trailer} >>\nstartxref\n{table_at}\n%%EOF\n").bytes(),
    );
    bytes
}

/// An object with a stream.
pub fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {dictionary} /Length {} >>\nstream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// A PDF of one page that shows these operators.
pub fn pdf_page(content: &str) -> Vec<u8> {
    pdf(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 144 72] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
                .to_vec(),
            stream("", content.as_bytes()),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        ],
        "",
    )
}
