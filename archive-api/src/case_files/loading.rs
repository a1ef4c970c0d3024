//! Loading a case file with its entered data, if the caller may know it.

use std::collections::HashMap;

use backends::{
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow},
    error::StorageError,
    vault::DataKey,
};
use domain::{
    access::Action,
    entered_data::EnteredData,
    ids::{CaseFileId, KeyId},
};

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

/// The entered data in force of many case files; those without any, those that were destroyed, and those that are
/// damaged are left out: one damaged row must not hide all others. Opening it by itself says what is wrong.
pub(crate) async fn entered_in_force_of(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_files: &[CaseFileRow],
) -> Result<HashMap<CaseFileId, EnteredData>, StorageError> {
    let key_ids: Vec<KeyId> = case_files.iter().map(|case_file| case_file.key_id).collect();
    let keys = backends.vault.readable_keys(&key_ids).await?;
    let in_force: Vec<_> = case_files.iter().filter_map(|case_file| case_file.entered_data_id).collect();
    let key_of: HashMap<CaseFileId, &DataKey> = case_files
        .iter()
        .filter_map(|case_file| Some((case_file.id, keys.get(&case_file.key_id)?)))
        .collect();
    let mut entered = HashMap::with_capacity(in_force.len());
    for row in tx.entered_data().find_many(&in_force).await? {
        let Some(key) = key_of.get(&row.case_file_id) else { continue };
        match key.open(EnteredDataRow::place(row.id), &row.entered_sealed) {
            Ok(opened) => drop(entered.insert(row.case_file_id, opened)),
            Err(error) => {
                tracing::warn!(case_file.id = %row.case_file_id, error = %error, "entered data are damaged");
            }
        }
    }
    Ok(entered)
}
