//! Access: roles, what excludes what, and who may do what where.
//!
//! One table for API, console and search alike. What a reader may not know to exist is answered "not found".

mod action;
mod role;

use serde::{Deserialize, Serialize};

pub use action::{Action, has_action};
pub use role::{Exclusion, Role, RoleConflict, Scope, check_roles_of_person, check_roles_on_list};

use crate::{case_file::CaseState, field::FieldName, masking::Sensitivity};

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
