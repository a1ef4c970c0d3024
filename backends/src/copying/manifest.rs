//! What a backup says about itself, and the digests that prove it.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CopyError, at};

/// The form of backups that this release writes and reads.
pub(super) const FORMAT: u32 = 1;
const FILE: &str = "manifest.json";

/// One backup of the catalogue, or of the key store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub format: u32,
    /// Version of the program that made it.
    pub made_by: String,
    /// The archive, by the id of its root key.
    pub archive: Uuid,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// When it was begun.
    pub taken_at: DateTime<Utc>,
    /// Its files.
    pub files: Vec<FileDigest>,
    /// Lines of the list of objects that belong to it; 0 for keys.
    pub object_lines: u64,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its name in the folder of the backup.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// BLAKE3 of its bytes.
    pub blake3: String,
}

impl Manifest {
    /// Reads the manifest of a backup, and holds every file against its digest.
    pub fn verified(folder: &Path) -> Result<Self, CopyError> {
        let manifest = Self::read(folder)?;
        for file in &manifest.files {
            let found = FileDigest::of(folder, &file.name)?;
            if found != *file {
                let detail = format!("it has {} bytes and another digest", found.size_bytes);
                return Err(CopyError::Differs {
                    what: folder.join(&file.name).display().to_string(),
                    detail,
                });
            }
        }
        Ok(manifest)
    }

    /// Reads the manifest alone.
    pub fn read(folder: &Path) -> Result<Self, CopyError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(at(&path))?;
        let manifest: Self = serde_json::from_str(&text).map_err(|error| CopyError::Differs {
            what: path.display().to_string(),
            detail: error.to_string(),
        })?;
        if manifest.format != FORMAT {
            let (theirs, by) = (manifest.format, &manifest.made_by);
            let sentence =
                format!("the backup has form {theirs}, written by release {by}; restore it with that one");
            return Err(CopyError::Unusable(sentence));
        }
        Ok(manifest)
    }

    /// Writes it durably: a folder without one is no backup.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CopyError> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| CopyError::Unusable(error.to_string()))?;
        write_durably(&folder.join(FILE), text.as_bytes())
    }
}

impl FileDigest {
    /// Digests one file.
    pub(super) fn of(folder: &Path, name: &str) -> Result<Self, CopyError> {
        const BUFFER_BYTES: usize = 1 << 20;
        let path = folder.join(name);
        let mut file = File::open(&path).map_err(at(&path))?;
        let (mut hasher, mut size_bytes) = (blake3::Hasher::new(), 0);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = file.read(&mut buffer).map_err(at(&path))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            size_bytes += bytes.len() as u64;
        }
        Ok(Self { name: name.to_owned(), size_bytes, blake3: hasher.finalize().to_hex().to_string() })
    }
}

/// Writes a file whole or not at all, and makes it durable, folder entry included.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), CopyError> {
    let new = path.with_extension("new");
    let mut file = File::create(&new).map_err(at(&new))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&new))?;
    std::fs::rename(&new, path).map_err(at(path))?;
    sync_folder_of(path)
}

/// Makes the entry of a file in its folder durable.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), CopyError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}
