//! Objects with all their versions: listing them, removing them, and removing parts that were never put together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt, stream};
use reqwest::Method;
use serde::de::DeserializeOwned;

use super::{
    answers::{S3Error, StoredVersion, UploadsPage, VersionsPage},
    bucket::{Bucket, Request},
};
use crate::blob_store::{BlobKey, StoredBlob};

/// Where a listing goes on.
#[derive(Debug, Clone, Default)]
struct Marker {
    key: String,
    id: String,
}

impl Bucket {
    /// Removes an object with every version of it and every marker that hides one.
    pub(crate) async fn delete_all_versions(&self, path: &str) -> Result<(), S3Error> {
        let whole = format!("{}{path}", self.prefix);
        loop {
            let page = self.versions_page(path, &Marker::default()).await?;
            let every = page.versions.iter().chain(&page.delete_markers);
            let mut own: Vec<&StoredVersion> = every.filter(|version| version.key == whole).collect();
            if own.is_empty() {
                return Ok(());
            }
            // The newest first: whatever breaks off in between leaves an object that a listing shows.
            own.sort_by_key(|version| std::cmp::Reverse(version.last_modified));
            for version in own {
                self.delete_version(path, &version.version_id).await?;
            }
        }
    }

    async fn delete_version(&self, path: &str, version: &str) -> Result<(), S3Error> {
        let query = [("versionId", version)];
        let request = Request { path: Some(path), query: &query, ..Request::default() };
        match self.ask(Method::DELETE, request).await {
            Err(error) if !error.has_status(404) => Err(error),
            _ => Ok(()),
        }
    }

    /// Every object whose path begins so, once for each page that names it: also those that only markers are left of.
    pub(crate) fn list_all(
        self: std::sync::Arc<Self>,
        beginning: String,
    ) -> impl Stream<Item = Result<StoredBlob, S3Error>> + Send + 'static {
        let pages = stream::try_unfold(Some(Marker::default()), move |marker| {
            let (bucket, beginning) = (std::sync::Arc::clone(&self), beginning.clone());
            async move {
                let Some(marker) = marker else { return Ok(None) };
                let page = bucket.versions_page(&beginning, &marker).await?;
                let next = page.is_truncated.then(|| Marker {
                    key: page.next_key_marker.clone(),
                    id: page.next_version_id_marker.clone(),
                });
                // A store that goes on from nowhere would be asked for ever.
                if next.as_ref().is_some_and(|next| next.key.is_empty()) {
                    return Err(S3Error::Incomprehensible);
                }
                let blobs = stream::iter(bucket.blobs_of(page).into_iter().map(Ok));
                Ok::<_, S3Error>(Some((blobs, next)))
            }
        });
        pages.try_flatten()
    }

    /// What a page says about each object: its newest version, or marker, gives the time.
    fn blobs_of(&self, page: VersionsPage) -> Vec<StoredBlob> {
        let mut blobs: BTreeMap<String, StoredBlob> = BTreeMap::new();
        for version in page.versions.into_iter().chain(page.delete_markers) {
            let path = version.key.strip_prefix(&self.prefix).unwrap_or(&version.key).to_owned();
            let blob = blobs.entry(path.clone()).or_insert_with(|| StoredBlob {
                key: BlobKey::parse(&path),
                path,
                written_at: version.last_modified,
                size_bytes: version.size,
            });
            if version.last_modified > blob.written_at {
                blob.written_at = version.last_modified;
                blob.size_bytes = version.size;
            }
        }
        blobs.into_values().collect()
    }

    async fn versions_page(&self, path: &str, from: &Marker) -> Result<VersionsPage, S3Error> {
        let prefix = format!("{}{path}", self.prefix);
        let mut query = Vec::with_capacity(4);
        if !from.key.is_empty() {
            query.push(("key-marker", from.key.as_str()));
        }
        query.push(("prefix", prefix.as_str()));
        if !from.id.is_empty() {
            query.push(("version-id-marker", from.id.as_str()));
        }
        query.push(("versions", ""));
        self.document(&query).await
    }

    /// Gives up large objects that were begun before `before` and never finished; says how many.
    pub(crate) async fn abandon_unfinished(&self, before: DateTime<Utc>) -> Result<u64, S3Error> {
        let (mut abandoned, mut from) = (0, Marker::default());
        loop {
            let page = self.uploads_page(&from).await?;
            for upload in page.uploads.iter().filter(|upload| upload.initiated < before) {
                let Some(path) = upload.key.strip_prefix(&self.prefix) else { continue };
                let query = [("uploadId", upload.upload_id.as_str())];
                let request = Request { path: Some(path), query: &query, ..Request::default() };
                match self.ask(Method::DELETE, request).await {
                    Err(error) if !error.has_status(404) => return Err(error),
                    _ => abandoned += 1,
                }
            }
            if !page.is_truncated || page.next_key_marker.is_empty() {
                return Ok(abandoned);
            }
            from = Marker { key: page.next_key_marker, id: page.next_upload_id_marker };
        }
    }

    async fn uploads_page(&self, from: &Marker) -> Result<UploadsPage, S3Error> {
        let mut query = Vec::with_capacity(4);
        if !from.key.is_empty() {
            query.push(("key-marker", from.key.as_str()));
        }
        query.push(("prefix", self.prefix.as_str()));
        if !from.id.is_empty() {
            query.push(("upload-id-marker", from.id.as_str()));
        }
        query.push(("uploads", ""));
        self.document(&query).await
    }

    async fn document<T: DeserializeOwned>(&self, query: &[(&str, &str)]) -> Result<T, S3Error> {
        let answer = self.ask(Method::GET, Request { query, ..Request::default() }).await?;
        let text = answer.text().await.map_err(S3Error::unreachable)?;
        quick_xml::de::from_str(&text).map_err(|_| S3Error::Incomprehensible)
    }
}
