//! What a scan looks like from outside, and who may see it.

use backends::{
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    error::StorageError,
};
use chrono::{DateTime, Utc};
use domain::{
    access::{Action, Permission},
    case_file::CaseState,
    field::Slot,
    ids::{CaseFileId, PageId, ScanId, UploadId},
    scan::ScanState,
};
use serde::Serialize;

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
};

/// A scan in an answer; nothing in it is personal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScanView {
    pub id: ScanId,
    pub upload_id: UploadId,
    pub state: ScanState,
    /// Whether nothing more will happen to it, or its case file, by itself.
    pub settled: bool,
    /// Code of `docs/errors`, when it or one of its pages cannot be read.
    pub problem: Option<String>,
    pub outlet_code: Option<String>,
    pub slip_number_given: Option<String>,
    pub slot_given: Option<Slot>,
    pub media_type: String,
    pub size_bytes: i64,
    /// Digest of the bytes as received, with its algorithm, as in `blake3:9f86…`.
    pub digest: String,
    pub received_at: DateTime<Utc>,
    pub placed_by: Option<String>,
    pub placed_at: Option<DateTime<Utc>>,
    /// The scan that holds the same bytes in the same case file.
    pub same_as: Option<ScanId>,
    pub case_file: Option<CaseFileBrief>,
    pub pages: Vec<PageBrief>,
}

/// The case file of a scan, in brief.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CaseFileBrief {
    pub id: CaseFileId,
    pub slip_number: String,
    pub state: CaseState,
    pub open_findings: usize,
    /// Its last change: `at_least` of a search that must show it as it stands here.
    pub change: i64,
}

/// A page of a scan, in brief.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PageBrief {
    pub id: PageId,
    pub page_number: i64,
    pub width: i64,
    pub height: i64,
    pub problem: Option<String>,
}

impl ScanView {
    /// Loads what belongs to a scan.
    pub(crate) async fn load(
        tx: &mut dyn Transaction,
        scan: ScanRow,
        case_file: Option<&CaseFileRow>,
    ) -> Result<Self, StorageError> {
        let mut is_pending = tx.jobs().is_pending(scan.id.uuid()).await?;
        let brief = match case_file {
            Some(case_file) => {
                is_pending |= tx.jobs().is_pending(case_file.id.uuid()).await?;
                Some(CaseFileBrief::load(tx, case_file).await?)
            }
            None => None,
        };
        let pages = tx.pages().of_scan(scan.id).await?.into_iter().map(|page| PageBrief {
            id: page.id,
            page_number: page.page_index + 1,
            width: page.width,
            height: page.height,
            problem: page.problem,
        });
        Ok(Self {
            id: scan.id,
            upload_id: scan.upload_id,
            state: scan.state,
            settled: !is_pending,
            problem: scan.problem,
            outlet_code: scan.outlet_code,
            slip_number_given: scan.slip_number_given,
            slot_given: scan.slot_given,
            media_type: scan.media_type,
            size_bytes: scan.size_bytes,
            digest: scan.digest.to_string(),
            received_at: scan.received_at,
            placed_by: scan.placed_by,
            placed_at: scan.placed_at,
            same_as: scan.same_as,
            case_file: brief,
            pages: pages.collect(),
        })
    }
}

impl CaseFileBrief {
    async fn load(tx: &mut dyn Transaction, case_file: &CaseFileRow) -> Result<Self, StorageError> {
        let findings = tx.findings().of_case_file(case_file.id).await?;
        Ok(Self {
            id: case_file.id,
            slip_number: case_file.slip_number.clone(),
            state: case_file.state,
            open_findings: findings.iter().filter(|finding| finding.state.is_open()).count(),
            change: case_file.change_sequence,
        })
    }
}

/// A scan with its case file, if this caller may do `action` to it; not found otherwise. Whoever sent a scan may
/// follow it until it is placed where that account may not look.
pub(crate) async fn visible_scan(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    id: ScanId,
) -> Result<(ScanRow, Option<CaseFileRow>), Problem> {
    let scan = tx.scans().find(id).await?.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    let case_file = match scan.case_file_id {
        Some(id) => tx.case_files().find(id).await?,
        None => None,
    };
    let permission = match &case_file {
        Some(case_file) => caller.may(action, case_file),
        None => may_unplaced(tx, caller, action, &scan).await?,
    };
    Problem::unless_allowed(permission)?;
    Ok((scan, case_file))
}

/// Says whether this may be done to a scan that stands in no case file. One that came without an outlet belongs to the
/// branch of whoever sent it.
pub(crate) async fn may_unplaced(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    scan: &ScanRow,
) -> Result<Permission, StorageError> {
    let branch = match &scan.outlet_code {
        Some(code) => tx.organisation().outlet(code).await?.map(|outlet| outlet.branch_code),
        None => tx.organisation().account(scan.received_by).await?.and_then(|sender| sender.branch_code),
    };
    let permission = caller.may_at(action, scan.outlet_code.as_deref(), branch.as_deref(), None);
    let is_own = scan.received_by == caller.account.id && caller.has(action);
    Ok(if is_own { Permission::Allowed } else { permission })
}
