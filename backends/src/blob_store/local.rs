//! Small objects in a local folder, each durable after one commit of the file system's journal.
//!
//! `object_store` syncs the file under a name for the time being and then the folder with the final one: two commits.
//! Here the file has its final name before it is synced, so that one commit carries both; nobody is told of it
//! before. Whoever lists the folder meanwhile finds whole objects only, since every byte was written by then.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::error::StorageError;

/// How often a folder that somebody else removes as empty is made again.
const ATTEMPTS: u32 = 8;

/// Writes a new file below `root`; when this returns, bytes and name survive a power cut. `Conflict`: there is one.
pub(super) fn write_new(root: &Path, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
    let target = root.join(path);
    let mut attempt = 1;
    loop {
        match write(&target, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {
                attempt += 1;
                make_parents(root, &target).map_err(failed)?;
            }
            done => return done.map_err(failed),
        }
    }
}

fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = target.parent().unwrap_or(target);
    let staged = staged_name(target);
    let mut file = File::options().write(true).create_new(true).open(&staged)?;
    let named = file.write_all(bytes).and_then(|()| fs::hard_link(&staged, target));
    // Not the object's name any more, or never to become it.
    let unstaged = fs::remove_file(&staged);
    named?;
    let synced = unstaged.and_then(|()| file.sync_all()).and_then(|()| File::open(folder)?.sync_all());
    if synced.is_err() {
        let _ = fs::remove_file(target);
    }
    synced
}

/// A name that listings pass over: they leave out what ends with `#` and digits.
fn staged_name(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!("#{}", rand::random::<u32>()));
    name.into()
}

/// Makes the folders between `root` and the file, each durable in the one above it.
fn make_parents(root: &Path, target: &Path) -> io::Result<()> {
    let below = target.parent().and_then(|folder| folder.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    let mut folder = root.to_owned();
    for part in below.components() {
        let parent = folder.clone();
        folder.push(part);
        match fs::create_dir(&folder) {
            Ok(()) => File::open(parent)?.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn failed(error: io::Error) -> StorageError {
    const WHAT: &str = "object store";
    match error.kind() {
        io::ErrorKind::AlreadyExists => StorageError::Conflict { what: WHAT },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::Full { what: WHAT },
        _ => StorageError::Unavailable { what: WHAT, source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_whole_once_and_leaves_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();

        write_new(root.path(), "scans/aa/one", b"first").unwrap();
        let again = write_new(root.path(), "scans/aa/one", b"second");

        assert!(matches!(again, Err(StorageError::Conflict { .. })));
        assert_eq!(fs::read(root.path().join("scans/aa/one")).unwrap(), b"first");
        assert_eq!(fs::read_dir(root.path().join("scans/aa")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_goes_away_meanwhile_is_made_again() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().to_owned();
        let remover = std::thread::spawn(move || {
            for _ in 0..2_000 {
                let _ = fs::remove_dir(path.join("scans/aa"));
            }
        });

        for number in 0..100 {
            let name = format!("scans/aa/{number}");
            write_new(root.path(), &name, b"x").unwrap();
            fs::remove_file(root.path().join(name)).unwrap();
        }

        remover.join().unwrap();
    }
}
