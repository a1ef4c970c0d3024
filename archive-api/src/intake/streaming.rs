//! Large files: sealed as they come, sent on in parts, inspected where they lie; never whole in memory.
//!
//! The parts are no object until the file is taken, and its key is nowhere but in memory until then: of a file that is
//! refused, or whose sender leaves, nothing can be read, whatever a crash leaves behind.

use backends::{
    blob_store::{BlobKey, BlobWriter},
    clock::new_id,
    connect::Backends,
    digest::{ContentDigest, ContentDigestStream},
    error::StorageError,
    vault::{DataKey, KeyPurpose, SpooledObject, SpooledSeal},
};
use bytes::{Bytes, BytesMut};
use domain::ids::ScanId;
use ingest::{Limits, MediaType, Refusal, inspect_from};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Intake, IntakeError,
    repetition::digest_of_rest,
    source::{FileHead, FileSource, Labels},
    storing::{self, Facts, StoredFile},
    taking::Taken,
};
use crate::caller::Caller;

/// Files up to this size are held in memory until they are stored.
pub(super) const HELD_BYTES: usize = 4 << 20;
/// Most memory that one file takes on its way: two parts of 8 MiB under way, what fills the next one, and pieces.
pub(super) const FILE_MEMORY_BYTES: u64 = 24 << 20;
/// Plain bytes sealed at a time.
const PIECE_BYTES: usize = 1 << 20;

/// What has come of a file that is too large to be held.
pub(super) struct Beginning {
    pub head: FileHead,
    pub bytes: Bytes,
    /// Of these bytes.
    pub digest: Box<ContentDigestStream>,
    /// Its share of the memory budget.
    pub memory: OwnedSemaphorePermit,
}

/// A large file within the limits. Its parts are in the store; `store` or `give_up` must be called.
pub(super) struct StreamedFile {
    id: ScanId,
    head: FileHead,
    found: Found,
    key: DataKey,
    writer: BlobWriter,
    memory: OwnedSemaphorePermit,
}

/// What was found out while it passed.
struct Found {
    media_type: MediaType,
    size_bytes: u64,
    digest: ContentDigest,
}

impl Intake {
    /// Takes the rest of a file whose beginning has come.
    pub(super) async fn stream(
        &self,
        files: &mut dyn FileSource,
        beginning: Beginning,
    ) -> Result<Taken, IntakeError> {
        let now = self.backends.clock.now();
        let (id, key) = (new_id(now), self.backends.vault.unkept_key(now));
        let Beginning { head, bytes, digest, memory } = beginning;
        let (spool, sealed_under, path) =
            (self.backends.spool.clone(), key.clone(), BlobKey::Scan(id).path());
        let (seal, header) = elsewhere(move || spool.seal(&sealed_under, &path)).await?;
        let writer = self.backends.blobs.start(BlobKey::Scan(id)).await?;
        let mut passage = Passage { writer, header, seal: Some(seal), size_bytes: 0, digest };
        match passage.pass(files, bytes, &self.limits).await {
            Ok(Ok(found)) => {
                let writer = passage.writer;
                let streamed = StreamedFile { id, head, found, key, writer, memory };
                Ok(Taken::Streamed(Box::new(streamed)))
            }
            Ok(Err(refusal)) => {
                abort(passage.writer, id).await;
                Ok(Taken::Refused(refusal, digest_of_rest(files, *passage.digest).await?))
            }
            Err(error) => {
                abort(passage.writer, id).await;
                Err(error)
            }
        }
    }
}

/// A file on its way from its sender through the seal into the store.
struct Passage {
    writer: BlobWriter,
    /// What stands before the first segment.
    header: Vec<u8>,
    /// `None` while a piece is being sealed, and at the end.
    seal: Option<SpooledSeal>,
    size_bytes: u64,
    /// Of what has come.
    digest: Box<ContentDigestStream>,
}

