//! The work: one file for each job, the loop that claims and finishes them, the timetable, the index follower,
//! and the proofs (`verify`).
//!
//! Owns the order of work, retries and leases. Refuses SQL text, HTTP and broker types.
//! Start with `work_loop`, then `jobs`.

pub mod case_document;
pub mod context;
pub mod export;
pub mod heartbeat;
pub mod index_follower;
pub mod index_snapshots;
pub mod jobs;
pub mod log_heads;
pub mod reader_pool;
pub mod timetable;
pub mod verify;
pub mod work_loop;
