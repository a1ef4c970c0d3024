//! The signature field: is something written there, whose name does it read as, and does it look as before.
//!
//! [`look`] takes the printed form, ruled lines and seals away and describes what is left as a
//! [`Mark`](domain::reading::Mark); [`weigh_name`] and [`likeness`] work on marks alone, so they are asked later,
//! without the image. Triage for a person: nothing here rejects a signature.

mod cohort;
mod field;
mod ink;
mod likeness;
mod mask;
mod name;
mod normal_equations;
mod overlay;
mod presence;
mod print;
mod remains;
mod ruled;
mod seal;
mod shape;
mod thin;

pub use field::{SignatureField, look};
pub use likeness::{Likeness, differences, is_same_picture, likeness};
pub use name::{NameWeight, weigh_name};
pub use shape::{SHAPE_LENGTH, shape_of_picture};

pub(crate) use field::CLEAR;
pub(crate) use mask::Mask;
pub(crate) use print::{is_print, may_be_name};
