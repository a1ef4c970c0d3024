//! From the picture of a page to a reading.

pub mod models;
pub mod prepare;
pub mod recognition;
