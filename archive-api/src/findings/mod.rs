//! Findings: the queue, and what an auditor decides about one.

mod accept;
mod list;
mod return_to_outlet;
mod settling;

pub(crate) use accept::accept;
pub(crate) use list::get_findings;
pub(crate) use return_to_outlet::return_to_outlet;
pub(crate) use settling::{Decision, Settlement, settle};

#[cfg(test)]
pub(crate) mod tests;
