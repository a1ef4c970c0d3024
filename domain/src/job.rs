//! Jobs: work to do is a row, stored with the data it concerns; the queue only rings the bell.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::field::UnknownTerm;

/// What a job does. Stored by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobName {
    /// Decodes a scan in the sandbox, looks for barcodes, reads its pages. Subject: the scan.
    ReadScan,
    /// Finds the case file a scan belongs to, or puts it into the tray. Subject: the scan.
    PlaceScan,
    /// Compares readings with entered data and gives a verdict. Subject: the case file.
    CheckCaseFile,
    /// Gives an accepted case file its archival code. Subject: the case file.
    ArchiveCaseFile,
}

impl JobName {
    /// Every job.
    pub const ALL: [Self; 4] = [Self::ReadScan, Self::PlaceScan, Self::CheckCaseFile, Self::ArchiveCaseFile];

    /// The name in tables and on queues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadScan => "read_scan",
            Self::PlaceScan => "place_scan",
            Self::CheckCaseFile => "check_case_file",
            Self::ArchiveCaseFile => "archive_case_file",
        }
    }

    /// Smaller goes first: what finishes a case file comes before reading more.
    pub const fn urgency(self) -> u8 {
        match self {
            Self::ArchiveCaseFile | Self::CheckCaseFile | Self::PlaceScan => 0,
            Self::ReadScan => 1,
        }
    }
}

impl FromStr for JobName {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(UnknownTerm { what: "job" })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Due, or due later; nobody holds it.
    Waiting,
    /// Somebody holds its lease.
    Running,
    /// Failed and will be tried again when its back-off is over.
    Retrying,
    /// Finished.
    Done,
    /// Given up; waits for a person, with the reason.
    Dead,
}

impl JobState {
    /// The name in tables and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for JobState {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Waiting, Self::Running, Self::Retrying, Self::Done, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownTerm { what: "job state" })
    }
}
