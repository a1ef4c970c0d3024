//! The scanner folder itself: what lies in it, what a file is known by, and where it goes afterwards.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use super::{litter::is_litter, stillness::Look};

/// Where files go that were taken.
pub const DONE: &str = "done";
/// Where files go that were refused.
pub const FAILED: &str = "failed";

/// What the names of sub-folders mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subfolders {
    /// They are slip numbers; one level deep.
    AreSlips,
    /// Nothing; files in them are taken like any other.
    AreFolders,
}

/// A file that may be a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// Its place below the watched folder.
    pub relative: PathBuf,
    /// The slip number its folder names.
    pub slip_number: Option<String>,
    /// Size and time.
    pub look: Look,
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its files, in the order of their names.
    pub files: Vec<Found>,
    /// Sub-folders that cannot be read, and why; what is beside them can be.
    pub closed: Vec<(PathBuf, io::Error)>,
}

impl Listing {
    /// Leaves out a sub-folder that cannot be read. Where the folder itself cannot be read, there is no listing.
    fn leave_out(&mut self, below: &Path, error: io::Error) -> io::Result<()> {
        if below.as_os_str().is_empty() {
            return Err(error);
        }
        // Another program cleans up too.
        if error.kind() != io::ErrorKind::NotFound {
            self.closed.push((below.to_owned(), error));
        }
        Ok(())
    }
}

/// Lists what lies in `root`: files only, links not followed, litter left alone.
pub fn list(root: &Path, subfolders: Subfolders) -> io::Result<Listing> {
    let mut listing = Listing::default();
    list_into(root, Path::new(""), subfolders, &mut listing)?;
    listing.files.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok(listing)
}

fn list_into(root: &Path, below: &Path, subfolders: Subfolders, listing: &mut Listing) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(below)) {
        Ok(entries) => entries,
        Err(error) => return listing.leave_out(below, error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return listing.leave_out(below, error),
        };
        let name = entry.file_name();
        let is_ours = below.as_os_str().is_empty() && (name == DONE || name == FAILED);
        if is_ours || is_litter(&name.to_string_lossy()) {
            continue;
        }
        let relative = below.join(&name);
        // A file may be gone between the listing and this look: another program cleans up too.
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
        if metadata.is_dir() {
            list_into(root, &relative, subfolders, listing)?;
        } else if metadata.is_file() {
            let slip_number = slip_number(below, subfolders);
            listing.files.push(Found { path: entry.path(), relative, slip_number, look: look(&metadata) });
        }
    }
    Ok(())
}

fn slip_number(below: &Path, subfolders: Subfolders) -> Option<String> {
    match (subfolders, below.components().next()) {
        (Subfolders::AreSlips, Some(first)) => Some(first.as_os_str().to_string_lossy().trim().to_owned()),
        _ => None,
    }
}

fn look(metadata: &fs::Metadata) -> Look {
    Look { size_bytes: metadata.len(), modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH) }
}

impl Found {
    /// Whether it is still the file that was found.
    pub fn is_unchanged(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| look(&metadata) == self.look)
    }

    /// The key under which the archive takes this file once and never again, however often it is sent: a crash
    /// between sending and moving does no harm. The same picture dropped anew has another time and is another file; so
    /// is one in another folder, or for another outlet or slip number.
    pub fn idempotency_key(&self, root: &Path, outlet: &str) -> io::Result<String> {
        let mut content = Sha256::new();
        io::copy(&mut fs::File::open(&self.path)?, &mut content)?;
        let root = root.canonicalize()?;
        let slip_number = self.slip_number.as_deref().unwrap_or_default();
        let since = self.look.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut hasher = Sha256::new();
        for part in [
            root.as_os_str().as_encoded_bytes(),
            outlet.as_bytes(),
            slip_number.as_bytes(),
            self.relative.as_os_str().as_encoded_bytes(),
            &self.look.size_bytes.to_be_bytes(),
            &since.as_nanos().to_be_bytes(),
            &content.finalize(),
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Ok(hasher.finalize().iter().fold("watch-".to_owned(), |text, byte| text + &format!("{byte:02x}")))
    }

    /// Moves the file to `done/`, in the same sub-folder.
    pub fn move_to_done(&self, root: &Path) -> io::Result<PathBuf> {
        self.move_to(&root.join(DONE))
    }

    /// Writes why into a text file beside its new place, and moves the file to `failed/`.
    pub fn move_to_failed(&self, root: &Path, why: &str) -> io::Result<PathBuf> {
        let moved = self.move_to(&root.join(FAILED))?;
        let mut text = moved.clone().into_os_string();
        text.push(".txt");
        fs::write(text, format!("{why}\n"))?;
        Ok(moved)
    }

    fn move_to(&self, folder: &Path) -> io::Result<PathBuf> {
        let wanted = folder.join(&self.relative);
        fs::create_dir_all(wanted.parent().unwrap_or(folder))?;
        let target = free_name(&wanted);
        fs::rename(&self.path, &target)?;
        self.remove_empty_parents();
        Ok(target)
    }

    /// A sub-folder that was emptied goes too; one that is not empty stays, which is what `remove_dir` does.
    fn remove_empty_parents(&self) {
        let depth = self.relative.components().count().saturating_sub(1);
        for parent in self.path.ancestors().skip(1).take(depth) {
            if fs::remove_dir(parent).is_err() {
                return;
            }
        }
    }
}

/// Moves a file that was taken and turned out to be unreadable from `done/` to `failed/`, with the reason beside it.
pub fn move_from_done(root: &Path, moved: &Path, why: &str) -> io::Result<PathBuf> {
    let relative = moved.strip_prefix(root.join(DONE)).map_err(io::Error::other)?.to_owned();
    let look = look(&fs::symlink_metadata(moved)?);
    Found { path: moved.to_owned(), relative, slip_number: None, look }.move_to_failed(root, why)
}

