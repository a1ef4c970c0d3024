//! Upload tickets: an outlet brings a file straight to the object store, into quarantine, and then has it taken in.

mod complete;
mod issue;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use self::{complete::complete, issue::issue};
