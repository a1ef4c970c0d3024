//! The program's log: to standard error, readable by people or by machines, without personal data.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::configuration::{LogFormat, LogSection};

/// Which lines a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// As configured: a server.
    Configured,
    /// Warnings and errors: a command whose output is for a person.
    Warnings,
}

/// Starts the log. The filter was checked with the configuration.
pub fn start(section: &LogSection, loudness: Loudness) {
    let filter = match loudness {
        Loudness::Warnings if section.filter == LogSection::default().filter => "warn",
        Loudness::Warnings | Loudness::Configured => &section.filter,
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::registry().with(filter);
    let started = match section.format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal();
            lines.with(fmt::layer().with_writer(io::stderr).with_target(false).with_ansi(colours)).try_init()
        }
        LogFormat::Json => lines.with(fmt::layer().json().with_writer(io::stderr)).try_init(),
    };
    // A second log in one process: the first goes on.
    drop(started);
}
