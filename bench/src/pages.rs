//! Pages of labelled cases, and what a worker does with one, without storing anything.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use ingest::{find_barcodes, fingerprint};
use reading::{
    BarcodeHint, PageHints, PageReader, ReaderOptions, cpu::thread_ms, forms::FormSet, recognition::Engine,
};
use serde::Deserialize;

/// CPU time a page may take for second looks, as in the shipped program.
const SECOND_LOOKS_MS: u32 = 400;

#[derive(Deserialize)]
struct Case {
    scans: Vec<Scan>,
}

#[derive(Deserialize)]
struct Scan {
    file: String,
    kind: Vec<String>,
}

/// A page and what kind it is.
#[derive(Debug, Clone)]
pub struct Page {
    /// The file.
    pub path: PathBuf,
    /// What is on it.
    pub kind: String,
}

/// CPU milliseconds before a page is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    /// Decoding the file.
    pub decoding: f64,
    /// Looking for barcodes.
    pub barcodes: f64,
    /// Taking the fingerprint.
    pub fingerprint: f64,
}

/// Every JPEG and PNG of the cases in a folder.
pub fn pages_of(cases: &Path) -> Result<Vec<Page>> {
    let truth = cases.join("truth.jsonl");
    let lines = fs::read_to_string(&truth).with_context(|| format!("{} is missing", truth.display()))?;
    let mut pages = Vec::new();
    for line in lines.lines() {
        let case: Case = serde_json::from_str(line)?;
        for scan in case.scans {
            let path = cases.join("scans").join(&scan.file);
            let is_picture = path
                .extension()
                .is_some_and(|extension| ["jpg", "jpeg", "png"].iter().any(|e| extension == *e));
            let kinds: Vec<&str> = scan.kind.iter().map(|kind| kind.trim_start_matches("agent_")).collect();
            if is_picture {
                pages.push(Page { path, kind: kinds.join(" + ") });
            }
        }
    }
    Ok(pages)
}

/// Where `guidang models install` puts the models.
pub fn installed_models() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".local/share/guidang/models")
}

/// The options of the shipped program.
///
/// # Errors
/// The forms cannot be used.
pub fn reader_options(models: &Path) -> Result<ReaderOptions> {
    Ok(ReaderOptions {
        models: models.to_path_buf(),
        engine: Engine::Ort,
        forms: FormSet::embedded()?,
        second_look_budget_ms: SECOND_LOOKS_MS,
        second_opinion: true,
    })
}

/// Everything a worker does with a page, but without the sandbox around the decoder.
pub fn read(reader: &mut PageReader, page: &Page) -> Result<Before> {
    let started = thread_ms();
    let pixels = decode(&page.path)?;
    let decoded = thread_ms();
    let hints = find_barcodes(&pixels)
        .into_iter()
        .map(|barcode| BarcodeHint { text: barcode.text, region: Some(barcode.region) });
    let hints = PageHints { barcodes: hints.collect(), ..PageHints::default() };
    let searched = thread_ms();
    fingerprint(&pixels);
    let known = thread_ms();
    reader.read_page(&pixels, None, &hints)?;
    Ok(Before { decoding: decoded - started, barcodes: searched - decoded, fingerprint: known - searched })
}

fn decode(path: &Path) -> Result<RgbImage> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}
