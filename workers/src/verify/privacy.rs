//! Invariant 5: no personal data outside encrypted columns and objects.
//!
//! Takes real values out of a sample of case files and looks for their bytes in every file of the data folder. What lies
//! elsewhere, and values too short to be told from chance, are out of its reach.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use backends::{connect::Backends, database::entered_data::EnteredDataRow, error::StorageError};
use domain::{entered_data::EnteredData, field::FieldName};

use super::{Check, Places, Violations};

/// Case files whose values are looked for: the newest, since they passed through every stage last.
const SAMPLED: i64 = 200;
/// Shorter values, a single character, turn up in any file by chance.
const SHORTEST_BYTES: usize = 6;
/// Values below this, names of two characters, turn up by chance in a large store of sealed objects, and short numbers
/// in any file: there they are not looked for.
const SHORTEST_ANYWHERE: usize = 9;
/// Bytes of a file that are looked at together.
const WINDOW_BYTES: u64 = 1 << 20;

pub(super) async fn check(backends: &Backends, places: &Places) -> Result<Check, StorageError> {
    let values = sample(backends).await?;
    let sought = values.len();
    let folder = places.data.clone();
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
        looked_at(sought, files, &places.elsewhere),
        violations,
    ))
}

fn looked_at(sought: usize, files: u64, elsewhere: &[&str]) -> String {
    let mut said = match sought {
        0 => format!("nothing was entered whose values could be sought in {files} files"),
        _ => {
            format!("{sought} values of the {SAMPLED} newest case files, in {files} files of the data folder")
        }
    };
    if !elsewhere.is_empty() {
        said.push_str("; not in ");
        said.push_str(&elsewhere.join(", "));
    }
    said
}

async fn sample(backends: &Backends) -> Result<HashSet<Vec<u8>>, StorageError> {
    let mut values = HashSet::new();
    let mut tx = backends.database.begin_read().await?;
    // Names of outlets are in clear by intent, and an outlet may be a customer of its own.
    let outlets = tx.organisation().outlets().await?;
    let last = tx.case_files().last_change().await?;
    for case_file in tx.case_files().changed_since((last - SAMPLED).max(0), SAMPLED).await? {
        let (Some(id), Some(key)) = (case_file.entered_data_id, backends.vault.key(case_file.key_id).await?)
        else {
            continue;
        };
        let Some(row) = tx.entered_data().find(id).await? else { continue };
        let entered: EnteredData = key.open(EnteredDataRow::place(id), &row.entered_sealed)?;
        for value in personal(&entered) {
            // A slip number is public here and may hold a phone number by chance; it is no leak.
            let is_public = case_file.slip_number.contains(value)
                || outlets.iter().any(|outlet| outlet.name.contains(value) || outlet.code.contains(value));
            let shortest = if value.is_ascii() { SHORTEST_ANYWHERE } else { SHORTEST_BYTES };
            if value.len() >= shortest && !is_public {
                values.insert(value.as_bytes().to_vec());
            }
        }
    }
    Ok(values)
}

/// The values that name a person, or are that person's.
fn personal(entered: &EnteredData) -> impl Iterator<Item = &str> {
    let always = [
        &entered.customer_name,
        &entered.id_number,
        &entered.id_address,
        &entered.contact_name,
        &entered.contact_phone,
        &entered.mailing_address,
        &entered.agent_name,
        &entered.agent_id_number,
    ];
    let details = [FieldName::HandlerPhone, FieldName::OrganisationPhone, FieldName::OrganisationNumber];
    let details = details.into_iter().filter_map(|field| entered.details.get(&field));
    always.into_iter().chain(&entered.service_numbers).chain(details).map(String::as_str)
}

