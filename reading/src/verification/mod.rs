//! Verification: how much better or worse the entered value explains the ink than its best rival.
//!
//! The recogniser's probabilities are kept with the reading as a lattice, so the question is asked later and
//! without the image. What is shown as read is never touched here. Start at [`weigh`]; the arithmetic is in
//! [`ctc_log_likelihood`], the values compared are made in `spelling` and `rivals`.

mod decode;
mod likelihood;
mod rivals;
mod spelling;
mod visible;
mod weigh;

pub use decode::{best_path, n_best};
pub use likelihood::{ctc_log_likelihood, segmented_log_likelihood};
pub use weigh::{CharacterWeight, Weight, weigh};

pub(crate) use likelihood::log_likelihood_of;
pub(crate) use spelling::{Alphabet, fold_lattice, fold_text};

#[cfg(test)]
pub(crate) mod lattices;
