//! Upload tickets: leave to bring one file straight to the object store, and where it stands.

use std::{fmt, str::FromStr};

use crate::field::UnknownTerm;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UploadTicketState {
    /// Its file may come, or waits in quarantine.
    Open,
    /// Its file has been through the intake.
    Completed,
    /// Nothing will come of it: it was over, or its file was not the one it was made for.
    Closed,
}

impl UploadTicketState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Completed, Self::Closed];

    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for UploadTicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UploadTicketState {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or(UnknownTerm { what: "upload ticket state" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for state in UploadTicketState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("lost".parse::<UploadTicketState>().is_err());
    }
}
