//! JPEG, PNG, BMP and WebP: one page each.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader};

use crate::{inspection::PageHeader, media_type::MediaType, sandbox::PageFault};

/// Decodes the picture as stored.
pub fn decode(bytes: &[u8], media_type: MediaType, header: &PageHeader) -> Result<DynamicImage, PageFault> {
    let format = match media_type {
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Png => ImageFormat::Png,
        MediaType::Bmp => ImageFormat::Bmp,
        MediaType::WebP => ImageFormat::WebP,
        MediaType::Tiff | MediaType::Pdf => return Err(PageFault::NotSupported),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // The headers were held against our limits already; the address space of the process bounds the rest.
    reader.no_limits();
    let picture = reader.decode().map_err(|error| fault(&error))?;
    // A decoder that sees another size than we checked was led astray.
    if (picture.width(), picture.height()) != (header.width, header.height) {
        return Err(PageFault::Damaged);
    }
    Ok(picture)
}

/// Tells what is rare from what is broken.
pub fn fault(error: &image::ImageError) -> PageFault {
    match error {
        image::ImageError::Unsupported(_) => PageFault::NotSupported,
        image::ImageError::Limits(_) => PageFault::TooLarge,
        _ => PageFault::Damaged,
    }
}
