//! The CPU pool: a few threads, each with its own reader, decode and read whole scans.
//!
//! It is the one owner of concurrency for recognition: engines add no threads of their own.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use domain::reading::{EngineVersion, PageReading};
use ingest::{
    Barcode, DecodeError, DecodeSession, Fingerprint, Resolution, Sandbox, find_barcodes, fingerprint,
};
use reading::{BarcodeHint, PageHints, PageReader, ReaderOptions, candidates::TextLayer};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::oneshot;

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
}

struct Request {
    bytes: Vec<u8>,
    answer: oneshot::Sender<Result<ReadOutcome, PoolError>>,
}

/// Reads scans on a bounded number of threads.
pub struct ReaderPool {
    requests: mpsc::SyncSender<Request>,
}

impl ReaderPool {
    /// Starts `threads` threads. Readers are opened on first use, so that starting is quick.
    pub fn start(threads: usize, sandbox: &Sandbox, options: &ReaderOptions) -> Arc<Self> {
        let (requests, queue) = mpsc::sync_channel::<Request>(1);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let (queue, sandbox, options) = (Arc::clone(&queue), sandbox.clone(), options.clone());
            let spawned = thread::Builder::new()
                .name(format!("reader-{number}"))
                .spawn(move || serve(&queue, &sandbox, &options));
            if let Err(error) = spawned {
                tracing::error!(error = %error, "a reading thread could not be started");
            }
        }
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

fn serve(queue: &Mutex<mpsc::Receiver<Request>>, sandbox: &Sandbox, options: &ReaderOptions) {
    let mut reader = None;
    loop {
        let request = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(request) = request else { return };
        // A panic in a recognition engine must cost one answer, not the thread.
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            read_scan(&mut reader, sandbox, options, &request.bytes)
        }));
        let answer = answer.unwrap_or_else(|_| {
            reader = None;
            Err(PoolError::Lost)
        });
        // The asker may have given up; then nobody misses the answer.
        let _ = request.answer.send(answer);
    }
}

fn read_scan(
    reader: &mut Option<PageReader>,
    sandbox: &Sandbox,
    options: &ReaderOptions,
    bytes: &[u8],
) -> Result<ReadOutcome, PoolError> {
    if reader.is_none() {
        *reader = Some(PageReader::open(options).map_err(|error| PoolError::NotReady(error.to_string()))?);
    }
    let Some(reader) = reader else { return Err(PoolError::Lost) };
    let mut session = match sandbox.open(bytes) {
        Ok(session) => session,
        Err(error) if error.may_be_retried() => return Err(PoolError::NotReady(error.to_string())),
        Err(error) => return Ok(ReadOutcome::Unreadable { code: error.code().to_owned() }),
    };
    let mut pages = Vec::with_capacity(session.page_count());
    for page_index in 0..session.page_count() {
        match read_page(reader, &mut session, page_index) {
            Ok(page) => pages.push(page),
            Err(DecodeError::Page { fault, .. }) => pages.push(failed_page(page_index, fault.code())),
            // The child is gone: keep the pages that worked, name the first that did not.
            Err(error) if pages.is_empty() => {
                return Ok(ReadOutcome::Unreadable { code: error.code().to_owned() });
            }
            Err(error) => {
                pages.push(failed_page(page_index, error.code()));
                break;
            }
        }
    }
    if pages.iter().all(|page| page.problem.is_some()) {
        let code =
            pages.iter().find_map(|page| page.problem.clone()).unwrap_or_else(|| "no_pages".to_owned());
        return Ok(ReadOutcome::Unreadable { code });
    }
    Ok(ReadOutcome::Pages(pages))
}

fn failed_page(page_index: usize, code: &str) -> PageOutcome {
    PageOutcome {
        page_index,
        width: 0,
        height: 0,
        problem: Some(code.to_owned()),
        facts: PageFacts::default(),
        fingerprint: None,
        reading: None,
    }
}

/// What the page says of itself; nothing where it has no text or none that can be read. The picture is there
/// already, so that a text which ends the child costs no more than itself and the pages behind.
fn text_layer(session: &mut DecodeSession, page_index: usize) -> TextLayer {
    if !session.description().pages.get(page_index).is_some_and(|page| page.has_text_layer) {
        return TextLayer::default();
    }
    match session.text(page_index) {
        Ok(text) => TextLayer::of(&text),
        Err(error) => {
            tracing::info!(
                page_number = page_index + 1,
                code = error.code(),
                "a text layer could not be read"
            );
            TextLayer::default()
        }
    }
}

fn read_page(
    reader: &mut PageReader,
    session: &mut DecodeSession,
    page_index: usize,
) -> Result<PageOutcome, DecodeError> {
    let page = session.page(page_index, Resolution::Native)?;
    let barcodes = find_barcodes(&page.pixels);
    let hint = |barcode: &Barcode| BarcodeHint { text: barcode.text.clone(), region: Some(barcode.region) };
    let hints = PageHints {
        barcodes: barcodes.iter().map(hint).collect(),
        text_layer: text_layer(session, page_index),
    };
    let (reading, problem) = match reader.read_page(&page.pixels, page.dpi, &hints) {
        Ok(reading) => (Some((reader.version(), reading)), None),
        Err(error) => {
            tracing::warn!(page_number = page_index + 1, error = %error, "a page could not be read");
            (None, Some("page_not_read".to_owned()))
        }
    };
    Ok(PageOutcome {
        page_index,
        width: page.pixels.width(),
        height: page.pixels.height(),
        problem,
        facts: PageFacts { barcodes: barcodes.into_iter().map(|barcode| barcode.text).collect() },
        fingerprint: fingerprint(&page.pixels),
        reading,
    })
}
