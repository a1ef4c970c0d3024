//! Guidang (归档): the executable. Subcommands, configuration, wiring; anything worth testing alone is elsewhere.

mod broken_pipe;
mod cli;
mod client;
mod commands;
mod configuration;
mod data_folder;
mod failure;
#[cfg(feature = "failpoints")]
mod fault_points;
mod logging;
mod progress;
mod searching;
mod service;
mod settings;
mod table;
mod telemetry;
mod waiting;
mod watched;
mod watching;
mod working;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The decoder of untrusted files starts before anything else of this program exists.
    if std::env::args_os().nth(1).is_some_and(|name| name == ingest::DECODE_SUBCOMMAND) {
        return ingest::decoder_main();
    }
    broken_pipe::end_quietly();
    #[cfg(feature = "failpoints")]
    fault_points::arm();
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("guidang: {}", failure.whole_story());
            failure.exit_code()
        }
    }
}
