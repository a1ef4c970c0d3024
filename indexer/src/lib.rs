//! The search index: finds case files by date, outlet, number, name and address in milliseconds.
//!
//! The only place that knows tantivy. Holds no readable personal data: names, numbers and addresses are keyed
//! tokens (`domain::blind_index`), nothing is stored, and a hit is an id with its sort key.
//! The index is a pure function of the catalogue: a commit carries the change number it reached, and a folder
//! that is damaged, of another version or of another key is reported so that the caller rebuilds it.
//! Refuses SQL and HTTP. Start with `document`, then `writer`, `query` and `searcher`.

pub mod document;
pub mod error;
pub mod query;
pub mod searcher;
pub mod snapshot;
pub mod writer;

mod collect;
mod cursor;
mod folder;
mod plan;
mod schema;
mod segment;
