//! What `object_store` has no call for in a local folder: files of large objects that were never finished.

use std::{fs, io, path::Path};

use chrono::{DateTime, Utc};

use super::key::BlobKey;

/// Removes the files of large objects that nobody has written to since `before`; says how many there were.
///
/// A writer that is killed leaves one behind. It bears the name of its object, a number sign and a number, and
/// `object_store` lists it nowhere.
pub(super) fn abandon(root: &Path, before: DateTime<Utc>) -> io::Result<u64> {
    let (mut removed, mut folders) = (0, vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            // Gone with its last object since it was seen: `object_store` removes empty folders.
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder != root => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if is_folder(&entry)? {
                folders.push(entry.path());
            } else if is_unfinished(root, &entry.path()) && was_written_before(&entry, before)? {
                removed += u64::from(remove(&entry.path())?);
            }
        }
    }
    Ok(removed)
}

/// What is gone meanwhile is none.
fn is_folder(entry: &fs::DirEntry) -> io::Result<bool> {
    match entry.file_type() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found.map(|found| found.is_dir()),
    }
}

fn is_unfinished(root: &Path, path: &Path) -> bool {
    let Some(path) = path.strip_prefix(root).ok().and_then(Path::to_str) else { return false };
    let Some((object, number)) = path.rsplit_once('#') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && BlobKey::parse(object).is_some()
}

/// A file that is gone meanwhile was finished, and is nothing to remove.
fn was_written_before(entry: &fs::DirEntry, before: DateTime<Utc>) -> io::Result<bool> {
    match entry.metadata().and_then(|metadata| metadata.modified()) {
        Ok(written_at) => Ok(DateTime::<Utc>::from(written_at) < before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn only_old_files_of_unfinished_objects_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let key = BlobKey::Scan(domain::ids::ScanId::from_uuid(uuid::Uuid::from_u128(0xab)));
        let object = root.path().join(key.path());
        fs::create_dir_all(object.parent().unwrap()).unwrap();
        let unfinished = PathBuf::from(format!("{}#1", object.display()));
        let foreign = root.path().join("scans/notes#1");
        for path in [&object, &unfinished, &foreign] {
            fs::write(path, b"x").unwrap();
        }
        let written_at = DateTime::<Utc>::from(fs::metadata(&unfinished).unwrap().modified().unwrap());

        let too_early = abandon(root.path(), written_at - TimeDelta::seconds(1)).unwrap();
        let removed = abandon(root.path(), written_at + TimeDelta::seconds(1)).unwrap();

        assert_eq!((too_early, removed), (0, 1));
        assert!(object.exists() && foreign.exists() && !unfinished.exists());
    }

    #[test]
    fn folders_that_go_away_meanwhile_do_not_end_the_search() {
        let root = tempfile::tempdir().unwrap();
        let folders: Vec<PathBuf> = (0..64).map(|number| root.path().join(format!("{number:02x}"))).collect();
        let is_over = std::sync::atomic::AtomicBool::new(false);

        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    for folder in &folders {
                        let _ = fs::create_dir(folder).and_then(|()| fs::remove_dir(folder));
                    }
                }
            });
            let looked: Vec<_> = (0..200).map(|_| abandon(root.path(), DateTime::<Utc>::MIN_UTC)).collect();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);

            assert!(looked.into_iter().all(|looked| looked.is_ok_and(|removed| removed == 0)));
        });
    }
}
