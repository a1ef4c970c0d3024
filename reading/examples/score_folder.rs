//! Reads the scans a truth file names and writes the readings in the form the scoring tool takes.
//!
//! usage: score_folder MODELS TRUTH.jsonl SCANS_FOLDER READINGS.jsonl [PART_OF_FILE_NAME]
//! A scan that is no JPEG or PNG is looked for beside it, rendered, as FILE.png.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use domain::reading::{Lattice, PageReading, PaperKind};
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use reading::{
    PageHints, PageReader, ReaderOptions,
    forms::FormSet,
    recognition::{Engine, ctc},
};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, truth, scans, output, filter @ ..] = &arguments[..] else {
        return Err("usage: score_folder MODELS TRUTH SCANS READINGS [FILTER] [ENGINE]".into());
    };
    let engine = match filter.get(1).map(String::as_str) {
        Some("rten") => Engine::Rten,
        Some("tesseract") => Engine::Tesseract,
        _ => Engine::Ort,
    };
    let options = ReaderOptions {
        models: PathBuf::from(models),
        engine,
        forms: FormSet::embedded()?,
        second_look_budget_ms: 400,
        second_opinion: true,
    };
    let mut reader = PageReader::open(&options)?;
    let mut output = fs::File::create(output)?;
    let mut spent: BTreeMap<String, (f32, u32, f32)> = BTreeMap::new();
    for line in fs::read_to_string(truth)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        let slip = case["slip_number"].as_str().ok_or("a case without number")?;
        for scan in case["scans"].as_array().into_iter().flatten() {
            let file = scan["file"].as_str().unwrap_or_default();
            if filter.first().is_some_and(|part| !file.contains(part.as_str())) {
                continue;
            }
            let kinds: Vec<&str> =
                scan["kind"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let page = open(&Path::new(scans).join(file))?;
            let reading = reader.read_page(&page, None, &PageHints::default())?;
            let entry = spent.entry(format!("{} {}", kinds.join("+"), scan["capture"])).or_default();
            entry.0 += reading.cost.cpu_ms;
            entry.1 += 1;
            entry.2 = entry.2.max(reading.cost.cpu_ms);
            write_fields(&mut output, slip, &kinds, file, &reading)?;
        }
    }
    for (kind, (sum, count, most)) in spent {
        eprintln!("{kind:45} {count:4} pages {:7.0} ms mean {most:7.0} ms most", sum / count as f32);
    }
    Ok(())
}

fn write_fields(
    output: &mut fs::File,
    slip: &str,
    kinds: &[&str],
    file: &str,
    page: &PageReading,
) -> Result<()> {
    for paper in &page.papers {
        let suffix = match paper.kind {
            PaperKind::IdCardFront => "id_front",
            PaperKind::IdCardBack => "id_back",
            PaperKind::Slip => "slip",
            _ => continue,
        };
        let Some(slot) = kinds.iter().find(|kind| kind.ends_with(suffix)) else { continue };
        for field in &paper.fields {
            let row = json!({
                "slip_number": slip, "slot": slot, "field": field.field, "text": field.text,
                "confidence": field.confidence.value(), "file": file, "decided_by": field.decided_by,
                "repair": field.repair, "bare": bare(&field.lattices), "region": field.region.bounds(), "turns": page.quarter_turns,
                "capture": paper.capture, "stamp": paper.copy_stamp.as_ref().map(|mark| mark.presence),
                "signature": paper.signature.as_ref().map(|mark| mark.presence),
            });
            writeln!(output, "{row}")?;
        }
    }
    Ok(())
}

fn bare(lattices: &[Lattice]) -> Vec<String> {
    lattices.iter().map(|lattice| ctc::read(lattice.clone(), 1.0).text).collect()
}

fn open(path: &Path) -> Result<RgbImage> {
    let rendered = PathBuf::from(format!("{}.png", path.display()));
    let path = if rendered.exists() { &rendered } else { path };
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}
