//! Objects: bytes kept outside the catalogue, always as ciphertext.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::ids::ScanId;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart, local::LocalFileSystem,
    path::Path as ObjectPath,
};

use crate::error::StorageError;

/// What an object is; the one place that turns meaning into a path. Paths hold ids only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKey {
    /// The bytes of a scan as received, sealed.
    Scan(ScanId),
}

impl BlobKey {
    /// The path in the store. The random end of the id leads, so that keys spread over folders and partitions.
    pub fn path(self) -> String {
        match self {
            Self::Scan(id) => {
                let text = id.uuid().simple().to_string();
                format!("scans/{}/{text}", &text[30..])
            }
        }
    }

    fn object_path(self) -> ObjectPath {
        ObjectPath::from(self.path())
    }

    /// Reads a path back; `None` for what this program did not write.
    pub fn parse(path: &str) -> Option<Self> {
        let name = path.strip_prefix("scans/")?.split_once('/')?.1;
        uuid::Uuid::try_parse(name).ok().map(|id| Self::Scan(ScanId::from_uuid(id)))
    }
}

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

/// The object store. A completed write is durable: bytes and folder entry have been synced.
#[derive(Debug, Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
}

impl BlobStore {
    /// Opens a local folder, which must exist.
    pub fn local(folder: &Path) -> Result<Self, StorageError> {
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store) })
    }

    /// Writes a small object under a key that is new.
    pub async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StorageError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&key.object_path(), PutPayload::from_bytes(bytes), options).await?;
        Ok(())
    }

    /// Starts a large object under a key that is new; nothing is visible until `finish`.
    pub async fn start(&self, key: BlobKey) -> Result<BlobWriter, StorageError> {
        let upload = self.store.put_multipart(&key.object_path()).await?;
        Ok(BlobWriter { upload: WriteMultipart::new_with_chunk_size(upload, PART_BYTES) })
    }

    /// The whole object; `None` when there is none.
    pub async fn get(&self, key: BlobKey) -> Result<Option<Bytes>, StorageError> {
        match self.store.get(&key.object_path()).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the object is there.
    pub async fn exists(&self, key: BlobKey) -> Result<bool, StorageError> {
        match self.store.head(&key.object_path()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the object; removing what is not there is no error.
    pub async fn delete(&self, key: BlobKey) -> Result<(), StorageError> {
        match self.store.delete(&key.object_path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every object, for sweeps and `verify`; never on a hot path.
    pub fn list(&self) -> BoxStream<'static, Result<StoredBlob, StorageError>> {
        self.store
            .list(None)
            .map(|listed| {
                let meta = listed?;
                let path = meta.location.to_string();
                let key = BlobKey::parse(&path);
                Ok(StoredBlob { key, path, written_at: meta.last_modified, size_bytes: meta.size })
            })
            .boxed()
    }
}

const PART_BYTES: usize = 8 * 1024 * 1024;

/// A large object being written; dropped without `finish`, nothing is kept.
#[derive(Debug)]
pub struct BlobWriter {
    upload: WriteMultipart,
}

impl BlobWriter {
    /// Appends bytes; waits when too many parts are under way, so memory stays bounded.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        const PARTS_UNDER_WAY: usize = 2;
        self.upload.wait_for_capacity(PARTS_UNDER_WAY).await?;
        self.upload.write(bytes);
        Ok(())
    }

    /// Makes the object durable and visible.
    pub async fn finish(self) -> Result<(), StorageError> {
        self.upload.finish().await?;
        Ok(())
    }

    /// Gives up; what was written is removed.
    pub async fn abort(self) -> Result<(), StorageError> {
        self.upload.abort().await?;
        Ok(())
    }
}
