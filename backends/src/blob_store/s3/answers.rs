//! What an S3-compatible store answers: its documents, and its refusals without anything secret in them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use thiserror::Error;

use crate::error::StorageError;

/// The store said no. Its own document is not kept: it may quote keys and signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    /// As in `NoSuchBucket`; empty when the store gave none.
    pub code: String,
    /// The store's own time.
    pub said_at: Option<DateTime<Utc>>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store answered {} {}", self.status, self.code)
    }
}

impl Refusal {
    /// The code of an error document.
    pub(crate) fn code_in(document: &str) -> String {
        let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code.map(|(code, _)| code).unwrap_or_default();
        let is_word = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
        if is_word { code.to_owned() } else { String::new() }
    }

    /// Whether the store has no room left.
    pub(crate) fn is_full(&self) -> bool {
        let full = ["StorageFull", "XMinioStorageFull", "QuotaExceeded", "InsufficientStorage"];
        self.status == 507 || full.contains(&self.code.as_str())
    }
}

/// How a request of our own failed.
#[derive(Debug, Error)]
pub(crate) enum S3Error {
    /// There was no answer.
    #[error("no answer came")]
    Unreachable {
        /// Why, without the address: its signature is as good as the key for a while.
        source: reqwest::Error,
    },
    /// The answer was no.
    #[error("{0}")]
    Refused(Refusal),
    /// What was to be encrypted was not.
    #[error("the object was not encrypted")]
    NotEncrypted,
    /// The answer cannot be understood.
    #[error("the store's answer cannot be understood")]
    Incomprehensible,
}

impl S3Error {
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable { source: error.without_url() }
    }

    /// Whether the same question may be answered a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => (refusal.status >= 500 && !refusal.is_full()) || refusal.status == 429,
            Self::NotEncrypted | Self::Incomprehensible => false,
        }
    }

    pub(super) fn has_status(&self, status: u16) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status)
    }
}

impl From<S3Error> for StorageError {
    fn from(error: S3Error) -> Self {
        const WHAT: &str = "object store";
        match &error {
            S3Error::Refused(refusal) if refusal.is_full() => Self::Full { what: WHAT },
            _ => Self::Unavailable { what: WHAT, source: Box::new(error) },
        }
    }
}

/// `ListVersionsResult`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionsPage {
    #[serde(default)]
    pub is_truncated: bool,
    #[serde(default)]
    pub next_key_marker: String,
    #[serde(default)]
    pub next_version_id_marker: String,
    #[serde(default, rename = "Version")]
    pub versions: Vec<StoredVersion>,
    #[serde(default, rename = "DeleteMarker")]
    pub delete_markers: Vec<StoredVersion>,
}

/// One version of an object, or one marker that hides it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StoredVersion {
    pub key: String,
    pub version_id: String,
    pub last_modified: DateTime<Utc>,
    #[serde(default)]
    pub size: u64,
}

/// `ListMultipartUploadsResult`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadsPage {
    #[serde(default)]
    pub is_truncated: bool,
    #[serde(default)]
    pub next_key_marker: String,
    #[serde(default)]
    pub next_upload_id_marker: String,
    #[serde(default, rename = "Upload")]
    pub uploads: Vec<UnfinishedUpload>,
}

/// A large object whose parts were never put together.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UnfinishedUpload {
    pub key: String,
    pub upload_id: String,
    pub initiated: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_markers_are_read_in_any_order() {
        let document = "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Name>b</Name><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>\
            <DeleteMarker><Key>a&amp;b</Key><VersionId>3</VersionId><IsLatest>true</IsLatest>\
            <LastModified>2026-11-22T03:24:23Z</LastModified></DeleteMarker>\
            <Version><Key>a</Key><VersionId>null</VersionId><Size>12</Size>\
            <LastModified>2026-11-22T03:24:23.123Z</LastModified></Version>\
            <DeleteMarker><Key>c</Key><VersionId>1</VersionId><LastModified>2026-11-22T03:24:23Z</LastModified>\
            </DeleteMarker></ListVersionsResult>";

        let page: VersionsPage = quick_xml::de::from_str(document).unwrap();

        assert!(page.is_truncated);
        assert_eq!((page.next_key_marker.as_str(), page.next_version_id_marker.as_str()), ("k", ""));
        assert_eq!(page.delete_markers.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["a&b", "c"]);
        assert_eq!((page.versions[0].size, page.versions[0].version_id.as_str()), (12, "null"));
    }

    #[test]
    fn nothing_of_an_error_document_is_kept_but_its_code() {
        let document =
            "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>AKIA secret</StringToSign></Error>";

        assert_eq!(Refusal::code_in(document), "SignatureDoesNotMatch");
        assert_eq!(Refusal::code_in("<Code>a secret with spaces</Code>"), "");
        assert_eq!(Refusal::code_in("<html>"), "");
    }
}
