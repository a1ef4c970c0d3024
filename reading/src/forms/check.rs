//! What can be wrong with a form file, found before it is used.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Form, Layout, ValueKind};

/// Something that keeps a form file from being used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// It is not TOML, or has keys no form has.
    #[error("{reason}")]
    Unreadable {
        /// What the parser said.
        reason: String,
    },
    /// It names nothing to read.
    #[error("the form has no fields")]
    NoFields,
    /// It cannot be called by its name.
    #[error("the name {name:?} may hold lower-case letters, digits and underscores only")]
    Name {
        /// The name.
        name: String,
    },
    /// A card needs to be placed.
    #[error("a card needs size_mm and at least two anchors")]
    CardWithoutAnchors,
    /// A field cannot be found.
    #[error("field {field} has neither a label, a place nor a pattern")]
    FieldWithoutPlace {
        /// Its name.
        field: String,
    },
    /// A field on a card cannot be found.
    #[error("field {field} needs a place, because the form is a card")]
    CardFieldWithoutPlace {
        /// Its name.
        field: String,
    },
    /// A field stands twice.
    #[error("field {field} stands twice")]
    Twice {
        /// Its name.
        field: String,
    },
    /// Two fields share a label.
    #[error("label {label} belongs to two fields")]
    LabelTwice {
        /// The label.
        label: String,
    },
    /// Numbers that are no place on a card.
    #[error("place {place:?} is not left, top, right, bottom between 0 and 1")]
    Place {
        /// The numbers.
        place: String,
    },
    /// A form that can never be recognised.
    #[error("a form with needs_title needs titles, or a field of the kind mrz")]
    NoTitle,
    /// A number that cannot be checked.
    #[error("field {field} is the number of a paper: name the papers")]
    NumberOfNoPaper {
        /// Its name.
        field: String,
    },
    /// An anchor that can never be found.
    #[error("an anchor needs either text or pattern")]
    EmptyAnchor,
}

/// Everything that is wrong with the text of a form file; nothing when it can be used.
pub fn check(text: &str) -> Vec<Problem> {
    match toml::from_str::<Form>(text) {
        Err(error) => vec![Problem::Unreadable { reason: error.message().to_owned() }],
        Ok(form) => {
            let mut problems = check_head(&form);
            problems.extend(check_fields(&form));
            problems
        }
    }
}

fn check_head(form: &Form) -> Vec<Problem> {
    let mut problems = Vec::new();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if form.name.is_empty() || !form.name.chars().all(allowed) {
        problems.push(Problem::Name { name: form.name.clone() });
    }
    if form.fields.is_empty() {
        problems.push(Problem::NoFields);
    }
    let sized = form.size_mm.is_some_and(|size| size.iter().all(|side| *side > 0.0 && side.is_finite()));
    if form.layout == Layout::Card && (!sized || form.anchors.len() < 2) {
        problems.push(Problem::CardWithoutAnchors);
    }
    let has_zone = form.fields.iter().any(|plan| plan.kind == ValueKind::Mrz);
    if form.needs_title && form.titles.is_empty() && !has_zone {
        problems.push(Problem::NoTitle);
    }
    for anchor in &form.anchors {
        if anchor.text.is_some() == anchor.pattern.is_some() {
            problems.push(Problem::EmptyAnchor);
        }
        problems.extend(check_place(&anchor.at));
    }
    problems
}

fn check_fields(form: &Form) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut fields, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for (index, plan) in form.fields.iter().enumerate() {
        let field = plan.field.to_string();
        if !fields.insert(plan.field) {
            problems.push(Problem::Twice { field: field.clone() });
        }
        if form.layout == Layout::Card && plan.place.is_none() {
            problems.push(Problem::CardFieldWithoutPlace { field });
        } else if plan.labels.is_empty()
            && plan.place.is_none()
            && plan.patterns.is_empty()
            && plan.kind != ValueKind::Mrz
        {
            problems.push(Problem::FieldWithoutPlace { field });
        } else if plan.kind == ValueKind::PaperNumber && plan.papers.is_empty() {
            problems.push(Problem::NumberOfNoPaper { field });
        }
        if let Some(place) = &plan.place {
            problems.extend(check_place(place));
        }
        let is_other_end = form.fields.iter().take(index).any(|other| plan.shares_its_ink_with(other));
        for label in plan.labels.iter().filter(|_| !is_other_end) {
            if form.layout == Layout::Labelled && !labels.insert(label) {
                problems.push(Problem::LabelTwice { label: label.clone() });
            }
        }
    }
    problems
}

fn check_place(place: &[f32; 4]) -> Option<Problem> {
    let [left, top, right, bottom] = *place;
    let inside = place.iter().all(|side| (0.0..=1.0).contains(side));
    if inside && left < right && top <= bottom {
        None
    } else {
        Some(Problem::Place { place: format!("{place:?}") })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forms::FormSet;

    #[test]
    fn the_embedded_forms_are_right() {
        let forms = FormSet::embedded().unwrap();

        assert!(forms.get("id_card_front").is_some() && forms.get("service_confirmation").is_some());
        assert!(forms.get("passport").is_some_and(|form| form.needs_title));
    }

    #[test]
    fn every_mistake_is_named() {
        let cases = [
            ("name = 1", "invalid type"),
            ("name = \"a b\"\npaper = \"slip\"\nlayout = \"labelled\"\nfields = []", "lower-case"),
            ("name = \"a\"\npaper = \"slip\"\nlayout = \"labelled\"\nfields = []", "no fields"),
            (
                "name = \"a\"\npaper = \"slip\"\nlayout = \"card\"\n[[fields]]\nfield = \"name\"\nkind = \"name\"",
                "size_mm",
            ),
            (
                "name = \"a\"\npaper = \"slip\"\nlayout = \"labelled\"\n[[fields]]\nfield = \"name\"\nkind = \"name\"",
                "neither",
            ),
            (
                "name = \"a\"\npaper = \"slip\"\nlayout = \"labelled\"\ncolour = 3\n[[fields]]\nfield = \"name\"\nkind = \"name\"",
                "colour",
            ),
        ];

        for (text, expected) in cases {
            let problems = check(text);
            assert!(problems.iter().any(|problem| problem.to_string().contains(expected)), "{problems:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_checked_without_panic(text in "\\PC{0,200}") {
            let _ = check(&text);
        }
    }
}
