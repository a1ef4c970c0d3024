//! Decoders, run only inside the confined process.

pub mod fonts;
mod layout;
mod pdf;
mod raster;
mod tiff;

use image::DynamicImage;

use crate::{
    inspection::{ColourKind, Inspection, PageHeader, inspect},
    limits::Limits,
    media_type::MediaType,
    refusal::Refusal,
    sandbox::{Description, PageDescription, PageFault, Resolution, protocol::PageFrame},
};

/// A scan whose pages can be asked for.
pub struct OpenScan<'a> {
    bytes: &'a [u8],
    limits: Limits,
    inspection: Inspection,
    description: Description,
    pdf: Option<pdf::OpenPdf>,
}

impl<'a> OpenScan<'a> {
    /// Reads the headers again, as if nobody had before, and opens what needs opening.
    pub fn open(bytes: &'a [u8], limits: &Limits, fonts: fonts::Fonts) -> Result<Self, Refusal> {
        let inspection = inspect(bytes, limits)?;
        let pdf = match inspection.media_type {
            MediaType::Pdf => Some(pdf::OpenPdf::open(bytes, limits, fonts)?),
            _ => None,
        };
        let pages = match &pdf {
            Some(pdf) => pdf.describe(limits)?,
            None => inspection.pages.iter().map(describe).collect(),
        };
        let description = Description { media_type: inspection.media_type, pages };
        Ok(Self { bytes, limits: *limits, inspection, description, pdf })
    }

    /// What the scan is.
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Decodes one page, upright, as grey or RGB bytes.
    pub fn render(
        &self,
        page_index: usize,
        resolution: Resolution,
    ) -> Result<(PageFrame, Vec<u8>), PageFault> {
        let page = self.description.pages.get(page_index).ok_or(PageFault::NoSuchPage)?;
        if let Some(pdf) = &self.pdf {
            let picture = pdf.render(page_index, page, resolution)?;
            return Ok(layout::frame(picture, page.dpi, None, resolution));
        }
        let header = self.inspection.pages.get(page_index).ok_or(PageFault::NoSuchPage)?;
        let picture = match self.inspection.media_type {
            MediaType::Tiff => tiff::decode_page(self.bytes, page_index, header, &self.limits)?,
            media_type => raster::decode(self.bytes, media_type, header)?,
        };
        let upright = upright(picture, header.orientation);
        Ok(layout::frame(upright, page.dpi, Some(header.colour), resolution))
    }

    /// The text layer of one page.
    pub fn text(&self, page_index: usize) -> Result<String, PageFault> {
        self.pdf.as_ref().ok_or(PageFault::NoText)?.text(self.bytes, page_index)
    }
}

fn describe(header: &PageHeader) -> PageDescription {
    let is_turned = (5..=8).contains(&header.orientation);
    let (width, height) =
        if is_turned { (header.height, header.width) } else { (header.width, header.height) };
    PageDescription { width, height, dpi: header.dpi, colour: header.colour, has_text_layer: false }
}

/// Turns the picture as EXIF says; afterwards nothing has to know of it.
fn upright(mut picture: DynamicImage, orientation: u8) -> DynamicImage {
    if let Some(orientation) = image::metadata::Orientation::from_exif(orientation) {
        picture.apply_orientation(orientation);
    }
    picture
}

/// Whether a picture has to be sent in colour.
fn is_grey(picture: &DynamicImage) -> bool {
    !picture.color().has_color()
}

/// What a decoded picture holds, when its header did not know better.
fn colour_of(picture: &DynamicImage) -> ColourKind {
    if is_grey(picture) { ColourKind::Grey } else { ColourKind::Colour }
}