/// `name`, or `name (2)` and so on when that is taken: nothing that was moved before is ever overwritten.
fn free_name(wanted: &Path) -> PathBuf {
    let stem = wanted.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending =
        wanted.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let mut candidate = wanted.to_owned();
    let mut number = 1;
    while candidate.symlink_metadata().is_ok() {
        number += 1;
        candidate = wanted.with_file_name(format!("{stem} ({number}){ending}"));
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str, bytes: &[u8]) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn names(found: &[Found]) -> Vec<String> {
        found.iter().map(|found| found.relative.display().to_string()).collect()
    }

    #[test]
    fn litter_links_and_what_was_moved_are_not_listed() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.jpg", "Thumbs.db", "b.jpg.part", "done/c.jpg", "failed/d.jpg", "sub/e.jpg", ".git/f"]
        {
            put(root.path(), name, b"x");
        }
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("link.jpg")).unwrap();

        let found = list(root.path(), Subfolders::AreFolders).unwrap().files;

        assert_eq!(names(&found), ["a.jpg", "sub/e.jpg"]);
        assert!(found.iter().all(|found| found.slip_number.is_none()));
    }

    #[test]
    fn sub_folders_are_slip_numbers_when_asked() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "TJ0001/front.jpg", b"x");
        put(root.path(), "loose.jpg", b"x");

        let found = list(root.path(), Subfolders::AreSlips).unwrap().files;

        assert_eq!(found[0].slip_number.as_deref(), Some("TJ0001"));
        assert_eq!(found[1].slip_number, None);
    }

    #[test]
    fn the_key_of_a_file_depends_on_everything_that_is_said_about_it() {
        let (root, another) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(root.path(), "a.jpg", b"x");
        put(root.path(), "b.jpg", b"y");
        let found = list(root.path(), Subfolders::AreFolders).unwrap().files.remove(0);
        let key = found.idempotency_key(root.path(), "TJ01").unwrap();

        let elsewhere = Found { relative: "b.jpg".into(), ..found.clone() };
        let later = Found { look: Look { modified: SystemTime::UNIX_EPOCH, ..found.look }, ..found.clone() };
        let other_bytes = Found { path: root.path().join("b.jpg"), ..found.clone() };
        let of_a_slip = Found { slip_number: Some("S1".to_owned()), ..found.clone() };

        assert_eq!(key, found.idempotency_key(&root.path().join("."), "TJ01").unwrap());
        let others = [elsewhere, later, other_bytes, of_a_slip]
            .map(|other| other.idempotency_key(root.path(), "TJ01").unwrap());
        let more = [
            found.idempotency_key(root.path(), "TJ02").unwrap(),
            found.idempotency_key(another.path(), "TJ01").unwrap(),
        ];
        let all: std::collections::BTreeSet<_> = others.into_iter().chain(more).chain([key]).collect();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn a_sub_folder_that_cannot_be_read_is_left_out_and_the_folder_itself_is_not() {
        let mut listing = Listing::default();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);

        listing.leave_out(Path::new("closed"), denied()).unwrap();
        listing.leave_out(Path::new("gone"), io::ErrorKind::NotFound.into()).unwrap();

        assert!(listing.leave_out(Path::new(""), denied()).is_err());
        assert_eq!(
            listing.closed.iter().map(|(folder, _)| folder.as_path()).collect::<Vec<_>>(),
            [Path::new("closed")]
        );
        assert!(list(Path::new("/nonexistent"), Subfolders::AreFolders).is_err());
    }

    #[test]
    fn nothing_is_overwritten_in_done_and_empty_folders_go() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "done/s/a.jpg", b"old");
        put(root.path(), "s/a.jpg", b"new");
        let found = list(root.path(), Subfolders::AreSlips).unwrap().files.remove(0);

        let moved = found.move_to_done(root.path()).unwrap();

        assert_eq!(moved, root.path().join("done/s/a (2).jpg"));
        assert_eq!(fs::read(root.path().join("done/s/a.jpg")).unwrap(), b"old");
        assert!(!root.path().join("s").exists());
    }

    #[test]
    fn a_refused_file_lies_beside_the_reason() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "a.heic", b"x");
        let found = list(root.path(), Subfolders::AreFolders).unwrap().files.remove(0);

        found.move_to_failed(root.path(), "HEIC is not taken; save it as JPEG").unwrap();

        assert!(fs::read_to_string(root.path().join("failed/a.heic.txt")).unwrap().contains("JPEG"));
        assert!(root.path().join("failed/a.heic").exists());
    }

    #[test]
    fn what_turns_out_to_be_unreadable_goes_from_done_to_failed() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "s/a.pdf", b"x");
        let found = list(root.path(), Subfolders::AreSlips).unwrap().files.remove(0);
        let moved = found.move_to_done(root.path()).unwrap();

        let failed = move_from_done(root.path(), &moved, "There is no page in the file.").unwrap();

        assert_eq!(failed, root.path().join("failed/s/a.pdf"));
        assert!(root.path().join("failed/s/a.pdf.txt").exists() && !root.path().join("done/s").exists());
    }

    #[test]
    fn a_file_that_changed_while_it_was_read_waits_again() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "a.jpg", b"x");
        let found = list(root.path(), Subfolders::AreFolders).unwrap().files.remove(0);
        assert!(found.is_unchanged());

        put(root.path(), "a.jpg", b"longer");

        assert!(!found.is_unchanged());
    }
}
