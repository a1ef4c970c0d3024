//! Copies of an index as of one commit: taken from a folder that may be written meanwhile, and put into one that has
//! no index yet.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use domain::blind_index::BlindKey;
use tantivy::Index;

use crate::{
    error::IndexError,
    folder,
    writer::{FOLLOWING_BUFFER_BYTES, IndexWriter, open_index, reached},
};

/// Where a commit is held while it is copied.
const HELD: &str = "held";
/// Taken by the one who holds a commit.
const LOCK: &str = "held.lock";
const META: &str = "meta.json";
/// Where the engine keeps which files are its own; without it none of them would ever be removed.
const OWN_FILES: &str = ".managed.json";
/// How often a commit that vanished while it was being held is looked for again.
const ATTEMPTS: u32 = 50;

/// What an index and the program that opens it must have in common.
pub fn format_of(key: &BlindKey) -> String {
    folder::format_line(key).trim().to_owned()
}

/// Whether there is an index in `root`, whatever its state.
pub fn is_there(root: &Path) -> bool {
    !matches!(folder::current(root), Ok(None))
}

/// One commit of an index, held on disk by links until it is dropped. The writer goes on meanwhile.
pub struct HeldCommit {
    folder: PathBuf,
    reached: u64,
    files: Vec<HeldFile>,
    _lock: File,
}

/// A file of a held commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFile {
    /// Its name in the index.
    pub name: String,
    /// Where it can be read.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
}

impl HeldCommit {
    /// Holds the last commit of the index in `root`, from this process or another one. `Locked`: somebody else holds
    /// one already.
    pub fn take(root: &Path, key: &BlindKey) -> Result<Self, IndexError> {
        let lock = folder::lock_file(root, LOCK)?;
        let folder = root.join(HELD);
        let mut held = Self { folder, reached: 0, files: Vec::new(), _lock: lock };
        held.hold(root, key)?;
        held.reached = reached(&checked(&held.folder, key)?)?;
        held.files = held_files(&held.folder)?;
        Ok(held)
    }

    fn hold(&self, root: &Path, key: &BlindKey) -> Result<(), IndexError> {
        let mut attempt = 1;
        loop {
            remove_folder(&self.folder)?;
            match link_last_commit(root, key, &self.folder) {
                Err(error @ (IndexError::Missing { .. } | IndexError::OtherKey)) => return Err(error),
                // The writer has moved on, and removed what was about to be held.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                held => return held,
            }
        }
    }

    /// Number of the last change in it.
    pub const fn reached(&self) -> u64 {
        self.reached
    }

    /// Its files, in order of their names.
    pub fn files(&self) -> &[HeldFile] {
        &self.files
    }
}

impl Drop for HeldCommit {
    fn drop(&mut self) {
        // What stays is removed when the index is opened or held the next time.
        let _ = remove_folder(&self.folder);
    }
}

/// Links every file of the last commit: files of a commit are never changed, only removed.
fn link_last_commit(root: &Path, key: &BlindKey, held: &Path) -> Result<(), IndexError> {
    let generation = folder::current(root)?.ok_or_else(|| IndexError::Missing { folder: root.to_owned() })?;
    let metas = {
        let index = open_index(&generation, key)?;
        index.load_metas().map_err(IndexError::on_open)?
    };
    folder::create_with_format(held, key)?;
    let mut own = vec![META.to_owned()];
    for file in metas.list_segment_files() {
        let name = file.to_string_lossy().into_owned();
        match fs::hard_link(generation.join(&name), held.join(&name)) {
            Ok(()) => own.push(name),
            // Not every segment has every kind of file. One that is needed is missed when the commit is opened.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    write_json(&held.join(META), &metas)?;
    write_json(&held.join(OWN_FILES), &own)?;
    open_index(held, key).map(drop)
}

fn write_json(path: &Path, value: &(impl serde::Serialize + ?Sized)) -> Result<(), IndexError> {
    let text = serde_json::to_vec(value).map_err(io::Error::from)?;
    Ok(fs::write(path, text)?)
}

/// Opens an index and compares the checksum of every file.
fn checked(generation: &Path, key: &BlindKey) -> Result<Index, IndexError> {
    let index = open_index(generation, key)?;
    let damaged = index.validate_checksum().map_err(IndexError::on_open)?;
    match damaged.into_iter().next() {
        Some(name) => Err(IndexError::damaged(format!("{} is not what was written", name.display()))),
        None => Ok(index),
    }
}

fn held_files(folder: &Path) -> Result<Vec<HeldFile>, IndexError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != folder::FORMAT_FILE {
            files.push(HeldFile { name, path: entry.path(), size_bytes: entry.metadata()?.len() });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// An index that arrives from elsewhere, in a folder that has none. Dropped before it is finished it leaves nothing.
pub struct Arrival {
    root: PathBuf,
    key: BlindKey,
    generation: PathBuf,
    /// Given to the writer when the index is whole.
    lock: Option<File>,
}

impl Arrival {
    /// Takes the place of writer; `None` when there is an index already.
    pub fn start(root: &Path, key: BlindKey) -> Result<Option<Self>, IndexError> {
        let lock = folder::lock(root)?;
        if folder::current(root)?.is_some() {
            return Ok(None);
        }
        let generation = folder::create_generation(root, &key)?;
        Ok(Some(Self { root: root.to_owned(), key, generation, lock: Some(lock) }))
    }

    /// Makes one of its files.
    pub fn create(&self, name: &str) -> Result<File, IndexError> {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_plain || name.is_empty() || name == ".." || name == "." {
            return Err(IndexError::damaged("a file of it has a name that no index has"));
        }
        Ok(OpenOptions::new().write(true).create_new(true).open(self.generation.join(name))?)
    }

    /// Opens what arrived, compares every checksum and the number it reached, and goes on as its writer.
    pub fn finish(mut self, expected: u64) -> Result<IndexWriter, IndexError> {
        let index = checked(&self.generation, &self.key)?;
        if reached(&index)? != expected {
            return Err(IndexError::damaged("it reached another change than was said"));
        }
        drop(index);
        File::open(&self.generation)?.sync_all()?;
        folder::make_current(&self.root, &self.generation)?;
        let Some(lock) = self.lock.take() else { return Err(IndexError::damaged("it was finished before")) };
        let (root, generation) = (self.root.clone(), self.generation.clone());
        IndexWriter::open_generation(&root, generation, self.key.clone(), FOLLOWING_BUFFER_BYTES, lock)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        // Still the one who writes here, so nothing of anybody else's is removed.
        if self.lock.is_some() {
            let _ = remove_folder(&self.generation);
        }
    }
}

/// Removes what a process that died while it held a commit left: it may hold what is destroyed since.
pub(crate) fn remove_stale(root: &Path) -> Result<(), IndexError> {
    match folder::lock_file(root, LOCK) {
        Ok(_free) => remove_folder(&root.join(HELD)),
        Err(IndexError::Locked { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove_folder(folder: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
