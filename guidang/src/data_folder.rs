//! The data folder: where things are in it, who may read it, and that one server at a time works on it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use backends::connect::BackendsConfig;
use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use crate::{
    configuration::{Configuration, FILE_NAME},
    failure::{Failure, OrFail},
};

/// How long the place of a server that just ended is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_POLL: Duration = Duration::from_millis(50);

/// The data folder of this archive.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    /// The folder that was named, or the one the system's conventions name.
    pub fn locate(named: Option<&Path>) -> Result<Self, Failure> {
        let root = match named {
            Some(named) => std::path::absolute(named).or_fail("the data folder has no usable name")?,
            None => conventional("archive")?,
        };
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folder and those inside it, for the owner alone. `Tightened` when others could enter it before; a folder
    /// with other things in it, which others may need, is refused.
    pub fn create(&self) -> Result<Made, Failure> {
        let mode = self.mode_of_existing()?;
        let was_open = mode.is_some_and(|mode| mode & 0o077 != 0);
        if was_open && !self.holds_nothing_else()? {
            let root = self.root.display();
            return Err(Failure::new(format!(
                "others can enter {root} (mode {:o}), and there are other things in it; name a folder of its own with \
                 --data, or run `chmod 700 {root}` if nobody else needs it",
                mode.unwrap_or_default()
            )));
        }
        for folder in [self.root.clone(), self.root.join("keys"), self.run()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.or_fail(format!("folder {} cannot be made", folder.display()))?;
        }
        // Files of the database and the objects take their protection from the folder above them.
        let owner_only = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&self.root, owner_only)
            .or_fail(format!("folder {} cannot be kept from others", self.root.display()))?;
        Ok(if was_open { Made::Tightened } else { Made::Private })
    }

    /// The permission bits of the folder; `None` when there is none.
    fn mode_of_existing(&self) -> Result<Option<u32>, Failure> {
        match fs::metadata(&self.root) {
            Ok(metadata) => Ok(Some(metadata.permissions().mode() & 0o777)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Failure::because(format!("folder {} cannot be looked at", self.root.display()), error))
            }
        }
    }

    /// Whether the folder holds nothing, or an archive with its configuration.
    fn holds_nothing_else(&self) -> Result<bool, Failure> {
        const OURS: [&str; 4] = [FILE_NAME, "catalogue.db", "keys", "run"];
        let unreadable = || format!("folder {} cannot be read", self.root.display());
        let mut is_empty = true;
        for entry in fs::read_dir(&self.root).or_fail(unreadable())? {
            let name = entry.or_fail(unreadable())?.file_name();
            if OURS.iter().any(|ours| name == *ours) {
                return Ok(true);
            }
            is_empty = false;
        }
        Ok(is_empty)
    }

    /// Refuses a folder that was never made an archive, or that others may enter.
    pub fn check(&self) -> Result<(), Failure> {
        let metadata = match fs::metadata(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let sentence =
                    format!("there is no archive in {}; run `guidang init` first", self.root.display());
                return Err(Failure::new(sentence));
            }
            other => other.or_fail(format!("data folder {} cannot be read", self.root.display()))?,
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let root = self.root.display();
            let sentence =
                format!("others can enter the data folder {root} (mode {mode:o}); run `chmod 700 {root}`");
            return Err(Failure::new(sentence));
        }
        match own_user() {
            Some(own) => self.refuse_strangers(metadata.uid(), own),
            None => Ok(()),
        }
    }

    /// Refuses an archive of another user, in which nothing could be opened. Who may do everything may do this.
    fn refuse_strangers(&self, owner: u32, own: u32) -> Result<(), Failure> {
        if own == owner || own == 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the archive in {} belongs to another user (uid {owner}, you are {own}); run this as that user, or ask the \
             server through its API with a token",
            self.root.display()
        )))
    }

    /// Where everything is kept, as configured or as the folder suggests.
    pub fn backends(&self, configuration: &Configuration) -> BackendsConfig {
        let suggested = BackendsConfig::embedded(&self.root);
        let root_key = &configuration.keys.root_key;
        BackendsConfig {
            database_url: configuration.database.url.or(suggested.database_url),
            keys_url: configuration.keys.url.or(suggested.keys_url),
            queue_url: configuration.queue.url.or(suggested.queue_url),
            queue_ca_file: some_path(&configuration.queue.ca_file),
            objects_url: configuration.objects.url.or(suggested.objects_url),
            postgres: configuration.database.postgres(),
            s3: suggested.s3,
            spool: suggested.spool,
            root_key: if root_key.as_os_str().is_empty() { suggested.root_key } else { root_key.clone() },
        }
    }

    /// The folder of the search index.
    pub fn index(&self, configuration: &Configuration) -> PathBuf {
        or_default(&configuration.index.folder, || self.root.join("index"))
    }

    /// The file of signed heads of the operation log.
    pub fn log_heads(&self) -> PathBuf {
        workers::log_heads::default_file(&self.root)
    }

    /// What the running server says about itself.
    pub fn run_file(&self) -> PathBuf {
        self.run().join("server.json")
    }

    fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Takes the place of the one server; it is given back when the lock is dropped, however the process ends.
    pub fn lock(&self) -> Result<DataLock, Failure> {
        let path = self.run().join("serve.lock");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.run());
        made.or_fail(format!("folder {} cannot be made", self.run().display()))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.or_fail(format!("{} cannot be opened", path.display()))?;
        // A server that was killed holds its lock until the system has taken it apart, which is soon but not at once.
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(DataLock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(self.in_use()),
                Err(TryLockError::Error(error)) => {
                    return Err(Failure::because("the data folder cannot be locked", error));
                }
            }
        }
    }

    fn in_use(&self) -> Failure {
        let root = self.root.display();
        let advice = "stop it first, or choose another folder with --data";
        Failure::new(format!("another guidang already works on {root}; {advice}"))
    }
}

