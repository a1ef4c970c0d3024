//! Invariant 5: no personal data outside encrypted columns and objects.
//!
//! Takes real values out of a sample of case files and looks for their bytes in every file of the data folder.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use backends::{connect::Backends, database::entered_data::EnteredDataRow, error::StorageError};
use domain::entered_data::EnteredData;

use super::{Check, Violations};

/// Case files whose values are looked for: the newest, since they passed through every stage last.
const SAMPLED: i64 = 200;
/// Shorter values turn up in any large file by chance.
const SHORTEST_BYTES: usize = 9;

pub(super) async fn check(backends: &Backends, data: &Path) -> Result<Check, StorageError> {
    let values = sample(backends).await?;
    let folder = data.to_owned();
    let sought = values.len();
    let searched = tokio::task::spawn_blocking(move || search(&folder, &values)).await;
    let mut violations = Violations::default();
    let mut files = 0;
    match searched {
        Ok(Ok((count, hits))) => {
            files = count;
            for path in hits {
                violations.add(format!("{} holds a personal value in clear", path.display()));
            }
        }
        Ok(Err(error)) => violations.add(format!("the data folder cannot be searched: {error}")),
        Err(_) => violations.add("the search ended without an answer"),
    }
    Ok(Check::of(
        5,
        "no personal data outside the encrypted columns and objects",
        format!("{sought} values in {files} files"),
        violations,
    ))
}

async fn sample(backends: &Backends) -> Result<HashSet<Vec<u8>>, StorageError> {
    let mut values = HashSet::new();
    let mut tx = backends.database.begin_read().await?;
    let last = tx.case_files().last_change().await?;
    for case_file in tx.case_files().changed_since((last - SAMPLED).max(0), SAMPLED).await? {
        let (Some(id), Some(key)) = (case_file.entered_data_id, backends.vault.key(case_file.key_id).await?)
        else {
            continue;
        };
        let Some(row) = tx.entered_data().find(id).await? else { continue };
        let entered: EnteredData = key.open(EnteredDataRow::place(id), &row.entered_sealed)?;
        let personal = [
            &entered.customer_name,
            &entered.id_number,
            &entered.id_address,
            &entered.contact_name,
            &entered.contact_phone,
            &entered.mailing_address,
            &entered.agent_name,
            &entered.agent_id_number,
        ];
        for value in personal.into_iter().chain(&entered.service_numbers) {
            // A slip number is public here and may hold a phone number by chance; it is no leak.
            if value.len() >= SHORTEST_BYTES && !case_file.slip_number.contains(value.as_str()) {
                values.insert(value.as_bytes().to_vec());
            }
        }
    }
    Ok(values)
}

/// Files searched, and those that hold one of the values. Files that vanish meanwhile are no error.
fn search(folder: &Path, values: &HashSet<Vec<u8>>) -> io::Result<(u64, Vec<PathBuf>)> {
    let (mut files, mut hits, mut folders) = (0, Vec::new(), vec![folder.to_owned()]);
    let by_start = by_start(values);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files += 1;
                match std::fs::read(entry.path()) {
                    Ok(bytes) if holds_any(&bytes, &by_start) => hits.push(entry.path()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok((files, hits))
}

/// Values by their first two bytes, so that each position of a file costs one look.
fn by_start(values: &HashSet<Vec<u8>>) -> Vec<Vec<&[u8]>> {
    let mut table = vec![Vec::new(); 1 << 16];
    for value in values {
        table[usize::from(value[0]) << 8 | usize::from(value[1])].push(value.as_slice());
    }
    table
}

fn holds_any(bytes: &[u8], by_start: &[Vec<&[u8]>]) -> bool {
    bytes.windows(2).enumerate().any(|(at, start)| {
        let candidates = &by_start[usize::from(start[0]) << 8 | usize::from(start[1])];
        candidates.iter().any(|value| bytes[at..].starts_with(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_file_is_found_and_a_piece_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one"), "…张三丰的电话…").unwrap();
        std::fs::write(folder.path().join("two"), "…张三…").unwrap();
        let values = HashSet::from(["张三丰".as_bytes().to_vec()]);

        let (files, hits) = search(folder.path(), &values).unwrap();

        assert_eq!(files, 2);
        assert_eq!(hits, [folder.path().join("one")]);
    }
}
