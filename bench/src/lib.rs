//! What the measuring programs share.

pub mod archive;
pub mod corpus;
pub mod memory_files;
pub mod pages;
pub mod process;
pub mod shape;
