//! Objects that are sealed while they come in and can be looked at in any place before it is decided whether they are
//! kept. What was sealed lies in a file without a name, so that no crash leaves it behind.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use ring::aead::{Aad, LessSafeKey};

use super::{
    data_key::{DataKey, cipher},
    stream::{
        HEADER_BYTES, NONCE_PREFIX_BYTES, SEALED_SEGMENT_BYTES, SEGMENT_BYTES, SealStream, SegmentNonces,
        TAG_BYTES, associated_data,
    },
};
use crate::error::StorageError;

const WHAT: &str = "spool folder";

/// The folder where such files are made. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SpoolFolder(Arc<Path>);

impl SpoolFolder {
    /// Names the folder, which is made when it is first needed.
    pub fn new(folder: &Path) -> Self {
        Self(Arc::from(folder))
    }

    /// Starts an object that will stand at `path`; the second value is its first bytes.
    pub fn seal(&self, key: &DataKey, path: &str) -> Result<(SpooledSeal, Vec<u8>), StorageError> {
        let mut file = self.nameless_file().map_err(unavailable)?;
        let (seal, header) = SealStream::start(key, path)?;
        file.write_all(&header).map_err(unavailable)?;
        let object = SpooledSeal { seal, file, key: key.clone(), path: path.to_owned(), plain_bytes: 0 };
        Ok((object, header))
    }

    fn nameless_file(&self) -> io::Result<File> {
        match tempfile::tempfile_in(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.0)?;
                tempfile::tempfile_in(&self.0)
            }
            other => other,
        }
    }
}

/// An object that is coming in. Its methods wait for the disk and the processor.
pub struct SpooledSeal {
    seal: SealStream,
    file: File,
    key: DataKey,
    path: String,
    plain_bytes: u64,
}

impl SpooledSeal {
    /// Takes plain bytes; adds the ciphertext of the segments that are full to `sealed`, which came empty.
    pub fn push(&mut self, plain: &[u8], sealed: &mut Vec<u8>) -> Result<(), StorageError> {
        self.seal.push(plain, sealed)?;
        self.plain_bytes += plain.len() as u64;
        self.file.write_all(sealed).map_err(unavailable)
    }

    /// Adds the last segment to `sealed`, which came empty. From then on the object can be looked at.
    pub fn finish(mut self, sealed: &mut Vec<u8>) -> Result<SpooledObject, StorageError> {
        self.seal.finish(sealed)?;
        self.file.write_all(sealed).map_err(unavailable)?;
        SpooledObject::open(self.file, &self.key, &self.path, self.plain_bytes)
    }
}

/// A sealed object whose plain bytes can be read from any place; one segment at a time is in the clear.
pub struct SpooledObject {
    file: File,
    cipher: LessSafeKey,
    nonce_prefix: [u8; NONCE_PREFIX_BYTES],
    associated: Vec<u8>,
    plain_bytes: u64,
    position: u64,
    /// The segment read last.
    open: Option<(u64, Vec<u8>)>,
}

impl SpooledObject {
    fn open(file: File, key: &DataKey, path: &str, plain_bytes: u64) -> Result<Self, StorageError> {
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(unavailable)?;
        let mut nonce_prefix = [0; NONCE_PREFIX_BYTES];
        nonce_prefix.copy_from_slice(&header[HEADER_BYTES - NONCE_PREFIX_BYTES..]);
        Ok(Self {
            file,
            cipher: cipher(key.bytes())?,
            nonce_prefix,
            associated: associated_data(&header, path),
            plain_bytes,
            position: 0,
            open: None,
        })
    }

