//! Taking one file into memory, and refusing it as early as its bytes allow.

use backends::digest::{ContentDigest, ContentDigestStream};
use bytes::{Bytes, BytesMut};
use domain::ids::ScanId;
use ingest::{HEAD_BYTES, MediaType, Refusal, inspect, sniff};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Intake, IntakeError,
    source::{FileSource, Labels},
};

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
    /// It is not taken; nothing of it is left.
    Refused(Refusal),
    /// It waits to be stored.
    Held(Box<HeldFile>),
}

impl Intake {
    /// Reads the file that `files` stands at.
    pub(super) async fn take(
        &self,
        files: &mut dyn FileSource,
        name: Option<String>,
        labels: Labels,
        size_hint: Option<u64>,
    ) -> Result<Taken, IntakeError> {
        let mut memory = self.reserve(size_hint).await?;
        let read = self.read_whole(files).await?;
        let (bytes, digest) = match read {
            Ok(read) => read,
            Err(refusal) => {
                while files.next_piece().await?.is_some() {}
                return Ok(Taken::Refused(refusal));
            }
        };
        let inspection = match inspect(&bytes, &self.limits) {
            Ok(inspection) => inspection,
            Err(refusal) => return Ok(Taken::Refused(refusal)),
        };
        let needed = (bytes.len() as u64).div_ceil(MEMORY_UNIT_BYTES) as usize;
        let surplus = memory.num_permits().saturating_sub(needed);
        drop(memory.split(surplus));
        Ok(Taken::Held(Box::new(HeldFile {
            index: 0,
            id: backends::clock::new_id(self.backends.clock.now()),
            name,
            labels,
            bytes,
            digest,
            media_type: inspection.media_type,
            memory,
        })))
    }

    /// Waits for room for the largest file that may come. What is held already needs no more room to be stored,
    /// so nobody waits for ever.
    async fn reserve(&self, size_hint: Option<u64>) -> Result<OwnedSemaphorePermit, IntakeError> {
        let most = size_hint.unwrap_or(u64::MAX).min(self.limits.max_bytes);
        let units =
            u32::try_from(most.div_ceil(MEMORY_UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.memory_units);
        let permit = std::sync::Arc::clone(&self.memory).acquire_many_owned(units).await;
        permit.map_err(|error| {
            backends::error::StorageError::Internal { what: "memory budget", source: Box::new(error) }.into()
        })
    }

    async fn read_whole(
        &self,
        files: &mut dyn FileSource,
    ) -> Result<Result<(Bytes, ContentDigest), Refusal>, IntakeError> {
        let mut bytes = BytesMut::new();
        let mut digest = ContentDigestStream::default();
        let mut is_sniffed = false;
        while let Some(piece) = files.next_piece().await? {
            digest.update(&piece);
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > self.limits.max_bytes {
                return Ok(Err(Refusal::FileTooLarge { limit_bytes: self.limits.max_bytes }));
            }
            if !is_sniffed && bytes.len() >= HEAD_BYTES {
                is_sniffed = true;
                if let Err(refusal) = sniff(&bytes) {
                    return Ok(Err(refusal));
                }
            }
        }
        Ok(Ok((bytes.freeze(), digest.finish())))
    }
}