/// How a data folder was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// New, or closed to others before.
    Private,
    /// Others could enter it, and now they cannot.
    Tightened,
}

impl Made {
    /// Says it, where something changed for others.
    pub fn tell(self, folder: &DataFolder) {
        if self == Self::Tightened {
            println!("Others could enter {}; now only its owner can.", folder.root().display());
        }
    }
}

/// The user this program runs as.
fn own_user() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

/// Held by the one process that works on a data folder.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// The folder of models and runtime library.
pub fn models_folder(configuration: &Configuration) -> Result<PathBuf, Failure> {
    let configured = &configuration.reading.models;
    if configured.as_os_str().is_empty() { conventional("models") } else { Ok(configured.clone()) }
}

/// The folder of this user's data, as the XDG base directory specification has it.
fn conventional(name: &str) -> Result<PathBuf, Failure> {
    let folders =
        etcetera::choose_base_strategy().or_fail("this user has no home folder; name one with --data")?;
    Ok(folders.data_dir().join("guidang").join(name))
}

fn some_path(configured: &Path) -> Option<PathBuf> {
    (!configured.as_os_str().is_empty()).then(|| configured.to_owned())
}

fn or_default(configured: &Path, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if configured.as_os_str().is_empty() { default() } else { configured.to_owned() }
}

/// What a running server tells commands on the same machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Where it answers, as in `http://127.0.0.1:8490`.
    pub address: String,
    /// Its process.
    pub pid: u32,
    /// Lets commands of the same user in; ends with the server.
    pub token: String,
}

impl RunFile {
    /// Writes it for the owner alone, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).or_fail("the run file cannot be written")?;
        let new = path.with_extension("new");
        let written = remove_if_there(&new)
            .and_then(|()| OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&new, path));
        written.or_fail(format!("{} cannot be written", path.display()))
    }

    /// Reads it; `None` when no server wrote one, or what stands there is not one.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

/// Removes a file; that there is none is no error.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::locate(Some(&temporary.path().join("data"))).unwrap();
        (temporary, folder)
    }

    #[test]
    fn a_data_folder_is_for_its_owner_alone() {
        let (_temporary, folder) = folder();

        folder.create().unwrap();

        assert_eq!(fs::metadata(folder.root()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(folder.check().is_ok());
        fs::set_permissions(folder.root(), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(folder.check().unwrap_err().to_string().contains("chmod 700"));
    }

    #[test]
    fn a_folder_that_others_use_is_not_taken_from_them() {
        let (_temporary, folder) = folder();
        let open = || fs::set_permissions(folder.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.root()).unwrap();
        fs::write(folder.root().join("letters.txt"), "x").unwrap();
        open();

        let refused = folder.create().unwrap_err().to_string();

        assert!(refused.contains("other things in it"), "{refused}");
        assert_eq!(fs::metadata(folder.root()).unwrap().permissions().mode() & 0o777, 0o755);
        fs::remove_file(folder.root().join("letters.txt")).unwrap();
        assert_eq!(folder.create().unwrap(), Made::Tightened);
        assert_eq!(folder.create().unwrap(), Made::Private);
        open();
        assert_eq!(
            folder.create().unwrap(),
            Made::Tightened,
            "an archive that was opened up is closed again"
        );
    }

    #[test]
    fn an_archive_of_another_user_is_named_as_such() {
        let (_temporary, folder) = folder();

        let failure = folder.refuse_strangers(998, 1000).unwrap_err().to_string();

        assert!(failure.contains("belongs to another user (uid 998, you are 1000)"), "{failure}");
        assert!(folder.refuse_strangers(998, 998).is_ok() && folder.refuse_strangers(998, 0).is_ok());
    }

    #[test]
    fn a_folder_that_is_no_archive_says_what_to_run() {
        let (_temporary, folder) = folder();

        let failure = folder.check().unwrap_err();

        assert!(failure.to_string().contains("guidang init"));
    }

    #[test]
    fn only_one_server_works_on_a_data_folder() {
        let (_temporary, folder) = folder();
        folder.create().unwrap();
        let held = folder.lock().unwrap();

        assert!(folder.lock().is_err());
        drop(held);
        assert!(folder.lock().is_ok());
    }

    #[test]
    fn the_run_file_comes_back_and_nobody_else_may_read_it() {
        let (_temporary, folder) = folder();
        folder.create().unwrap();
        let written =
            RunFile { address: "http://127.0.0.1:1".to_owned(), pid: 7, token: "secret".to_owned() };

        written.write(&folder.run_file()).unwrap();
        written.write(&folder.run_file()).unwrap();

        assert!(RunFile::read(&folder.run_file()) == Some(written));
        assert_eq!(fs::metadata(folder.run_file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
