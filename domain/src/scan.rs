//! Scans: the bytes of one file as received, and where they stand.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::field::UnknownTerm;

/// Where a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// Kept safe; waits to be read.
    Received,
    /// Read; waits to be placed.
    Read,
    /// Belongs to a case file.
    Placed,
    /// Belongs to no case file that is known; waits for a person.
    Tray,
    /// Cannot be decoded; waits for a person.
    Unreadable,
    /// The same bytes are in the same case file already; this one only points to them.
    Linked,
}

impl ScanState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Received, Self::Read, Self::Placed, Self::Tray, Self::Unreadable, Self::Linked];

    /// The name in tables and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Read => "read",
            Self::Placed => "placed",
            Self::Tray => "tray",
            Self::Unreadable => "unreadable",
            Self::Linked => "linked",
        }
    }

    /// Whether nothing more will happen to it by itself.
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Received | Self::Read)
    }
}

impl fmt::Display for ScanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ScanState {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownTerm { what: "scan state" })
    }
}
