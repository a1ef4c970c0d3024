//! SHA-256 (FIPS 180-4) of what is received and kept.
//!
//! Every byte of every scan goes through it twice, and it is most of what intake costs on processors without
//! instructions for it; hence `ring`, whose assembly takes half the time there.

use ring::digest::{Context, SHA256, digest};

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
}
