//! Files of an upload that are in memory.

use archive_api::intake::{FileHead, FileSource, SourceError};
use async_trait::async_trait;
use bytes::Bytes;

/// Hands over one file after the other, each in one piece.
pub struct MemoryFiles {
    waiting: std::vec::IntoIter<(Option<String>, Bytes)>,
    current: Option<Bytes>,
}

impl MemoryFiles {
    /// Files with their names, if they have any.
    pub fn new(files: Vec<(Option<String>, Bytes)>) -> Self {
        Self { waiting: files.into_iter(), current: None }
    }
}

#[async_trait]
impl FileSource for MemoryFiles {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        let Some((name, bytes)) = self.waiting.next() else { return Ok(None) };
        self.current = Some(bytes);
        Ok(Some(FileHead { name, ..FileHead::default() }))
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        Ok(self.current.take())
    }
}
