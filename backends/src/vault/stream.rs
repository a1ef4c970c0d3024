//! Streaming encryption of objects: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over
//! AES-256-GCM in segments of 64 KiB, so that any size is sealed in constant memory and truncation is noticed.

use rand::RngCore;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use super::data_key::{DataKey, cipher};
use crate::error::StorageError;

const MAGIC: &[u8; 4] = b"GDS1";
const NONCE_PREFIX_BYTES: usize = 7;
const KEY_ID_BYTES: usize = 16;
const HEADER_BYTES: usize = MAGIC.len() + KEY_ID_BYTES + NONCE_PREFIX_BYTES;
const SEGMENT_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SEALED_SEGMENT_BYTES: usize = SEGMENT_BYTES + TAG_BYTES;

/// The nonces of one object: a random prefix, the number of the segment (big endian), whether it is the last.
struct SegmentNonces {
    prefix: [u8; NONCE_PREFIX_BYTES],
    segment: u32,
}

impl SegmentNonces {
    /// The nonce of the next segment; an error after 2³² of them.
    fn next(&mut self, is_last: bool) -> Result<Nonce, StorageError> {
        let mut nonce = [0; NONCE_LEN];
        let (prefix, rest) = nonce.split_at_mut(NONCE_PREFIX_BYTES);
        prefix.copy_from_slice(&self.prefix);
        let (number, last) = rest.split_at_mut(4);
        number.copy_from_slice(&self.segment.to_be_bytes());
        last.fill(u8::from(is_last));
        self.segment = self.segment.checked_add(1).ok_or_else(too_long)?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}

/// Encrypts one object from front to back. The object's path is bound to every segment.
pub struct SealStream {
    cipher: LessSafeKey,
    nonces: SegmentNonces,
    associated: Vec<u8>,
    waiting: Vec<u8>,
}

impl SealStream {
    /// Starts an object that will stand at `path`; the second value is its first bytes.
    pub fn start(key: &DataKey, path: &str) -> Result<(Self, Vec<u8>), StorageError> {
        let mut prefix = [0_u8; NONCE_PREFIX_BYTES];
        rand::rng().fill_bytes(&mut prefix);
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(key.id().uuid().as_bytes());
        header.extend_from_slice(&prefix);
        let associated = associated_data(&header, path);
        let stream = Self {
            cipher: cipher(key.bytes())?,
            nonces: SegmentNonces { prefix, segment: 0 },
            associated,
            waiting: Vec::with_capacity(SEGMENT_BYTES),
        };
        Ok((stream, header))
    }

    /// Takes plain bytes; adds the ciphertext of the segments that are full to `sealed`.
    pub fn push(&mut self, mut plain: &[u8], sealed: &mut Vec<u8>) -> Result<(), StorageError> {
        sealed.reserve(Self::sealed_bytes(plain.len()));
        while !plain.is_empty() {
            if self.waiting.len() == SEGMENT_BYTES {
                let waiting = std::mem::take(&mut self.waiting);
                self.seal(&waiting, false, sealed)?;
                self.waiting = waiting;
                self.waiting.clear();
            }
            // What is certainly not the last segment is sealed where it will stand.
            if self.waiting.is_empty() && plain.len() > SEGMENT_BYTES {
                let (segment, later) = plain.split_at(SEGMENT_BYTES);
                self.seal(segment, false, sealed)?;
                plain = later;
                continue;
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
        let waiting = std::mem::take(&mut self.waiting);
        self.seal(&waiting, true, sealed)
    }

    fn seal(&mut self, segment: &[u8], is_last: bool, sealed: &mut Vec<u8>) -> Result<(), StorageError> {
        let nonce = self.nonces.next(is_last)?;
        let start = sealed.len();
        sealed.extend_from_slice(segment);
        let (_, place) = sealed.split_at_mut(start);
        let sealing = self.cipher.seal_in_place_separate_tag(nonce, Aad::from(&self.associated), place);
        sealed.extend_from_slice(sealing.map_err(|_| too_long())?.as_ref());
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
    opened: Option<Opening>,
    waiting: Vec<u8>,
}

/// What opens the segments of one object.
struct Opening {
    cipher: LessSafeKey,
    nonces: SegmentNonces,
    associated: Vec<u8>,
}

impl Opening {
    /// The plain bytes of a segment, in its place; `None` when it was altered or stands elsewhere.
    fn open<'a>(&mut self, is_last: bool, segment: &'a mut [u8]) -> Option<&'a [u8]> {
        let nonce = self.nonces.next(is_last).ok()?;
        self.cipher.open_in_place(nonce, Aad::from(&self.associated), segment).ok().map(|plain| &*plain)
    }
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
        let Some(opening) = &mut self.opened else { return Ok(Vec::new()) };
        let (mut plain, mut taken) = (Vec::new(), 0);
        // The last segment stays until it is known to be the last.
        while self.waiting.len() > taken + SEALED_SEGMENT_BYTES {
            let segment = self.waiting.get_mut(taken..taken + SEALED_SEGMENT_BYTES).ok_or_else(corrupt)?;
            plain.extend_from_slice(opening.open(false, segment).ok_or_else(corrupt)?);
            taken += SEALED_SEGMENT_BYTES;
        }
        self.waiting.drain(..taken);
        Ok(plain)
    }

    /// The plain bytes of the last segment.
    pub fn finish(mut self) -> Result<Vec<u8>, StorageError> {
        let corrupt = || StorageError::corrupt("object store", self.path.clone());
        let mut opening = self.opened.ok_or_else(corrupt)?;
        let plain_bytes = opening.open(true, &mut self.waiting).ok_or_else(corrupt)?.len();
        self.waiting.truncate(plain_bytes);
        Ok(self.waiting)
    }

    fn open_header(&self, header: &[u8]) -> Result<Opening, StorageError> {
        let corrupt = || StorageError::corrupt("object store", self.path.clone());
        let (magic, rest) = header.split_at_checked(MAGIC.len()).ok_or_else(corrupt)?;
        let (id, prefix) = rest.split_at_checked(KEY_ID_BYTES).ok_or_else(corrupt)?;
        if magic != MAGIC || id != self.key.id().uuid().as_bytes() {
            return Err(corrupt());
        }
        let prefix = prefix.try_into().map_err(|_| corrupt())?;
        Ok(Opening {
            cipher: cipher(self.key.bytes())?,
            nonces: SegmentNonces { prefix, segment: 0 },
            associated: associated_data(header, &self.path),
        })
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
        let (mut stream, mut bytes) = SealStream::start(key, "scans/aa/1").unwrap();
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

    /// Made by another implementation of AES-256-GCM, as the format is described above: keys of the bytes 0 to 31
    /// wrapped under 32 ones, prefix of seven nines.
    #[test]
    fn an_object_sealed_by_another_implementation_opens() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let wrapped = bytes(
            "05050505050505050505050501a3e33666b735807d137297cd9efb8570e8023e75a0637c3fb778081a04de92d371de4491ecbf11\
             e5b77ae065f8752e",
        );
        let sealed = bytes(
            "4744533100000000000000000000000000000003090909090909090ea7bcb26969234c8c631021277c8071d363f356a8bc",
        );
        let key = DataKey::unwrap(KeyId::from_uuid(uuid::Uuid::from_u128(3)), &[1; 32], &wrapped).unwrap();

        let plain = OpenStream::open(&key, "scans/aa/1", &sealed).unwrap();

        assert_eq!(String::from_utf8(plain).unwrap(), "归档");
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
