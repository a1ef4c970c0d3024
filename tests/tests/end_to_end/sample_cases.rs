//! The cases of `samples/`, as an outlet would send them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};
use archive_tests::client::{OutgoingFile, Upload};
use serde::Deserialize;

/// What is true about one case; the program never reads this.
#[derive(Debug, Clone, Deserialize)]
pub struct SampleCase {
    pub slip_number: String,
    pub fault: Option<String>,
    pub expect: Vec<Expected>,
    scans: Vec<SampleScan>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    pub code: String,
    pub subject: String,
}

#[derive(Debug, Clone, Deserialize)]
struct SampleScan {
    file: String,
}

impl SampleCase {
    /// The case whose slip number ends so.
    pub fn ending(end: &str) -> Result<Self> {
        let truth = fs::read_to_string(folder().join("truth.jsonl"))?;
        let mut cases = truth.lines().map(serde_json::from_str::<Self>);
        let found = cases.find(|case| case.as_ref().is_ok_and(|case| case.slip_number.ends_with(end)));
        Ok(found.with_context(|| format!("no sample ends with {end}"))??)
    }

    /// All its scans in one upload that says nothing about where they belong.
    pub fn upload(&self) -> Result<Upload> {
        let mut files = Vec::new();
        for scan in &self.scans {
            let bytes = fs::read(path(&scan.file))?;
            files.push(OutgoingFile::new(scan.file.clone(), bytes));
        }
        Ok(Upload::of(files).from_outlet(&self.outlet()))
    }

    /// The outlet, as its slip number names it.
    pub fn outlet(&self) -> String {
        format!("TJ{}", &self.slip_number[10..16])
    }

    /// The findings that must be raised.
    pub fn expected(&self) -> BTreeSet<(String, String)> {
        self.expect.iter().map(|expected| (expected.code.clone(), expected.subject.clone())).collect()
    }
}

/// Everything that was typed at the counter.
pub fn entries() -> Result<String> {
    Ok(fs::read_to_string(folder().join("entries.csv"))?)
}

/// Where one scan lies.
pub fn path(file: &str) -> PathBuf {
    folder().join("scans").join(file)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples")
}
