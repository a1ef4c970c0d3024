//! A decoded page, upright as EXIF says, and the derivatives made of it.

use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::jpeg::JpegEncoder, imageops};

use crate::inspection::ColourKind;

/// One page as pixels.
#[derive(Debug, Clone)]
pub struct PageImage {
    /// The pixels; grey pages have three equal channels.
    pub pixels: RgbImage,
    /// Pixels an inch of `pixels`, when the file says so.
    pub dpi: Option<f32>,
    /// What colours the page holds.
    pub colour: ColourKind,
}

/// A derivative could not be made: the picture has no pixels, or more than a JPEG can hold.
#[derive(Debug, thiserror::Error)]
#[error("the derivative could not be encoded as jpeg")]
pub struct DerivativeError(#[from] image::ImageError);

/// Shrinks a picture until its longer side has at most `max_side` pixels, and encodes it as JPEG.
///
/// The result carries no metadata: neither EXIF nor anything else of the original.
pub fn encode_derivative(picture: &RgbImage, max_side: u32, quality: u8) -> Result<Vec<u8>, DerivativeError> {
    let longest = picture.width().max(picture.height());
    let mut jpeg = Vec::new();
    if longest <= max_side || max_side == 0 {
        encode_jpeg(picture, quality, &mut jpeg)?;
        return Ok(jpeg);
    }
    let side = |length: u32| (u64::from(length) * u64::from(max_side) / u64::from(longest)).max(1) as u32;
    let smaller = imageops::thumbnail(picture, side(picture.width()), side(picture.height()));
    encode_jpeg(&smaller, quality, &mut jpeg)?;
    Ok(jpeg)
}

fn encode_jpeg(picture: &RgbImage, quality: u8, jpeg: &mut Vec<u8>) -> Result<(), image::ImageError> {
    let encoder = JpegEncoder::new_with_quality(jpeg, quality.clamp(1, 100));
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
}
