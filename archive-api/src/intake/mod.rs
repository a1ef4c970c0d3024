//! Intake: files become scans that are kept safe, for the API and for commands alike.
//!
//! Nothing is stored of a file that is refused. What is taken is sealed under a key of its own and durable before its
//! row is; "received" is said after the row is. No plaintext touches the disk: a small file stays in memory until it is
//! sealed, a large one is sealed as it comes, and a budget bounds what all requests hold together.

mod keys;
mod multipart;
mod part_head;
mod post_scans;
mod receipt;
mod recorder;
mod recording;
mod repetition;
mod sign_of_life;
mod source;
mod storing;
mod streaming;
mod taking;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use backends::{connect::Backends, digest::ContentDigest, error::StorageError};
use domain::{
    access::{Action, Permission},
    field::Slot,
};
use ingest::{Limits, Refusal};
use tokio::{sync::Semaphore, task::JoinSet};

use self::{
    keys::KeyReserve,
    recorder::Recorder,
    recording::{Failure, ReadyUpload, Written},
    repetition::FilesDigest,
    sign_of_life::{LivingSource, SignOfLife},
    storing::StoredFile,
    streaming::{FILE_MEMORY_BYTES, StreamedFile},
    taking::{HeldFile, MEMORY_UNIT_BYTES, Taken},
};
pub(crate) use self::{
    multipart::MultipartSource,
    post_scans::{post_scans, receipt_response, receive_request},
};
pub use self::{
    receipt::{FileOutcome, FileReceipt, UploadReceipt},
    source::{FileHead, FileSource, Labels, SourceError},
};
use crate::{caller::Caller, metrics::count_bytes, record};

/// Files of one request at most.
pub const MAX_FILES: usize = 1000;
/// A batch is stored when it has so many files …
const BATCH_FILES: usize = 8;
/// … or so many bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Batches that are being stored while the next one comes in.
const BATCHES_UNDER_WAY: usize = 2;

/// What is said about an upload as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadRequest {
    /// What stands for the sender's key: the same files under the same key from the same account get the same answer
    /// again. Never the key as it was sent, in which anything may stand.
    pub idempotency_key: Option<String>,
    /// What holds for every file that says nothing else.
    pub labels: Labels,
    /// How many bytes will come, if the sender said so.
    pub size_hint: Option<u64>,
}

/// Why an upload was not taken; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The sender failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The sender may not upload, or not for this outlet.
    #[error("the account may not upload for this outlet")]
    NotAllowed,
    /// There was no file.
    #[error("there is no file in the upload")]
    NoFiles,
    /// The idempotency key was used for other files, or for the same with other labels.
    #[error("the idempotency key was used for another upload")]
    KeyUsed,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Takes scans in. Share it: budget and reserve of keys are for all requests together.
pub struct Intake {
    backends: Backends,
    limits: Limits,
    memory: Arc<Semaphore>,
    memory_units: u32,
    keys: Arc<KeyReserve>,
    recorder: Recorder,
}

