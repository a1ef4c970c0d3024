//! What makes an upload received: its row, its scans, their jobs and the log, in one transaction.
//!
//! Uploads that are ready at the same time share it: each waits for the same sync of the catalogue, and as many
//! statements are sent for all as for one.

use std::collections::HashMap;

use backends::{
    clock::new_id,
    connect::Backends,
    database::{
        Transaction,
        jobs::JobRow,
        operation_log::LogEntry,
        scans::{NewUpload, ScanRow, UploadItem, UploadRow},
    },
    error::StorageError,
    queue::Ring,
    trace::TraceParent,
};
use domain::{ids::ScanId, job::JobName};

use super::{
    Outcome, UploadRequest, UploadUnderWay,
    receipt::{LINKED, RECEIVED},
    sign_of_life::SignOfLife,
    source::Labels,
    storing::{self, StoredFile},
};
use crate::caller::Caller;

/// An upload whose objects are durable and whose rows are not written yet.
pub(super) struct ReadyUpload {
    pub row: UploadRow,
    outcomes: Vec<Outcome>,
    stored: HashMap<usize, StoredFile>,
    caller: Caller,
    /// Its entry of the log, but for the result.
    entry: LogEntry,
    trace: Option<TraceParent>,
    pub sign: SignOfLife,
}

/// What was written of an upload.
pub(super) struct Written {
    pub items: Vec<UploadItem>,
    /// What has to be rung for; of uploads written together the first one has it for all.
    pub rings: Vec<Ring>,
    /// Scans that somebody else brought meanwhile.
    pub superfluous: Vec<ScanRow>,
    pub sizes_bytes: Vec<i64>,
}

/// How writing failed.
pub(super) enum Failure {
    /// Certainly nothing was written.
    BeforeCommit(StorageError),
    /// Perhaps it was.
    InCommit(StorageError),
}

impl Failure {
    /// The same for another upload that was to be written with it.
    pub(super) fn for_another(&self) -> Self {
        match self {
            Self::BeforeCommit(error) => Self::BeforeCommit(error.for_another()),
            Self::InCommit(error) => Self::InCommit(error.for_another()),
        }
    }
}

impl ReadyUpload {
    pub(super) fn new(
        sign: SignOfLife,
        caller: &Caller,
        request: &UploadRequest,
        outlet: Option<String>,
        upload: UploadUnderWay,
    ) -> Self {
        let now = sign.now();
        let row = UploadRow {
            id: new_id(now),
            account_id: caller.account.id,
            idempotency_key: request.idempotency_key.clone(),
            outlet_code: outlet,
            files_digest: Some(upload.digest.finish()),
            received_at: now,
        };
        let entry = caller.log_entry(now, "upload", ("upload", row.id.to_string()), "");
        let UploadUnderWay { outcomes, stored, .. } = upload;
        Self { row, outcomes, stored, caller: caller.clone(), entry, trace: TraceParent::current(), sign }
    }

    /// Scans whose objects were made for this upload.
    pub(super) fn new_scans(&self) -> Vec<&ScanRow> {
        self.stored.values().filter_map(StoredFile::new_scan).collect()
    }

    /// What is to be written, when `before` is written with it and first.
    async fn settled(&self, tx: &mut dyn Transaction, before: &[Settled]) -> Result<Settled, StorageError> {
        let (mut scans, mut linked, mut superfluous) = (Vec::new(), HashMap::new(), Vec::new());
        let mut indices: Vec<&usize> = self.stored.keys().collect();
        indices.sort_unstable();
        for index in indices {
            let Some(StoredFile::New(scan)) = self.stored.get(index) else { continue };
            match self.twin_of(scan, tx, before).await? {
                Some(twin) => {
                    linked.insert(scan.id, twin);
                    superfluous.push((**scan).clone());
                }
                None => scans.push(ScanRow { upload_id: self.row.id, ..(**scan).clone() }),
            }
        }
        let items = self.items(&linked);
        Ok(Settled { upload: NewUpload { row: self.row.clone(), scans, items }, superfluous })
    }

    /// The scan with the same bytes for the same acceptance that came first after all.
    async fn twin_of(
        &self,
        scan: &ScanRow,
        tx: &mut dyn Transaction,
        before: &[Settled],
    ) -> Result<Option<ScanId>, StorageError> {
        let labels = Labels {
            slip_number: scan.slip_number_given.clone(),
            outlet: scan.outlet_code.clone(),
            slot: scan.slot_given,
        };
        let there = storing::twin_of(tx, &self.caller, &scan.digest, &labels).await?;
        if there.is_some() || labels.slip_number.is_none() {
            return Ok(there);
        }
        for other in before.iter().flat_map(|settled| &settled.upload.scans) {
            if other.digest == scan.digest
                && storing::is_of_acceptance(tx, &self.caller, other, &labels).await?
            {
                return Ok(Some(other.id));
            }
        }
        Ok(None)
    }

