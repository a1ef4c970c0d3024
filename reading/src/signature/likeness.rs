//! How much a signature looks like earlier ones of the same person.

use domain::finding::Judgement;

/// What a comparison says; a rank for the auditor, never a verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Natural-log odds that the same hand wrote it, as trained.
    pub score: f32,
    /// The answer at the working point.
    pub judgement: Judgement,
}

pub fn likeness(_reference: &[&[f32]], _questioned: &[f32]) -> Likeness { Likeness { score: 0.0, judgement: Judgement::CannotTell } }
pub fn is_same_picture(_a: &[f32], _b: &[f32]) -> bool { false }
