//! From a paper found on the page to its fields: where each value is, what it says, how sure that is.

pub mod barcode;
pub mod card;
mod english_date;
pub mod labelled;
pub mod marks;
pub mod mrz;
mod number_row;
mod owners;
pub mod parse;
pub mod rows;
pub mod segments;
mod signature_line;
mod slope;
pub mod spaced_labels;
pub mod value;
mod worn_labels;
