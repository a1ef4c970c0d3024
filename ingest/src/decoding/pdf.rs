//! PDF: pages rendered by `hayro`, text layers by `pdf-extract`.

use std::sync::Arc;

use hayro::{
    PixmapSettings, RenderCache, RenderSettings,
    hayro_interpret::InterpreterSettings,
    hayro_syntax::{
        LoadPdfError, Pdf,
        object::{Name, Stream},
        page::Page,
    },
    render,
    vello_cpu::color::palette::css::WHITE,
};
use image::{DynamicImage, RgbImage};

use super::fonts::Fonts;
use crate::{
    inspection::ColourKind,
    limits::Limits,
    refusal::Refusal,
    sandbox::{PageDescription, PageFault, Resolution},
};

/// What pages are rendered at that are not one scanned picture.
const DEFAULT_DPI: f32 = 300.0;
/// Below this a scanned picture is rendered larger than it is stored.
const MIN_SCAN_DPI: f32 = 100.0;
/// Above this a scanned picture is rendered smaller than it is stored.
const MAX_SCAN_DPI: f32 = 600.0;
/// The renderer's sides have sixteen bits.
const MAX_SIDE: f32 = 65_000.0;

/// A PDF whose page tree was walked.
pub struct OpenPdf {
    pdf: Pdf,
    settings: InterpreterSettings,
    limits: Limits,
}

impl OpenPdf {
    /// Walks the page tree; the renderer ignores links that lead back.
    pub fn open(bytes: &[u8], limits: &Limits, fonts: Fonts) -> Result<Self, Refusal> {
        let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
            LoadPdfError::Decryption(_) => Refusal::EncryptedPdf,
            LoadPdfError::Invalid => Refusal::DamagedFile,
        })?;
        let fonts = Arc::new(fonts);
        let settings = InterpreterSettings {
            font_resolver: Arc::new(move |query| fonts.resolve(query)),
            ..InterpreterSettings::default()
        };
        Ok(Self { pdf, settings, limits: *limits })
    }

    /// Sizes of all pages at the resolution they will be rendered at.
    pub fn describe(&self, limits: &Limits) -> Result<Vec<PageDescription>, Refusal> {
        let pages = self.pdf.pages();
        if pages.is_empty() {
            return Err(Refusal::NoPages);
        }
        if pages.len() > limits.max_pages as usize {
            return Err(Refusal::TooManyPages { limit_pages: limits.max_pages });
        }
        let described: Vec<_> = pages.iter().map(|page| describe_page(page, limits)).collect();
        let total: u64 = described.iter().map(|page| u64::from(page.width) * u64::from(page.height)).sum();
        if total > limits.max_total_pixels {
            return Err(Refusal::ScanTooLarge { limit_pixels: limits.max_total_pixels });
        }
        Ok(described)
    }

    /// Renders a page on white.
    pub fn render(
        &self,
        page_index: usize,
        described: &PageDescription,
        resolution: Resolution,
    ) -> Result<DynamicImage, PageFault> {
        let page = self.pdf.pages().get(page_index).ok_or(PageFault::NoSuchPage)?;
        let (points_wide, points_high) = page.render_dimensions();
        let shrink = match resolution {
            Resolution::MaxSide(side) if side > 0 => {
                (side as f32 / described.width.max(described.height).max(1) as f32).min(1.0)
            }
            _ => 1.0,
        };
        // Half a pixel more, because the renderer cuts the fraction off.
        let scale = |pixels: u32, points: f32| ((pixels as f32 * shrink).floor().max(1.0) + 0.5) / points;
        let settings = PixmapSettings {
            x_scale: scale(described.width, points_wide),
            y_scale: scale(described.height, points_high),
            bg_color: WHITE,
        };
        let cache = RenderCache::new();
        let pixmap = render(page, &cache, &self.settings, &RenderSettings::default(), &settings);
        let (width, height) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
        if u64::from(width) * u64::from(height) > self.limits.max_page_pixels {
            return Err(PageFault::TooLarge);
        }
        let rgb: Vec<u8> = pixmap.data().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
        let picture = RgbImage::from_raw(width, height, rgb).ok_or(PageFault::Damaged)?;
        let is_grey = picture.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]);
        let picture = DynamicImage::ImageRgb8(picture);
        Ok(if is_grey { DynamicImage::ImageLuma8(picture.into_luma8()) } else { picture })
    }

    /// The text of one page. Panics inside on some fonts; the caller contains them.
    pub fn text(&self, bytes: &[u8], page_index: usize) -> Result<String, PageFault> {
        let page_number = u32::try_from(page_index + 1).map_err(|_| PageFault::NoSuchPage)?;
        let document = pdf_extract::Document::load_mem(bytes).map_err(|_| PageFault::NoText)?;
        let mut text = String::new();
        let mut output = pdf_extract::PlainTextOutput::new(&mut text);
        pdf_extract::output_doc_page(&document, &mut output, page_number).map_err(|_| PageFault::NoText)?;
        if text.trim().is_empty() {
            return Err(PageFault::NoText);
        }
        Ok(text)
    }
}

fn describe_page(page: &Page<'_>, limits: &Limits) -> PageDescription {
    let (points_wide, points_high) = page.render_dimensions();
    let scan = scanned_picture(page, points_wide, points_high);
    let dpi = scan.map_or(DEFAULT_DPI, |(dpi, _)| dpi.clamp(MIN_SCAN_DPI, MAX_SCAN_DPI));
    let inches = (points_wide / 72.0, points_high / 72.0);
    // A page that would be too large is rendered more coarsely instead of being refused: its size is nominal.
    let most = (limits.max_page_pixels as f32 / (inches.0 * inches.1)).sqrt() * 0.999;
    let dpi = dpi.min(most).min(MAX_SIDE / inches.0).min(MAX_SIDE / inches.1);
    let side = |inches: f32| (inches * dpi).round().max(1.0) as u32;
    PageDescription {
        width: side(inches.0),
        height: side(inches.1),
        dpi: Some(dpi),
        colour: scan.map_or(ColourKind::Colour, |(_, colour)| colour),
        has_text_layer: !page.resources().fonts.is_empty(),
    }
}

/// Resolution and colours of the picture that fills the page, when there is one.
fn scanned_picture(page: &Page<'_>, points_wide: f32, points_high: f32) -> Option<(f32, ColourKind)> {
    let pictures = &page.resources().x_objects;
    let names: Vec<Name<'_>> = pictures.keys().take(16).collect();
    let mut best: Option<(f32, ColourKind)> = None;
    for name in names {
        let Some(stream) = pictures.get::<Stream<'_>>(&name) else { continue };
        let dict = stream.dict();
        let (Some(width), Some(height)) = (dict.get::<u32>("Width"), dict.get::<u32>("Height")) else {
            continue;
        };
        let (across, down) = (width as f32 / points_wide * 72.0, height as f32 / points_high * 72.0);
        let fills_page = (across / down - 1.0).abs() < 0.03;
        if fills_page && best.is_none_or(|(dpi, _)| across > dpi) {
            best = Some((across, picture_colour(&stream)));
        }
    }
    best
}

fn picture_colour(stream: &Stream<'_>) -> ColourKind {
    let dict = stream.dict();
    let is_grey = dict.get::<Name<'_>>("ColorSpace").is_some_and(|space| space.as_str() == "DeviceGray");
    match dict.get::<u32>("BitsPerComponent") {
        Some(1) => ColourKind::Bilevel,
        _ if is_grey => ColourKind::Grey,
        _ => ColourKind::Colour,
    }
}
