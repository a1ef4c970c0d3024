//! Drills on many processes: workers and brokers die, messages come late, twice or broken, and afterwards nothing is
//! missing and nothing was done twice.
//!
//! The executable must have been built with its fault points: `cargo build --workspace --features guidang/failpoints`.

#![expect(clippy::unwrap_used, reason = "a drill must fail where it shows")]

mod brokers_die;
mod brokers_of_three;
mod clocks;
mod database_dies;
mod load;
mod messages_lie;
mod networks_fail;
mod search_nodes;
mod traces;
mod watched;
mod workers_die;
