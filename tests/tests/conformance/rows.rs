//! Rows with sensible defaults.

use backends::{
    clock::new_id,
    connect::Backends,
    database::{
        case_files::CaseFileRow,
        jobs::JobRow,
        operation_log::LogEntry,
        organisation::AccountRow,
        pages::PageRow,
        scans::{NewUpload, ScanRow, UploadItem, UploadRow},
    },
    digest::{ContentDigest, DigestAlgorithm},
};
use domain::{
    case_file::CaseState,
    ids::{AccountId, KeyId, ScanId, UploadId},
    job::JobName,
    scan::ScanState,
};
use uuid::Uuid;

pub fn case_file(backends: &Backends, slip_number: &str) -> CaseFileRow {
    let now = backends.clock.now();
    CaseFileRow {
        id: new_id(now),
        slip_number: slip_number.to_owned(),
        outlet_code: Some("TJHX0307".to_owned()),
        branch_code: Some("TJ".to_owned()),
        channel: Some("direct".to_owned()),
        accepted_on: Some(backends::clock::office_day(now)),
        series: "customer_entry".to_owned(),
        state: CaseState::Assembling,
        archival_code: None,
        archived_at: None,
        returned_on: None,
        papers_received_on: None,
        assigned_to: None,
        key_id: KeyId::from_uuid(Uuid::from_u128(1)),
        entered_data_id: None,
        verdict_id: None,
        change_sequence: 0,
        created_at: now,
        updated_at: now,
    }
}

pub fn job(backends: &Backends, subject: u128) -> JobRow {
    JobRow::due_at_once(JobName::ReadScan, Uuid::from_u128(subject), backends.clock.now())
}

pub fn log_entry(backends: &Backends, subject: &str) -> LogEntry {
    LogEntry {
        at: backends.clock.now(),
        account_id: None,
        role: "system".to_owned(),
        outlet_code: None,
        origin: "test".to_owned(),
        action: "search".to_owned(),
        subject_kind: "query".to_owned(),
        subject_id: subject.to_owned(),
        reason: None,
        result: "done".to_owned(),
    }
}

pub async fn account(backends: &Backends) -> AccountId {
    account_of(backends, None).await
}

pub async fn account_of(backends: &Backends, branch: Option<&str>) -> AccountId {
    let now = backends.clock.now();
    let row = AccountRow {
        id: new_id(now),
        staff_number: new_id::<()>(now).to_string(),
        role: "clerk".to_owned(),
        outlet_code: None,
        branch_code: branch.map(str::to_owned),
        created_at: now,
        disabled_at: None,
    };
    let mut tx = backends.database.begin().await.unwrap();
    tx.organisation().insert_account(&row).await.unwrap();
    tx.commit().await.unwrap();
    row.id
}

pub fn upload(backends: &Backends, account: AccountId, key: Option<&str>) -> UploadRow {
    let now = backends.clock.now();
    UploadRow {
        id: new_id(now),
        account_id: account,
        idempotency_key: key.map(str::to_owned),
        outlet_code: None,
        files_digest: Some("blake3:00".to_owned()),
        received_at: now,
    }
}

pub fn scan(backends: &Backends, upload: UploadId, account: AccountId, digest: [u8; 32]) -> ScanRow {
    let now = backends.clock.now();
    ScanRow {
        id: new_id(now),
        upload_id: upload,
        case_file_id: None,
        same_as: None,
        state: ScanState::Received,
        problem: None,
        outlet_code: None,
        slip_number_given: None,
        slot_given: None,
        media_type: "image/png".to_owned(),
        size_bytes: 3,
        digest: ContentDigest { algorithm: DigestAlgorithm::Blake3, bytes: digest },
        key_id: KeyId::from_uuid(Uuid::from_u128(2)),
        name_sealed: None,
        placed_by: None,
        placed_at: None,
        received_by: account,
        received_at: now,
    }
}

pub fn page(backends: &Backends, scan: ScanId) -> PageRow {
    PageRow {
        id: new_id(backends.clock.now()),
        scan_id: scan,
        page_index: 0,
        width: 10,
        height: 10,
        problem: None,
        facts_sealed: Some(vec![1, 2, 3]),
        fingerprint_sealed: None,
        bands: vec![1],
    }
}

pub fn new_upload(row: UploadRow, scans: &[ScanRow]) -> NewUpload {
    let items = (1..).zip(scans).map(|(number, scan)| item(number, scan)).collect();
    NewUpload { row, scans: scans.to_vec(), items }
}

fn item(item_number: i64, scan: &ScanRow) -> UploadItem {
    UploadItem { item_number, scan_id: Some(scan.id), outcome: "received".to_owned(), page_number: None }
}
