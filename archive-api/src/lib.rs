//! The HTTP API and the console pages: one endpoint for each file, with its request, answer and handler.
//!
//! Owns intake of scans, import of entered data, search and reading of case files, masking of what leaves,
//! sign-in by token, and how failures become problem documents (RFC 9457).
//! Refuses SQL text and recognition: jobs are written here and done elsewhere.
//! Start with `router`, then `intake` and `entries`.

pub mod caller;
pub mod entries;
pub mod intake;
pub mod metrics;
pub mod outlets;
pub mod problem;
pub mod router;
pub mod state;
pub mod tokens;

mod case_files;
mod console;
mod error_pages;
mod extract;
mod findings;
mod freshness;
mod health;
mod jobs;
mod language;
mod pages;
mod paging;
mod parameters;
mod record;
mod refusals;
mod request_span;
mod scans;
mod session;
mod slip_number;
#[cfg(test)]
mod testing;
mod upload_tickets;
