//! The operation log (操作日志): who did what to what, when, why and with what result. No personal data.

use std::{fmt, str::FromStr};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    field::UnknownTerm,
    ids::AccountId,
    merkle::{Hash, leaf_hash},
};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person, by account.
    Account(AccountId),
    /// The bearer of an API token, by the token's public id.
    Token(String),
    /// The archive itself, by the name of the job or subcommand.
    System(String),
    /// Somebody who is not known, as in a failed sign-in.
    Unknown,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedAction {
    /// The archive was set up.
    InitArchive,
    /// Signing in.
    SignIn,
    /// A scan was taken in.
    ReceiveScan,
    /// Entries were imported.
    ImportEntries,
    /// A clear value was read.
    ReadClear,
    /// A page image was seen.
    SeePage,
    /// A search was made.
    Search,
    /// Clear values left the archive.
    Export,
    /// Something was printed.
    Print,
    /// A scan was placed by hand.
    PlaceScan,
    /// A reading was corrected.
    CorrectReading,
    /// A finding was decided.
    DecideFinding,
    /// A case file was sent back.
    ReturnToOutlet,
    /// A verdict was given.
    GiveVerdict,
    /// A case file was archived.
    Archive,
    /// Custody passed on.
    HandOver,
    /// A hold was placed.
    PlaceHold,
    /// A hold was released.
    ReleaseHold,
    /// Approval was asked for.
    RequestApproval,
    /// Approval was given.
    Approve,
    /// Approval was refused.
    RefuseApproval,
    /// An appraisal was made.
    Appraise,
    /// A destruction list was made.
    MakeDestructionList,
    /// A witness signed.
    WitnessDestruction,
    /// A case file was destroyed.
    Destroy,
    /// A certificate was issued.
    IssueCertificate,
    /// An account was made.
    CreateAccount,
    /// A role was granted.
    GrantRole,
    /// A role was revoked.
    RevokeRole,
    /// A token was made.
    CreateToken,
    /// A token was revoked.
    RevokeToken,
    /// A policy or rule was changed.
    ChangePolicy,
    /// A key was rotated.
    RotateKey,
    /// A dead job was sent again.
    RetryJob,
    /// The index was built anew.
    RebuildIndex,
    /// The log was read.
    ReadLog,
    /// The log was verified.
    VerifyLog,
    /// The log was cut behind a checkpoint.
    PruneLog,
    /// A backup was made.
    Backup,
    /// A backup was restored.
    Restore,
}

