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

#[test]
fn what_stands_beside_the_program_is_run_only_if_it_is_a_decoder_of_this_release() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("guidang");
    let chosen = || Sandbox::of_program(program.clone(), Limits::default()).executable;

    assert_eq!(chosen(), program);
    // It decodes, but says nothing of a release.
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_decode-child"), folder.path().join("guidang-decoder"))
        .unwrap();
    assert_eq!(chosen(), program);
}
