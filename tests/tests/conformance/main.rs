//! Every promise of every seam, on every backend.

#![expect(clippy::unwrap_used, reason = "a broken promise must fail the test where it shows")]

mod case_files;
mod clocks;
mod half_open;
mod heartbeats;
mod index_following;
mod jobs;
mod keys;
mod objects;
mod operation_log;
mod postgres;
mod queues;
mod rabbitmq;
mod ringing_again;
mod rows;
mod scans;
mod sweeps;
mod timetable;
