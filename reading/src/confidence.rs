//! From the share of a value among its rivals to the share of values like it that are right.

use crate::{candidates::Decision, forms::ValueKind};

/// The calibrated confidence of a decision.
pub fn calibrated(_kind: ValueKind, decision: &Decision) -> f32 {
    decision.share.clamp(0.0, 0.999)
}
