//! Roles and what excludes what.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::field::UnknownTerm;

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