impl Intake {
    /// An intake whose requests hold at most `memory_bytes` together, but always room for one file.
    pub fn new(backends: Backends, limits: Limits, memory_bytes: u64) -> Self {
        let one_file = limits.max_bytes.min(FILE_MEMORY_BYTES);
        let units = memory_bytes.max(one_file).div_ceil(MEMORY_UNIT_BYTES);
        let memory_units = u32::try_from(units).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32);
        let keys = Arc::new(KeyReserve::new(backends.clone()));
        let recorder = Recorder::new(backends.clone());
        let memory = Arc::new(Semaphore::new(memory_units as usize));
        Self { backends, limits, memory, memory_units, keys, recorder }
    }

    /// Destroys the keys held in reserve; call it when no more uploads come.
    pub async fn close(&self) -> Result<(), StorageError> {
        self.keys.close().await
    }

    /// The limits that files are held against.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes the files of one upload. When this returns, what the receipt calls received is durable.
    pub async fn receive(
        &self,
        caller: &Caller,
        request: UploadRequest,
        files: &mut dyn FileSource,
    ) -> Result<UploadReceipt, IntakeError> {
        let outlet = self.outlet_for(caller, request.labels.outlet.as_deref()).await?;
        if let Some(before) = self.made_before(caller, &request).await? {
            return self.answer_again(&before, &request.labels, files).await;
        }
        let named = request.labels.outlet.iter().cloned().collect();
        let mut upload = UploadUnderWay { named, ..UploadUnderWay::default() };
        let mut sign = SignOfLife::new(&self.backends);
        let mut living = LivingSource { files: &mut *files, sign: &mut sign };
        match self.take_all(caller, &request, outlet.as_deref(), &mut living, &mut upload).await {
            Ok(()) => {
                let named = std::mem::take(&mut upload.named);
                let ready = ReadyUpload::new(sign, caller, &request, outlet, upload);
                let receipt = self.record(Arc::new(ready)).await?;
                receipt.count();
                Ok(self.with_doubts(receipt, &named).await)
            }
            Err(error) => {
                upload.give_up(&self.backends).await;
                sign.give_up().await;
                if !matches!(error, IntakeError::Source(_))
                    && let Err(broken) = hear_out(files).await
                {
                    tracing::debug!(error = %broken, "the sender left before it was answered");
                }
                Err(error)
            }
        }
    }

    /// Writes the rows, then rings for the jobs.
    async fn record(&self, upload: Arc<ReadyUpload>) -> Result<UploadReceipt, IntakeError> {
        fail::fail_point!("intake::stored");
        let written = match self.recorder.record(Arc::clone(&upload)).await {
            Ok(written) => written,
            Err(failure) => return self.after_failure(&upload, failure).await,
        };
        let Written { items, rings, superfluous, sizes_bytes } = written;
        tracing::Span::current().record("upload.id", tracing::field::display(upload.row.id));
        fail::fail_point!("intake::after_commit");
        sizes_bytes.into_iter().for_each(count_bytes);
        record::announce(&self.backends, &rings).await;
        storing::remove(&self.backends, &superfluous.iter().collect::<Vec<_>>()).await;
        Ok(UploadReceipt::of(&upload.row, items, &self.limits))
    }

    /// What was certainly not recorded is removed; an upload with the same key that was quicker has its answer given.
    async fn after_failure(
        &self,
        upload: &ReadyUpload,
        failure: Failure,
    ) -> Result<UploadReceipt, IntakeError> {
        let error = match failure {
            Failure::BeforeCommit(error) => error,
            Failure::InCommit(error) => {
                let mut tx = self.backends.database.begin_read().await?;
                // The connection may have broken after the commit was made: then the upload is there. Where it is not,
                // it may still come, so its objects stay until the sweep finds that nobody knows them.
                return match tx.scans().find_upload(upload.row.id).await? {
                    Some(row) => Ok(UploadReceipt::load(tx.as_mut(), &row, &self.limits).await?),
                    None => Err(error.into()),
                };
            }
        };
        storing::remove(&self.backends, &upload.new_scans()).await;
        upload.sign.give_up().await;
        if let (StorageError::Conflict { .. }, Some(key)) = (&error, &upload.row.idempotency_key) {
            let mut tx = self.backends.database.begin_read().await?;
            let quicker = tx.scans().upload_by_key(upload.row.account_id, key).await?;
            drop(tx);
            if let Some(row) = quicker {
                return self.same_answer(&row, upload.row.files_digest.as_deref().unwrap_or_default()).await;
            }
        }
        Err(error.into())
    }

    async fn take_all(
        &self,
        caller: &Caller,
        request: &UploadRequest,
        outlet: Option<&str>,
        files: &mut LivingSource<'_>,
        upload: &mut UploadUnderWay,
    ) -> Result<(), IntakeError> {
        let mut batch = Vec::new();
        while let Some(head) = files.next_file().await? {
            if upload.outcomes.len() == MAX_FILES {
                return Err(SourceError::TooManyFiles.into());
            }
            let mut labels = head.labels.clone().or(&request.labels);
            upload.digest.said(&labels);
            labels.outlet = match &head.labels.outlet {
                Some(named) => {
                    upload.named.insert(named.clone());
                    self.outlet_for(caller, Some(named)).await?
                }
                None => outlet.map(str::to_owned),
            };
            let memory = self.reserve_at_once(request.size_hint);
            if memory.is_none() && !batch.is_empty() {
                // What waits for its batch would hold room that this file may be waiting for.
                upload.store(self, caller, std::mem::take(&mut batch)).await?;
            }
            let memory = match memory {
                Some(memory) => memory,
                None => self.reserve(request.size_hint).await?,
            };
            match self.take(files, FileHead { name: head.name, labels }, memory).await? {
                Taken::Refused(refusal, digest) => upload.refuse(refusal, &digest),
                Taken::Held(held) => upload.hold(*held, &mut batch),
                Taken::Streamed(streamed) => upload.finish(self, caller, *streamed).await?,
            }
            if batch.len() >= BATCH_FILES || held_bytes(&batch) >= BATCH_BYTES {
                upload.store(self, caller, std::mem::take(&mut batch)).await?;
            }
        }
        if !batch.is_empty() {
            upload.store(self, caller, batch).await?;
        }
        upload.wait_until_stored(0).await?;
        files.sign.give().await?;
        if upload.outcomes.is_empty() { Err(IntakeError::NoFiles) } else { Ok(()) }
    }

    /// The outlet an upload is for, which must be in reach; without one, the sender's own.
    pub(crate) async fn outlet_for(
        &self,
        caller: &Caller,
        named: Option<&str>,
    ) -> Result<Option<String>, IntakeError> {
        let Some(code) = named else {
            let is_allowed = caller.has(Action::UploadScan);
            return if is_allowed {
                Ok(caller.account.outlet_code.clone())
            } else {
                Err(IntakeError::NotAllowed)
            };
        };
        let mut tx = self.backends.database.begin_read().await?;
        let branch = tx.organisation().outlet(code).await?.map(|outlet| outlet.branch_code);
        match caller.may_at(Action::UploadScan, Some(code), branch.as_deref(), None) {
            Permission::Allowed => Ok(Some(code.to_owned())),
            Permission::Refused | Permission::NotFound => Err(IntakeError::NotAllowed),
        }
    }
}

