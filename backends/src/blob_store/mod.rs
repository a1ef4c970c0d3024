//! Objects: bytes kept outside the catalogue, always as ciphertext.

mod key;
mod local;
mod s3;
mod unfinished;

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    WriteMultipart, local::LocalFileSystem, path::Path as ObjectPath,
};
use tokio::task::spawn_blocking;

pub(crate) use self::s3::Refusal;
pub use self::{
    key::BlobKey,
    s3::{
        Addressing, CredentialsError, LEAST_TIMEOUT, PresignedPut, Proof, S3Credentials, S3Settings,
        TicketTerms, choose_tls,
    },
};
use self::{key::QUARANTINE, s3::Bucket};
use crate::{clock::Clock, error::StorageError};

/// One object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// Which object; `None` for one that this program did not write.
    pub key: Option<BlobKey>,
    /// Its path.
    pub path: String,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// Its size.
    pub size_bytes: u64,
}

/// The object store. A completed write is durable: bytes and folder entry have been synced, or the store has said so.
#[derive(Debug, Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
    place: Place,
}

/// Where objects are, for what `object_store` has no calls for or does with more syncs than it takes.
#[derive(Debug, Clone)]
enum Place {
    Folder(Arc<Path>),
    Bucket(Arc<Bucket>),
}

impl BlobStore {
    /// Opens a local folder, which must exist.
    pub fn local(folder: &Path) -> Result<Self, StorageError> {
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), place: Place::Folder(folder.into()) })
    }

    /// Opens `s3://BUCKET[/PREFIX]`; a store that does not keep its promises is refused with what to do.
    pub async fn s3(url: &str, settings: &S3Settings, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let opened = s3::open(url, settings, clock).await?;
        Ok(Self { store: opened.store, place: Place::Bucket(opened.bucket) })
    }

    /// Which kind of store, for the log.
    pub fn name(&self) -> &'static str {
        if self.bucket().is_some() { "s3" } else { "file" }
    }

    const fn bucket(&self) -> Option<&Arc<Bucket>> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(bucket),
        }
    }

    /// Writes a small object under a key that is new. `Conflict`: something else is there.
    pub async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StorageError> {
        self.put_made(key, move || Ok(bytes)).await
    }

    /// The same for bytes that take a while to be made; that is done where it keeps nobody waiting.
    pub async fn put_made<F>(&self, key: BlobKey, make: F) -> Result<(), StorageError>
    where
        F: FnOnce() -> Result<Bytes, StorageError> + Send + 'static,
    {
        let failed = |error| StorageError::Internal { what: "object store", source: Box::new(error) };
        if let Place::Folder(root) = &self.place {
            let root = Arc::clone(root);
            let writing = spawn_blocking(move || local::write_new(&root, &key.path(), &make()?));
            return writing.await.map_err(failed)?;
        }
        let bytes = spawn_blocking(make).await.map_err(failed)??;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put =
            self.store.put_opts(&key.object_path(), PutPayload::from_bytes(bytes.clone()), options).await;
        match put {
            Ok(_) => Ok(()),
            // The answer may have been lost and not the object. Ciphertext is random, so the same bytes are ours.
            Err(error) => match self.get(key).await {
                Ok(Some(there)) if there == bytes => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// Starts a large object under a key that is new; nothing is visible until `finish`.
    pub async fn start(&self, key: BlobKey) -> Result<BlobWriter, StorageError> {
        let upload = self.store.put_multipart(&key.object_path()).await?;
        let upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        Ok(BlobWriter { upload, store: self.clone(), key, size_bytes: 0 })
    }

    /// The whole object; `None` when there is none.
    pub async fn get(&self, key: BlobKey) -> Result<Option<Bytes>, StorageError> {
        match self.store.get(&key.object_path()).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The object piece by piece; `None` when there is none. A bucket is asked for one part after the other, so that
    /// no request outlasts its time however slowly the pieces are taken.
    pub async fn open(&self, key: BlobKey) -> Result<Option<BlobReader>, StorageError> {
        let is_remote = self.bucket().is_some();
        let options = if is_remote { part_of(0..PART_BYTES as u64, None) } else { GetOptions::default() };
        let path = key.object_path();
        let first = match self.store.get_opts(&path, options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let (size_bytes, tag) = (first.meta.size, first.meta.e_tag.clone());
        let starts = (first.range.end..size_bytes).step_by(PART_BYTES);
        let store = Arc::clone(&self.store);
        let later = stream::iter(starts).then(move |start| {
            let end = size_bytes.min(start + PART_BYTES as u64);
            let (store, path, options) = (Arc::clone(&store), path.clone(), part_of(start..end, tag.clone()));
            async move { store.get_opts(&path, options).await.map(GetResult::into_stream) }
        });
        let pieces = first.into_stream().chain(later.try_flatten());
        Ok(Some(BlobReader { size_bytes, pieces: pieces.err_into().boxed() }))
    }

    /// Whether the object is there.
    pub async fn exists(&self, key: BlobKey) -> Result<bool, StorageError> {
        Ok(self.size_bytes(key).await?.is_some())
    }

    /// The size of the object; `None` when there is none.
    pub(crate) async fn size_bytes(&self, key: BlobKey) -> Result<Option<u64>, StorageError> {
        match self.store.head(&key.object_path()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the object with all its versions; removing what is not there is no error.
    pub async fn delete(&self, key: BlobKey) -> Result<(), StorageError> {
        if let Some(bucket) = self.bucket() {
            return Ok(bucket.delete_all_versions(&key.path()).await?);
        }
        match self.store.delete(&key.object_path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every object, for sweeps and `verify`; never on a hot path. Where the store keeps versions, also those that are
    /// hidden by a marker; one whose versions are many may come more than once.
    pub fn list(&self) -> BoxStream<'static, Result<StoredBlob, StorageError>> {
        self.list_below("")
    }

    /// The same for what lies in quarantine alone.
    pub fn list_quarantine(&self) -> BoxStream<'static, Result<StoredBlob, StorageError>> {
        self.list_below(QUARANTINE)
    }

    fn list_below(&self, folder: &'static str) -> BoxStream<'static, Result<StoredBlob, StorageError>> {
        if let Some(bucket) = self.bucket() {
            let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            return Arc::clone(bucket).list_all(prefix).err_into().boxed();
        }
        let below = (!folder.is_empty()).then(|| ObjectPath::from(folder));
        self.store
            .list(below.as_ref())
            .map(|listed| {
                let meta = listed?;
                let path = meta.location.to_string();
                let key = BlobKey::parse(&path);
                Ok(StoredBlob { key, path, written_at: meta.last_modified, size_bytes: meta.size })
            })
            .boxed()
    }

    /// Removes parts of large objects that were begun before `before` and never finished; says of how many.
    pub async fn abandon_unfinished(&self, before: DateTime<Utc>) -> Result<u64, StorageError> {
        let root = match &self.place {
            Place::Bucket(bucket) => return Ok(bucket.abandon_unfinished(before).await?),
            Place::Folder(root) => Arc::clone(root),
        };
        let looking = spawn_blocking(move || unfinished::abandon(&root, before));
        let failed = |error| StorageError::Internal { what: "object store", source: Box::new(error) };
        looking.await.map_err(failed)?.map_err(|error| StorageError::of_disk("object store", error))
    }

    /// Leave to bring one file straight to the store; `None` where there is no store to bring it to.
    pub fn presign_put(&self, key: BlobKey, terms: &TicketTerms) -> Option<PresignedPut> {
        self.bucket().map(|bucket| bucket.presign_put(&key.path(), terms))
    }
}

/// Asks for a part of an object, which must still be the one that bears this tag.
fn part_of(range: Range<u64>, tag: Option<String>) -> GetOptions {
    GetOptions { range: Some(GetRange::Bounded(range)), if_match: tag, ..GetOptions::default() }
}

impl BlobKey {
    fn object_path(self) -> ObjectPath {
        ObjectPath::from(self.path())
    }
}

/// An object that is being read.
pub struct BlobReader {
    /// Its size.
    pub size_bytes: u64,
    /// Its bytes, in order.
    pub pieces: BoxStream<'static, Result<Bytes, StorageError>>,
}

impl BlobReader {
    /// All of it, for an object that is known to be small.
    pub(crate) async fn whole(mut self) -> Result<Bytes, StorageError> {
        let mut whole = BytesMut::with_capacity(usize::try_from(self.size_bytes).unwrap_or_default());
        while let Some(piece) = self.pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

const PART_BYTES: usize = 8 * 1024 * 1024;
const PARTS_UNDER_WAY: usize = 2;
/// How long parts that are under way are waited for when their object is given up.
const ARRIVE_WITHIN: Duration = Duration::from_secs(5);

/// A large object being written; not visible until `finish`.
#[derive(Debug)]
pub struct BlobWriter {
    upload: WriteMultipart,
    store: BlobStore,
    key: BlobKey,
    size_bytes: u64,
}

impl BlobWriter {
    /// Appends bytes; waits when too many parts are under way, so memory stays bounded.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.upload.wait_for_capacity(PARTS_UNDER_WAY).await?;
        self.upload.write(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends bytes that need not be copied.
    pub async fn pass(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.upload.wait_for_capacity(PARTS_UNDER_WAY).await?;
        self.size_bytes += bytes.len() as u64;
        self.upload.put(bytes);
        Ok(())
    }

    /// Makes the object durable and visible.
    pub async fn finish(self) -> Result<(), StorageError> {
        let Self { upload, store, key, size_bytes } = self;
        match upload.finish().await {
            Ok(_) => Ok(()),
            // The answer may have been lost and not the object; the key is new, so what is there whole is ours.
            Err(error) if store.bucket().is_some() => match store.size_bytes(key).await {
                Ok(Some(there)) if there == size_bytes => Ok(()),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Gives up; what was written is removed.
    pub async fn abort(mut self) -> Result<(), StorageError> {
        // A part that arrives after it was given up may stay; each that failed is taken out of those under way.
        let arriving = async { while self.upload.wait_for_capacity(0).await.is_err() {} };
        if tokio::time::timeout(ARRIVE_WITHIN, arriving).await.is_err() {
            tracing::debug!("parts were under way when their object was given up; the sweep looks for them");
        }
        self.upload.abort().await?;
        Ok(())
    }
}
