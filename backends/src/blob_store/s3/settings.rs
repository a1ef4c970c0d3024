//! What an S3-compatible store is reached with.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Longest answer of a store whose leading node has just been lost, as measured, was 33 s; less would give up on it.
pub const LEAST_TIMEOUT: Duration = Duration::from_secs(40);

/// Where the name of the bucket stands in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// In the path: `https://store/bucket/key`.
    #[default]
    Path,
    /// In the name of the host: `https://bucket.store/key`.
    VirtualHost,
}

/// What a store has to show when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// Every promise that writing to it relies on: about twenty requests, one of which stores something for a moment.
    #[default]
    EveryPromise,
    /// That it answers, knows us, and its clock agrees: one request, for who only looks.
    Answer,
}

/// How an S3-compatible store is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// Address of the store; empty for Amazon's in the region.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Where the name of the bucket stands.
    pub addressing: Addressing,
    /// Who we are; nothing works without.
    pub credentials: Option<S3Credentials>,
    /// Certificate authorities of the operator's own, as PEM, beside those of the system.
    pub authorities: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How the store encrypts what lies in quarantine (`AES256`, `aws:kms`); `None` where its disks are encrypted.
    pub quarantine_encryption: Option<String>,
    /// What it has to show first.
    pub proof: Proof,
}

impl Default for S3Settings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            addressing: Addressing::Path,
            credentials: None,
            authorities: None,
            timeout: Duration::from_mins(1),
            quarantine_encryption: Some("AES256".to_owned()),
            proof: Proof::default(),
        }
    }
}

/// A key and its secret. Nothing prints the secret.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct S3Credentials {
    /// Names the key.
    pub access_key_id: String,
    /// Signs with it.
    pub secret_access_key: String,
    /// Goes with a key that was lent.
    pub session_token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Credentials(***)")
    }
}

/// Why a file of credentials cannot be used.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("credentials file {path} cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner may read it.
    #[error("credentials file {path} can be read by others (mode {mode:o}); run `chmod 600` on it")]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line that is needed is not there.
    #[error("credentials file {path} has no line `{name} = …`")]
    Incomplete {
        /// Which.
        path: PathBuf,
        /// The line.
        name: &'static str,
    },
}

impl S3Credentials {
    /// Reads a file as Amazon's own programs write it; the first section holds.
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let unreadable = |source| CredentialsError::Unreadable { path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(unreadable)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CredentialsError::Exposed { path: path.to_owned(), mode });
        }
        let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        let required = |name: &'static str| {
            value_in(&text, name).ok_or_else(|| CredentialsError::Incomplete { path: path.to_owned(), name })
        };
        Ok(Self {
            access_key_id: required("aws_access_key_id")?,
            secret_access_key: required("aws_secret_access_key")?,
            session_token: value_in(&text, "aws_session_token"),
        })
    }
}

fn value_in(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut sections = 0;
    for line in lines {
        if line.starts_with('[') {
            sections += 1;
        } else if let Some((key, value)) = line.split_once('=')
            && sections < 2
            && key.trim() == name
            && !value.trim().is_empty()
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_first_section_of_a_credentials_file_holds() {
        let text = "# store\n[default]\naws_access_key_id = AK\naws_secret_access_key=a=b/c\n\n[other]\naws_session_token = x\n";
        let (_folder, path) = file(text, 0o600);

        let credentials = S3Credentials::from_file(&path).unwrap();

        assert_eq!(credentials.access_key_id, "AK");
        assert_eq!(credentials.secret_access_key, "a=b/c");
        assert_eq!(credentials.session_token, None);
    }

    #[test]
    fn a_file_that_others_can_read_or_that_lacks_a_line_is_refused() {
        let (_exposed, path) = file("aws_access_key_id = AK\naws_secret_access_key = s3cret\n", 0o640);
        let exposed = S3Credentials::from_file(&path).unwrap_err().to_string();
        let (_incomplete, path) = file("aws_secret_access_key = s3cret\n", 0o600);
        let incomplete = S3Credentials::from_file(&path).unwrap_err().to_string();

        assert!(exposed.contains("chmod 600"), "{exposed}");
        assert!(incomplete.contains("aws_access_key_id") && !incomplete.contains("s3cret"), "{incomplete}");
    }

    #[test]
    fn secrets_are_never_printed() {
        let credentials = S3Credentials {
            access_key_id: "AK".to_owned(),
            secret_access_key: "s3cret".to_owned(),
            session_token: None,
        };
        let settings = S3Settings { credentials: Some(credentials), ..S3Settings::default() };

        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
