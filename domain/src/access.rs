//! Access: roles, what excludes what, and who may do what where.
//!
//! One table for API, console and search alike. What a reader may not know to exist is answered "not found".

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    case_file::CaseState,
    field::{FieldName, UnknownTerm},
    masking::Sensitivity,
};

/// A bundle of rights; positions hold roles, and one account is one natural person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 营业员.
    Clerk,
    /// 渠道经理.
    ChannelManager,
    /// 稽核员.
    Auditor,
    /// 回访员.
    Caller,
    /// 档案管理员.
    Archivist,
    /// 审批人.
    Approver,
    /// 监销人.
    Witness,
    /// 安全保卫.
    LegalHoldOfficer,
    /// 系统管理员.
    SystemAdmin,
    /// 安全管理员.
    SecurityAdmin,
    /// 审计员.
    AuditAdmin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 11] = [
        Self::Clerk,
        Self::ChannelManager,
        Self::Auditor,
        Self::Caller,
        Self::Archivist,
        Self::Approver,
        Self::Witness,
        Self::LegalHoldOfficer,
        Self::SystemAdmin,
        Self::SecurityAdmin,
        Self::AuditAdmin,
    ];

    /// The name in tables and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::ChannelManager => "channel_manager",
            Self::Auditor => "auditor",
            Self::Caller => "caller",
            Self::Archivist => "archivist",
            Self::Approver => "approver",
            Self::Witness => "witness",
            Self::LegalHoldOfficer => "legal_hold_officer",
            Self::SystemAdmin => "system_admin",
            Self::SecurityAdmin => "security_admin",
            Self::AuditAdmin => "audit_admin",
        }
    }

    /// How far the role reaches.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Clerk | Self::ChannelManager => Scope::OwnOutlets,
            Self::Auditor | Self::Caller | Self::Archivist | Self::Approver | Self::Witness => Scope::Branch,
            Self::LegalHoldOfficer => Scope::All,
            Self::SystemAdmin => Scope::Machine,
            Self::SecurityAdmin => Scope::Accounts,
            Self::AuditAdmin => Scope::Log,
        }
    }

    /// The letter that the rules give it.
    pub const fn exclusion(self) -> Option<Exclusion> {
        match self {
            Self::Archivist | Self::Approver | Self::Witness | Self::LegalHoldOfficer => {
                Some(Exclusion::SameList)
            }
            Self::SystemAdmin | Self::SecurityAdmin | Self::AuditAdmin => Some(Exclusion::SamePerson),
            Self::Clerk | Self::ChannelManager | Self::Auditor | Self::Caller => None,
        }
    }

    /// Whether the role may ever see customer data, masked or not.
    pub const fn sees_customers(self) -> bool {
        !matches!(self, Self::SystemAdmin | Self::SecurityAdmin | Self::AuditAdmin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownTerm { what: "role" })
    }
}

/// How far a role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The outlets the account belongs to; of a channel manager, those of the channel.
    OwnOutlets,
    /// Every outlet of the account's branches.
    Branch,
    /// Everything.
    All,
    /// The machine, without customer data.
    Machine,
    /// Accounts and policies, without customer data.
    Accounts,
    /// The operation log.
    Log,
}

/// How roles exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// Letter a: one person may hold several, but never acts in two of them on the same list.
    SameList,
    /// Letter b: one person, one of these, and no other role at all.
    SamePerson,
}

/// Two roles that one person may not have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("one person cannot be {one} and {other}")]
pub struct RoleConflict {
    /// The one.
    pub one: Role,
    /// The other.
    pub other: Role,
}

/// Says whether one person may hold all of these roles.
pub fn check_roles_of_person(roles: &[Role]) -> Result<(), RoleConflict> {
    let alone = roles.iter().find(|role| role.exclusion() == Some(Exclusion::SamePerson));
    match alone.and_then(|one| Some((one, roles.iter().find(|role| *role != one)?))) {
        Some((one, other)) => Err(RoleConflict { one: *one, other: *other }),
        None => Ok(()),
    }
}

