//! Digests of what is received and kept: `ContentDigest` tells scans apart and proves that they are what came;
//! SHA-256 (FIPS 180-4) is for what others compare with, as object stores do.
//!
//! Every byte of every scan is digested when it comes and when it is read. SHA-256 takes most of what intake costs on
//! processors without instructions for it, BLAKE3 a tenth of that anywhere (decision 0019).

use std::{fmt, str::FromStr};

use ring::digest::{Context, SHA256, digest};

/// How a scan was digested. Archives hold both: scans that came before BLAKE3 was used keep their SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// FIPS 180-4.
    Sha256,
    /// BLAKE3, 256 bits, no key.
    Blake3,
}

impl DigestAlgorithm {
    /// Its name in the catalogue and in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }
}

impl FromStr for DigestAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Sha256, Self::Blake3].into_iter().find(|known| known.as_str() == name).ok_or(UnknownAlgorithm)
    }
}

/// The name of no algorithm that this release knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such digest algorithm; a newer release may know it")]
pub struct UnknownAlgorithm;

/// What tells the bytes of a scan from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest {
    /// How it was made.
    pub algorithm: DigestAlgorithm,
    /// Its 32 bytes.
    pub bytes: [u8; 32],
}

impl ContentDigest {
    /// The digest of bytes that are there.
    pub fn of(bytes: &[u8]) -> Self {
        Self { algorithm: DigestAlgorithm::Blake3, bytes: *blake3::hash(bytes).as_bytes() }
    }

    /// Whether these are the bytes.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        match self.algorithm {
            DigestAlgorithm::Sha256 => sha256(bytes) == self.bytes,
            DigestAlgorithm::Blake3 => Self::of(bytes) == *self,
        }
    }
}

/// As in `blake3:` and 64 hexadecimal digits.
impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.algorithm.as_str())?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The content digest of bytes that come piece by piece.
#[derive(Clone, Default)]
pub struct ContentDigestStream(blake3::Hasher);

impl ContentDigestStream {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(&self) -> ContentDigest {
        ContentDigest { algorithm: DigestAlgorithm::Blake3, bytes: *self.0.finalize().as_bytes() }
    }
}

/// The SHA-256 of bytes that are there.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest(&SHA256, bytes).as_ref())
}

/// The SHA-256 of bytes that come piece by piece.
#[derive(Clone)]
pub struct Sha256Stream(Context);

impl Default for Sha256Stream {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256Stream {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> [u8; 32] {
        array(self.0.finish().as_ref())
    }
}

/// SHA-256 is 32 bytes long.
fn array(digest: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_of_the_standard_and_pieces_make_the_same() {
        // FIPS 180-4, the example of one block.
        let expected = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
            0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        let mut stream = Sha256Stream::default();
        stream.update(b"a");
        stream.update(b"bc");

        let whole = sha256(b"abc");

        assert_eq!(whole, expected);
        assert_eq!(stream.finish(), expected);
    }

    #[test]
    fn a_content_digest_names_its_algorithm_and_knows_its_bytes() {
        // The test vectors of BLAKE3: no bytes at all.
        let empty = "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(ContentDigest::of(b"").to_string(), empty);
        let mut stream = ContentDigestStream::default();
        stream.update(b"a");
        stream.update(b"bc");
        assert_eq!(stream.finish(), ContentDigest::of(b"abc"));

        let older = ContentDigest { algorithm: DigestAlgorithm::Sha256, bytes: sha256(b"abc") };

        assert!(older.is_of(b"abc") && !older.is_of(b"abd"));
        assert!(ContentDigest::of(b"abc").is_of(b"abc") && !ContentDigest::of(b"abc").is_of(b"abd"));
        assert_eq!("sha256".parse(), Ok(DigestAlgorithm::Sha256));
        assert_eq!("sm3".parse::<DigestAlgorithm>(), Err(UnknownAlgorithm));
    }
}
