//! Measures reading: `cargo run --release -p archive-bench --bin reading -- [--cases DIR] [--models DIR] [--every 1]
//! [--rounds 1] [--beside PYTHON]`.
//!
//! Reads the JPEG and PNG pages of labelled cases on one thread and prints CPU milliseconds by kind of page and by
//! stage. `--beside` names a Python that has RapidOCR: it runs `bench/other_readers.py`, which is handed the path of
//! each page right after us and answers with the CPU seconds of each reader it knows. With more rounds the resident
//! memory after each is printed: it must not grow. At the end the same pages are read by one worker and by two.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use archive_bench::corpus::argument;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use ingest::{find_barcodes, fingerprint};
use reading::{
    BarcodeHint, PageHints, PageReader, ReaderOptions,
    cpu::{Stage, thread_ms},
    forms::FormSet,
    recognition::Engine,
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
struct Page {
    path: PathBuf,
    kind: String,
}

/// CPU milliseconds of pages of one kind.
#[derive(Default)]
struct Spent {
    pages: u32,
    decoding: f64,
    barcodes: f64,
    fingerprint: f64,
    stages: [f64; Stage::ALL.len()],
    others: BTreeMap<String, f64>,
}

fn main() -> Result<()> {
    let cases: PathBuf = argument("--cases", PathBuf::from("samples"))?;
    let installed = std::env::home_dir().unwrap_or_default().join(".local/share/guidang/models");
    let models: PathBuf = argument("--models", installed)?;
    let every: usize = argument("--every", 1)?;
    let rounds: usize = argument("--rounds", 1)?;
    let beside: String = argument("--beside", String::new())?;
    let pages: Vec<Page> = pages_of(&cases)?.into_iter().step_by(every.max(1)).collect();
    let mut others = (!beside.is_empty()).then(|| Others::start(&beside)).transpose()?;
    let mut reader = PageReader::open(&options(&models)?)?;
    let mut spent: BTreeMap<String, Spent> = BTreeMap::new();
    let mut resident = Vec::new();
    for _ in 0..rounds {
        for page in &pages {
            let of_kind = spent.entry(page.kind.clone()).or_default();
            read(&mut reader, page, of_kind)?;
            if let Some(others) = &mut others {
                others.read(&page.path, of_kind)?;
            }
        }
        resident.push(resident_mib()?);
    }
    drop((reader, others));
    print(&spent);
    println!("\nResident memory after each round of {} pages, one worker, MiB: {resident:?}", pages.len());
    let (one, two) = (seconds_with(1, &pages, &models)?, seconds_with(2, &pages, &models)?);
    println!("Wall time with one worker over two: {:.2} ({one:.1} s, {two:.1} s)", one / two);
    Ok(())
}

fn options(models: &Path) -> Result<ReaderOptions> {
    Ok(ReaderOptions {
        models: models.to_path_buf(),
        engine: Engine::Ort,
        forms: FormSet::embedded()?,
        second_look_budget_ms: SECOND_LOOKS_MS,
        second_opinion: true,
    })
}

fn pages_of(cases: &Path) -> Result<Vec<Page>> {
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

fn decode(path: &Path) -> Result<RgbImage> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Everything a worker does with a page, but without the sandbox around the decoder.
fn read(reader: &mut PageReader, page: &Page, spent: &mut Spent) -> Result<()> {
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
    spent.pages += 1;
    spent.decoding += decoded - started;
    spent.barcodes += searched - decoded;
    spent.fingerprint += known - searched;
    for (sum, (_, ms)) in spent.stages.iter_mut().zip(reader.stages().spent_ms()) {
        *sum += ms;
    }
    Ok(())
}

/// Other readers, in a process of their own.
struct Others {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Others {
    fn start(python: &str) -> Result<Self> {
        let mut child = Command::new(python)
            .arg("bench/other_readers.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{python} cannot be started"))?;
        let to = child.stdin.take().context("no way to ask")?;
        let from = BufReader::new(child.stdout.take().context("no way to hear")?);
        Ok(Self { child, to, from })
    }

    /// Hands over a path; the answer is a JSON object of CPU seconds by reader.
    fn read(&mut self, path: &Path, spent: &mut Spent) -> Result<()> {
        writeln!(self.to, "{}", path.display())?;
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        let seconds: BTreeMap<String, f64> = serde_json::from_str(&answer).context("an answer is no JSON")?;
        for (name, seconds) in seconds {
            *spent.others.entry(name).or_default() += seconds * 1000.0;
        }
        Ok(())
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn print(spent: &BTreeMap<String, Spent>) {
    println!("CPU milliseconds a page, one thread:\n");
    let names: Vec<String> = Stage::ALL.iter().map(|stage| format!("{stage:?}").to_lowercase()).collect();
    println!("| kind | pages | all of reading | {} | decoding | barcodes | fingerprint |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len() + 5));
    for (kind, spent) in spent {
        let mean = |ms: f64| format!("{:.0}", ms / f64::from(spent.pages.max(1)));
        let stages: Vec<String> = spent.stages.iter().map(|ms| mean(*ms)).collect();
        let around = [spent.decoding, spent.barcodes, spent.fingerprint].map(mean).join(" | ");
        let all = mean(spent.stages.iter().sum());
        println!("| {kind} | {} | {all} | {} | {around} |", spent.pages, stages.join(" | "));
    }
    for (kind, spent) in spent {
        let ours: f64 = spent.stages.iter().sum();
        for (name, ms) in &spent.others {
            let theirs = ms / f64::from(spent.pages.max(1));
            println!("\n{kind}: {name} takes {theirs:.0} ms a page; we take {:.2} of it", ours / ms);
        }
    }
}

fn resident_mib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024)
}

/// Seconds in which so many workers, each with a reader of its own, read all pages; opening them is not counted.
fn seconds_with(workers: usize, pages: &[Page], models: &Path) -> Result<f64> {
    let mut readers = Vec::new();
    for _ in 0..workers {
        readers.push(PageReader::open(&options(models)?)?);
    }
    let started = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = readers
            .iter_mut()
            .enumerate()
            .map(|(number, reader)| {
                scope.spawn(move || -> Result<()> {
                    for page in pages.iter().skip(number).step_by(workers) {
                        read(reader, page, &mut Spent::default())?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a worker ended"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(started.elapsed().as_secs_f64())
}