impl Passage {
    /// Passes everything on, then looks at it as a whole.
    async fn pass(
        &mut self,
        files: &mut dyn FileSource,
        beginning: Bytes,
        limits: &Limits,
    ) -> Result<Result<Found, Refusal>, IntakeError> {
        self.writer.write(&self.header).await?;
        self.send(beginning).await?;
        let mut waiting = BytesMut::new();
        while let Some(piece) = files.next_piece().await? {
            self.digest.update(&piece);
            if self.size_bytes + (waiting.len() + piece.len()) as u64 > limits.max_bytes {
                return Ok(Err(Refusal::FileTooLarge { limit_bytes: limits.max_bytes }));
            }
            waiting.extend_from_slice(&piece);
            if waiting.len() >= PIECE_BYTES {
                self.send(std::mem::take(&mut waiting).freeze()).await?;
            }
        }
        self.send(waiting.freeze()).await?;
        let object = self.finish_seal().await?;
        let limits = *limits;
        let inspected = elsewhere(move || inspect_from(object, &limits).map_err(unreadable)).await?;
        Ok(inspected.map(|inspection| Found {
            media_type: inspection.media_type,
            size_bytes: self.size_bytes,
            digest: self.digest.finish(),
        }))
    }

    async fn send(&mut self, mut plain: Bytes) -> Result<(), StorageError> {
        while !plain.is_empty() {
            let piece = plain.split_to(plain.len().min(PIECE_BYTES));
            self.size_bytes += piece.len() as u64;
            let mut seal = self.seal.take().ok_or_else(lost)?;
            let (seal, sealed) = elsewhere(move || {
                let mut sealed = Vec::new();
                seal.push(&piece, &mut sealed)?;
                Ok((seal, sealed))
            })
            .await?;
            self.seal = Some(seal);
            self.writer.pass(sealed.into()).await?;
            fail::fail_point!("intake::in_parts");
        }
        Ok(())
    }

    async fn finish_seal(&mut self) -> Result<SpooledObject, StorageError> {
        let seal = self.seal.take().ok_or_else(lost)?;
        let (object, sealed) = elsewhere(move || {
            let mut sealed = Vec::new();
            let object = seal.finish(&mut sealed)?;
            Ok((object, sealed))
        })
        .await?;
        self.writer.pass(sealed.into()).await?;
        Ok(object)
    }
}

impl StreamedFile {
    pub(super) const fn digest(&self) -> &ContentDigest {
        &self.found.digest
    }

    pub(super) const fn labels(&self) -> &Labels {
        &self.head.labels
    }

    /// Removes what is in the store; the key was nowhere but here.
    pub(super) async fn give_up(self) {
        abort(self.writer, self.id).await;
    }

    /// Makes an object of the parts, unless the archive has the same bytes already. When that fails, nothing is left.
    pub(super) async fn store(
        self,
        backends: &Backends,
        caller: &Caller,
    ) -> Result<StoredFile, StorageError> {
        let Self { id, head, found, key, writer, memory } = self;
        let facts = Facts {
            id,
            name: head.name.as_deref(),
            labels: &head.labels,
            media_type: found.media_type,
            size_bytes: found.size_bytes,
            digest: found.digest,
        };
        let row = match row_or_twin(backends, caller, &facts, &key).await {
            Ok(StoredFile::New(row)) => row,
            linked_or_failed => {
                abort(writer, id).await;
                return linked_or_failed;
            }
        };
        let kept = backends.vault.keep(&key, KeyPurpose::Scan, backends.clock.now()).await;
        let stored = match kept {
            Ok(()) => writer.finish().await,
            Err(error) => {
                abort(writer, id).await;
                Err(error)
            }
        };
        drop(memory);
        match stored {
            Ok(()) => Ok(StoredFile::New(row)),
            Err(error) => {
                storing::remove(backends, &[&row]).await;
                Err(error)
            }
        }
    }
}

async fn row_or_twin(
    backends: &Backends,
    caller: &Caller,
    facts: &Facts<'_>,
    key: &DataKey,
) -> Result<StoredFile, StorageError> {
    let mut look = backends.database.begin_read().await?;
    if let Some(twin) = storing::twin_of(look.as_mut(), caller, &facts.digest, facts.labels).await? {
        return Ok(StoredFile::Linked(twin));
    }
    drop(look);
    let row = storing::scan_row(backends, caller.account.id, facts, key)?;
    Ok(StoredFile::New(Box::new(row)))
}

async fn abort(writer: BlobWriter, id: ScanId) {
    if let Err(error) = writer.abort().await {
        tracing::warn!(scan.id = %id, %error, "parts of a file that was not taken were left; the sweep removes them");
    }
}

/// Does what waits for the processor or the disk beside the tasks that wait for senders and stores.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StorageError::Internal { what: "sealing", source: Box::new(error) })?
}

fn unreadable(error: std::io::Error) -> StorageError {
    StorageError::Unavailable { what: "spool folder", source: Box::new(error) }
}

fn lost() -> StorageError {
    StorageError::Internal { what: "sealing", source: "a piece before failed".into() }
}
