//! The root key: 32 random bytes in a file that only its owner can read.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rand::RngCore;
use thiserror::Error;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Why the root key cannot be used.
#[derive(Debug, Error)]
pub enum RootKeyError {
    /// No key was made yet.
    #[error("there is no root key at {path}; run `guidang init`")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others than the owner may read the file.
    #[error(
        "root key {path} can be read by others (mode {mode:o}); run `chmod 600` on it and replace the key"
    )]
    Exposed {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("root key {path} is damaged; restore it from its backup")]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
    /// A key exists already and is never overwritten.
    #[error("a root key exists already at {path}")]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("root key {path} cannot be read or written")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The key that wraps all others. Its id is a digest, so that a backup can be told to be of this key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKey {
    bytes: [u8; 32],
}

impl RootKey {
    /// Makes a new key and stores it at `path` with mode 0600, durably.
    pub fn create(path: &Path) -> Result<Self, RootKeyError> {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        let key = Self { bytes };
        let text = format!("guidang-root-key-1 {}\n", hex(&key.bytes));
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all()));
        match written {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RootKeyError::Exists { path: path.to_owned() })
            }
            Err(source) => Err(RootKeyError::Io { path: path.to_owned(), source }),
        }
    }

    /// Reads the key; refuses when group or others may read it.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        let io = |source| RootKeyError::Io { path: path.to_owned(), source };
        let metadata = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RootKeyError::Missing { path: path.to_owned() });
            }
            other => other.map_err(io)?,
        };
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(RootKeyError::Exposed { path: path.to_owned(), mode });
        }
        let text = fs::read_to_string(path).map_err(io)?;
        let bytes = text.trim().strip_prefix("guidang-root-key-1 ").and_then(unhex);
        bytes.map(|bytes| Self { bytes }).ok_or_else(|| RootKeyError::Damaged { path: path.to_owned() })
    }

    /// The name under which keys say that this key wrapped them.
    pub fn id(&self) -> Uuid {
        let digest = blake3::derive_key("guidang root key id 1", &self.bytes);
        let mut short = [0_u8; 16];
        short.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(short).into_uuid()
    }

    pub(crate) fn wrapping_key(&self) -> [u8; 32] {
        blake3::derive_key("guidang key wrapping 1", &self.bytes)
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(***)")
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        RootKey::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        let refused = RootKey::load(&path);

        assert!(matches!(refused, Err(RootKeyError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn a_key_comes_back_as_it_was_made_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let made = RootKey::create(&path).unwrap();

        let again = RootKey::create(&path);

        assert!(matches!(again, Err(RootKeyError::Exists { .. })));
        assert_eq!(RootKey::load(&path).unwrap().id(), made.id());
    }
}
