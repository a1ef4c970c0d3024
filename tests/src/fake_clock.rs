//! A clock that a test sets while a process runs by it: libfaketime tells the process another time than the machine has.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use tempfile::TempDir;

use crate::server::Setup;

/// The clock of one process or of several. It begins with the right time.
pub struct FakeClock {
    library: PathBuf,
    folder: TempDir,
}

impl FakeClock {
    /// Makes a clock. A missing library is an error: nothing is skipped.
    pub fn new() -> Result<Self> {
        let clock = Self { library: library()?, folder: tempfile::tempdir()? };
        clock.set(TimeDelta::zero())?;
        Ok(clock)
    }

    /// Sets it so far before or behind the machine's.
    pub fn set(&self, off_by: TimeDelta) -> Result<()> {
        // Renamed over the old one: nobody reads half a time.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{:+}\n", off_by.num_seconds()))?;
        Ok(fs::rename(next, self.file())?)
    }

    /// What makes a process go by it. How much time goes by is told by the machine: only the time of day is another.
    fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            // Looks at each reading: a test goes on when it has set the clock.
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // Files keep the times they have.
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}

impl Setup {
    /// Lets every process go by this clock.
    #[must_use]
    pub fn by_clock(mut self, clock: &FakeClock) -> Self {
        self.settings.extend(clock.variables());
        self
    }
}

/// Debian keeps it in a folder of the machine's kind.
fn library() -> Result<PathBuf> {
    let kinds = fs::read_dir("/usr/lib").context("/usr/lib cannot be listed")?;
    let mut found = kinds.flatten().map(|kind| kind.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|library| library.exists()).context("libfaketime is not installed; run `make setup`")
}
