//! Reading one page: upright, what is on it, where each field is, what it says, how sure.

mod on_their_head;
mod print_alone;
mod unframed;

use std::{borrow::Cow, path::PathBuf};

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{
        Capture, EngineVersion, FieldReading, PageReading, PaperReading, Quality, QualityCause, ReadingCost,
    },
};
use image::{RgbImage, imageops};

use crate::{
    candidates::TextLayer,
    capture,
    classify::{self, Found},
    cpu::{self, Stage, Stopwatch},
    engines::Engines,
    fields,
    forms::{Form, FormSet},
    lines::{Line, paragraphs},
    prepare::{
        geometry::{Projection, QuadMeasure, start_horizontally},
        light, upright, warp,
    },
    quality::{self, Outline},
    recognition::{DetectedLine, Engine, PpocrSet, RecognitionError, TesseractRecognizer, TextRecognizer},
};

/// Longest side of a page when lines are looked for.
const PAGE_SIDE: u32 = 736;
/// Longest side of a card when lines are looked for.
const CARD_SIDE: u32 = 576;
/// Longest side of the copy by which light and colour are judged.
const GLANCE_SIDE: u32 = 800;
/// A card smaller than this on the shrunk page is looked at again by itself.
const LEAST_CARD_WIDTH: f32 = 420.0;

/// Labels read a second time on one page.
const MOST_WORN: usize = 16;

/// How a reader is opened.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// Folder of the model files.
    pub models: PathBuf,
    /// Which engine reads.
    pub engine: Engine,
    /// What the papers look like.
    pub forms: FormSet,
    /// CPU time a page may take for second looks.
    pub second_look_budget_ms: u32,
    /// Whether Tesseract is asked about what stays undecided; it must be installed.
    pub second_opinion: bool,
}

/// A barcode found on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct BarcodeHint {
    /// What it says.
    pub text: String,
    /// Where it is, in pixels of the page.
    pub region: Option<Quad>,
}

/// What is known of a page besides its picture. Never anything that was typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageHints {
    /// Barcodes on it.
    pub barcodes: Vec<BarcodeHint>,
    /// What the file holds as the page's text, where it was made on a computer.
    pub text_layer: TextLayer,
}

/// Reads pages; one for each worker thread.
pub struct PageReader {
    engines: Engines,
    forms: FormSet,
    version: EngineVersion,
    budget_ms: u32,
}

/// A page turned upright.
struct Upright<'a> {
    image: Cow<'a, RgbImage>,
    quarter_turns: u8,
    lines: Vec<DetectedLine>,
    /// From the upright picture to the page as decoded.
    to_page: Projection,
}

/// An upright picture with what is known of the page it is of.
struct Sheet<'a> {
    image: &'a RgbImage,
    page: &'a RgbImage,
    /// A small copy of the page, and what it says of its quality.
    small: &'a RgbImage,
    quality: &'a Quality,
    dpi: Option<f32>,
    hints: &'a PageHints,
}

impl PageReader {
    /// Loads the models.
    ///
    /// # Errors
    /// A model is missing, altered or not taken by the engine.
    pub fn open(options: &ReaderOptions) -> Result<Self, RecognitionError> {
        let set = PpocrSet::open(&options.models, options.engine)?;
        let values: Box<dyn TextRecognizer> = match options.engine {
            Engine::Tesseract => Box::new(TesseractRecognizer::open()?),
            Engine::Ort | Engine::Rten => Box::new(set.small_recognizer()?),
        };
        let engines = Engines {
            detector: Box::new(set.tiny_detector()?),
            labels: Box::new(set.tiny_recognizer()?),
            values,
            direction: Some(set.line_direction()?),
            second: second_opinion(options)?,
            cost: ReadingCost::default(),
            watch: Stopwatch::start(),
            second_looks_until_ms: 0.0,
        };
        let mut reader = Self::with_engines(engines, options.forms.clone());
        reader.budget_ms = options.second_look_budget_ms;
        Ok(reader)
    }

    /// A reader over engines of the caller's choice.
    pub fn with_engines(engines: Engines, forms: FormSet) -> Self {
        let engine = engines.values.version();
        let version = format!("{}+{}", env!("CARGO_PKG_VERSION"), engine.version);
        Self { engines, forms, version: EngineVersion { engine: engine.engine, version }, budget_ms: 0 }
    }

