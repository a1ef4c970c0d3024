//! Findings: the queue, and what an auditor decides about one.

mod accept;
mod list;
mod return_to_outlet;
mod settling;

pub(crate) use accept::{accept, accept_finding};
pub(crate) use list::get_findings;
pub(crate) use return_to_outlet::{return_finding, return_to_outlet};
pub(crate) use settling::Decision;

#[cfg(test)]
mod tests;
