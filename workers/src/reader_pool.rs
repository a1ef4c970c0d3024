//! The CPU pool: a few threads, each with its own reader, decode and read whole scans.
//!
//! It is the one owner of concurrency for recognition: engines add no threads of their own.

mod scan;
mod turn;

use std::{
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread,
    time::Duration,
};

use domain::reading::{EngineVersion, PageReading};
use ingest::{Fingerprint, Sandbox};
use reading::{PageReader, ReaderOptions, recognition::RecognitionError};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::oneshot;

use self::turn::{Answer, Turn};

/// What a page may take, decoding included; the slowest took a few seconds on a machine with eight times more work
/// than cores.
const PAGE_LIMIT: Duration = Duration::from_mins(3);
/// How often the watch looks at the threads, at least.
const MOST_BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Name of the thread that watches.
const WATCH: &str = "reader-watch";

/// What was found on a page besides print. Personal data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PageFacts {
    /// Texts of the barcodes, Code 128 before QR.
    pub barcodes: Vec<String>,
}

/// One page as decoded and read.
#[derive(Debug)]
pub struct PageOutcome {
    /// 0 for the first.
    pub page_index: usize,
    /// Pixels; 0 when it was not decoded.
    pub width: u32,
    /// Pixels; 0 when it was not decoded.
    pub height: u32,
    /// Why it could not be decoded or read, as a code of `docs/errors`.
    pub problem: Option<String>,
    /// Barcodes.
    pub facts: PageFacts,
    /// For `duplicate_scan`.
    pub fingerprint: Option<Fingerprint>,
    /// What was read, and by what.
    pub reading: Option<(EngineVersion, PageReading)>,
}

/// What became of a scan.
#[derive(Debug)]
pub enum ReadOutcome {
    /// Its pages, those that failed included.
    Pages(Vec<PageOutcome>),
    /// It cannot be decoded at all; a person must look.
    Unreadable {
        /// As a code of `docs/errors`.
        code: String,
    },
}

/// The pool gave no answer.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The reader cannot be opened: models are missing, or the sandbox cannot be started.
    #[error("scans cannot be read now: {0}")]
    NotReady(String),
    /// The thread that read ended; another takes its place.
    #[error("the reading thread ended without an answer")]
    Lost,
    /// A page took too long.
    #[error("a page could not be read within {limit:?}")]
    TimedOut {
        /// What it may take.
        limit: Duration,
    },
}

struct Request {
    bytes: Vec<u8>,
    answer: Answer,
}

/// Opens the reader of one thread.
pub type OpenReader = Arc<dyn Fn() -> Result<PageReader, RecognitionError> + Send + Sync>;

/// Reads scans on a bounded number of threads.
pub struct ReaderPool {
    requests: mpsc::SyncSender<Request>,
}

impl ReaderPool {
    /// Starts `threads` threads, whose readers have these options.
    pub fn start(threads: usize, sandbox: &Sandbox, options: &ReaderOptions) -> Arc<Self> {
        let options = options.clone();
        Self::start_with(threads, sandbox, Arc::new(move || PageReader::open(&options)), PAGE_LIMIT)
    }

    /// Starts `threads` threads with readers of the caller's choice, which may take `page_limit` for a page. They are
    /// opened on first use, so that starting is quick.
    pub fn start_with(
        threads: usize,
        sandbox: &Sandbox,
        open: OpenReader,
        page_limit: Duration,
    ) -> Arc<Self> {
        let (requests, queue) = mpsc::sync_channel::<Request>(1);
        let shared = Arc::new(Shared { queue: Mutex::new(queue), sandbox: sandbox.clone(), open });
        let turns: Vec<Arc<Turn>> = (0..threads.max(1)).map(|number| start_thread(&shared, number)).collect();
        let watched = Arc::downgrade(&shared);
        start(WATCH.to_owned(), move || watch(&watched, turns, page_limit));
        Arc::new(Self { requests })
    }

    /// Decodes and reads one scan.
    pub async fn read(self: &Arc<Self>, bytes: Vec<u8>) -> Result<ReadOutcome, PoolError> {
        let (answer, answered) = oneshot::channel();
        let pool = Arc::clone(self);
        let handed =
            tokio::task::spawn_blocking(move || pool.requests.send(Request { bytes, answer }).is_ok()).await;
        if !handed.unwrap_or(false) {
            return Err(PoolError::Lost);
        }
        answered.await.map_err(|_| PoolError::Lost)?
    }
}

/// What all threads use.
struct Shared {
    queue: Mutex<mpsc::Receiver<Request>>,
    sandbox: Sandbox,
    open: OpenReader,
}

fn start_thread(shared: &Arc<Shared>, number: usize) -> Arc<Turn> {
    let turn = Arc::new(Turn::default());
    let (shared, of_thread) = (Arc::clone(shared), Arc::clone(&turn));
    start(format!("reader-{number}"), move || serve(&shared, &of_thread));
    turn
}

fn start(name: String, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name).spawn(work) {
        tracing::error!(error = %error, "a thread for reading could not be started");
    }
}

/// Reads one scan after the other, until no more come or a turn was given up.
fn serve(shared: &Shared, turn: &Turn) {
    let mut reader = None;
    loop {
        let request = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Request { bytes, answer }) = request else { return };
        turn.begin(answer);
        // A panic in a recognition engine must cost one answer, not the thread.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scan::read_scan(&mut reader, &shared.sandbox, &shared.open, (&bytes, turn))
        }));
        let outcome = outcome.unwrap_or_else(|_| {
            reader = None;
            Err(PoolError::Lost)
        });
        let Some(answer) = turn.end() else { return };
        // The asker may have given up; then nobody misses the answer.
        let _ = answer.send(outcome);
    }
}

/// Puts another thread in the place of one that gets nowhere: an engine that hangs cannot be stopped, only left.
fn watch(shared: &Weak<Shared>, mut turns: Vec<Arc<Turn>>, page_limit: Duration) {
    while let Some(shared) = shared.upgrade() {
        for (number, turn) in turns.iter_mut().enumerate() {
            if let Some(answer) = turn.give_up_after(page_limit) {
                tracing::error!(
                    thread = number,
                    "reading a page takes too long; its thread is left to itself"
                );
                *turn = start_thread(&shared, number);
                let _ = answer.send(Err(PoolError::TimedOut { limit: page_limit }));
            }
        }
        drop(shared);
        thread::sleep((page_limit / 8).min(MOST_BETWEEN_LOOKS));
    }
}
