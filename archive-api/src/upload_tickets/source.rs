//! The file in quarantine as a source for the intake, which must be the file that the ticket was made for.

use async_trait::async_trait;
use backends::{blob_store::BlobReader, database::upload_tickets::UploadTicketRow, digest::Sha256Stream};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::intake::{FileHead, FileSource, Labels, SourceError};

/// One file, read once.
pub(super) struct QuarantinedFile {
    head: Option<FileHead>,
    reader: BlobReader,
    digest: Sha256Stream,
    seen_bytes: u64,
    expected: ([u8; 32], u64),
}

impl QuarantinedFile {
    pub(super) fn new(ticket: &UploadTicketRow, name: Option<String>, reader: BlobReader) -> Self {
        let labels = Labels {
            slip_number: ticket.slip_number_given.clone(),
            outlet: ticket.outlet_code.clone(),
            slot: ticket.slot_given,
        };
        Self {
            head: Some(FileHead { name, labels }),
            reader,
            digest: Sha256Stream::default(),
            seen_bytes: 0,
            expected: (ticket.sha256, ticket.size_bytes.unsigned_abs()),
        }
    }

    /// The store was asked to take no other file; it is not believed.
    fn is_as_promised(&self) -> bool {
        let (sha256, size_bytes) = self.expected;
        self.seen_bytes == size_bytes && self.digest.clone().finish() == sha256
    }
}

#[async_trait]
impl FileSource for QuarantinedFile {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        Ok(self.head.take())
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        match self.reader.pieces.next().await {
            Some(Ok(piece)) => {
                self.digest.update(&piece);
                self.seen_bytes += piece.len() as u64;
                Ok(Some(piece))
            }
            Some(Err(source)) => Err(SourceError::Unavailable { source }),
            None if self.is_as_promised() => Ok(None),
            None => Err(SourceError::NotAsPromised),
        }
    }
}