/// Says whether somebody who acted on a list in `earlier` roles may now act on it in another.
pub fn check_roles_on_list(earlier: &[Role], now: Role) -> Result<(), RoleConflict> {
    let is_exclusive = |role: &&Role| role.exclusion() == Some(Exclusion::SameList) && **role != now;
    match earlier.iter().find(is_exclusive) {
        Some(one) if now.exclusion() == Some(Exclusion::SameList) => {
            Err(RoleConflict { one: *one, other: now })
        }
        _ => Ok(()),
    }
}

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

/// Where a thing lies, seen from the account that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At an outlet of the account.
    OwnOutlet,
    /// At another outlet of a branch of the account.
    OwnBranch,
    /// Elsewhere.
    Elsewhere,
}

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Where it lies.
    pub place: Place,
    /// The state of the case file; `None` for what is no case file yet, as an upload.
    pub state: Option<CaseState>,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Go ahead, and log it.
    Allowed,
    /// The reader may know the thing but not do this.
    Refused,
    /// The reader may not know that the thing exists.
    NotFound,
}

/// Says whether a role may do something to a target.
pub fn may(role: Role, action: Action, target: Target) -> Permission {
    if !is_in_reach(role, target) {
        return if action.touches_customers() { Permission::NotFound } else { Permission::Refused };
    }
    let is_granted = has_action(role, action) && (action == Action::SeeCaseFile || !is_gone(target));
    if is_granted { Permission::Allowed } else { Permission::Refused }
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

fn is_in_reach(role: Role, target: Target) -> bool {
    match role.scope() {
        Scope::OwnOutlets => {
            target.place == Place::OwnOutlet && !(role == Role::Clerk && is_archived(target))
        }
        Scope::Branch => target.place != Place::Elsewhere,
        Scope::All => true,
        Scope::Machine | Scope::Accounts | Scope::Log => target.state.is_none(),
    }
}

/// From archiving on, a case file is no longer the outlet's.
fn is_archived(target: Target) -> bool {
    target.state.is_some_and(|state| state >= CaseState::Archived)
}

fn is_gone(target: Target) -> bool {
    target.state.is_some_and(CaseState::is_destroyed)
}

/// How the reader stands to the case file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Entered at the reader's own outlet and not archived yet.
    OwnOutletOpen,
    /// Assigned to the reader as a task.
    AssignedTask,
    /// Any other that the reader may know.
    Other,
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// As it is; a read that is logged unless the level is low.
    Clear,
    /// Masked; an image blurred.
    Masked,
}

/// How a field is shown by default.
pub const fn view_of(field: FieldName, role: Role, relation: Relation) -> View {
    view_of_level(Sensitivity::of(field), role, relation)
}

/// How anything of a level is shown by default; page images are of the highest.
pub const fn view_of_level(level: Sensitivity, role: Role, relation: Relation) -> View {
    match (level, role, relation) {
        (Sensitivity::Low, _, _)
        | (_, Role::Clerk, Relation::OwnOutletOpen)
        | (_, Role::Auditor, Relation::AssignedTask) => View::Clear,
        _ => View::Masked,
    }
}

/// What must be given to see something clear that is shown masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmasking {
    /// Nothing.
    Free,
    /// A reason, which is logged.
    Reason,
    /// A reason and the approval of another person.
    ReasonAndApproval,
}

