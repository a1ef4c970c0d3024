//! The pool of reading threads with engines that crash and hang.

#![expect(clippy::unwrap_used, reason = "a broken behaviour must fail the test where it shows")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use archive_tests::{scans::small_page, server::program};
use domain::reading::{EngineVersion, ReadingCost};
use image::RgbImage;
use ingest::{Limits, Sandbox};
use reading::{
    PageReader,
    cpu::Stopwatch,
    engines::Engines,
    forms::FormSet,
    recognition::{DetectedLine, LineReading, RecognitionError, TextDetector, TextRecognizer},
};
use workers::reader_pool::{OpenReader, PoolError, ReadOutcome, ReaderPool};

/// Longer than reading a small page takes on any machine.
const PAGE_LIMIT: Duration = Duration::from_secs(6);

/// What an engine does with its first page; afterwards it finds nothing.
#[derive(Debug, Clone, Copy)]
enum First {
    Crashes,
    Hangs,
}

struct ScriptedDetector {
    first: First,
    asked: Arc<AtomicUsize>,
}

impl TextDetector for ScriptedDetector {
    fn detect(&mut self, _: &RgbImage, _: u32) -> Result<Vec<DetectedLine>, RecognitionError> {
        match (self.asked.fetch_add(1, Ordering::SeqCst), self.first) {
            (0, First::Crashes) => panic!("as the script says"),
            (0, First::Hangs) => loop {
                thread::park();
            },
            _ => Ok(Vec::new()),
        }
    }
}

struct Silent;

impl TextRecognizer for Silent {
    fn version(&self) -> EngineVersion {
        EngineVersion { engine: "scripted".to_owned(), version: "1".to_owned() }
    }

    fn recognize(&mut self, lines: &[RgbImage]) -> Result<Vec<LineReading>, RecognitionError> {
        Ok(vec![LineReading::nothing(); lines.len()])
    }
}

fn pool(first: First) -> Arc<ReaderPool> {
    let asked = Arc::new(AtomicUsize::new(0));
    let open: OpenReader = Arc::new(move || {
        let engines = Engines {
            detector: Box::new(ScriptedDetector { first, asked: Arc::clone(&asked) }),
            labels: Box::new(Silent),
            values: Box::new(Silent),
            direction: None,
            second: None,
            cost: ReadingCost::default(),
            watch: Stopwatch::start(),
            second_looks_until_ms: 0.0,
        };
        Ok(PageReader::with_engines(engines, FormSet::embedded().unwrap()))
    });
    let sandbox = Sandbox::new(program().unwrap(), Limits::default());
    ReaderPool::start_with(1, &sandbox, open, PAGE_LIMIT)
}

async fn read(pool: &Arc<ReaderPool>, seed: u64) -> Result<ReadOutcome, PoolError> {
    pool.read(small_page(seed).unwrap().bytes.clone()).await
}

fn is_read(outcome: &Result<ReadOutcome, PoolError>) -> bool {
    matches!(outcome, Ok(ReadOutcome::Pages(pages)) if pages.iter().all(|page| page.reading.is_some()))
}

#[tokio::test]
async fn an_engine_that_crashes_costs_one_answer() {
    let pool = pool(First::Crashes);

    let (first, second) = (read(&pool, 1).await, read(&pool, 2).await);

    assert!(matches!(first, Err(PoolError::Lost)), "{first:?}");
    assert!(is_read(&second), "{second:?}");
}

#[tokio::test]
async fn another_thread_takes_the_place_of_one_that_hangs() {
    let pool = pool(First::Hangs);

    let (first, second) = (read(&pool, 3).await, read(&pool, 4).await);

    assert!(matches!(first, Err(PoolError::TimedOut { .. })), "{first:?}");
    assert!(is_read(&second), "{second:?}");
}

#[test]
fn the_decoder_beside_the_program_is_run() {
    let program = program().unwrap();

    let sandbox = Sandbox::of_program(program.clone(), Limits::default());

    assert_eq!(sandbox.executable, program.with_file_name("guidang-decoder"));
    let page = small_page(5).unwrap();
    assert!(sandbox.describe(&page.bytes).is_ok());
}
