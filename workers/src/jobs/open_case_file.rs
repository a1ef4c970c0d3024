//! Opening a case file for a slip number that only scans have named so far.

use backends::{
    database::{Transaction, case_files::CaseFileRow, scans::ScanRow},
    vault::KeyPurpose,
};

use crate::context::{JobFailure, WorkContext};

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
        outlet_code: scan.outlet_code.clone(),
        ..CaseFileRow::opened(slip_number.to_owned(), outlet, &key, now)
    };
    tx.case_files().insert(&row).await?;
    let stored = tx.case_files().find(row.id).await?;
    stored.ok_or_else(|| super::missing("the case file just opened"))
}
