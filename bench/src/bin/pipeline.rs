//! Measures the pipeline: `cargo run --release -p archive-bench --bin pipeline -- [--cases DIR] [--models DIR]
//! [--every 1] [--fixed-ms 40] [--distributed true]`.
//!
//! Takes in the JPEG and PNG pages of labelled cases, each as a scan of its own, and waits until every job they make
//! necessary is done: with one worker and with two, once with recognition replaced by a stage that takes a fixed CPU
//! time and once with the real one. Beside it stands bare recognition: the same pages decoded, searched for barcodes
//! and read in this process, with nothing stored.
//!
//! With `--distributed true` the same is measured once more on PostgreSQL, RabbitMQ and SeaweedFS, started on this
//! machine for it. They share its processors: pages a second show what they take; their CPU time is not in the column.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use archive_api::{
    entries::{EntryFormat, Importer},
    intake::{Intake, UploadRequest},
    state::ApiSettings,
};
use archive_bench::{
    archive::BenchArchive,
    corpus::argument,
    memory_files::MemoryFiles,
    pages::{self, Page, installed_models, pages_of, reader_options},
    process::cpu_seconds,
    shape::Shape,
};
use domain::{
    archival_code::{ArchivalCodePattern, DEFAULT_PATTERN},
    job::{JobName, JobState},
    reading::{EngineVersion, ReadingCost},
};
use futures_util::future::join_all;
use image::RgbImage;
use ingest::{DECODE_SUBCOMMAND, Limits, Sandbox, decoder_main};
use reading::{
    PageReader,
    cpu::{Stopwatch, thread_ms},
    engines::Engines,
    forms::FormSet,
    recognition::{DetectedLine, LineReading, RecognitionError, TextDetector, TextRecognizer},
};
use workers::{
    context::{WorkContext, WorkOptions},
    reader_pool::{OpenReader, ReaderPool},
    work_loop::WorkLoop,
};

/// How often the jobs are counted.
const LOOK: Duration = Duration::from_millis(50);
/// How long the loop may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    // The sandbox starts this program again to decode.
    if std::env::args_os().nth(1).is_some_and(|name| name == DECODE_SUBCOMMAND) {
        return decoder_main();
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure() -> Result<()> {
    let cases: PathBuf = argument("--cases", PathBuf::from("samples"))?;
    let models: PathBuf = argument("--models", installed_models())?;
    let every: usize = argument("--every", 1)?;
    let fixed_ms: f64 = argument("--fixed-ms", 40.0)?;
    let pages: Vec<Page> = pages_of(&cases)?.into_iter().step_by(every.max(1)).collect();
    ensure!(!pages.is_empty(), "{} has no pictures", cases.display());
    let options = reader_options(&models)?;
    let fixed: OpenReader = Arc::new(move || fixed_reader(fixed_ms));
    let real: OpenReader = Arc::new(move || PageReader::open(&options));
    let mut shapes = vec![Shape::Embedded];
    if argument("--distributed", false)? {
        shapes.push(Shape::distributed().await?);
    }

    println!(
        "| recognition | shape | workers | pages a second | CPU ms a page | of it without the pipeline |"
    );
    println!("|---|---|---|---|---|---|");
    for (name, open) in [(format!("{fixed_ms} ms"), fixed), ("real".to_owned(), real)] {
        let bare_ms = bare(&open, &pages)?;
        for (shape, workers) in shapes.iter().flat_map(|shape| [(shape, 1), (shape, 2)]) {
            let taken = through_pipeline(shape, &cases, &open, &pages, workers).await?;
            let count = pages.len() as f64;
            let ms = taken.cpu_seconds * 1000.0 / count;
            println!(
                "| {name} | {} | {workers} | {:.2} | {ms:.0} | {bare_ms:.0} ({:.0} %) |",
                shape.name(),
                count / taken.wall.as_secs_f64(),
                bare_ms / ms * 100.0
            );
        }
    }
    Ok(())
}

/// CPU milliseconds a page of recognition alone.
fn bare(open: &OpenReader, pages: &[Page]) -> Result<f64> {
    let mut reader = open()?;
    let started = thread_ms();
    for page in pages {
        pages::read(&mut reader, page)?;
    }
    Ok((thread_ms() - started) / pages.len() as f64)
}

/// What all pages took.
struct Taken {
    wall: Duration,
    cpu_seconds: f64,
}

/// From the first upload to the last job, in an archive of its own. Opening it and its readers and taking entered data
/// in is not counted: that is done once, not for each page.
async fn through_pipeline(
    shape: &Shape,
    cases: &Path,
    open: &OpenReader,
    pages: &[Page],
    workers: usize,
) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let archive = BenchArchive::open_at(&shape.new_archive(folder.path()).await?).await?;
    archive.backends.queue.probe().await?;
    import_entries(&archive, &cases.join("entries.csv")).await?;
    let intake = Intake::new(archive.backends.clone(), Limits::default(), 512 << 20);
    let sandbox = Sandbox::of_program(std::env::current_exe()?, Limits::default());
    let context = WorkContext {
        backends: archive.backends.clone(),
        readers: ReaderPool::start_with(workers, &sandbox, Arc::clone(open), PATIENCE),
        options: WorkOptions { slots: workers + 1, ..WorkOptions::default() },
        archival_pattern: ArchivalCodePattern::parse(DEFAULT_PATTERN)?,
    };
    let work = WorkLoop::start(&context, &JobName::ALL);
    wait_for_jobs(&context).await?;
    open_readers(&context.readers, workers, pages).await?;
    let (started, cpu_before) = (Instant::now(), cpu_seconds()?);
    for page in pages {
        let bytes = tokio::fs::read(&page.path).await?;
        let name = page.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let request = UploadRequest { size_hint: Some(bytes.len() as u64), ..UploadRequest::default() };
        let mut files = MemoryFiles::new(vec![(name, bytes.into())]);
        let receipt = intake.receive(&archive.caller, request, &mut files).await?;
        ensure!(!receipt.is_refused(), "the intake refused {}", page.path.display());
    }
    wait_for_jobs(&context).await?;
    let taken = Taken { wall: started.elapsed(), cpu_seconds: cpu_seconds()? - cpu_before };
    work.stop(PATIENCE).await;
    intake.close().await?;
    Ok(taken)
}

