//! From whatever a decoder gives to eight bits of grey or RGB on white.

use image::{DynamicImage, GenericImageView, GrayImage, RgbImage, Rgba, imageops};

use super::colour_of;
use crate::{
    inspection::ColourKind,
    sandbox::{Resolution, protocol::PageFrame},
};

/// Brings a picture to the wanted size and layout. `stored` is what the header said about its colours.
pub fn frame(
    picture: DynamicImage,
    dpi: Option<f32>,
    stored: Option<ColourKind>,
    resolution: Resolution,
) -> (PageFrame, Vec<u8>) {
    let decoded = colour_of(&picture);
    let colour = match (decoded, stored) {
        (ColourKind::Colour, _) => ColourKind::Colour,
        (grey, stored) => stored.filter(|kind| *kind == ColourKind::Bilevel).unwrap_or(grey),
    };
    let full_width = picture.width();
    let (width, height, body) = if colour == ColourKind::Colour {
        let smaller = shrink_rgb(on_white(picture), resolution);
        (smaller.width(), smaller.height(), smaller.into_raw())
    } else {
        let smaller = shrink_grey(grey_on_white(picture), resolution);
        (smaller.width(), smaller.height(), smaller.into_raw())
    };
    let dpi = dpi.map(|dpi| dpi * width as f32 / full_width.max(1) as f32);
    (PageFrame { width, height, dpi, colour }, body)
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let (width, height) = picture.dimensions();
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(width, height, |x, y| {
        let Rgba([r, g, b, alpha]) = *rgba.get_pixel(x, y);
        image::Rgb([r, g, b].map(|level| over_white(level, alpha)))
    })
}

fn grey_on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let (width, height) = picture.dimensions();
    let grey = picture.into_luma_alpha8();
    GrayImage::from_fn(width, height, |x, y| {
        let image::LumaA([level, alpha]) = *grey.get_pixel(x, y);
        image::Luma([over_white(level, alpha)])
    })
}

fn over_white(level: u8, alpha: u8) -> u8 {
    let (level, alpha) = (u32::from(level), u32::from(alpha));
    ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

fn shrunk_size(width: u32, height: u32, resolution: Resolution) -> Option<(u32, u32)> {
    let Resolution::MaxSide(max_side) = resolution else {
        return None;
    };
    let longest = width.max(height);
    if longest <= max_side || max_side == 0 {
        return None;
    }
    let side = |length: u32| (u64::from(length) * u64::from(max_side) / u64::from(longest)).max(1) as u32;
    Some((side(width), side(height)))
}

fn shrink_rgb(picture: RgbImage, resolution: Resolution) -> RgbImage {
    match shrunk_size(picture.width(), picture.height(), resolution) {
        Some((width, height)) => imageops::thumbnail(&picture, width, height),
        None => picture,
    }
}

fn shrink_grey(picture: GrayImage, resolution: Resolution) -> GrayImage {
    match shrunk_size(picture.width(), picture.height(), resolution) {
        Some((width, height)) => imageops::thumbnail(&picture, width, height),
        None => picture,
    }
}
