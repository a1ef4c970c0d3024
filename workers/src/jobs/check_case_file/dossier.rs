//! Everything a verdict rests on, opened: entered data, scans, pages, papers.

use backends::{
    database::{
        Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow, pages::PageRow,
        readings::ReadingRow, scans::ScanRow,
    },
    vault::DataKey,
};
use domain::{
    cross_check::{Candidate, UnreadablePage, place_papers},
    entered_data::EnteredData,
    field::Slot,
    ids::{PageId, ReadingId},
    reading::{PageReading, PaperKind, PaperReading, QualityCause},
    scan::ScanState,
};

use crate::context::{JobFailure, WorkContext};

/// One paper on one page.
pub(super) struct Paper {
    pub page: PageId,
    pub reading_id: ReadingId,
    pub paper_index: i64,
    pub reading: PaperReading,
    pub sent_for: Option<Slot>,
    pub scan: ScanRow,
}

/// A page with nothing on it that is known.
struct BarePage {
    page: PageId,
    slot: Option<Slot>,
    causes: Vec<QualityCause>,
}

/// A case file with its seals opened. Personal data.
pub(super) struct Dossier {
    pub entered: Option<EnteredData>,
    pub entered_digest: Option<[u8; 32]>,
    pub scans: Vec<ScanRow>,
    pub readings: Vec<ReadingRow>,
    pub papers: Vec<Paper>,
    bare: Vec<BarePage>,
}

impl Dossier {
    /// Opens a case file with its key.
    pub(super) async fn load(
        context: &WorkContext,
        tx: &mut dyn Transaction,
        case_file: &CaseFileRow,
        key: &DataKey,
    ) -> Result<Self, JobFailure> {
        let (entered, entered_digest) = match case_file.entered_data_id {
            Some(id) => {
                let row =
                    tx.entered_data().find(id).await?.ok_or_else(|| super::missing("the entered data"))?;
                (Some(key.open(EnteredDataRow::place(id), &row.entered_sealed)?), Some(row.digest))
            }
            None => (None, None),
        };
        let mut scans = tx.scans().of_case_file(case_file.id).await?;
        scans.retain(|scan| scan.state != ScanState::Linked);
        let mut dossier = Self {
            entered,
            entered_digest,
            scans,
            readings: Vec::new(),
            papers: Vec::new(),
            bare: Vec::new(),
        };
        for scan in dossier.scans.clone() {
            dossier.open_scan(context, tx, &scan).await?;
        }
        Ok(dossier)
    }

    async fn open_scan(
        &mut self,
        context: &WorkContext,
        tx: &mut dyn Transaction,
        scan: &ScanRow,
    ) -> Result<(), JobFailure> {
        let key = context.backends.vault.required_key(scan.key_id).await?;
        let pages: Vec<PageRow> = tx.pages().of_scan(scan.id).await?;
        for row in crate::jobs::readings_in_force(tx.readings().of_scan(scan.id).await?) {
            let reading: PageReading = key.open(ReadingRow::place(row.id), &row.reading_sealed)?;
            self.take(scan, &row, reading);
            self.readings.push(row);
        }
        let read: Vec<PageId> = self.readings.iter().map(|row| row.page_id).collect();
        for page in pages.iter().filter(|page| !read.contains(&page.id)) {
            self.bare.push(BarePage { page: page.id, slot: scan.slot_given, causes: Vec::new() });
        }
        Ok(())
    }

    fn take(&mut self, scan: &ScanRow, row: &ReadingRow, reading: PageReading) {
        let is_blank = reading.quality.causes.contains(&QualityCause::Blank);
        let nothing_known = reading.papers.iter().all(|paper| paper.kind == PaperKind::Unknown);
        if nothing_known && !is_blank {
            let causes = reading.quality.causes.clone();
            self.bare.push(BarePage { page: row.page_id, slot: scan.slot_given, causes });
        }
        for (index, paper) in reading.papers.into_iter().enumerate() {
            if paper.kind == PaperKind::Unknown {
                continue;
            }
            self.papers.push(Paper {
                page: row.page_id,
                reading_id: row.id,
                paper_index: index as i64,
                reading: paper,
                sent_for: scan.slot_given,
                scan: scan.clone(),
            });
        }
    }

    /// Whether a scan that belongs here is still being read. One whose job was given up is not waited for.
    pub(super) async fn waits_for_reading(&self, tx: &mut dyn Transaction) -> Result<bool, JobFailure> {
        for scan in self.scans.iter().filter(|scan| !scan.state.is_settled()) {
            if tx.jobs().is_pending(scan.id.uuid()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The slot of each paper, in their order.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let candidates: Vec<Candidate<'_>> = self
            .papers
            .iter()
            .map(|paper| Candidate { page: paper.page, paper: &paper.reading, sent_for: paper.sent_for })
            .collect();
        place_papers(self.entered.as_ref(), &candidates)
    }

    /// Pages on which something is, but nothing that is known; a scan that cannot be decoded counts as one.
    pub(super) fn unreadable_pages(&self) -> Vec<UnreadablePage> {
        let bare = self.bare.iter().map(|bare| UnreadablePage {
            page: bare.page,
            slot: bare.slot,
            causes: bare.causes.clone(),
        });
        let is_undecoded = |scan: &&ScanRow| scan.state == ScanState::Unreadable || !scan.state.is_settled();
        let scans = self.scans.iter().filter(is_undecoded);
        let undecoded = scans.map(|scan| UnreadablePage {
            page: PageId::from_uuid(scan.id.uuid()),
            slot: scan.slot_given,
            causes: Vec::new(),
        });
        bare.chain(undecoded).collect()
    }
}
