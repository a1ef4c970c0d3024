//! What can be done, and which role may do it.

use serde::{Deserialize, Serialize};

use super::Role;

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Send scans.
    UploadScan,
    /// Import or change entered data.
    ImportEntries,
    /// See that a case file exists, its state, findings and masked values.
    SeeCaseFile,
    /// See a page image.
    SeePage,
    /// Search.
    Search,
    /// See a value clear with a reason.
    Unmask,
    /// Put a scan into a case file or slot by hand.
    PlaceScan,
    /// Accept, correct or comment a finding.
    DecideFinding,
    /// Send a case file back to its outlet.
    ReturnToOutlet,
    /// Answer what was sent back.
    AnswerReturn,
    /// Draw clean cases at random.
    SampleCases,
    /// Take over papers from an outlet.
    ReceivePapers,
    /// Sign the register of the day (返表登记表).
    SignRegister,
    /// Record the outcome of a follow-up call.
    RecordCall,
    /// Give an archival code, hand over, print catalogues.
    File,
    /// Carry clear values or many case files out of the archive.
    Export,
    /// Judge at the end of the period (鉴定).
    Appraise,
    /// Make a destruction list.
    AuthorDestructionList,
    /// Approve what somebody else asks for.
    Approve,
    /// Sign a destruction before and after.
    WitnessDestruction,
    /// Place a hold.
    PlaceHold,
    /// Ask for the release of a hold.
    ReleaseHold,
    /// Answer the authorities.
    AnswerAuthority,
    /// Run, configure, back up; jobs, index, verification of invariants.
    RunMachine,
    /// Grant and revoke roles, set policies.
    ManageAccounts,
    /// Read and verify the operation log.
    ReadLog,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 26] = [
        Self::UploadScan,
        Self::ImportEntries,
        Self::SeeCaseFile,
        Self::SeePage,
        Self::Search,
        Self::Unmask,
        Self::PlaceScan,
        Self::DecideFinding,
        Self::ReturnToOutlet,
        Self::AnswerReturn,
        Self::SampleCases,
        Self::ReceivePapers,
        Self::SignRegister,
        Self::RecordCall,
        Self::File,
        Self::Export,
        Self::Appraise,
        Self::AuthorDestructionList,
        Self::Approve,
        Self::WitnessDestruction,
        Self::PlaceHold,
        Self::ReleaseHold,
        Self::AnswerAuthority,
        Self::RunMachine,
        Self::ManageAccounts,
        Self::ReadLog,
    ];

    /// Whether it touches customers, so that roles without customer data never have it.
    pub const fn touches_customers(self) -> bool {
        !matches!(self, Self::RunMachine | Self::ManageAccounts | Self::ReadLog)
    }

    /// Whether two people are needed (金库模式).
    pub const fn needs_two_people(self) -> bool {
        matches!(self, Self::Export | Self::ReleaseHold | Self::AuthorDestructionList)
    }
}

/// Says whether a role has an action at all, wherever its target lies.
pub const fn has_action(role: Role, action: Action) -> bool {
    use Action as A;
    match role {
        Role::Clerk => matches!(
            action,
            A::UploadScan
                | A::ImportEntries
                | A::SeeCaseFile
                | A::SeePage
                | A::Search
                | A::PlaceScan
                | A::AnswerReturn
                | A::SignRegister
                | A::Unmask
        ),
        Role::ChannelManager => {
            matches!(action, A::SeeCaseFile | A::Search | A::ReceivePapers | A::SignRegister)
        }
        Role::Auditor => matches!(
            action,
            A::SeeCaseFile
                | A::SeePage
                | A::Search
                | A::Unmask
                | A::PlaceScan
                | A::DecideFinding
                | A::ReturnToOutlet
                | A::SampleCases
                | A::UploadScan
        ),
        Role::Caller => matches!(action, A::SeeCaseFile | A::Search | A::Unmask | A::RecordCall),
        Role::Archivist => matches!(
            action,
            A::UploadScan
                | A::ImportEntries
                | A::SeeCaseFile
                | A::SeePage
                | A::Search
                | A::Unmask
                | A::PlaceScan
                | A::ReceivePapers
                | A::File
                | A::Export
                | A::Appraise
                | A::AuthorDestructionList
        ),
        Role::Approver => matches!(action, A::SeeCaseFile | A::Search | A::Approve),
        Role::Witness => matches!(action, A::SeeCaseFile | A::WitnessDestruction),
        Role::LegalHoldOfficer => matches!(
            action,
            A::SeeCaseFile
                | A::SeePage
                | A::Search
                | A::Unmask
                | A::PlaceHold
                | A::ReleaseHold
                | A::AnswerAuthority
                | A::Export
        ),
        Role::SystemAdmin => matches!(action, A::RunMachine),
        Role::SecurityAdmin => matches!(action, A::ManageAccounts),
        Role::AuditAdmin => matches!(action, A::ReadLog),
    }
}