/// Gives every thread of the pool something to read, since readers are opened on first use.
async fn open_readers(readers: &Arc<ReaderPool>, workers: usize, pages: &[Page]) -> Result<()> {
    let page = pages.first().context("there is no page")?;
    let bytes = tokio::fs::read(&page.path).await?;
    let reading = (0..2 * workers).map(|_| readers.read(bytes.clone()));
    for outcome in join_all(reading).await {
        outcome?;
    }
    Ok(())
}

/// Entries make case files, so that pages are placed and checked as they would be.
async fn import_entries(archive: &BenchArchive, path: &Path) -> Result<()> {
    let file = std::fs::File::open(path).with_context(|| format!("{} is missing", path.display()))?;
    let importer = Importer { backends: archive.backends.clone(), settings: ApiSettings::default() };
    importer.import(&archive.caller, Box::new(file), EntryFormat::Csv, |_| {}).await?;
    Ok(())
}

async fn wait_for_jobs(context: &WorkContext) -> Result<()> {
    loop {
        let mut look = context.backends.database.begin_read().await?;
        let counts = look.jobs().counts().await?;
        drop(look);
        let dead: i64 = counts.iter().filter(|c| c.state == JobState::Dead).map(|c| c.count).sum();
        ensure!(dead == 0, "{dead} jobs were given up");
        if counts.iter().all(|count| count.state == JobState::Done) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A reader that takes so much CPU time for a page and finds nothing.
fn fixed_reader(ms: f64) -> Result<PageReader, RecognitionError> {
    let engines = Engines {
        detector: Box::new(Busy { ms }),
        labels: Box::new(Silent),
        values: Box::new(Silent),
        direction: None,
        second: None,
        cost: ReadingCost::default(),
        watch: Stopwatch::start(),
        second_looks_until_ms: 0.0,
    };
    let forms = FormSet::embedded()
        .map_err(|error| RecognitionError::Engine { engine: "fixed", source: error.into() })?;
    Ok(PageReader::with_engines(engines, forms))
}

struct Busy {
    ms: f64,
}

impl TextDetector for Busy {
    fn detect(&mut self, _: &RgbImage, _: u32) -> Result<Vec<DetectedLine>, RecognitionError> {
        let until = thread_ms() + self.ms;
        while thread_ms() < until {
            std::hint::spin_loop();
        }
        Ok(Vec::new())
    }
}

struct Silent;

impl TextRecognizer for Silent {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "fixed".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        Ok(vec![LineReading::nothing(); lines.len()])
    }
}
