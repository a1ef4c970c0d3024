//! The same idempotency key again: the same files get the same answer, other files none, for they would be lost.

use backends::{
    database::scans::UploadRow,
    digest::{ContentDigest, ContentDigestStream},
    error::StorageError,
};

use super::{
    Intake, IntakeError, UploadRequest,
    receipt::UploadReceipt,
    source::{FileSource, SourceError},
};
use crate::caller::Caller;

/// What tells the files of one upload from those of another one: how many there are, in which order, of which bytes.
#[derive(Default)]
pub(super) struct FilesDigest(ContentDigestStream);

impl FilesDigest {
    pub(super) fn add(&mut self, file: &ContentDigest) {
        self.0.update(&file.bytes);
    }

    pub(super) fn finish(&self) -> String {
        self.0.finish().to_string()
    }
}

impl Intake {
    /// The receipt of the upload that this account made with the same key.
    pub(crate) async fn answered_before(
        &self,
        caller: &Caller,
        request: &UploadRequest,
    ) -> Result<Option<UploadReceipt>, IntakeError> {
        match self.made_before(caller, request).await? {
            Some(before) => Ok(Some(self.receipt_of(&before).await?)),
            None => Ok(None),
        }
    }

    /// The upload that this account made with the same key.
    pub(super) async fn made_before(
        &self,
        caller: &Caller,
        request: &UploadRequest,
    ) -> Result<Option<UploadRow>, StorageError> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        let mut tx = self.backends.database.begin_read().await?;
        tx.scans().upload_by_key(caller.account.id, key).await
    }

    /// Hears all files and answers as before, if they are the files of before.
    pub(super) async fn answer_again(
        &self,
        before: &UploadRow,
        files: &mut dyn FileSource,
    ) -> Result<UploadReceipt, IntakeError> {
        let mut digest = FilesDigest::default();
        while files.next_file().await?.is_some() {
            digest.add(&digest_of_rest(files, ContentDigestStream::default()).await?);
        }
        self.same_answer(before, &digest.finish()).await
    }

    /// The receipt of an upload with the same key, unless other files were sent under it now.
    pub(super) async fn same_answer(
        &self,
        before: &UploadRow,
        files_digest: &str,
    ) -> Result<UploadReceipt, IntakeError> {
        if before.files_digest.as_deref().is_some_and(|known| known != files_digest) {
            return Err(IntakeError::KeyUsed);
        }
        Ok(self.receipt_of(before).await?)
    }

    async fn receipt_of(&self, upload: &UploadRow) -> Result<UploadReceipt, StorageError> {
        let mut tx = self.backends.database.begin_read().await?;
        UploadReceipt::load(tx.as_mut(), upload, &self.limits).await
    }
}

/// The digest of a file of which something has been read, and of what is left of it.
pub(super) async fn digest_of_rest(
    files: &mut dyn FileSource,
    mut digest: ContentDigestStream,
) -> Result<ContentDigest, SourceError> {
    while let Some(piece) = files.next_piece().await? {
        digest.update(&piece);
    }
    Ok(digest.finish())
}
