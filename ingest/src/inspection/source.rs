//! Where the bytes of a file lie while its headers are read: in memory, or behind a reader that is asked for parts.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

/// Most bytes searched at a time.
const STRIDE: usize = 64 << 10;

/// Bytes that can be looked at in any place.
pub trait Source {
    /// How many there are.
    fn size(&self) -> usize;

    /// The bytes in `range`; `None` when it reaches beyond the end. Ask for little: it may have to be fetched.
    fn part(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>>;

    /// The bytes in `range`, or those of it that there are.
    fn part_up_to(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        self.part(range.start..range.end.min(self.size()))
    }

    /// Where `pair` first stands at or behind `start`.
    fn find_pair(&self, pair: [u8; 2], mut start: usize) -> Option<usize> {
        while start < self.size() {
            // One byte more, so that a pair across two strides is seen.
            let part = self.part_up_to(start..start.saturating_add(STRIDE + 1))?;
            if let Some(at) = part.windows(2).position(|window| window == pair) {
                return Some(start + at);
            }
            start += STRIDE;
        }
        None
    }
}

impl Source for [u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn part(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        self.get(range).map(Cow::Borrowed)
    }
}

/// A file that is not in memory.
pub struct Remote<R> {
    size: usize,
    reader: RefCell<R>,
    failure: RefCell<Option<io::Error>>,
}

impl<R: Read + Seek> Remote<R> {
    /// Asks how long the file is.
    pub fn new(mut reader: R) -> io::Result<Self> {
        let size = usize::try_from(reader.seek(SeekFrom::End(0))?).unwrap_or(usize::MAX);
        Ok(Self { size, reader: RefCell::new(reader), failure: RefCell::new(None) })
    }

    /// What kept a part that is there from being read. Everything that was made of it then says nothing.
    pub fn into_failure(self) -> Option<io::Error> {
        self.failure.into_inner()
    }

    fn read(&self, range: &Range<usize>) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; range.len()];
        let mut reader = self.reader.borrow_mut();
        reader.seek(SeekFrom::Start(range.start as u64))?;
        reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: Read + Seek> Source for Remote<R> {
    fn size(&self) -> usize {
        self.size
    }

    fn part(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        if range.start > range.end || range.end > self.size {
            return None;
        }
        match self.read(&range) {
            Ok(bytes) => Some(Cow::Owned(bytes)),
            Err(error) => {
                self.failure.replace(Some(error));
                None
            }
        }
    }
}