    fn segment(&mut self, index: u64) -> io::Result<&[u8]> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
            let plain = self.open_segment(index)?;
            self.open = Some((index, plain));
        }
        Ok(self.open.as_ref().map_or(&[], |(_, plain)| plain))
    }

    fn open_segment(&self, index: u64) -> io::Result<Vec<u8>> {
        let last = self.plain_bytes.saturating_sub(1) / SEGMENT_BYTES as u64;
        let is_last = index == last;
        let plain_bytes =
            if is_last { (self.plain_bytes - index * SEGMENT_BYTES as u64) as usize } else { SEGMENT_BYTES };
        let mut sealed = vec![0; plain_bytes + TAG_BYTES];
        let place = HEADER_BYTES as u64 + index * SEALED_SEGMENT_BYTES as u64;
        self.file.read_exact_at(&mut sealed, place)?;
        let segment = u32::try_from(index).map_err(io::Error::other)?;
        let mut nonces = SegmentNonces { prefix: self.nonce_prefix, segment };
        let nonce = nonces.next(is_last).map_err(io::Error::other)?;
        let altered = |_| io::Error::new(io::ErrorKind::InvalidData, "a segment in the spool was altered");
        self.cipher.open_in_place(nonce, Aad::from(&self.associated), &mut sealed).map_err(altered)?;
        sealed.truncate(plain_bytes);
        Ok(sealed)
    }
}

impl Read for SpooledObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.plain_bytes || buffer.is_empty() {
            return Ok(0);
        }
        let (index, within) = (self.position / SEGMENT_BYTES as u64, self.position % SEGMENT_BYTES as u64);
        let rest = self.segment(index)?.get(within as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SpooledObject {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.plain_bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before_start = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the start");
        self.position = target.ok_or_else(before_start)?;
        Ok(self.position)
    }
}

fn unavailable(error: io::Error) -> StorageError {
    StorageError::of_disk(WHAT, error)
}

#[cfg(test)]
mod tests {
    use domain::ids::KeyId;

    use super::{super::stream::OpenStream, *};

    const PATH: &str = "scans/aa/1";

    fn spooled(plain: &[u8]) -> (SpooledObject, DataKey, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let key = DataKey::random(KeyId::from_uuid(uuid::Uuid::from_u128(3)));
        let (mut seal, mut all) = SpoolFolder::new(&folder.path().join("new")).seal(&key, PATH).unwrap();
        for piece in plain.chunks(100_000) {
            let mut sealed = Vec::new();
            seal.push(piece, &mut sealed).unwrap();
            all.append(&mut sealed);
        }
        let mut sealed = Vec::new();
        let object = seal.finish(&mut sealed).unwrap();
        all.append(&mut sealed);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0, "the file has a name");
        (object, key, all)
    }

    #[test]
    fn what_was_sealed_is_the_object_and_can_be_read_in_any_place() {
        for size in [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 5 * SEGMENT_BYTES + 7] {
            let plain: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();

            let (mut object, key, sealed) = spooled(&plain);

            assert!(OpenStream::open(&key, PATH, &sealed).unwrap() == plain, "{size}");
            let mut whole = Vec::new();
            object.read_to_end(&mut whole).unwrap();
            assert!(whole == plain, "{size}");
            for start in [size / 2, size.saturating_sub(3), 0, size.saturating_sub(70_000)] {
                let mut part = vec![0; (size - start).min(70_000)];
                object.seek(SeekFrom::Start(start as u64)).unwrap();
                object.read_exact(&mut part).unwrap();
                assert!(part == plain[start..start + part.len()], "{size} from {start}");
            }
            object.seek(SeekFrom::Start(size as u64 + 1)).unwrap();
            assert_eq!(object.read(&mut [0; 8]).unwrap(), 0);
        }
    }

    #[test]
    fn an_altered_segment_is_noticed_when_it_is_read() {
        let plain = vec![7; 3 * SEGMENT_BYTES];
        let (mut object, _, _) = spooled(&plain);

        object.file.write_all_at(&[1], (HEADER_BYTES + SEALED_SEGMENT_BYTES + 9) as u64).unwrap();

        object.read_exact(&mut vec![0; SEGMENT_BYTES]).unwrap();
        let error = object.read_exact(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
