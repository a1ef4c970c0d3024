//! How decoding fails, by what the caller can do about it.

use std::io;

use super::protocol::{Confinement, PageFault};
use crate::refusal::Refusal;

/// Why a scan, or a page of it, was not decoded. Never holds anything of the scan's content.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file is not taken: tell the clerk.
    #[error("the scan is refused")]
    Refused(#[from] Refusal),
    /// Only this page failed; the session goes on.
    #[error("page {page_number} cannot be decoded: {}", fault.code())]
    Page {
        /// Which page, from 1.
        page_number: usize,
        /// Why.
        fault: PageFault,
    },
    /// The decoder took too long and was ended. A person must look at the scan.
    #[error("decoder gave no answer within {limit_seconds} s")]
    TimedOut {
        /// How long it was waited for.
        limit_seconds: u64,
    },
    /// The decoder wanted more memory than it may have. A person must look at the scan.
    #[error("decoder needed more than {limit_bytes} bytes")]
    MemoryExceeded {
        /// What it was allowed.
        limit_bytes: u64,
    },
    /// The decoder tried what it may not do and was ended by the kernel. A person must look at the scan.
    #[error("decoder attempted a forbidden system call")]
    Forbidden,
    /// The decoder died. A person must look at the scan.
    #[error("decoder crashed (signal {signal:?}, status {status:?})")]
    Crashed {
        /// What ended it, if a signal did.
        signal: Option<i32>,
        /// What it ended with otherwise.
        status: Option<i32>,
    },
    /// The kernel cannot confine the decoder: a matter for whoever runs the machine.
    #[error("the kernel does not offer {part:?}, and intake.allow_unsandboxed is off")]
    Unconfined {
        /// What is missing.
        part: Confinement,
    },
    /// The decoder could not be started or spoken to: try again.
    #[error("decoder process could not be started")]
    Start(#[source] io::Error),
}

impl DecodeError {
    /// The stable code, as in `docs/errors/<code>.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Page { fault, .. } => fault.code(),
            Self::TimedOut { .. } => "decoder_timed_out",
            Self::MemoryExceeded { .. } => "decoder_out_of_memory",
            Self::Forbidden => "decoder_forbidden_call",
            Self::Crashed { .. } => "decoder_crashed",
            Self::Unconfined { .. } => "sandbox_unavailable",
            Self::Start(_) => "decoder_not_started",
        }
    }

    /// Whether the same scan may fare better later; otherwise it waits for a person.
    pub const fn may_be_retried(&self) -> bool {
        matches!(self, Self::Unconfined { .. } | Self::Start(_))
    }
}

impl PageFault {
    /// The stable code, as in `docs/errors/<code>.md`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSuchPage => "no_such_page",
            Self::Damaged => "page_damaged",
            Self::NotSupported => "page_not_supported",
            Self::TooLarge => "page_too_large",
            Self::NoText => "no_text_layer",
        }
    }
}

/// An answer that no honest decoder gives.
pub fn unexpected() -> DecodeError {
    DecodeError::Crashed { signal: None, status: None }
}
