//! Streaming encryption of objects: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over
//! AES-256-GCM in segments of 64 KiB, so that any size is sealed in constant memory and truncation is noticed.

use aes_gcm::{
    Aes256Gcm, Key,
    aead::{
        Payload,
        stream::{DecryptorBE32, EncryptorBE32},
    },
};
use rand::RngCore;

use super::data_key::DataKey;
use crate::error::StorageError;

const MAGIC: &[u8; 4] = b"GDS1";
pub(super) const NONCE_PREFIX_BYTES: usize = 7;
const KEY_ID_BYTES: usize = 16;
pub(super) const HEADER_BYTES: usize = MAGIC.len() + KEY_ID_BYTES + NONCE_PREFIX_BYTES;
pub(super) const SEGMENT_BYTES: usize = 64 * 1024;
pub(super) const TAG_BYTES: usize = 16;
pub(super) const SEALED_SEGMENT_BYTES: usize = SEGMENT_BYTES + TAG_BYTES;

/// Encrypts one object from front to back. The object's path is bound to every segment.
pub struct SealStream {
    encryptor: EncryptorBE32<Aes256Gcm>,
    associated: Vec<u8>,
    waiting: Vec<u8>,
}

impl SealStream {
    /// Starts an object that will stand at `path`; the second value is its first bytes.
    pub fn start(key: &DataKey, path: &str) -> (Self, Vec<u8>) {
        let mut prefix = [0_u8; NONCE_PREFIX_BYTES];
        rand::rng().fill_bytes(&mut prefix);
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(key.id().uuid().as_bytes());
        header.extend_from_slice(&prefix);
        let encryptor = EncryptorBE32::new(Key::<Aes256Gcm>::from_slice(key.bytes()), (&prefix).into());
        let associated = associated_data(&header, path);
        (Self { encryptor, associated, waiting: Vec::with_capacity(SEGMENT_BYTES + TAG_BYTES) }, header)
    }