    fn items(&self, linked: &HashMap<ScanId, ScanId>) -> Vec<UploadItem> {
        let scan_at = |index: &usize| self.stored.get(index).map(StoredFile::scan_id);
        let mut items = Vec::with_capacity(self.outcomes.len());
        for (index, outcome) in self.outcomes.iter().enumerate() {
            let mut page_number = None;
            let (scan_id, outcome) = match outcome {
                Outcome::Refused(refusal) => {
                    page_number = refusal.page_number().map(i64::from);
                    (None, refusal.code())
                }
                Outcome::SameAs(first) => (scan_at(first), LINKED),
                Outcome::Pending => match self.stored.get(&index) {
                    Some(StoredFile::New(scan)) if !linked.contains_key(&scan.id) => {
                        (Some(scan.id), RECEIVED)
                    }
                    _ => (scan_at(&index), LINKED),
                },
            };
            let scan_id = scan_id.map(|id| linked.get(&id).copied().unwrap_or(id));
            let item_number = index as i64 + 1;
            items.push(UploadItem { item_number, scan_id, outcome: outcome.to_owned(), page_number });
        }
        items
    }

    fn jobs(&self, scans: &[ScanRow]) -> Vec<JobRow> {
        let job = |scan: &ScanRow| {
            let job = JobRow::due_at_once(JobName::ReadScan, scan.id.uuid(), self.row.received_at);
            JobRow { trace: self.trace.clone(), ..job }
        };
        scans.iter().map(job).collect()
    }

    fn log_entry(&self, items: &[UploadItem]) -> LogEntry {
        let count = |outcome: &str| items.iter().filter(|item| item.outcome == outcome).count();
        let (received, links) = (count(RECEIVED), count(LINKED));
        let refused = items.len() - received - links;
        let result = format!("received={received} linked={links} refused={refused}");
        LogEntry { result, ..self.entry.clone() }
    }
}

/// An upload of which it is known what is new in it.
struct Settled {
    upload: NewUpload,
    superfluous: Vec<ScanRow>,
}

/// Writes these uploads, all or none.
pub(super) async fn write(backends: &Backends, uploads: &[&ReadyUpload]) -> Result<Vec<Written>, Failure> {
    let mut tx = backends.database.begin().await.map_err(Failure::BeforeCommit)?;
    let written = write_rows(tx.as_mut(), uploads).await.map_err(Failure::BeforeCommit)?;
    fail::fail_point!("intake::before_commit");
    tx.commit().await.map_err(|error| match error {
        // An engine without room says so before anything is kept; what was stored must not take up more of it.
        StorageError::Full { .. } => Failure::BeforeCommit(error),
        error => Failure::InCommit(error),
    })?;
    Ok(written)
}

async fn write_rows(
    tx: &mut dyn Transaction,
    uploads: &[&ReadyUpload],
) -> Result<Vec<Written>, StorageError> {
    let mut settled = Vec::with_capacity(uploads.len());
    for upload in uploads {
        upload.sign.end(tx).await?;
        let one = upload.settled(tx, &settled).await?;
        settled.push(one);
    }
    let (mut jobs, mut entries) = (Vec::new(), Vec::with_capacity(uploads.len()));
    for (upload, Settled { upload: new, .. }) in uploads.iter().zip(&settled) {
        jobs.extend(upload.jobs(&new.scans));
        entries.push(upload.log_entry(&new.items));
    }
    let (new, superfluous): (Vec<_>, Vec<_>) =
        settled.into_iter().map(|Settled { upload, superfluous }| (upload, superfluous)).unzip();
    tx.scans().insert_uploads(&new).await?;
    let mut rings = tx.jobs().enqueue_all(&jobs).await?;
    tx.operation_log().append_all(&entries).await?;
    let written = new.into_iter().zip(superfluous).map(|(new, superfluous)| Written {
        items: new.items,
        rings: std::mem::take(&mut rings),
        superfluous,
        sizes_bytes: new.scans.iter().map(|scan| scan.size_bytes).collect(),
    });
    Ok(written.collect())
}
