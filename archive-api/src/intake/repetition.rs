//! The same idempotency key again: the same files with the same labels get the same answer, others none, for they would
//! be lost.

use std::collections::BTreeSet;

use backends::{
    database::scans::UploadRow,
    digest::{ContentDigest, ContentDigestStream},
    error::StorageError,
};
use domain::field::Slot;

use super::{
    Intake, IntakeError, UploadRequest,
    receipt::UploadReceipt,
    source::{FileSource, Labels, SourceError},
};
use crate::{caller::Caller, outlets};

/// What tells one upload from another one: how many files there are, in which order, of which bytes, and for which
/// acceptance, outlet and slot each was sent.
#[derive(Default)]
pub(super) struct FilesDigest(ContentDigestStream);

impl FilesDigest {
    /// What the sender said about the next file.
    pub(super) fn said(&mut self, labels: &Labels) {
        if *labels == Labels::default() {
            return;
        }
        let Labels { slip_number, outlet, slot } = labels;
        let mut said = ContentDigestStream::default();
        for text in [slip_number.as_deref(), outlet.as_deref(), slot.map(Slot::as_str)] {
            let text = text.unwrap_or_default();
            said.update(&(text.len() as u64).to_be_bytes());
            said.update(text.as_bytes());
        }
        self.0.update(&said.finish().bytes);
    }

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
        labels: &Labels,
        files: &mut dyn FileSource,
    ) -> Result<UploadReceipt, IntakeError> {
        let mut digest = FilesDigest::default();
        let mut named: BTreeSet<String> = labels.outlet.iter().cloned().collect();
        while let Some(head) = files.next_file().await? {
            digest.said(&head.labels.clone().or(labels));
            named.extend(head.labels.outlet);
            digest.add(&digest_of_rest(files, ContentDigestStream::default()).await?);
        }
        let receipt = self.same_answer(before, &digest.finish()).await?;
        Ok(self.with_doubts(receipt, &named).await)
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

    /// The receipt with the outlets that nothing else names yet. What is on record is never refused for them.
    pub(super) async fn with_doubts(
        &self,
        mut receipt: UploadReceipt,
        named: &BTreeSet<String>,
    ) -> UploadReceipt {
        match outlets::unknown(&self.backends, named).await {
            Ok(unknown) => receipt.unknown_outlets = unknown,
            Err(error) => tracing::debug!(%error, "whether an outlet is known could not be found out"),
        }
        receipt
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
