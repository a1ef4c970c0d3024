//! The one transaction that makes an upload received: its row, its scans, their jobs, the log.

use std::collections::HashMap;

use backends::{
    clock::new_id,
    connect::Backends,
    database::{
        Transaction,
        jobs::JobRow,
        scans::{ScanRow, UploadItem, UploadRow},
    },
    error::StorageError,
    queue::Ring,
};
use domain::{
    ids::{ScanId, UploadId},
    job::JobName,
};
use ingest::Limits;

use super::{
    IntakeError, Outcome, UploadRequest, UploadUnderWay,
    receipt::{LINKED, RECEIVED, UploadReceipt},
    source::Labels,
    storing::{self, StoredFile},
};
use crate::{caller::Caller, record};

/// What an upload is recorded with.
pub(super) struct Recording<'a> {
    pub caller: &'a Caller,
    pub request: &'a UploadRequest,
    pub outlet: Option<String>,
    pub limits: &'a Limits,
}

/// What was written.
struct Written {
    upload: UploadRow,
    items: Vec<UploadItem>,
    jobs: Vec<Ring>,
    superfluous: Vec<ScanRow>,
}

impl Recording<'_> {
    /// Writes everything or nothing, then rings for the jobs.
    pub(super) async fn record(
        &self,
        backends: &Backends,
        upload: UploadUnderWay,
    ) -> Result<UploadReceipt, IntakeError> {
        fail::fail_point!("intake::stored");
        let written = self.write(backends, &upload).await;
        let Written { upload: row, items, jobs, superfluous } = match written {
            Ok(written) => written,
            Err(failure) => return self.after_failure(backends, upload, failure).await,
        };
        fail::fail_point!("intake::after_commit");
        record::announce(backends, &jobs).await;
        storing::remove(backends, &superfluous.iter().collect::<Vec<_>>()).await;
        Ok(UploadReceipt::of(&row, items, self.limits))
    }

    async fn write(&self, backends: &Backends, upload: &UploadUnderWay) -> Result<Written, Failure> {
        let now = backends.clock.now();
        let row = UploadRow {
            id: new_id(now),
            account_id: self.caller.account.id,
            idempotency_key: self.request.idempotency_key.clone(),
            outlet_code: self.outlet.clone(),
            received_at: now,
        };
        let mut tx = backends.database.begin().await.map_err(Failure::BeforeCommit)?;
        let written = self.write_rows(tx.as_mut(), row, upload).await.map_err(Failure::BeforeCommit)?;
        fail::fail_point!("intake::before_commit");
        match tx.commit().await {
            Ok(()) => Ok(written),
            Err(error) => Err(Failure::InCommit(written.upload.id, error)),
        }
    }

    async fn write_rows(
        &self,
        tx: &mut dyn Transaction,
        row: UploadRow,
        upload: &UploadUnderWay,
    ) -> Result<Written, StorageError> {
        let (new, linked, superfluous) = settle_twins(tx, &row, upload).await?;
        let items = items(upload, &linked);
        tx.scans().insert_upload(&row, &new, &items).await?;
        let mut jobs = Vec::with_capacity(new.len());
        for scan in &new {
            let job = JobRow::due_at_once(JobName::ReadScan, scan.id.uuid(), row.received_at);
            jobs.push(tx.jobs().enqueue(&job).await?);
        }
        let count = |outcome: &str| items.iter().filter(|item| item.outcome == outcome).count();
        let (received, links) = (count(RECEIVED), count(LINKED));
        let refused = items.len() - received - links;
        let result = format!("received={received} linked={links} refused={refused}");
        let entry = self.caller.log_entry(row.received_at, "upload", ("upload", row.id.to_string()), &result);
        tx.operation_log().append(&entry).await?;
        Ok(Written { upload: row, items, jobs, superfluous })
    }

    /// Nothing was kept if that is certain; an upload with the same key that was quicker has its answer given.
    async fn after_failure(
        &self,
        backends: &Backends,
        upload: UploadUnderWay,
        failure: Failure,
    ) -> Result<UploadReceipt, IntakeError> {
        let error = match failure {
            Failure::BeforeCommit(error) => error,
            Failure::InCommit(id, error) => {
                let mut tx = backends.database.begin_read().await?;
                // The connection may have broken after the commit was made: then the upload is there.
                if let Some(row) = tx.scans().find_upload(id).await? {
                    return Ok(UploadReceipt::load(tx.as_mut(), &row, self.limits).await?);
                }
                error
            }
        };
        upload.give_up(backends).await;
        if let (StorageError::Conflict { .. }, Some(key)) = (&error, &self.request.idempotency_key) {
            let mut tx = backends.database.begin_read().await?;
            if let Some(row) = tx.scans().upload_by_key(self.caller.account.id, key).await? {
                return Ok(UploadReceipt::load(tx.as_mut(), &row, self.limits).await?);
            }
        }
        Err(error.into())
    }
}

/// How recording failed.
enum Failure {
    /// Certainly nothing was written.
    BeforeCommit(StorageError),
    /// Perhaps it was.
    InCommit(UploadId, StorageError),
}

type Settled = (Vec<ScanRow>, HashMap<ScanId, ScanId>, Vec<ScanRow>);

/// Scans to be written; those that somebody else brought meanwhile, and what they are links to; and their rows.
async fn settle_twins(
    tx: &mut dyn Transaction,
    upload_row: &UploadRow,
    upload: &UploadUnderWay,
) -> Result<Settled, StorageError> {
    let (mut new, mut linked, mut superfluous) = (Vec::new(), HashMap::new(), Vec::new());
    let mut indices: Vec<&usize> = upload.stored.keys().collect();
    indices.sort_unstable();
    for index in indices {
        let Some(StoredFile::New(scan)) = upload.stored.get(index) else { continue };
        let labels = Labels {
            slip_number: scan.slip_number_given.clone(),
            outlet: scan.outlet_code.clone(),
            slot: scan.slot_given,
        };
        match storing::twin_of(tx, &scan.digest, &labels).await? {
            Some(twin) => {
                linked.insert(scan.id, twin);
                superfluous.push((**scan).clone());
            }
            None => new.push(ScanRow { upload_id: upload_row.id, ..(**scan).clone() }),
        }
    }
    Ok((new, linked, superfluous))
}

fn items(upload: &UploadUnderWay, linked: &HashMap<ScanId, ScanId>) -> Vec<UploadItem> {
    let mut items = Vec::with_capacity(upload.outcomes.len());
    for (index, outcome) in upload.outcomes.iter().enumerate() {
        let (scan_id, outcome) = match outcome {
            Outcome::Refused(refusal) => (None, refusal.code()),
            Outcome::SameAs(first) => (upload.scan_at(*first), LINKED),
            Outcome::Pending => match upload.stored.get(&index) {
                Some(StoredFile::New(scan)) if !linked.contains_key(&scan.id) => (Some(scan.id), RECEIVED),
                _ => (upload.scan_at(index), LINKED),
            },
        };
        let scan_id = scan_id.map(|id| linked.get(&id).copied().unwrap_or(id));
        items.push(UploadItem { item_number: index as i64 + 1, scan_id, outcome: outcome.to_owned() });
    }
    items
}
