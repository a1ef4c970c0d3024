//! Showing values: the one place that decides between clear and masked.

use domain::{
    access::{Relation, Role, Unmasking, View, unmasking, view_of_level},
    entered_data::EnteredData,
    field::FieldName,
    masking::{MaskRule, Sensitivity, mask},
};
use serde::Serialize;

/// What is known about the reader, and whether a reason was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    pub role: Role,
    pub relation: Relation,
    pub reason: ReasonGiven,
}

/// Whether the reader said why clear values are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasonGiven {
    /// It was, and is on record.
    Yes,
    /// It was not.
    No,
}

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    pub value: String,
    /// Whether anything is hidden.
    pub masked: bool,
}

impl Reader {
    /// Whether values of this level are shown clear.
    pub(crate) fn sees_clear(self, level: Sensitivity) -> bool {
        match self.reason {
            ReasonGiven::No => view_of_level(level, self.role, self.relation) == View::Clear,
            ReasonGiven::Yes => unmasking(level, self.role, self.relation) != Unmasking::ReasonAndApproval,
        }
    }

    /// Whether anything above the lowest level is shown clear, so that reading is put on record as such.
    pub(crate) fn sees_anything_clear(self) -> bool {
        self.sees_clear(Sensitivity::Medium)
    }

    /// Shows a value by its level and rule.
    pub(crate) fn show(self, level: Sensitivity, rule: MaskRule, value: &str) -> Shown {
        let masked = level != Sensitivity::Low && !self.sees_clear(level) && !value.is_empty();
        let value = if masked { mask(rule, value) } else { value.to_owned() };
        Shown { value, masked }
    }

    /// Shows a field of a paper.
    pub(crate) fn show_field(self, field: FieldName, value: &str) -> Shown {
        self.show(Sensitivity::of(field), MaskRule::of(field), value)
    }

    /// Shows what a finding is about, named as findings name it.
    pub(crate) fn show_subject(self, subject: &str, value: &str) -> Shown {
        let (level, rule) = rule_of_subject(subject);
        self.show(level, rule, value)
    }

    /// Shows the reason of a settlement, which may name people: wholly or not at all.
    pub(crate) fn show_reason(self, reason: &str) -> Shown {
        self.show(Sensitivity::High, MaskRule::Everything, reason)
    }

    /// Shows a field of the entered data.
    pub(crate) fn show_entered(self, entered: &EnteredData, field: FieldName, value: &str) -> Shown {
        let rule = MaskRule::of_entered(field, entered);
        self.show(Sensitivity::of(field), rule, value)
    }
}

/// Level and rule of a finding's subject. What is not known is hidden wholly.
fn rule_of_subject(subject: &str) -> (Sensitivity, MaskRule) {
    if let Ok(field) = subject.parse::<FieldName>() {
        return (Sensitivity::of(field), MaskRule::of(field));
    }
    let subject = subject.strip_prefix("agent_").unwrap_or(subject);
    let field = match subject.strip_prefix("id_").unwrap_or(subject) {
        "address" => FieldName::IdAddress,
        "sex" => FieldName::Sex,
        "birth" => FieldName::Birth,
        "valid_from" => FieldName::ValidFrom,
        "valid_to" => FieldName::ValidTo,
        "number" => FieldName::IdNumber,
        _ => return (Sensitivity::Highest, MaskRule::Everything),
    };
    (Sensitivity::of(field), MaskRule::of(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(role: Role, relation: Relation, reason: ReasonGiven) -> Reader {
        Reader { role, relation, reason }
    }

    #[test]
    fn a_reason_opens_what_is_high_and_not_what_is_highest() {
        let stranger = |reason| reader(Role::Auditor, Relation::Other, reason);

        let masked = stranger(ReasonGiven::No).show_field(FieldName::CustomerName, "王小明");
        let clear = stranger(ReasonGiven::Yes).show_field(FieldName::CustomerName, "王小明");
        let number = stranger(ReasonGiven::Yes).show_field(FieldName::IdNumber, "11010519491231002X");

        assert_eq!(masked, Shown { value: "王**".to_owned(), masked: true });
        assert_eq!(clear, Shown { value: "王小明".to_owned(), masked: false });
        assert_eq!(number, Shown { value: "110***********002X".to_owned(), masked: true });
    }

    #[test]
    fn whose_work_it_is_sees_clear() {
        let own = reader(Role::Clerk, Relation::OwnOutletOpen, ReasonGiven::No);
        let assigned = reader(Role::Auditor, Relation::AssignedTask, ReasonGiven::No);

        assert!(own.sees_clear(Sensitivity::Highest));
        assert!(assigned.sees_clear(Sensitivity::Highest));
        assert!(!reader(Role::Archivist, Relation::Other, ReasonGiven::No).sees_anything_clear());
    }

    #[test]
    fn a_subject_nobody_knows_is_hidden_wholly() {
        let stranger = reader(Role::Archivist, Relation::Other, ReasonGiven::No);

        assert_eq!(stranger.show_subject("something", "王小明").value, "****");
        assert_eq!(
            stranger.show_subject("agent_id_number", "11010519491231002X").value,
            "110***********002X"
        );
        assert_eq!(stranger.show_subject("id_birth", "1949-12-31").value, "****");
        assert_eq!(
            stranger.show_subject("agent_id_address", "天津市河西区友谊路1号").value,
            "天津市河西区****"
        );
    }
}
