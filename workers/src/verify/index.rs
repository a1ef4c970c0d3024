//! Invariant 7: index and catalogue hold the same case files.

use std::{collections::HashSet, path::Path};

use backends::{connect::Backends, error::StorageError};
use domain::{blind_index::BlindKey, ids::CaseFileId};
use indexer::{error::IndexError, searcher::Searcher};

use super::{Check, Violations};

pub(super) async fn check(backends: &Backends, root: &Path) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let key = BlindKey::new(backends.vault.blind_index_secret());
    let (root, opened) = (root.to_owned(), tokio::task::spawn_blocking);
    let searcher = opened(move || Searcher::open(&root, key)).await;
    let name = "index and catalogue hold the same case files";
    let (reached, found) = match searcher {
        Ok(Ok(searcher)) => (searcher.reached(), searcher.ids()),
        Ok(Err(IndexError::Missing { .. })) => (0, Vec::new()),
        Ok(Err(error)) => {
            violations.add(error.to_string());
            return Ok(Check {
                number: 7,
                name,
                looked_at: "nothing".to_owned(),
                violations: violations.into_list(),
            });
        }
        Err(_) => {
            violations.add("the index cannot be opened");
            (0, Vec::new())
        }
    };
    let indexed: HashSet<CaseFileId> = found.iter().copied().collect();
    if indexed.len() != found.len() {
        violations.add(format!("{} case files are in the index twice", found.len() - indexed.len()));
    }
    let (expected, beyond) = expected(backends, reached as i64).await?;
    for id in expected.difference(&indexed) {
        if !was_destroyed(backends, *id).await? {
            violations.add(format!("case file {id} is missing from the index"));
        }
    }
    let mut known = expected;
    known.extend(beyond);
    for id in indexed.difference(&known) {
        violations.add(format!("case file {id} is in the index but not in the catalogue"));
    }
    let looked_at = format!("{} case files, up to change {reached}", indexed.len());
    Ok(Check { number: 7, name, looked_at, violations: violations.into_list() })
}

/// Whether nothing of the case file can be read any more, so that nothing of it is indexed.
async fn was_destroyed(backends: &Backends, id: CaseFileId) -> Result<bool, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    let case_file = tx.case_files().find(id).await?;
    drop(tx);
    match case_file {
        Some(case_file) => backends.vault.was_destroyed(case_file.key_id).await,
        None => Ok(false),
    }
}

/// Case files the index must hold, and those whose last change it has not reached yet.
async fn expected(
    backends: &Backends,
    reached: i64,
) -> Result<(HashSet<CaseFileId>, HashSet<CaseFileId>), StorageError> {
    let (mut must, mut may, mut after) = (HashSet::new(), HashSet::new(), 0);
    loop {
        let mut tx = backends.database.begin_read().await?;
        let rows = tx.case_files().changed_since(after, 2_000).await?;
        let Some(last) = rows.last() else { return Ok((must, may)) };
        after = last.change_sequence;
        for row in rows.iter().filter(|row| !row.state.is_destroyed()) {
            if row.change_sequence <= reached {
                must.insert(row.id);
            } else {
                may.insert(row.id);
            }
        }
    }
}
