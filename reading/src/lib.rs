//! From the picture of a page to a reading: upright, what is on it, where each field is, what it says, how sure.
//!
//! The recipe is [`reader::PageReader::read_page`]. Engines stand behind the traits of [`recognition`]; what the
//! papers look like is data ([`forms`]). Refuses storage, network, and any knowledge of what was typed, except in
//! `verification`, which weighs a typed value against the ink of a finished reading.

pub mod candidates;
pub mod capture;
pub mod classify;
pub mod confidence;
pub mod cpu;
pub mod engines;
pub mod fields;
pub mod forms;
pub mod frame;
pub mod lines;
pub mod models;
pub mod mrz;
pub mod prepare;
pub mod quality;
pub mod reader;
pub mod recognition;
pub mod signature;
pub mod stamp;
pub mod verification;

pub use reader::{BarcodeHint, PageHints, PageReader, ReaderOptions};
