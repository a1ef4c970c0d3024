//! Opening a case file for a slip number that only scans have named so far.

use backends::{
    database::{case_files::CaseFileRow, scans::ScanRow},
    error::StorageError,
    vault::{DataKey, KeyPurpose},
};

use crate::context::{JobFailure, WorkContext};

/// Opens a case file that waits for its entered data. Its key is durable before the row is written, and is made before
/// the transaction is begun; where no row comes to be, it goes again.
pub(super) async fn open(
    context: &WorkContext,
    slip_number: &str,
    scan: &ScanRow,
) -> Result<CaseFileRow, JobFailure> {
    let vault = &context.backends.vault;
    let key = vault.new_key(KeyPurpose::CaseFile, context.now()).await?;
    match insert(context, slip_number, scan, &key).await {
        Ok(case_file) => Ok(case_file),
        Err(error) => {
            // After an answer that was lost the row may be there: only what was refused is known not to be.
            if matches!(error, StorageError::Conflict { .. }) {
                vault.destroy(key.id()).await?;
            }
            Err(error.into())
        }
    }
}

async fn insert(
    context: &WorkContext,
    slip_number: &str,
    scan: &ScanRow,
    key: &DataKey,
) -> Result<CaseFileRow, StorageError> {
    let mut tx = context.backends.database.begin().await?;
    let outlet = match &scan.outlet_code {
        Some(code) => tx.organisation().outlet(code).await?,
        None => None,
    };
    let row = CaseFileRow {
        outlet_code: scan.outlet_code.clone(),
        ..CaseFileRow::opened(slip_number.to_owned(), outlet, key, context.now())
    };
    tx.case_files().insert(&row).await?;
    let stored = tx.case_files().find(row.id).await?;
    let gone = || "a case file just opened is gone".to_owned();
    let stored = stored.ok_or_else(|| StorageError::Corrupt { what: "catalogue", detail: gone() })?;
    let entry = context.log_entry("open_case_file", "case_file", stored.id.uuid(), "done");
    tx.operation_log().append(&entry).await?;
    tx.commit().await?;
    Ok(stored)
}
