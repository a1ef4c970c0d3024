//! Loading a case file with its entered data, if the caller may know it.

use backends::{
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow},
    error::StorageError,
    vault::DataKey,
};
use domain::{access::Action, entered_data::EnteredData, ids::CaseFileId};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
};

/// The case file, if this caller may do `action` to it.
pub(crate) async fn visible_case_file(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    id: CaseFileId,
) -> Result<CaseFileRow, Problem> {
    let case_file = tx.case_files().find(id).await?.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    Problem::unless_allowed(caller.may(action, &case_file))?;
    Ok(case_file)
}

/// The entered data in force with the key they are sealed under. No key: the case file was destroyed.
pub(crate) async fn entered_in_force(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<(Option<DataKey>, Option<EnteredData>), StorageError> {
    let Some(key) = backends.vault.key(case_file.key_id).await? else { return Ok((None, None)) };
    let row = match case_file.entered_data_id {
        Some(id) => tx.entered_data().find(id).await?,
        None => None,
    };
    let entered = row.map(|row| key.open(EnteredDataRow::place(row.id), &row.entered_sealed)).transpose()?;
    Ok((Some(key), entered))
}