impl LoggedAction {
    /// Every action.
    pub const ALL: [Self; 40] = [
        Self::InitArchive,
        Self::SignIn,
        Self::ReceiveScan,
        Self::ImportEntries,
        Self::ReadClear,
        Self::SeePage,
        Self::Search,
        Self::Export,
        Self::Print,
        Self::PlaceScan,
        Self::CorrectReading,
        Self::DecideFinding,
        Self::ReturnToOutlet,
        Self::GiveVerdict,
        Self::Archive,
        Self::HandOver,
        Self::PlaceHold,
        Self::ReleaseHold,
        Self::RequestApproval,
        Self::Approve,
        Self::RefuseApproval,
        Self::Appraise,
        Self::MakeDestructionList,
        Self::WitnessDestruction,
        Self::Destroy,
        Self::IssueCertificate,
        Self::CreateAccount,
        Self::GrantRole,
        Self::RevokeRole,
        Self::CreateToken,
        Self::RevokeToken,
        Self::ChangePolicy,
        Self::RotateKey,
        Self::RetryJob,
        Self::RebuildIndex,
        Self::ReadLog,
        Self::VerifyLog,
        Self::PruneLog,
        Self::Backup,
        Self::Restore,
    ];

    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InitArchive => "init_archive",
            Self::SignIn => "sign_in",
            Self::ReceiveScan => "receive_scan",
            Self::ImportEntries => "import_entries",
            Self::ReadClear => "read_clear",
            Self::SeePage => "see_page",
            Self::Search => "search",
            Self::Export => "export",
            Self::Print => "print",
            Self::PlaceScan => "place_scan",
            Self::CorrectReading => "correct_reading",
            Self::DecideFinding => "decide_finding",
            Self::ReturnToOutlet => "return_to_outlet",
            Self::GiveVerdict => "give_verdict",
            Self::Archive => "archive",
            Self::HandOver => "hand_over",
            Self::PlaceHold => "place_hold",
            Self::ReleaseHold => "release_hold",
            Self::RequestApproval => "request_approval",
            Self::Approve => "approve",
            Self::RefuseApproval => "refuse_approval",
            Self::Appraise => "appraise",
            Self::MakeDestructionList => "make_destruction_list",
            Self::WitnessDestruction => "witness_destruction",
            Self::Destroy => "destroy",
            Self::IssueCertificate => "issue_certificate",
            Self::CreateAccount => "create_account",
            Self::GrantRole => "grant_role",
            Self::RevokeRole => "revoke_role",
            Self::CreateToken => "create_token",
            Self::RevokeToken => "revoke_token",
            Self::ChangePolicy => "change_policy",
            Self::RotateKey => "rotate_key",
            Self::RetryJob => "retry_job",
            Self::RebuildIndex => "rebuild_index",
            Self::ReadLog => "read_log",
            Self::VerifyLog => "verify_log",
            Self::PruneLog => "prune_log",
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

impl fmt::Display for LoggedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LoggedAction {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or(UnknownTerm { what: "logged action" })
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedResult {
    /// Done.
    Done,
    /// Not permitted.
    Refused,
    /// Tried and failed.
    Failed,
}

impl LoggedResult {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What it was done to: kind and id, as in `case_file` and its id; never a name or number of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedSubject {
    /// The kind of thing.
    pub kind: String,
    /// Its id, or the digest of a list.
    pub id: String,
}

/// One entry of the operation log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Who.
    pub actor: Actor,
    /// In which role.
    pub role: Option<Role>,
    /// At which outlet, by code.
    pub outlet: Option<String>,
    /// From where, as in a network address or `command_line`.
    pub origin: Option<String>,
    /// What was done.
    pub action: LoggedAction,
    /// To what.
    pub subject: LoggedSubject,
    /// Why: a reason code, an authority's reference, the id of an approval.
    pub reason: Option<String>,
    /// How it ended.
    pub result: LoggedResult,
    /// When, to the microsecond.
    pub at: DateTime<Utc>,
}

impl LogEntry {
    /// The bytes that are hashed: one version, every text with its length, absent and empty told apart.
    ///
    /// `position` is the place in the log from 0, so that equal acts are different leaves.
    pub fn canonical_bytes(&self, position: u64) -> Vec<u8> {
        let mut bytes = b"guidang log 1\n".to_vec();
        bytes.extend(position.to_be_bytes());
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let texts = [
            Some(at.as_str()),
            Some(&self.actor.to_string()),
            self.role.map(Role::as_str),
            self.outlet.as_deref(),
            self.origin.as_deref(),
            Some(self.action.as_str()),
            Some(&self.subject.kind),
            Some(&self.subject.id),
            self.reason.as_deref(),
            Some(self.result.as_str()),
        ]
        .map(|text| text.map(str::to_owned));
        for text in texts {
            match text {
                None => bytes.push(0),
                Some(text) => {
                    bytes.push(1);
                    bytes.extend((text.len() as u64).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        bytes
    }

    /// The leaf of the log's Merkle tree.
    pub fn leaf(&self, position: u64) -> Hash {
        leaf_hash(&self.canonical_bytes(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        LogEntry {
            actor: Actor::System("check_case_file".to_owned()),
            role: None,
            outlet: Some("TJHX0307".to_owned()),
            origin: None,
            action: LoggedAction::GiveVerdict,
            subject: LoggedSubject { kind: "case_file".to_owned(), id: "1".to_owned() },
            reason: None,
            result: LoggedResult::Done,
            at: DateTime::from_timestamp(1_790_000_000, 123_456_000).unwrap(),
        }
    }

    #[test]
    fn equal_acts_at_different_places_are_different_leaves() {
        assert_eq!(entry().leaf(3), entry().leaf(3));
        assert_ne!(entry().leaf(3), entry().leaf(4));
    }

    #[test]
    fn every_part_of_an_entry_counts() {
        let spoilers: [fn(&mut LogEntry); 8] = [
            |entry| entry.actor = Actor::Unknown,
            |entry| entry.role = Some(Role::Clerk),
            |entry| entry.outlet = None,
            |entry| entry.origin = Some(String::new()),
            |entry| entry.action = LoggedAction::Archive,
            |entry| entry.subject.id.push('2'),
            |entry| entry.reason = Some("why".to_owned()),
            |entry| entry.at += chrono::Duration::microseconds(1),
        ];
        for spoil in spoilers {
            let mut other = entry();
            spoil(&mut other);
            assert_ne!(other.leaf(0), entry().leaf(0));
        }
    }

    #[test]
    fn a_text_cannot_run_over_into_the_next() {
        let mut one = entry();
        one.subject = LoggedSubject { kind: "ab".to_owned(), id: "c".to_owned() };
        let mut other = entry();
        other.subject = LoggedSubject { kind: "a".to_owned(), id: "bc".to_owned() };

        assert_ne!(one.leaf(0), other.leaf(0));
    }

    #[test]
    fn every_action_is_read_back_by_its_name() {
        for action in LoggedAction::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
    }
}