/// Takes what is still sent and forgets it: a sender that is speaking would take the answer for a broken connection.
async fn hear_out(files: &mut dyn FileSource) -> Result<(), SourceError> {
    while files.next_file().await?.is_some() {
        while files.next_piece().await?.is_some() {}
    }
    Ok(())
}

fn held_bytes(batch: &[HeldFile]) -> usize {
    batch.iter().map(|held| held.bytes.len()).sum()
}

/// What one file has become so far.
enum Outcome {
    /// Not taken.
    Refused(Refusal),
    /// The file with this number; looked up when all are stored.
    Pending,
    /// The same bytes as the file with this number of the same upload.
    SameAs(usize),
}

/// What makes a file the same as another one: the same bytes for the same acceptance.
#[derive(PartialEq, Eq, Hash)]
struct Sameness {
    digest: ContentDigest,
    slip_number: String,
    outlet: Option<String>,
    slot: Option<Slot>,
}

/// An upload that is coming in.
#[derive(Default)]
struct UploadUnderWay {
    /// Of every file so far, taken or not, with what was said about it.
    digest: FilesDigest,
    /// Outlets that were named for its files.
    named: BTreeSet<String>,
    outcomes: Vec<Outcome>,
    seen: HashMap<Sameness, usize>,
    stored: HashMap<usize, StoredFile>,
    storing: JoinSet<Result<Vec<(usize, StoredFile)>, StorageError>>,
}

impl UploadUnderWay {
    fn refuse(&mut self, refusal: Refusal, digest: &ContentDigest) {
        self.digest.add(digest);
        self.outcomes.push(Outcome::Refused(refusal));
    }

    /// Keeps a file for the next batch, unless the same one came earlier in the same upload.
    fn hold(&mut self, mut held: HeldFile, batch: &mut Vec<HeldFile>) {
        held.index = self.outcomes.len();
        if self.is_new(&held.digest, &held.labels) {
            batch.push(held);
        }
    }

    /// Notes what the next file becomes, and whether it has to be stored for that.
    fn is_new(&mut self, digest: &ContentDigest, labels: &Labels) -> bool {
        self.digest.add(digest);
        if let Some(slip_number) = labels.slip_number.clone() {
            let (outlet, slot) = (labels.outlet.clone(), labels.slot);
            let sameness = Sameness { digest: *digest, slip_number, outlet, slot };
            if let Some(first) = self.seen.get(&sameness) {
                self.outcomes.push(Outcome::SameAs(*first));
                return false;
            }
            self.seen.insert(sameness, self.outcomes.len());
        }
        self.outcomes.push(Outcome::Pending);
        true
    }

    /// Starts making an object of a large file, unless the same one came earlier in the same upload.
    async fn finish(
        &mut self,
        intake: &Intake,
        caller: &Caller,
        streamed: StreamedFile,
    ) -> Result<(), IntakeError> {
        let index = self.outcomes.len();
        if !self.is_new(streamed.digest(), streamed.labels()) {
            streamed.give_up().await;
            return Ok(());
        }
        if let Err(error) = self.wait_until_stored(BATCHES_UNDER_WAY - 1).await {
            streamed.give_up().await;
            return Err(error.into());
        }
        let (backends, caller) = (intake.backends.clone(), caller.clone());
        self.storing.spawn(async move { Ok(vec![(index, streamed.store(&backends, &caller).await?)]) });
        Ok(())
    }

    /// Starts storing a batch; waits while too many are under way.
    async fn store(
        &mut self,
        intake: &Intake,
        caller: &Caller,
        batch: Vec<HeldFile>,
    ) -> Result<(), IntakeError> {
        self.wait_until_stored(BATCHES_UNDER_WAY - 1).await?;
        let (backends, keys) = (intake.backends.clone(), Arc::clone(&intake.keys));
        let caller = caller.clone();
        self.storing.spawn(async move { storing::store_batch(&backends, &keys, &caller, batch).await });
        Ok(())
    }

    async fn wait_until_stored(&mut self, under_way: usize) -> Result<(), StorageError> {
        while self.storing.len() > under_way {
            match self.storing.join_next().await {
                Some(Ok(stored)) => self.stored.extend(stored?),
                Some(Err(error)) => {
                    return Err(StorageError::Internal { what: "intake", source: Box::new(error) });
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Removes everything that was stored for an upload that fails.
    async fn give_up(mut self, backends: &Backends) {
        while let Some(stored) = self.storing.join_next().await {
            if let Ok(Ok(stored)) = stored {
                self.stored.extend(stored);
            }
        }
        let new: Vec<_> = self.stored.values().filter_map(StoredFile::new_scan).collect();
        storing::remove(backends, &new).await;
    }
}

#[cfg(test)]
mod tests;
