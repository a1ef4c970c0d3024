//! The folder of an index: one generation is current, a rebuild makes the next one beside it.
//!
//! `current` names the generation; it is replaced atomically, so a reader finds the old one or the new one.
//! `writer.lock` is held by the one writer, and by a rebuild.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use domain::blind_index::BlindKey;

use crate::{error::IndexError, schema::FORMAT};

const CURRENT: &str = "current";
const LOCK: &str = "writer.lock";
pub(crate) const FORMAT_FILE: &str = "format";
const GENERATION: &str = "generation-";

/// Takes the one place of writer; it is given back when the file is dropped.
pub(crate) fn lock(root: &Path) -> Result<File, IndexError> {
    lock_file(root, LOCK)
}

/// Takes the place that a file stands for.
pub(crate) fn lock_file(root: &Path, name: &str) -> Result<File, IndexError> {
    fs::create_dir_all(root)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(root.join(name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IndexError::Locked { folder: root.to_owned() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The folder of the current generation, if there is one.
pub(crate) fn current(root: &Path) -> Result<Option<PathBuf>, IndexError> {
    let name = match fs::read_to_string(root.join(CURRENT)) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(IndexError::damaged("the name of the current generation is unreadable"));
        }
        Err(error) => return Err(error.into()),
    };
    match generation_number(name.trim()) {
        Some(_) => Ok(Some(root.join(name.trim()))),
        None => Err(IndexError::damaged("the name of the current generation is unreadable")),
    }
}

/// Makes the folder of the next generation, with its format and the fingerprint of its key.
pub(crate) fn create_generation(root: &Path, key: &BlindKey) -> Result<PathBuf, IndexError> {
    let last = generations(root)?.into_iter().filter_map(|name| generation_number(&name)).max();
    let folder = root.join(format!("{GENERATION}{:06}", last.unwrap_or(0).saturating_add(1)));
    create_with_format(&folder, key)?;
    Ok(folder)
}

/// Makes a folder for files of an index, with its format and the fingerprint of its key.
pub(crate) fn create_with_format(folder: &Path, key: &BlindKey) -> Result<(), IndexError> {
    fs::create_dir_all(folder)?;
    write_durably(folder, FORMAT_FILE, &format_line(key))
}

/// Makes `generation` the current one and removes all others.
pub(crate) fn make_current(root: &Path, generation: &Path) -> Result<(), IndexError> {
    let name = generation.file_name().unwrap_or_default().to_string_lossy().into_owned();
    write_durably(root, CURRENT, &name)?;
    remove_others(root, generation)
}

/// Removes what a rebuild that did not finish, or one that did, left behind.
pub(crate) fn remove_others(root: &Path, current: &Path) -> Result<(), IndexError> {
    for name in generations(root)? {
        if root.join(&name) != current {
            fs::remove_dir_all(root.join(name))?;
        }
    }
    Ok(())
}

/// Checks that a generation was made by this program with this key.
pub(crate) fn check_format(generation: &Path, key: &BlindKey) -> Result<(), IndexError> {
    let found = fs::read_to_string(generation.join(FORMAT_FILE))
        .map_err(|_| IndexError::damaged("its format is not recorded"))?;
    let expected = format_line(key);
    if found == expected {
        return Ok(());
    }
    let format = |line: &str| line.split_whitespace().next().unwrap_or("unknown").to_owned();
    if format(&found) == format(&expected) {
        return Err(IndexError::OtherKey);
    }
    Err(IndexError::OtherFormat { found: format(&found), expected: format(&expected) })
}

/// Bytes on disk of everything in the folder.
pub(crate) fn size_bytes(folder: &Path) -> Result<u64, IndexError> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size += size_bytes(&entry.path())?,
            Ok(metadata) => size += metadata.len(),
            // A merge may remove a file while we look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(size)
}

pub(crate) fn format_line(key: &BlindKey) -> String {
    format!("{FORMAT} {}\n", hex(&key.fingerprint()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn generations(root: &Path) -> Result<Vec<String>, IndexError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if generation_number(&name).is_some() {
            names.push(name);
        }
    }
    Ok(names)
}

fn generation_number(name: &str) -> Option<u64> {
    name.strip_prefix(GENERATION)?.parse().ok()
}

fn write_durably(folder: &Path, name: &str, content: &str) -> Result<(), IndexError> {
    let temporary = folder.join(format!("{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}
