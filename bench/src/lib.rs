//! (head to be written)

pub mod corpus;
