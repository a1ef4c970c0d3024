//! The vocabulary and the rules of the archive: what the words mean and what follows from them.
//!
//! Owns every term of the glossary and every decision that can be made from plain data:
//! validation, comparison, findings, states, deadlines, retention, masking, permissions, blind tokens.
//! Refuses async, input and output, clocks and randomness: `now` and `today` are arguments.
//! Start with `case_file`, then `entered_data`, `reading` and `finding`.

pub mod access;
pub mod archival_code;
pub mod blind_index;
pub mod case_file;
pub mod comparison;
pub mod cross_check;
pub mod deadline;
pub mod entered_data;
pub mod field;
pub mod finding;
mod folding;
pub mod geometry;
pub mod ids;
pub mod job;
pub mod masking;
pub mod merkle;
pub mod reading;
pub mod retention;
pub mod scan;
pub mod upload_ticket;
pub mod validation;
pub mod verdict;
pub mod workdays;
