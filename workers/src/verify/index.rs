//! Invariant 7: index and catalogue hold the same case files.

use std::{collections::HashSet, path::Path};

use backends::{connect::Backends, error::StorageError};
use domain::{blind_index::BlindKey, ids::CaseFileId};
use indexer::{error::IndexError, searcher::Searcher};

use super::{Check, Violations};

const NUMBER: u8 = 7;
const NAME: &str = "index and catalogue hold the same case files";
const HOW_TO_BUILD: &str = "`guidang index rebuild` builds it, and so does `guidang serve`";

pub(super) async fn check(backends: &Backends, root: &Path) -> Result<Check, StorageError> {
    let key = BlindKey::new(backends.vault.blind_index_secret());
    let root = root.to_owned();
    let opened = tokio::task::spawn_blocking(move || Searcher::open(&root, key)).await;
    match opened {
        Ok(Ok(searcher)) => compare(backends, searcher.reached() as i64, &searcher.ids()).await,
        Ok(Err(IndexError::Missing { .. })) => compare(backends, 0, &[]).await,
        Ok(Err(error)) => Ok(unusable(error.to_string())),
        Err(_) => Ok(unusable("the index cannot be opened".to_owned())),
    }
}

fn unusable(why: String) -> Check {
    let mut violations = Violations::default();
    violations.add(why);
    Check::of(NUMBER, NAME, "nothing".to_owned(), violations)
}

/// Compares what an index holds that has followed the catalogue up to `reached`.
async fn compare(backends: &Backends, reached: i64, found: &[CaseFileId]) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let indexed: HashSet<CaseFileId> = found.iter().copied().collect();
    if indexed.len() != found.len() {
        violations.add(format!("{} case files are in the index twice", found.len() - indexed.len()));
    }
    let (expected, beyond) = expected(backends, reached).await?;
    let has_followed_nothing = reached == 0 && found.is_empty() && !beyond.is_empty();
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
    let last = backends.database.begin_read().await?.case_files().last_change().await?;
    let looked_at = format!("{} case files, up to change {reached} of {last}", indexed.len());
    let mut check = Check::of(NUMBER, NAME, looked_at, violations);
    check.not_checked =
        has_followed_nothing.then(|| format!("this folder's index has followed nothing; {HOW_TO_BUILD}"));
    Ok(check)
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
