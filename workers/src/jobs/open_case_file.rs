//! Opening a case file for a slip number that only scans have named so far.

use backends::{
    clock::new_id,
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    vault::KeyPurpose,
};
use domain::case_file::CaseState;

use crate::context::{JobFailure, WorkContext};

/// Which class of the retention schedule an acceptance belongs to.
pub(crate) const SERIES: &str = "customer_entry";

/// Opens a case file that waits for its entered data. Its key is durable before the row is written.
pub(super) async fn open(
    context: &WorkContext,
    tx: &mut dyn Transaction,
    slip_number: &str,
    scan: &ScanRow,
) -> Result<CaseFileRow, JobFailure> {
    let now = context.now();
    let key = context.backends.vault.new_key(KeyPurpose::CaseFile, now).await?;
    let outlet = match &scan.outlet_code {
        Some(code) => tx.organisation().outlet(code).await?,
        None => None,
    };
    let row = CaseFileRow {
        id: new_id(now),
        slip_number: slip_number.to_owned(),
        outlet_code: scan.outlet_code.clone(),
        branch_code: outlet.as_ref().map(|outlet| outlet.branch_code.clone()),
        channel: outlet.map(|outlet| outlet.channel),
        accepted_on: None,
        series: SERIES.to_owned(),
        state: CaseState::Assembling,
        archival_code: None,
        archived_at: None,
        returned_on: None,
        papers_received_on: None,
        assigned_to: None,
        key_id: key.id(),
        entered_data_id: None,
        verdict_id: None,
        change_sequence: 0,
        created_at: now,
        updated_at: now,
    };
    tx.case_files().insert(&row).await?;
    let stored = tx.case_files().find(row.id).await?;
    stored.ok_or_else(|| super::missing("the case file just opened"))
}