    /// Which version of which engine reads.
    pub fn version(&self) -> EngineVersion {
        self.version.clone()
    }

    /// What took the time of the page read last.
    pub const fn stages(&self) -> &Stopwatch {
        &self.engines.watch
    }

    /// Reads everything on one page.
    ///
    /// # Errors
    /// An engine failed; a page that cannot be read is no error but a reading that says so.
    pub fn read_page(
        &mut self,
        page: &RgbImage,
        dpi: Option<f32>,
        hints: &PageHints,
    ) -> Result<PageReading, RecognitionError> {
        self.engines.cost = ReadingCost::default();
        self.engines.watch = Stopwatch::start();
        let small = warp::shrink(page, GLANCE_SIDE);
        let quality = quality::look(&small);
        if page.width() < 16 || page.height() < 16 || quality.causes.contains(&QualityCause::Blank) {
            return Ok(PageReading {
                quarter_turns: 0,
                quality,
                papers: Vec::new(),
                cost: ReadingCost::default(),
            });
        }
        let upright = self.upright(page)?;
        self.engines.watch.switch(Stage::Layout);
        let quads: Vec<Quad> = upright.lines.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&upright.image, &quads)?;
        let forms = self.forms.clone();
        self.engines.second_looks_until_ms = cpu::thread_ms() + f64::from(self.budget_ms);
        let quality = quality::with_print(&quality, &upright.image, &quads);
        let sheet = Sheet { image: &upright.image, page, small: &small, quality: &quality, dpi, hints };
        let mut papers = self.read_papers(&sheet, &forms, &lines)?;
        papers.extend(self.papers_on_their_head(&sheet, &forms, &quads, &papers)?);
        self.read_print_alone(&upright.image, &forms, &mut papers)?;
        self.look_for_stamp(&upright.image, &lines, &forms, &mut papers);
        for paper in &mut papers {
            to_page(paper, &upright.to_page);
            if let Some(form) = forms.get(&paper.form) {
                fields::barcode::fill(paper, form, &hints.barcodes);
            }
        }
        papers.sort_by(|a, b| a.region.centre().y.total_cmp(&b.region.centre().y));
        let mut cost = std::mem::take(&mut self.engines.cost);
        self.engines.watch.switch(Stage::Preparation);
        cost.cpu_ms = self.engines.watch.total_ms() as f32;
        Ok(PageReading { quarter_turns: upright.quarter_turns, quality, papers, cost })
    }

    /// Everything the lines of an upright picture say.
    fn read_papers(
        &mut self,
        sheet: &Sheet<'_>,
        forms: &FormSet,
        lines: &[Line],
    ) -> Result<Vec<PaperReading>, RecognitionError> {
        let mut papers = Vec::new();
        for found in classify::papers(forms, lines) {
            let mut paper = self.read_paper(sheet, &found, lines)?;
            if found.form.signature.is_some() {
                let px_per_mm = px_per_mm(sheet.page, sheet.dpi, paper.capture);
                paper.signature = self.engines.during(Stage::Signature, |engines| {
                    fields::marks::signature(sheet.image, found.form, lines, px_per_mm, engines)
                });
            }
            papers.push(paper);
        }
        Ok(papers)
    }

    /// One stamp on the sheet is for all copies on it; a photograph of the card itself needs none.
    fn look_for_stamp(
        &mut self,
        image: &RgbImage,
        lines: &[Line],
        forms: &FormSet,
        papers: &mut [PaperReading],
    ) {
        let needs = |paper: &PaperReading| {
            paper.capture != Capture::Photograph && forms.get(&paper.form).is_some_and(|form| form.copy_stamp)
        };
        if !papers.iter().any(needs) {
            return;
        }
        let cards: Vec<Quad> = papers.iter().map(|paper| paper.region).collect();
        let mark = self
            .engines
            .during(Stage::Stamp, |engines| fields::marks::copy_stamp(image, &cards, lines, engines));
        for paper in papers.iter_mut().filter(|paper| needs(paper)) {
            paper.copy_stamp = Some(mark.clone());
        }
    }

    fn upright<'a>(&mut self, page: &'a RgbImage) -> Result<Upright<'a>, RecognitionError> {
        let side = if is_card_shaped(page) { CARD_SIDE } else { PAGE_SIDE };
        let mut lines = self.engines.detect(page, side)?;
        let sideways = upright::lies_on_its_side(&lines);
        let mut image = if sideways { Cow::Owned(imageops::rotate90(page)) } else { Cow::Borrowed(page) };
        if sideways {
            lines = self.engines.detect(&image, side)?;
        }
        let Engines { direction, labels, .. } = &mut self.engines;
        let inverted = upright::stands_on_its_head(&image, &lines, direction.as_mut(), labels.as_mut())?;
        if inverted {
            let back = Projection::unturn(2, image.width(), image.height()).inverse();
            for line in &mut lines {
                line.quad = start_horizontally(&back.apply_quad(&line.quad));
            }
            image = Cow::Owned(imageops::rotate180(image.as_ref()));
        }
        let quarter_turns = u8::from(sideways) + 2 * u8::from(inverted);
        let to_page = Projection::unturn(quarter_turns, page.width(), page.height());
        Ok(Upright { image, quarter_turns, lines, to_page })
    }

    /// Reads every line that may matter with the quick reader; the small print of terms stays unread.
    fn read_lines(&mut self, image: &RgbImage, quads: &[Quad]) -> Result<Vec<Line>, RecognitionError> {
        let unread = paragraphs(quads);
        let quads: Vec<Quad> =
            quads.iter().copied().zip(unread).filter(|(_, unread)| !unread).map(|(quad, _)| quad).collect();
        let crops: Vec<RgbImage> = quads.iter().map(|quad| warp::cut_line(image, quad, 48)).collect();
        let readings = self.engines.read_labels(&crops)?;
        let joined = quads.iter().zip(&readings).zip(&crops);
        Ok(joined.map(|((quad, reading), crop)| Line::new(*quad, reading, crop.width() as f32)).collect())
    }

    fn read_paper(
        &mut self,
        sheet: &Sheet<'_>,
        found: &Found<'_>,
        lines: &[Line],
    ) -> Result<PaperReading, RecognitionError> {
        let image = sheet.image;
        let (fields, region) = match &found.frame {
            Some(frame) => {
                let region = frame.outline(found.form.size_mm.unwrap_or([85.6, 54.0]));
                (self.read_card(image, found, lines)?, region)
            }
            None => self.read_unframed(sheet, found, lines)?,
        };
        let capture = if found.form.needs_title {
            capture::of_titled(image, sheet.small, found.form.paper, &region)
        } else {
            capture::of(image, sheet.small, found.form.paper, &region)
        };
        let outline = match (&found.frame, capture) {
            (Some(_), _) => Outline::Corners,
            (None, Capture::Photograph) => Outline::PhotographedPrint,
            (None, _) => Outline::PrintOnSheet,
        };
        Ok(PaperReading {
            kind: found.form.paper,
            form: found.form.name.clone(),
            confidence: Confidence::new(found.weight / (found.weight + 0.5)),
            region,
            capture,
            quality: quality::of_paper(sheet.quality, image, &region, outline),
            illegible: illegible(found.form, &fields),
            fields,
            copy_stamp: None,
            signature: None,
            fingerprint: Vec::new(),
        })
    }

    /// Labels the quick reader could not read are read by the good one.
    fn read_worn_labels(
        &mut self,
        image: &RgbImage,
        form: &Form,
        lines: &[Line],
    ) -> Result<Vec<Line>, RecognitionError> {
        let mut read = Vec::with_capacity(lines.len());
        let mut again = 0;
        for line in lines {
            if again < MOST_WORN && fields::segments::is_worn_label(form, line) {
                again += 1;
                let crop = warp::cut_line(image, &line.quad, 48);
                let reading = self.engines.during(Stage::Labels, |engines| engines.read_value(&crop))?;
                read.push(Line::new(line.quad, &reading, crop.width() as f32));
            } else {
                read.push(line.clone());
            }
        }
        Ok(read)
    }

    /// A card that is small on the page is looked at again by itself.
    fn read_card(
        &mut self,
        image: &RgbImage,
        found: &Found<'_>,
        lines: &[Line],
    ) -> Result<Vec<FieldReading>, RecognitionError> {
        let Some(frame) = &found.frame else { return Ok(Vec::new()) };
        let size = found.form.size_mm.unwrap_or([85.6, 54.0]);
        let outline = frame.outline(size);
        let shrunk = PAGE_SIDE as f32 / image.width().max(image.height()) as f32;
        if outline.width() * shrunk.min(1.0) >= LEAST_CARD_WIDTH {
            return fields::card::read(image, found.form, frame, lines, &mut self.engines);
        }
        let margin = 0.06 * outline.width();
        let [left, top, right, bottom] = outline.grown(margin, margin, margin).bounds();
        let left = left.max(0.0) as u32;
        let top = top.max(0.0) as u32;
        let width = (right as u32).min(image.width()).saturating_sub(left).max(16);
        let height = (bottom as u32).min(image.height()).saturating_sub(top).max(16);
        let closer = light::without_red(imageops::crop_imm(image, left, top, width, height).to_image());
        let detected = self.engines.detect(&closer, CARD_SIDE)?;
        let quads: Vec<Quad> = detected.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&closer, &quads)?;
        let seen = crate::frame::sightings(found.form, &lines);
        let shift = Projection::shift(left as f32, top as f32);
        let Some(near) =
            crate::frame::best(found.form, &seen).filter(|near| near.weight >= 0.8 * frame.weight)
        else {
            return fields::card::read(image, found.form, frame, &moved(&lines, &shift), &mut self.engines);
        };
        let mut fields = fields::card::read(&closer, found.form, &near, &lines, &mut self.engines)?;
        for field in &mut fields {
            field.region = shift.apply_quad(&field.region);
        }
        Ok(fields)
    }
}

