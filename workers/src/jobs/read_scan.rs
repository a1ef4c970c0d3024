//! `read_scan`: decodes a scan in the sandbox, looks for barcodes, reads its pages.

use backends::{
    blob_store::BlobKey,
    clock::new_id,
    database::{pages::PageRow, readings::ReadingRow, scans::ScanRow},
    error::StorageError,
    vault::{DataKey, OpenStream},
};
use chrono::TimeDelta;
use domain::{
    ids::{PageId, ScanId},
    job::JobName,
    scan::ScanState,
};
use ingest::Fingerprint;

use super::{READING_GIVEN_UP, missing};
use crate::{
    context::{Claimed, JobFailure, WorkContext},
    reader_pool::{PageOutcome, ReadOutcome},
};

/// Reads one scan. Done already when the scan is past `received`, unless its reading was given up and is tried again.
pub(super) async fn run(context: &WorkContext, claimed: &Claimed, id: ScanId) -> Result<(), JobFailure> {
    let mut look = context.backends.database.begin_read().await?;
    let scan = look.scans().find(id).await?.ok_or_else(|| missing("the scan"))?;
    let known_pages = look.pages().of_scan(id).await?;
    drop(look);
    if !waits_to_be_read(&scan) {
        let tx = context.backends.database.begin().await?;
        return claimed.complete(context, tx, &[]).await;
    }
    let key = context.backends.vault.required_key(scan.key_id).await?;
    let bytes = load(context, &scan, key.clone()).await?;
    fail::fail_point!("read_scan::loaded");
    let outcome = context
        .readers
        .read(bytes)
        .await
        .map_err(|error| JobFailure::Retry { reason: error.to_string(), source: None })?;
    fail::fail_point!("read_scan::read");
    store(context, claimed, scan, &key, outcome, &known_pages).await
}

/// A scan whose reading was given up is read after all, unless a person has put it somewhere meanwhile.
fn waits_to_be_read(scan: &ScanRow) -> bool {
    let was_given_up = scan.state == ScanState::Unreadable
        && scan.problem.as_deref() == Some(READING_GIVEN_UP)
        && scan.placed_by.is_none();
    scan.state == ScanState::Received || was_given_up
}

/// The bytes as received, proved to be what was received. Opening and digesting tens of megabytes is done away from the
/// threads that wait.
async fn load(context: &WorkContext, scan: &ScanRow, key: DataKey) -> Result<Vec<u8>, JobFailure> {
    let blob = BlobKey::Scan(scan.id);
    let sealed = context.backends.blobs.get(blob).await?;
    let sealed =
        sealed.ok_or_else(|| JobFailure::Dead { reason: "the object of the scan is missing".to_owned() })?;
    let digest = scan.digest;
    let opening = tokio::task::spawn_blocking(move || {
        let bytes = OpenStream::open(&key, &blob.path(), &sealed)?;
        Ok(digest.is_of(&bytes).then_some(bytes))
    });
    let opened: Result<Option<Vec<u8>>, StorageError> =
        opening.await.map_err(|error| JobFailure::Retry { reason: error.to_string(), source: None })?;
    opened?.ok_or_else(|| JobFailure::Dead {
        reason: "the object of the scan is not what was received".to_owned(),
    })
}

async fn store(
    context: &WorkContext,
    claimed: &Claimed,
    mut scan: ScanRow,
    key: &DataKey,
    outcome: ReadOutcome,
    known_pages: &[PageRow],
) -> Result<(), JobFailure> {
    let from = scan.state;
    // Sealed before the transaction is begun, for nobody else can write while it lasts.
    let (mut rows, mut readings) = (Vec::new(), Vec::new());
    let result = match outcome {
        ReadOutcome::Unreadable { code } => {
            scan.state = ScanState::Unreadable;
            scan.problem = Some(code);
            "unreadable"
        }
        ReadOutcome::Pages(pages) => {
            for page in &pages {
                let page_id = page_id(context, known_pages, page.page_index as i64);
                rows.push(page_row(&scan, key, page_id, page)?);
                readings.extend(reading_row(context, &scan, key, page_id, page)?);
            }
            scan.problem = pages.iter().find_map(|page| page.problem.clone());
            scan.state = ScanState::Read;
            "read"
        }
    };
    let mut tx = context.backends.database.begin().await?;
    tx.pages().put(&rows).await?;
    for reading in &readings {
        tx.readings().insert(reading).await?;
    }
    tx.scans().update(&scan, from).await?;
    let next = tx.jobs().enqueue(&context.job(JobName::PlaceScan, scan.id.uuid(), TimeDelta::zero())).await?;
    tx.operation_log().append(&context.log_entry("read_scan", "scan", scan.id.uuid(), result)).await?;
    fail::fail_point!("read_scan::before_commit");
    claimed.complete(context, tx, &[next]).await?;
    fail::fail_point!("read_scan::after_commit");
    Ok(())
}

fn page_id(context: &WorkContext, known: &[PageRow], page_index: i64) -> PageId {
    let same = known.iter().find(|page| page.page_index == page_index);
    same.map_or_else(|| new_id(context.now()), |page| page.id)
}

fn page_row(scan: &ScanRow, key: &DataKey, id: PageId, page: &PageOutcome) -> Result<PageRow, JobFailure> {
    let facts_sealed = key.seal(PageRow::place(id), &page.facts)?;
    let seal = |bytes: Vec<u8>| key.seal_bytes(PageRow::fingerprint_place(id), &bytes);
    let fingerprint_sealed =
        page.fingerprint.as_ref().map(|fingerprint| seal(fingerprint.to_bytes())).transpose()?;
    let bands = page.fingerprint.as_ref().map(Fingerprint::bands).unwrap_or_default();
    Ok(PageRow {
        id,
        scan_id: scan.id,
        page_index: page.page_index as i64,
        width: i64::from(page.width),
        height: i64::from(page.height),
        problem: page.problem.clone(),
        facts_sealed: Some(facts_sealed),
        fingerprint_sealed,
        bands: bands.into_iter().map(i64::from).collect(),
    })
}

fn reading_row(
    context: &WorkContext,
    scan: &ScanRow,
    key: &DataKey,
    page_id: PageId,
    page: &PageOutcome,
) -> Result<Option<ReadingRow>, JobFailure> {
    let Some((engine, reading)) = &page.reading else { return Ok(None) };
    let now = context.now();
    let id = new_id(now);
    Ok(Some(ReadingRow {
        id,
        page_id,
        scan_id: scan.id,
        engine: engine.clone(),
        corrected_by: None,
        reading_sealed: key.seal(ReadingRow::place(id), reading)?,
        cpu_ms: reading.cost.cpu_ms as i64,
        made_at: now,
    }))
}
