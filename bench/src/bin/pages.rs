//! Reads single pages and says what was made of each: `cargo run --release -p archive-bench --bin pages -- --pages DIR
//! [--models DIR] [--every 1] > READ.jsonl`.
//!
//! `DIR` holds `truth.jsonl` and `pages/` as `tools/specimens/pages.py` makes them; `tools/score/pages.py` compares.
//! One JSON object a page: papers with form, capture and fields, and the quality with its causes and measures.

use std::{
    fs,
    io::{BufWriter, Write, stdout},
    path::PathBuf,
};

use anyhow::{Context, Result};
use archive_bench::corpus::argument;
use domain::reading::PageReading;
use image::ImageReader;
use reading::{PageHints, PageReader, ReaderOptions, forms::FormSet, recognition::Engine};
use serde::Deserialize;
use serde_json::{Value, json};

/// CPU time a page may take for second looks, as in the shipped program.
const SECOND_LOOKS_MS: u32 = 400;

#[derive(Deserialize)]
struct Page {
    file: String,
}

fn main() -> Result<()> {
    let folder: PathBuf = argument("--pages", PathBuf::from("pages"))?;
    let installed = std::env::home_dir().unwrap_or_default().join(".local/share/guidang/models");
    let models: PathBuf = argument("--models", installed)?;
    let every: usize = argument("--every", 1)?;
    let options = ReaderOptions {
        models,
        engine: Engine::Ort,
        forms: FormSet::embedded()?,
        second_look_budget_ms: SECOND_LOOKS_MS,
        second_opinion: true,
    };
    let truth = folder.join("truth.jsonl");
    let lines = fs::read_to_string(&truth).with_context(|| format!("{} is missing", truth.display()))?;
    let mut reader = PageReader::open(&options)?;
    let mut out = BufWriter::new(stdout().lock());
    for line in lines.lines().step_by(every.max(1)) {
        let page: Page = serde_json::from_str(line)?;
        let picture =
            ImageReader::open(folder.join("pages").join(&page.file))?.with_guessed_format()?.decode()?;
        let reading = reader.read_page(&picture.into_rgb8(), None, &PageHints::default())?;
        writeln!(out, "{}", said(&page.file, &reading))?;
    }
    Ok(out.flush()?)
}

fn said(file: &str, reading: &PageReading) -> Value {
    let papers = reading.papers.iter().map(|paper| {
        let fields = paper.fields.iter().map(|field| {
            json!({ "field": field.field, "text": field.text, "confidence": field.confidence, "by": field.decided_by })
        });
        json!({
            "form": paper.form, "capture": paper.capture, "quality": paper.quality,
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    json!({
        "file": file, "quality": reading.quality, "cpu_ms": reading.cost.cpu_ms,
        "papers": papers.collect::<Vec<_>>(),
    })
}