/// Tesseract beside PP-OCR, when it is wanted.
fn second_opinion(options: &ReaderOptions) -> Result<Option<Box<dyn TextRecognizer>>, RecognitionError> {
    if !options.second_opinion || options.engine == Engine::Tesseract {
        return Ok(None);
    }
    Ok(Some(Box::new(TesseractRecognizer::open()?)))
}

/// Scale of a scan; of a photograph nothing is known.
fn px_per_mm(page: &RgbImage, dpi: Option<f32>, capture: Capture) -> Option<f32> {
    if capture == Capture::Photograph {
        return None;
    }
    let (long, short) = (page.width().max(page.height()) as f32, page.width().min(page.height()) as f32);
    let is_a4 = (long / short.max(1.0) - std::f32::consts::SQRT_2).abs() < 0.05;
    match dpi {
        Some(dpi) if (50.0..1300.0).contains(&dpi) => Some(dpi / 25.4),
        _ if is_a4 => Some(long / 297.0),
        _ => None,
    }
}

fn moved(lines: &[Line], by: &Projection) -> Vec<Line> {
    lines.iter().map(|line| Line { quad: by.apply_quad(&line.quad), ..line.clone() }).collect()
}

/// Required fields of which nothing can be said.
fn illegible(form: &Form, fields: &[FieldReading]) -> Vec<domain::field::FieldName> {
    let is_read = |name| fields.iter().any(|field| field.field == name && field.text.is_some());
    form.fields.iter().filter(|plan| plan.required && !is_read(plan.field)).map(|plan| plan.field).collect()
}

/// Takes every place from the upright picture to the page as decoded.
fn to_page(paper: &mut PaperReading, projection: &Projection) {
    paper.region = projection.apply_quad(&paper.region);
    for field in &mut paper.fields {
        field.region = projection.apply_quad(&field.region);
    }
    for mark in [&mut paper.copy_stamp, &mut paper.signature].into_iter().flatten() {
        mark.region = mark.region.map(|region| projection.apply_quad(&region));
    }
}

fn is_card_shaped(page: &RgbImage) -> bool {
    let ratio = page.width().max(page.height()) as f32 / page.width().min(page.height()).max(1) as f32;
    page.width().max(page.height()) < 1300 && ratio > 1.45
}

#[cfg(test)]
mod tests;
