//! A disk that is small enough to be filled.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// A tmpfs, unmounted when dropped.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of this size.
    pub fn mount(size_bytes: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("guidang-disk-").tempdir()?;
        let options = format!("size={size_bytes},mode=0700");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        let mount = mount.context("there is no mount program")?;
        ensure!(
            mount.status.success(),
            "a disk that fills up needs the right to mount a tmpfs: run the drills as root, or in a container with \
             CAP_SYS_ADMIN ({})",
            String::from_utf8_lossy(&mount.stderr).trim()
        );
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it with a file, up to the last byte.
    pub fn fill(&self) -> Result<()> {
        let mut file = File::options().create(true).append(true).open(self.ballast())?;
        for piece in [vec![0xA5_u8; 1 << 16], vec![0xA5_u8; 4096], vec![0xA5_u8; 1]] {
            loop {
                match file.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => bail!(error),
                }
            }
        }
        Ok(())
    }

    /// Fills it, but for so many bytes.
    pub fn fill_but(&self, free_bytes: u64) -> Result<()> {
        self.fill()?;
        let file = File::options().write(true).open(self.ballast())?;
        let size_bytes = file.metadata()?.len();
        Ok(file.set_len(size_bytes.saturating_sub(free_bytes))?)
    }

    /// Takes away what fills it.
    pub fn clear(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed a moment ago may still hold a file.
        let unmounted = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} was not unmounted", self.folder.path().display());
        }
    }
}
