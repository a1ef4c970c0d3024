//! Objects on S3: which stores are refused, what a store that fails may do to an upload, and upload tickets.
//!
//! The server is a real SeaweedFS, in front of it a proxy that misbehaves.

#![expect(clippy::unwrap_used, reason = "a drill must fail where it shows")]

mod archive;
mod copies;
mod encrypted;
mod failing_store;
mod garbled;
mod large_files;
mod probing;
mod sweeping;
mod tickets;
