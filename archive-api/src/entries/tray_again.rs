//! Scans that wait in the tray are placed again when entries came: their acceptance may be among them.

use std::collections::BTreeSet;

use backends::{connect::Backends, database::jobs::JobRow, error::StorageError};
use domain::{ids::ScanId, job::JobName, scan::ScanState};

use crate::record;

/// Scans of the tray that are loaded at a time.
const TRAY_PAGE: i64 = 200;

/// Scans in the tray.
enum Whose<'a> {
    /// That came from these outlets.
    Outlets(&'a [String]),
    /// That came without an outlet, and may belong to any.
    Nobodys,
}

/// Has those placed again that came from outlets for which something was entered, or from none.
pub(super) async fn place(backends: &Backends, touched: &BTreeSet<String>) -> Result<(), StorageError> {
    if touched.is_empty() {
        return Ok(());
    }
    let outlets: Vec<String> = touched.iter().cloned().collect();
    for whose in [Whose::Outlets(&outlets), Whose::Nobodys] {
        let mut after = None;
        while let Some(last) = place_page(backends, &whose, after).await? {
            after = Some(last);
        }
    }
    Ok(())
}

/// Has a page of the tray placed again; gives the last scan of it.
async fn place_page(
    backends: &Backends,
    whose: &Whose<'_>,
    after: Option<ScanId>,
) -> Result<Option<ScanId>, StorageError> {
    let mut tx = backends.database.begin().await?;
    let waiting = match whose {
        Whose::Outlets(outlets) => {
            tx.scans().in_state(ScanState::Tray, Some(outlets), after, TRAY_PAGE).await?
        }
        Whose::Nobodys => tx.scans().without_outlet(ScanState::Tray, after, TRAY_PAGE).await?,
    };
    let Some(last) = waiting.last() else { return Ok(None) };
    let mut jobs = Vec::with_capacity(waiting.len());
    for scan in &waiting {
        let job = JobRow::due_at_once(JobName::PlaceScan, scan.id.uuid(), backends.clock.now());
        jobs.push(tx.jobs().enqueue(&job).await?);
    }
    tx.commit().await?;
    record::announce(backends, &jobs).await;
    Ok(Some(last.id))
}
