//! The receipt: what each file of an upload became, and where to follow it.

use backends::{
    database::{
        Transaction,
        scans::{UploadItem, UploadRow},
    },
    error::StorageError,
};
use chrono::{DateTime, Utc};
use domain::ids::{ScanId, UploadId};
use ingest::{Limits, Refusal};

use crate::metrics::{count_received, count_refusal};

pub(super) const RECEIVED: &str = "received";
pub(super) const LINKED: &str = "linked";

/// What one file became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOutcome {
    /// Kept safe as a new scan.
    Received(ScanId),
    /// The same bytes of the same acceptance were there; nothing was stored twice.
    Linked(ScanId),
    /// Not taken.
    Refused {
        /// Code of `docs/errors`.
        code: String,
        /// The refusal in words, with the limits of today.
        refusal: Option<Refusal>,
    },
}

/// The receipt of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReceipt {
    /// 1 for the first file.
    pub number: i64,
    /// What it became.
    pub outcome: FileOutcome,
}

/// The receipt of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadReceipt {
    /// The upload.
    pub upload_id: UploadId,
    /// When it was durable.
    pub received_at: DateTime<Utc>,
    /// Its files in order.
    pub files: Vec<FileReceipt>,
    /// Outlets that were named for its files and that nothing else names yet; known to whoever is answered only.
    pub unknown_outlets: Vec<String>,
}

impl UploadReceipt {
    /// The receipt of an upload that is on record.
    pub async fn load(
        tx: &mut dyn Transaction,
        upload: &UploadRow,
        limits: &Limits,
    ) -> Result<Self, StorageError> {
        Ok(Self::of(upload, tx.scans().upload_items(upload.id).await?, limits))
    }

    /// The receipt of an upload whose items are these.
    pub(super) fn of(upload: &UploadRow, items: Vec<UploadItem>, limits: &Limits) -> Self {
        let files = items.into_iter().map(|item| file_receipt(item, limits)).collect();
        Self { upload_id: upload.id, received_at: upload.received_at, files, unknown_outlets: Vec::new() }
    }

    /// Counts what was received and refused, for whoever watches.
    pub(super) fn count(&self) {
        for file in &self.files {
            match &file.outcome {
                FileOutcome::Received(_) => count_received(1),
                FileOutcome::Linked(_) => {}
                FileOutcome::Refused { code, .. } => count_refusal(code),
            }
        }
    }

    /// Whether no file was taken.
    pub fn is_refused(&self) -> bool {
        self.files.iter().all(|file| matches!(file.outcome, FileOutcome::Refused { .. }))
    }
}

fn file_receipt(item: UploadItem, limits: &Limits) -> FileReceipt {
    let outcome = match item.scan_id {
        Some(scan) if item.outcome == RECEIVED => FileOutcome::Received(scan),
        Some(scan) => FileOutcome::Linked(scan),
        None => FileOutcome::Refused { refusal: refusal_of(&item, limits), code: item.outcome },
    };
    FileReceipt { number: item.item_number, outcome }
}

/// The refusal of this file, with the limits of today.
fn refusal_of(item: &UploadItem, limits: &Limits) -> Option<Refusal> {
    const FIXED: [Refusal; 16] = [
        Refusal::EmptyFile,
        Refusal::HeicNotSupported,
        Refusal::VideoNotSupported,
        Refusal::GifNotSupported,
        Refusal::OfficeNotSupported,
        Refusal::ArchiveNotSupported,
        Refusal::SvgNotSupported,
        Refusal::HtmlNotSupported,
        Refusal::ExecutableNotSupported,
        Refusal::TextNotSupported,
        Refusal::FormatNotSupported,
        Refusal::VariantNotSupported,
        Refusal::MixedFormats,
        Refusal::DamagedFile,
        Refusal::NoPages,
        Refusal::EncryptedPdf,
    ];
    // Of what was refused before the page was kept the first one stands for it.
    let page_number = item.page_number.and_then(|number| u32::try_from(number).ok()).unwrap_or(1);
    let limited = [
        Refusal::FileTooLarge { limit_bytes: limits.max_bytes },
        Refusal::TooManyPages { limit_pages: limits.max_pages },
        Refusal::PageTooLarge { page_number, limit_pixels: limits.max_page_pixels },
        Refusal::ScanTooLarge { limit_pixels: limits.max_total_pixels },
        Refusal::ExpandsTooMuch { limit_ratio: limits.max_expansion },
    ];
    FIXED.into_iter().chain(limited).find(|refusal| refusal.code() == item.outcome)
}
