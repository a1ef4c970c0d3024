//! How much an untrusted file may cost: checked from headers before anything is decoded.

use serde::{Deserialize, Serialize};

/// Limits on one scan; section `[intake]` of the configuration (`docs/limits.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most bytes of one file; default 64 MiB.
    pub max_bytes: u64,
    /// Most pages of one file; default 200.
    pub max_pages: u32,
    /// Most pixels of one page; default 100 million, an A3 sheet at 600 dpi has 70 million.
    pub max_page_pixels: u64,
    /// Most pixels of all pages of a file; default 2,000 million, 200 A4 sheets at 300 dpi have 1,740 million.
    pub max_total_pixels: u64,
    /// Most decoded bytes for each byte received; default 1,000. Looked at only above `expansion_floor_bytes`.
    pub max_expansion: u64,
    /// Decoded size below which a blank sheet may be packed as tightly as it likes; default 64 MiB.
    pub expansion_floor_bytes: u64,
    /// Longest wait for one answer of the decoder: the description, or one page; default 30 s.
    pub max_seconds: u64,
    /// Processor time the decoder may use for all pages of one file; default 600 s.
    pub max_cpu_seconds: u64,
    /// Address space of the decoder; default 1.5 GiB.
    pub max_child_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_pages: 200,
            max_page_pixels: 100_000_000,
            max_total_pixels: 2_000_000_000,
            max_expansion: 1000,
            expansion_floor_bytes: 64 << 20,
            max_seconds: 30,
            max_cpu_seconds: 600,
            max_child_memory_bytes: 1536 << 20,
        }
    }
}
