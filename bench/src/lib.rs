//! What the measuring programs share.

pub mod archive;
pub mod corpus;
