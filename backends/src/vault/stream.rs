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
const NONCE_PREFIX_BYTES: usize = 7;
const HEADER_BYTES: usize = MAGIC.len() + 16 + NONCE_PREFIX_BYTES;
const SEGMENT_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

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

/// Decrypts what `SealStream` made.
pub struct OpenStream;

impl OpenStream {
    /// The plain bytes of a whole sealed object that stood at `path`.
    pub fn open(key: &DataKey, path: &str, sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        let corrupt = || StorageError::corrupt("object store", path.to_owned());
        let (header, mut rest) = sealed.split_at_checked(HEADER_BYTES).ok_or_else(corrupt)?;
        if &header[..MAGIC.len()] != MAGIC || &header[4..20] != key.id().uuid().as_bytes() {
            return Err(corrupt());
        }
        let prefix = &header[20..];
        let mut decryptor: DecryptorBE32<Aes256Gcm> =
            DecryptorBE32::new(Key::<Aes256Gcm>::from_slice(key.bytes()), prefix.into());
        let associated = associated_data(header, path);
        let mut plain = Vec::with_capacity(rest.len());
        while rest.len() > SEGMENT_BYTES + TAG_BYTES {
            let (segment, later) = rest.split_at(SEGMENT_BYTES + TAG_BYTES);
            let payload = Payload { msg: segment, aad: &associated };
            plain.extend(decryptor.decrypt_next(payload).map_err(|_| corrupt())?);
            rest = later;
        }
        plain.extend(decryptor.decrypt_last(Payload { msg: rest, aad: &associated }).map_err(|_| corrupt())?);
        Ok(plain)
    }
}

fn associated_data(header: &[u8], path: &str) -> Vec<u8> {
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
