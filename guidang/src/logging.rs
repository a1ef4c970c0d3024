//! The program's log: to standard error, readable by people or by machines, without personal data.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    EnvFilter, fmt,
    layer::{Layer, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{
    configuration::{LogFormat, LogSection},
    telemetry::SpanLayer,
};

/// Which lines a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// As configured: a server.
    Configured,
    /// Warnings and errors: a command whose output is for a person.
    Warnings,
}

/// Starts the log, and beside it what takes spans. The filter was checked with the configuration.
pub fn start(section: &LogSection, loudness: Loudness, spans: Option<SpanLayer>) {
    let filter = match loudness {
        Loudness::Warnings if section.filter == LogSection::default().filter => "warn",
        Loudness::Warnings | Loudness::Configured => &section.filter,
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = match section.format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal();
            fmt::layer().with_writer(io::stderr).with_target(false).with_ansi(colours).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(io::stderr).boxed(),
    };
    let started = tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).try_init();
    // A second log in one process: the first goes on.
    drop(started);
}
