//! The decoder of untrusted files alone, for `guidang` to start when it stands beside it.

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "--version") {
        return match writeln!(stdout(), "{}", ingest::DECODER_VERSION) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    ingest::decoder_main()
}