/// Files searched, and those that hold one of the values. Files that vanish meanwhile are no error.
fn search(folder: &Path, values: &HashSet<Vec<u8>>) -> io::Result<(u64, Vec<PathBuf>)> {
    let (mut files, mut hits, mut folders) = (0, Vec::new(), vec![folder.to_owned()]);
    let objects = folder.join("objects");
    let needles = Needles::of(values, SHORTEST_BYTES);
    let long_needles = Needles::of(values, SHORTEST_ANYWHERE);
    while let Some(folder) = folders.pop() {
        let needles = if folder.starts_with(&objects) { &long_needles } else { &needles };
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files += 1;
                match File::open(entry.path()).and_then(|mut file| needles.are_in(&mut file)) {
                    Ok(true) => hits.push(entry.path()),
                    Ok(false) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok((files, hits))
}

/// Values by their first two bytes, so that each position of a file costs one look.
struct Needles<'a> {
    by_start: Vec<Vec<&'a [u8]>>,
    longest: usize,
}

impl<'a> Needles<'a> {
    fn of(values: &'a HashSet<Vec<u8>>, shortest: usize) -> Self {
        let mut by_start = vec![Vec::new(); 1 << 16];
        let mut longest = 0;
        for value in values.iter().filter(|value| value.len() >= shortest) {
            if let [first, second, ..] = value[..] {
                by_start[place_of(first, second)].push(value.as_slice());
                longest = longest.max(value.len());
            }
        }
        Self { by_start, longest }
    }

    /// Whether one of the values is in what is read. A window takes along the end of the one before, so that nothing
    /// hides between two.
    fn are_in(&self, reader: &mut impl Read) -> io::Result<bool> {
        let mut window = Vec::new();
        loop {
            if reader.by_ref().take(WINDOW_BYTES).read_to_end(&mut window)? == 0 {
                return Ok(false);
            }
            if self.are_among(&window) {
                return Ok(true);
            }
            window.drain(..window.len().saturating_sub(self.longest));
        }
    }

    fn are_among(&self, bytes: &[u8]) -> bool {
        bytes.windows(2).enumerate().any(|(at, start)| {
            let candidates = &self.by_start[place_of(start[0], start[1])];
            candidates.iter().any(|value| bytes[at..].starts_with(value))
        })
    }
}

fn place_of(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[&str]) -> HashSet<Vec<u8>> {
        values.iter().map(|value| value.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_value_in_a_file_is_found_and_a_piece_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one"), "…张三丰的电话…").unwrap();
        std::fs::write(folder.path().join("two"), "…张三…").unwrap();

        let (files, hits) = search(folder.path(), &values(&["张三丰"])).unwrap();

        assert_eq!(files, 2);
        assert_eq!(hits, [folder.path().join("one")]);
    }

    #[test]
    fn a_value_between_two_windows_is_found() {
        let window = usize::try_from(WINDOW_BYTES).unwrap();
        let values = values(&["王伟", "天津市河西区友谊路1号"]);
        let needles = Needles::of(&values, SHORTEST_BYTES);
        for before in [0, window - 3, window - 1, 2 * window - 4] {
            let mut text = vec![b' '; before];
            text.extend("王伟".bytes());

            assert!(needles.are_in(&mut text.as_slice()).unwrap(), "{before}");
            text.pop();
            assert!(!needles.are_in(&mut text.as_slice()).unwrap(), "{before}");
        }
    }

    #[test]
    fn a_name_of_two_characters_is_sought_everywhere_but_in_objects() {
        let folder = tempfile::tempdir().unwrap();
        for place in ["objects/scans", "log-heads"] {
            std::fs::create_dir_all(folder.path().join(place)).unwrap();
            std::fs::write(folder.path().join(place).join("x"), "王伟").unwrap();
        }

        let (_, hits) = search(folder.path(), &values(&["王伟"])).unwrap();

        assert_eq!(hits, [folder.path().join("log-heads/x")]);
    }

    #[test]
    fn what_is_out_of_reach_is_said() {
        assert!(looked_at(0, 3, &[]).starts_with("nothing was entered"));
        assert!(
            looked_at(7, 3, &["PostgreSQL", "the object store"])
                .ends_with("not in PostgreSQL, the object store")
        );
    }
}