/// What unmasking a level takes for this reader.
pub const fn unmasking(level: Sensitivity, role: Role, relation: Relation) -> Unmasking {
    match (view_of_level(level, role, relation), level) {
        (View::Clear, _) => Unmasking::Free,
        (View::Masked, Sensitivity::Highest) => Unmasking::ReasonAndApproval,
        (View::Masked, _) => Unmasking::Reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(place: Place, state: CaseState) -> Target {
        Target { place, state: Some(state) }
    }

    #[test]
    fn a_clerk_knows_only_the_open_cases_of_the_own_outlet() {
        let check = |place, state, expected| {
            assert_eq!(
                may(Role::Clerk, Action::SeeCaseFile, target(place, state)),
                expected,
                "{place:?} {state}"
            );
        };
        check(Place::OwnOutlet, CaseState::InReview, Permission::Allowed);
        check(Place::OwnOutlet, CaseState::Accepted, Permission::Allowed);
        check(Place::OwnOutlet, CaseState::Archived, Permission::NotFound);
        check(Place::OwnBranch, CaseState::InReview, Permission::NotFound);
        check(Place::Elsewhere, CaseState::InReview, Permission::NotFound);
    }

    #[test]
    fn an_auditor_reaches_the_branch_and_an_archivist_does_not_decide_findings() {
        let here = target(Place::OwnBranch, CaseState::InReview);

        assert_eq!(may(Role::Auditor, Action::DecideFinding, here), Permission::Allowed);
        assert_eq!(may(Role::Archivist, Action::DecideFinding, here), Permission::Refused);
        let elsewhere = target(Place::Elsewhere, CaseState::InReview);
        assert_eq!(may(Role::Auditor, Action::DecideFinding, elsewhere), Permission::NotFound);
        assert_eq!(may(Role::LegalHoldOfficer, Action::PlaceHold, elsewhere), Permission::Allowed);
    }

    #[test]
    fn administrators_never_touch_customers() {
        for role in Role::ALL.into_iter().filter(|role| !role.sees_customers()) {
            for action in Action::ALL.into_iter().filter(|action| action.touches_customers()) {
                for state in CaseState::ALL {
                    let answer = may(role, action, target(Place::OwnOutlet, state));
                    assert_ne!(answer, Permission::Allowed, "{role} {action:?}");
                }
                assert!(!has_action(role, action));
            }
        }
    }

    #[test]
    fn of_a_destroyed_case_file_only_the_stub_is_seen() {
        let gone = target(Place::OwnBranch, CaseState::Destroyed);

        assert_eq!(may(Role::Archivist, Action::SeeCaseFile, gone), Permission::Allowed);
        assert_eq!(may(Role::Archivist, Action::SeePage, gone), Permission::Refused);
        assert_eq!(may(Role::Archivist, Action::Unmask, gone), Permission::Refused);
    }

    #[test]
    fn an_administrator_is_nothing_else_and_nobody_acts_twice_on_one_list() {
        assert!(check_roles_of_person(&[Role::SystemAdmin]).is_ok());
        assert!(check_roles_of_person(&[Role::Clerk, Role::SystemAdmin]).is_err());
        assert!(check_roles_of_person(&[Role::SecurityAdmin, Role::AuditAdmin]).is_err());
        assert!(check_roles_of_person(&[Role::Archivist, Role::Approver, Role::Auditor]).is_ok());

        assert!(check_roles_on_list(&[Role::Archivist], Role::Approver).is_err());
        assert!(check_roles_on_list(&[Role::Archivist], Role::Archivist).is_ok());
        assert!(check_roles_on_list(&[Role::Auditor], Role::Approver).is_ok());
    }

    #[test]
    fn clear_is_shown_to_whose_work_it_is_and_masked_to_all_others() {
        assert_eq!(view_of(FieldName::IdNumber, Role::Clerk, Relation::OwnOutletOpen), View::Clear);
        assert_eq!(view_of(FieldName::IdNumber, Role::Auditor, Relation::AssignedTask), View::Clear);
        assert_eq!(view_of(FieldName::IdNumber, Role::Auditor, Relation::Other), View::Masked);
        assert_eq!(view_of(FieldName::SlipNumber, Role::Archivist, Relation::Other), View::Clear);
        let unmasking = |level| unmasking(level, Role::Archivist, Relation::Other);
        assert_eq!(unmasking(Sensitivity::Highest), Unmasking::ReasonAndApproval);
        assert_eq!(unmasking(Sensitivity::Medium), Unmasking::Reason);
    }
}
