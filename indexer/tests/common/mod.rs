//! Case files for tests.

use chrono::NaiveDate;
use domain::{blind_index::BlindKey, case_file::CaseState, ids::CaseFileId};
use indexer::{document::CaseDocument, writer::Change};

/// The key of all tests.
pub fn key() -> BlindKey {
    BlindKey::new([7; 32])
}

/// An id made at a moment, with a tail.
pub fn id(moment_ms: u64, tail: u8) -> CaseFileId {
    CaseFileId::from_parts(1_780_000_000_000 + moment_ms, [tail; 10])
}

/// A day of September 2026.
pub fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, day).unwrap()
}

/// A case file with nothing remarkable.
pub fn case(id: CaseFileId) -> CaseDocument {
    CaseDocument {
        case_file_id: id,
        slip_number: "TJ20260901HX010100001".to_owned(),
        outlet_code: "TJHX0101".to_owned(),
        branch_code: "TJHX".to_owned(),
        channel: "自有营业厅".to_owned(),
        accepted_on: day(1),
        state: CaseState::Checked,
        finding_codes: Vec::new(),
        has_open_findings: false,
        archival_code: None,
        names: vec!["欧阳晓岚".to_owned()],
        id_numbers: vec!["12010119850614273X".to_owned()],
        phones: vec!["15562804516".to_owned(), "02227318846".to_owned()],
        addresses: vec!["天津市西青区解放南路凤城名苑12号楼".to_owned()],
    }
}

/// The change that brings a case file.
pub fn upsert(case: &CaseDocument) -> Change {
    Change::Upsert(Box::new(case.clone()))
}
