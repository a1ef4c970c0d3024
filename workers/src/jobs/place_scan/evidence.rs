//! What a scan says about where it belongs.

use backends::database::{Transaction, pages::PageRow, readings::ReadingRow, scans::ScanRow};
use domain::{
    field::FieldName,
    reading::{PageReading, PaperKind, PaperReading},
};

use crate::{
    context::{JobFailure, WorkContext},
    reader_pool::PageFacts,
};

/// From here on a value read decides where a scan belongs.
const TRUSTED: f32 = 0.7;

/// Everything that may name the case file of a scan. Personal data.
#[derive(Default)]
pub(super) struct Evidence {
    /// Barcodes on any page.
    pub barcodes: Vec<String>,
    /// Slip numbers printed on slips.
    pub slip_numbers: Vec<String>,
    /// Pieces of the file name that may be a slip number.
    pub file_name_parts: Vec<String>,
    /// Identity numbers on identity papers.
    pub id_numbers: Vec<String>,
    /// Names on identity papers.
    pub names: Vec<String>,
    /// Identity numbers printed on slips.
    pub slip_id_numbers: Vec<String>,
    /// Whether all that is on it is the back of a card, which bears neither name nor number.
    pub is_back_only: bool,
    /// Whether a slip is on it.
    pub has_slip: bool,
}

impl Evidence {
    /// Opens the readings in force and what stands beside them.
    pub(super) async fn gather(
        context: &WorkContext,
        tx: &mut dyn Transaction,
        scan: &ScanRow,
    ) -> Result<Self, JobFailure> {
        let key = context.backends.vault.required_key(scan.key_id).await?;
        let mut evidence = Self::default();
        for page in tx.pages().of_scan(scan.id).await? {
            if let Some(sealed) = &page.facts_sealed {
                let facts: PageFacts = key.open(PageRow::place(page.id), sealed)?;
                evidence.barcodes.extend(facts.barcodes);
            }
        }
        let mut papers = Vec::new();
        for row in super::super::readings_in_force(tx.readings().of_scan(scan.id).await?) {
            let reading: PageReading = key.open(ReadingRow::place(row.id), &row.reading_sealed)?;
            papers.extend(reading.papers);
        }
        for paper in &papers {
            evidence.take(paper);
        }
        evidence.is_back_only =
            !papers.is_empty() && papers.iter().all(|paper| paper.kind == PaperKind::IdCardBack);
        if let Some(sealed) = &scan.name_sealed {
            let name: String = key.open(ScanRow::name_place(scan.id), sealed)?;
            evidence.file_name_parts = parts_of(&name);
        }
        Ok(evidence)
    }

    fn take(&mut self, paper: &PaperReading) {
        let trusted = |field| {
            paper
                .field(field)
                .filter(|reading| reading.confidence.value() >= TRUSTED)
                .and_then(|reading| reading.text.clone())
        };
        match paper.kind {
            PaperKind::Slip => {
                self.has_slip = true;
                self.slip_numbers.extend(trusted(FieldName::SlipNumber));
                self.slip_id_numbers.extend(trusted(FieldName::IdNumber));
            }
            PaperKind::IdCardBack | PaperKind::Unknown => {}
            _ => {
                self.id_numbers.extend(trusted(FieldName::IdNumber));
                self.names.extend(trusted(FieldName::Name));
            }
        }
    }
}

/// Pieces of a file name, longest first: the stem as a whole, then what stands between separators.
fn parts_of(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for component in name.split(['/', '\\']) {
        let stem = component.rsplit_once('.').map_or(component, |(stem, _)| stem);
        parts.push(stem.to_owned());
        parts.extend(stem.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned));
    }
    let digits = |part: &String| part.bytes().filter(u8::is_ascii_digit).count();
    parts.retain(|part| {
        part.len() >= SHORTEST_SLIP_NUMBER && part.is_ascii() && digits(part) >= FEWEST_DIGITS
    });
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.dedup();
    parts
}

/// Shorter pieces are counters and dates, not slip numbers.
pub(super) const SHORTEST_SLIP_NUMBER: usize = 8;
/// A slip number holds a date or a long counter.
const FEWEST_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_gives_the_pieces_that_may_be_a_slip_number() {
        let parts = parts_of("2026/TJ20260918HX030700000-idf.jpg");

        assert_eq!(parts, ["TJ20260918HX030700000-idf", "TJ20260918HX030700000"]);
    }

    #[test]
    fn a_neutral_file_name_gives_nothing() {
        assert!(parts_of("scan-001.jpg").is_empty());
    }
}
