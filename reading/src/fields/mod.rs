//! From a paper found on the page to its fields: where each value is, what it says, how sure that is.

pub mod card;
pub mod labelled;
pub mod marks;
pub mod parse;
pub mod rows;
pub mod segments;
pub mod value;
