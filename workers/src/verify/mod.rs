//! `guidang verify`: the invariants of the archive, one line each.

mod acts;
mod catalogue;
mod index;
mod jobs;
mod objects;
mod privacy;

use std::path::{Path, PathBuf};

use backends::{connect::Backends, error::StorageError};

use crate::log_heads;

/// The outcome of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The number in the design.
    pub number: u8,
    /// The invariant in one sentence.
    pub name: &'static str,
    /// How much was looked at.
    pub looked_at: String,
    /// What violates it, by id; empty when nothing does. Cut off after a few.
    pub violations: Vec<String>,
    /// Why nothing could be looked at, and what to do; then nothing is said about the invariant.
    pub not_checked: Option<String>,
}

impl Check {
    fn of(number: u8, name: &'static str, looked_at: String, violations: Violations) -> Self {
        Self { number, name, looked_at, violations: violations.into_list(), not_checked: None }
    }

    /// Whether the invariant was looked at and holds.
    pub fn holds(&self) -> bool {
        self.violations.is_empty() && self.not_checked.is_none()
    }

    /// Whether something violates it.
    pub fn is_broken(&self) -> bool {
        !self.violations.is_empty()
    }
}

/// Where things are that the catalogue does not know of.
#[derive(Debug, Clone)]
pub struct Places {
    /// The index folder.
    pub index: PathBuf,
    /// The file of signed heads.
    pub heads: PathBuf,
    /// The data folder, searched for personal data in clear.
    pub data: PathBuf,
    /// What of the archive lies elsewhere, in words; personal data are not looked for there.
    pub elsewhere: Vec<&'static str>,
}

/// More violations than this are counted, not listed.
const LISTED: usize = 20;

/// Gathers violations without growing with their number.
#[derive(Default)]
struct Violations {
    listed: Vec<String>,
    beyond: usize,
}

impl Violations {
    fn add(&mut self, what: impl Into<String>) {
        if self.listed.len() < LISTED {
            self.listed.push(what.into());
        } else {
            self.beyond += 1;
        }
    }

    fn into_list(mut self) -> Vec<String> {
        if self.beyond > 0 {
            self.listed.push(format!("and {} more", self.beyond));
        }
        self.listed
    }
}

/// Checks every invariant that can be checked on this shape. `progress` gets each as it is done.
pub async fn run(
    backends: &Backends,
    places: &Places,
    mut progress: impl FnMut(&Check),
) -> Result<Vec<Check>, StorageError> {
    let mut checks = Vec::new();
    let mut done = |check: Check| {
        progress(&check);
        checks.push(check);
    };
    let (received, objects) = objects::check(backends).await?;
    done(received);
    done(objects);
    done(log(backends, &places.heads).await?);
    done(catalogue::states(backends).await?);
    done(privacy::check(backends, places).await?);
    done(catalogue::destroyed(backends).await?);
    done(index::check(backends, &places.index).await?);
    done(jobs::check(backends).await?);
    Ok(checks)
}

/// Checks that index and catalogue hold the same case files, and nothing else.
pub async fn index_alone(backends: &Backends, folder: &Path) -> Result<Check, StorageError> {
    index::check(backends, folder).await
}

async fn log(backends: &Backends, heads: &Path) -> Result<Check, StorageError> {
    let mut violations = Violations::default();
    let (mut looked_at, mut not_checked) = ("no entry".to_owned(), None);
    let versions = backends.database.begin_read().await?.entered_data().count().await?;
    let mut imports = acts::Imports::default();
    match log_heads::verify(backends, heads, |entry| imports.see(entry)).await {
        Ok(verified) => {
            let witnessed = verified.witnessed.unwrap_or_default();
            looked_at = format!("{} entries, {witnessed} of them witnessed by kept heads", verified.entries);
            not_checked = verified.not_checked(heads);
            imports.check(versions, &mut violations);
        }
        Err(log_heads::LogError::Storage(error)) => return Err(error),
        Err(error) => violations.add(error.to_string()),
    }
    acts::check(backends, &mut violations).await?;
    let name = "the operation log verifies, and the acts that rows tell of are in it";
    Ok(Check { not_checked, ..Check::of(3, name, looked_at, violations) })
}
