//! Findings: the queue, and what an auditor decides about one.

mod list;
mod settling;

pub(crate) use list::get_findings;
pub(crate) use settling::{Decision, Settlement, accept, return_to_outlet, settle};

#[cfg(test)]
mod tests;
