//! Taking one file in, and refusing it as early as its bytes allow: a small one into memory, a large one in passing.

use std::time::Duration;

use backends::{
    digest::{ContentDigest, ContentDigestStream},
    error::StorageError,
};
use bytes::{Bytes, BytesMut};
use domain::ids::ScanId;
use ingest::{HEAD_BYTES, MediaType, Refusal, inspect, sniff};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{
    Intake, IntakeError,
    repetition::digest_of_rest,
    source::{FileHead, FileSource, Labels},
    streaming::{Beginning, FILE_MEMORY_BYTES, HELD_BYTES, StreamedFile},
};

/// How long a file waits for its share of the memory budget.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Granularity of the memory budget.
pub(super) const MEMORY_UNIT_BYTES: u64 = 4096;

/// A file that is in memory, whole and within the limits.
pub(super) struct HeldFile {
    /// Its place in the upload, from 0.
    pub index: usize,
    /// The id it will have.
    pub id: ScanId,
    /// Its name as sent.
    pub name: Option<String>,
    /// What the sender said.
    pub labels: Labels,
    /// The bytes as received.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: ContentDigest,
    /// What they are.
    pub media_type: MediaType,
    /// Its share of the memory budget; given back when it is dropped.
    pub memory: OwnedSemaphorePermit,
}

/// What taking a file came to.
pub(super) enum Taken {
    /// It is not taken; nothing of it is left but the digest of its bytes.
    Refused(Refusal, ContentDigest),
    /// It waits to be stored.
    Held(Box<HeldFile>),
    /// Its parts are in the store; it waits to be made an object.
    Streamed(Box<StreamedFile>),
}

/// How far a file was read into memory.
enum Read {
    /// To its end; its bytes and their digest.
    Whole(Bytes, ContentDigest),
    /// Until it was too large to be held.
    Beginning(Bytes, Box<ContentDigestStream>),
}

/// Why a file is refused before its end, and the digest of what has come of it.
type RefusedEarly = (Refusal, Box<ContentDigestStream>);

impl Intake {
    /// Reads the file that `files` stands at, whose share of the memory budget is `memory`.
    pub(super) async fn take(
        &self,
        files: &mut dyn FileSource,
        head: FileHead,
        mut memory: OwnedSemaphorePermit,
    ) -> Result<Taken, IntakeError> {
        let (bytes, digest) = match self.read(files).await? {
            Ok(Read::Whole(bytes, digest)) => (bytes, digest),
            Ok(Read::Beginning(bytes, digest)) => {
                let beginning = Beginning { head, bytes, digest, memory };
                // On the heap, so that small files carry nothing of it.
                return Box::pin(self.stream(files, beginning)).await;
            }
            Err((refusal, digest)) => {
                return Ok(Taken::Refused(refusal, digest_of_rest(files, *digest).await?));
            }
        };
        let inspection = match inspect(&bytes, &self.limits) {
            Ok(inspection) => inspection,
            Err(refusal) => return Ok(Taken::Refused(refusal, digest)),
        };
        let needed = (bytes.len() as u64).div_ceil(MEMORY_UNIT_BYTES) as usize;
        let surplus = memory.num_permits().saturating_sub(needed);
        drop(memory.split(surplus));
        Ok(Taken::Held(Box::new(HeldFile {
            index: 0,
            id: backends::clock::new_id(self.backends.clock.now()),
            name: head.name,
            labels: head.labels,
            bytes,
            digest,
            media_type: inspection.media_type,
            memory,
        })))
    }

    /// Room for the largest file that may come, if there is any now.
    pub(super) fn reserve_at_once(&self, size_hint: Option<u64>) -> Option<OwnedSemaphorePermit> {
        std::sync::Arc::clone(&self.memory).try_acquire_many_owned(self.units_for(size_hint)).ok()
    }

    /// Waits for that room, but not for ever. Whoever waits must hold nothing that is not being stored; what is being
    /// stored needs no more room, so that it becomes free.
    pub(super) async fn reserve(&self, size_hint: Option<u64>) -> Result<OwnedSemaphorePermit, IntakeError> {
        let what = "memory budget";
        let room = std::sync::Arc::clone(&self.memory).acquire_many_owned(self.units_for(size_hint));
        let permit = timeout(LONGEST_WAIT, room).await;
        let permit = permit.map_err(|error| StorageError::Unavailable { what, source: Box::new(error) })?;
        permit.map_err(|error| StorageError::Internal { what, source: Box::new(error) }.into())
    }

    fn units_for(&self, size_hint: Option<u64>) -> u32 {
        let most = size_hint.unwrap_or(u64::MAX).min(self.limits.max_bytes).min(FILE_MEMORY_BYTES);
        u32::try_from(most.div_ceil(MEMORY_UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.memory_units)
    }

    async fn read(&self, files: &mut dyn FileSource) -> Result<Result<Read, RefusedEarly>, IntakeError> {
        let mut bytes = BytesMut::new();
        let mut digest = Box::new(ContentDigestStream::default());
        let mut is_sniffed = false;
        while let Some(piece) = files.next_piece().await? {
            digest.update(&piece);
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > self.limits.max_bytes {
                return Ok(Err((Refusal::FileTooLarge { limit_bytes: self.limits.max_bytes }, digest)));
            }
            if !is_sniffed && bytes.len() >= HEAD_BYTES {
                is_sniffed = true;
                if let Err(refusal) = sniff(&bytes) {
                    return Ok(Err((refusal, digest)));
                }
            }
            if bytes.len() > HELD_BYTES {
                return Ok(Ok(Read::Beginning(bytes.freeze(), digest)));
            }
        }
        Ok(Ok(Read::Whole(bytes.freeze(), digest.finish())))
    }
}
