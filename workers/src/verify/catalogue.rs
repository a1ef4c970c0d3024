//! Invariants 4 and 6, as far as the catalogue alone proves them.

use backends::{
    connect::Backends,
    database::case_files::{CaseFileRow, StateChange},
    error::StorageError,
};

use super::{Check, Violations};

/// Rows read at once.
const BATCH: i64 = 2_000;

/// Every case file, in the order of the change sequence.
async fn for_each_case_file(
    backends: &Backends,
    mut visit: impl FnMut(&CaseFileRow),
) -> Result<u64, StorageError> {
    let (mut after, mut seen) = (0, 0);
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.case_files().changed_since(after, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(seen) };
        after = last.change_sequence;
        seen += rows.len() as u64;
        rows.iter().for_each(&mut visit);
    }
}

pub(super) async fn states(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let changes = histories(backends, &mut violations).await?;
    let (mut after, mut seen) = (None, 0_u64);
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.case_files().states_on_record(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.case_file_id);
        seen += rows.len() as u64;
        for row in rows.iter().filter(|row| row.recorded != Some(row.state)) {
            violations.add(match row.recorded {
                Some(state) => format!("case file {}: its history ends in {state}", row.case_file_id),
                None => format!("case file {} has no history", row.case_file_id),
            });
        }
    }
    let looked_at = format!("{seen} case files, {changes} changes");
    Ok(Check::of(4, "only legal state changes happened", looked_at, violations))
}

/// Every history begins at 1, has no gap, and makes only changes that a case file may make.
async fn histories(backends: &Backends, violations: &mut Violations) -> Result<u64, StorageError> {
    let mut seen = 0;
    let mut last: Option<StateChange> = None;
    loop {
        let after = last.as_ref().map(|change| (change.case_file_id, change.number));
        let mut tx = backends.database.begin_read().await?;
        let changes = tx.case_files().state_changes(after, BATCH).await?;
        if changes.is_empty() {
            return Ok(seen);
        }
        seen += changes.len() as u64;
        for change in changes {
            let before = last.as_ref().filter(|last| last.case_file_id == change.case_file_id);
            if !is_legal(before, &change) {
                let (id, number, to) = (change.case_file_id, change.number, change.to);
                violations.add(format!("case file {id}: change {number} to {to}"));
            }
            last = Some(change);
        }
    }
}

fn is_legal(before: Option<&StateChange>, change: &StateChange) -> bool {
    match (before, change.from) {
        (None, None) => change.number == 1,
        (Some(before), Some(from)) => {
            change.number == before.number + 1 && before.to == from && from.may_become(change.to)
        }
        _ => false,
    }
}

pub(super) async fn destroyed(backends: &Backends) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let mut destroyed = Vec::new();
    // That no archival code is given twice is a constraint of both engines.
    let seen = for_each_case_file(backends, |row| {
        if row.state.is_destroyed() {
            destroyed.push(row.clone());
        }
    })
    .await?;
    for row in &destroyed {
        if backends.vault.key(row.key_id).await?.is_some() {
            violations.add(format!("case file {} is destroyed but its key is not", row.id));
        }
        let mut tx = backends.database.begin_read().await?;
        if !tx.holdings().holds_on(row.id).await?.is_empty() {
            violations.add(format!("case file {} was destroyed while on hold", row.id));
        }
    }
    let keys = backends.vault.count().await?;
    Ok(Check::of(
        6,
        "nothing destroyed can be read, nothing on hold was destroyed",
        format!("{seen} case files, {} destroyed, {keys} wrapped keys", destroyed.len()),
        violations,
    ))
}
