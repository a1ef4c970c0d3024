//! Identifiers: newtypes over UUIDv7, so that a job id can never be passed for a scan id.

use std::{fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Identifies one thing of the kind `K`; a UUIDv7 (RFC 9562), so ids sort by the time they were made.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<K> {
    value: Uuid,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// Builds an id from milliseconds since 1970 and ten random bytes; the caller owns clock and randomness.
    pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
    }

    /// Takes over an id that was stored before.
    pub const fn from_uuid(value: Uuid) -> Self {
        Self { value, kind: PhantomData }
    }

    /// The bare UUID, for the column it is stored in.
    pub const fn uuid(self) -> Uuid {
        self.value
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}

impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<K> FromStr for Id<K> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self::from_uuid)
    }
}

/// Marks ids of case files (案卷).
pub enum CaseFileKind {}
/// Marks ids of versions of entered data (录入资料).
pub enum EnteredDataKind {}
/// Marks ids of scans: the bytes of one file as received.
pub enum ScanKind {}
/// Marks ids of pages: one image inside a scan.
pub enum PageKind {}
/// Marks ids of readings: what one engine, or one person, read on one page.
pub enum ReadingKind {}
/// Marks ids of findings.
pub enum FindingKind {}
/// Marks ids of verdicts.
pub enum VerdictKind {}
/// Marks ids of jobs.
pub enum JobKind {}
/// Marks ids of data keys.
pub enum KeyKind {}
/// Marks ids of accounts; one natural person each.
pub enum AccountKind {}
/// Marks ids of uploads: one request that brought scans.
pub enum UploadKind {}
/// Marks ids of upload tickets: leave to bring one file straight to the object store.
pub enum UploadTicketKind {}
/// Marks ids of snapshots of the search index.
pub enum IndexSnapshotKind {}
/// Marks ids of legal holds (冻结).
pub enum HoldKind {}

/// Names a case file.
pub type CaseFileId = Id<CaseFileKind>;
/// Names one version of the entered data of a case file.
pub type EnteredDataId = Id<EnteredDataKind>;
/// Names a scan.
pub type ScanId = Id<ScanKind>;
/// Names a page of a scan.
pub type PageId = Id<PageKind>;
/// Names a reading.
pub type ReadingId = Id<ReadingKind>;
/// Names a finding.
pub type FindingId = Id<FindingKind>;
/// Names a verdict.
pub type VerdictId = Id<VerdictKind>;
/// Names a job.
pub type JobId = Id<JobKind>;
/// Names a data key in the key store.
pub type KeyId = Id<KeyKind>;
/// Names an account.
pub type AccountId = Id<AccountKind>;
/// Names an upload.
pub type UploadId = Id<UploadKind>;
/// Names an upload ticket.
pub type UploadTicketId = Id<UploadTicketKind>;
/// Names a snapshot of the search index.
pub type IndexSnapshotId = Id<IndexSnapshotKind>;
/// Names a legal hold.
pub type HoldId = Id<HoldKind>;
