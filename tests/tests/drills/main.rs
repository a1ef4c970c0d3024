//! Drills: what may go wrong goes wrong, and afterwards nothing is missing and nothing was done twice.
//!
//! The executable must have been built with its fault points: `cargo build --workspace --features guidang/failpoints`.

#![expect(clippy::unwrap_used, reason = "a drill must fail where it shows")]

mod disk_full;
mod given_up;
mod hostile_files;
mod hostile_text;
mod killed_at_a_stage;
mod kills_at_random;
mod large_files;