    /// Takes plain bytes; adds the ciphertext of the segments that are full to `sealed`.
    pub fn push(&mut self, mut plain: &[u8], sealed: &mut Vec<u8>) -> Result<(), StorageError> {
        sealed.reserve(Self::sealed_bytes(plain.len()));
        while !plain.is_empty() {
            if self.waiting.len() == SEGMENT_BYTES {
                let sealing = self.encryptor.encrypt_next_in_place(&self.associated, &mut self.waiting);
                sealing.map_err(|_| too_long())?;
                sealed.append(&mut self.waiting);
            }
            let room = SEGMENT_BYTES - self.waiting.len();
            let (now, later) = plain.split_at(room.min(plain.len()));
            self.waiting.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Adds the last segment, which is marked as the last.
    pub fn finish(mut self, sealed: &mut Vec<u8>) -> Result<(), StorageError> {
        let sealing = self.encryptor.encrypt_last_in_place(&self.associated, &mut self.waiting);
        sealing.map_err(|_| too_long())?;
        sealed.append(&mut self.waiting);
        Ok(())
    }

    /// Bytes that so many plain ones become at most, without the header.
    const fn sealed_bytes(plain_bytes: usize) -> usize {
        plain_bytes + (plain_bytes / SEGMENT_BYTES + 2) * TAG_BYTES
    }
}

/// Decrypts what `SealStream` made, from front to back.
pub struct OpenStream {
    key: DataKey,
    path: String,
    /// Made when the head of the object has come.
    opened: Option<(DecryptorBE32<Aes256Gcm>, Vec<u8>)>,
    waiting: Vec<u8>,
}

impl OpenStream {
    /// Starts a sealed object that stood at `path`.
    pub fn start(key: &DataKey, path: &str) -> Self {
        Self { key: key.clone(), path: path.to_owned(), opened: None, waiting: Vec::new() }
    }

    /// The plain bytes of a whole sealed object that stood at `path`.
    pub fn open(key: &DataKey, path: &str, sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        let mut stream = Self::start(key, path);
        let mut plain = Vec::with_capacity(sealed.len());
        for piece in sealed.chunks(SEALED_SEGMENT_BYTES) {
            plain.extend(stream.push(piece)?);
        }
        plain.extend(stream.finish()?);
        Ok(plain)
    }

    /// Takes ciphertext; gives the plain bytes of the segments that are whole and unaltered. That the object was not
    /// cut off is known only when `finish` agrees.
    pub fn push(&mut self, sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        self.waiting.extend_from_slice(sealed);
        if self.opened.is_none() && self.waiting.len() >= HEADER_BYTES {
            let rest = self.waiting.split_off(HEADER_BYTES);
            let header = std::mem::replace(&mut self.waiting, rest);
            self.opened = Some(self.open_header(&header)?);
        }
        let corrupt = || StorageError::corrupt("object store", self.path.clone());
        let Some((decryptor, associated)) = &mut self.opened else { return Ok(Vec::new()) };
        let (mut plain, mut taken) = (Vec::new(), 0);
        // The last segment stays until it is known to be the last.
        while self.waiting.len() > taken + SEALED_SEGMENT_BYTES {
            let segment = self.waiting.get(taken..taken + SEALED_SEGMENT_BYTES).ok_or_else(corrupt)?;
            let payload = Payload { msg: segment, aad: associated };
            plain.extend(decryptor.decrypt_next(payload).map_err(|_| corrupt())?);
            taken += SEALED_SEGMENT_BYTES;
        }
        self.waiting.drain(..taken);
        Ok(plain)
    }

    /// The plain bytes of the last segment.
    pub fn finish(self) -> Result<Vec<u8>, StorageError> {
        let corrupt = || StorageError::corrupt("object store", self.path.clone());
        let (decryptor, associated) = self.opened.ok_or_else(corrupt)?;
        let payload = Payload { msg: &self.waiting, aad: &associated };
        decryptor.decrypt_last(payload).map_err(|_| corrupt())
    }

    fn open_header(&self, header: &[u8]) -> Result<(DecryptorBE32<Aes256Gcm>, Vec<u8>), StorageError> {
        let corrupt = || StorageError::corrupt("object store", self.path.clone());
        let (magic, rest) = header.split_at_checked(MAGIC.len()).ok_or_else(corrupt)?;
        let (id, prefix) = rest.split_at_checked(KEY_ID_BYTES).ok_or_else(corrupt)?;
        if magic != MAGIC || id != self.key.id().uuid().as_bytes() || prefix.len() != NONCE_PREFIX_BYTES {
            return Err(corrupt());
        }
        let decryptor = DecryptorBE32::new(Key::<Aes256Gcm>::from_slice(self.key.bytes()), prefix.into());
        Ok((decryptor, associated_data(header, &self.path)))
    }
}

pub(super) fn associated_data(header: &[u8], path: &str) -> Vec<u8> {
    let mut associated = header.to_vec();
    associated.extend_from_slice(path.as_bytes());
    associated
}

fn too_long() -> StorageError {
    StorageError::Unsupported { what: "object store", detail: "an object is longer than 256 TiB".to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::ids::KeyId;

    use super::*;

    fn key() -> DataKey {
        DataKey::random(KeyId::from_uuid(uuid::Uuid::from_u128(3)))
    }

    fn sealed(key: &DataKey, plain: &[u8], piece: usize) -> Vec<u8> {
        let (mut stream, mut bytes) = SealStream::start(key, "scans/aa/1");
        for part in plain.chunks(piece) {
            stream.push(part, &mut bytes).unwrap();
        }
        stream.finish(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_length_around_a_segment_comes_back() {
        let key = key();
        for length in [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES] {
            let plain: Vec<u8> = (0..length).map(|index| index as u8).collect();

            let bytes = sealed(&key, &plain, 10_000);

            assert_eq!(OpenStream::open(&key, "scans/aa/1", &bytes).unwrap(), plain, "length {length}");
        }
    }

    #[test]
    fn a_cut_off_end_and_another_place_are_noticed() {
        let key = key();
        let bytes = sealed(&key, &vec![7; 2 * SEGMENT_BYTES], 4096);

        let cut = &bytes[..HEADER_BYTES + SEGMENT_BYTES + TAG_BYTES];

        assert!(OpenStream::open(&key, "scans/aa/1", cut).is_err());
        assert!(OpenStream::open(&key, "scans/aa/2", &bytes).is_err());
    }
}
