//! Files of every kind, harmless and hostile, through the real decoder process. All of them are built here.

#![expect(clippy::unwrap_used, reason = "a file that cannot be built must fail the test where it shows")]

mod files;
mod formats;
mod hostile;

use std::path::PathBuf;

use ingest::{DecodeError, Limits, PageImage, Resolution, Sandbox};

fn sandbox() -> Sandbox {
    sandbox_with(Limits::default())
}

fn sandbox_with(limits: Limits) -> Sandbox {
    Sandbox::new(PathBuf::from(env!("CARGO_BIN_EXE_decode-child")), limits)
}

fn first_page(bytes: &[u8]) -> Result<PageImage, DecodeError> {
    sandbox().render_page(bytes, 0, Resolution::Native)
}
