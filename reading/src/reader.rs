//! Reading one page: upright, what is on it, where each field is, what it says, how sure.

mod cards;
mod on_their_head;
mod print_alone;
mod unframed;
mod upright;

use std::path::PathBuf;

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{
        Capture, EngineVersion, FieldReading, PageReading, PaperReading, Quality, QualityCause, ReadingCost,
    },
};
use image::RgbImage;

use crate::{
    candidates::TextLayer,
    capture,
    classify::{self, Found},
    cpu::{self, Stage, Stopwatch},
    engines::Engines,
    fields::{self, marks},
    forms::{Form, FormSet},
    lines::{Line, paragraphs},
    prepare::{
        bilevel,
        geometry::{Projection, QuadMeasure},
        warp,
    },
    quality::{self, Outline},
    recognition::{Engine, PpocrSet, RecognitionError, TesseractRecognizer, TextRecognizer},
};

/// Longest side of the copy by which light and colour are judged.
const GLANCE_SIDE: u32 = 800;
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

/// An upright picture with what is known of the page it is of.
struct Sheet<'a> {
    image: &'a RgbImage,
    /// Every line that was found on it, read or not.
    quads: &'a [Quad],
    /// How large it was when lines were looked for, beside its own size.
    scale: f32,
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
        let softened = bilevel::softened(page);
        let page = softened.as_ref().unwrap_or(page);
        let upright = self.upright(page, &small)?;
        self.engines.watch.switch(Stage::Layout);
        let quads: Vec<Quad> = upright.found.lines.iter().map(|line| line.quad).collect();
        let lines = self.read_lines(&upright.image, &quads)?;
        let forms = self.forms.clone();
        self.engines.second_looks_until_ms = cpu::thread_ms() + f64::from(self.budget_ms);
        let quality = quality::with_print(&quality, &upright.image, &quads);
        let sheet = Sheet {
            image: &upright.image,
            quads: &quads,
            scale: upright.found.scale,
            page,
            small: &small,
            quality: &quality,
            dpi,
            hints,
        };
        let mut papers = self.read_papers(&sheet, &forms, &lines)?;
        papers.extend(self.papers_on_their_head(&sheet, &forms, &papers)?);
        self.read_print_alone(&upright.image, &forms, &mut papers)?;
        self.look_for_stamp(&sheet, &lines, &forms, &mut papers);
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
                    marks::signature(sheet.image, found.form, (lines, sheet.quads), px_per_mm, engines)
                });
            }
            papers.push(paper);
        }
        Ok(papers)
    }

    /// One stamp on the sheet is for all copies on it; a photograph of the card itself needs none.
    fn look_for_stamp(
        &mut self,
        sheet: &Sheet<'_>,
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
        let found = marks::Found { quads: sheet.quads, scale: sheet.scale };
        let mark = self
            .engines
            .during(Stage::Stamp, |engines| marks::copy_stamp(sheet.image, &cards, lines, found, engines));
        for paper in papers.iter_mut().filter(|paper| needs(paper)) {
            paper.copy_stamp = Some(mark.clone());
        }
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
                (self.read_card(sheet, found.form, frame, lines)?, region)
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
        let mut quality = quality::of_paper(sheet.quality, image, &region, outline);
        if let Some(frame) = &found.frame {
            quality = quality::of_card(&quality, image, found.form, frame);
        }
        Ok(PaperReading {
            kind: found.form.paper,
            form: found.form.name.clone(),
            confidence: Confidence::new(found.weight / (found.weight + 0.5)),
            region,
            capture,
            quality,
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

#[cfg(test)]
mod tests;
