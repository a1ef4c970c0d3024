//! One scan: decoded in the sandbox, its barcodes looked for, its pages read.

use ingest::{Barcode, DecodeError, DecodeSession, Resolution, Sandbox, find_barcodes, fingerprint};
use reading::{BarcodeHint, PageHints, PageReader, candidates::TextLayer};

use super::{OpenReader, PageFacts, PageOutcome, PoolError, ReadOutcome, turn::Turn};

/// Reads a scan page by page, and tells the watch after each that it goes on.
pub(super) fn read_scan(
    reader: &mut Option<PageReader>,
    sandbox: &Sandbox,
    open: &OpenReader,
    (bytes, turn): (&[u8], &Turn),
) -> Result<ReadOutcome, PoolError> {
    if reader.is_none() {
        *reader = Some(open().map_err(|error| PoolError::NotReady(error.to_string()))?);
    }
    let Some(reader) = reader else { return Err(PoolError::Lost) };
    let mut session = match sandbox.open(bytes) {
        Ok(session) => session,
        Err(error) if error.may_be_retried() => return Err(PoolError::NotReady(error.to_string())),
        Err(error) => return Ok(ReadOutcome::Unreadable { code: error.code().to_owned() }),
    };
    let mut pages = Vec::with_capacity(session.page_count());
    for page_index in 0..session.page_count() {
        turn.goes_on();
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
