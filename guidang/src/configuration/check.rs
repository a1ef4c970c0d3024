//! What the kinds of values cannot say: ranges, schemes, folders that must exist.

use axum::http::Uri;
use backends::blob_store::LEAST_TIMEOUT;
use domain::archival_code::ArchivalCodePattern;
use tracing_subscriber::EnvFilter;

use super::{Configuration, ConfigurationError};

/// Refuses values that cannot work.
pub(super) fn check(configuration: &Configuration) -> Result<(), ConfigurationError> {
    check_addresses(configuration)?;
    check_intake(configuration)?;
    let workers = &configuration.workers;
    within("workers.slots", workers.slots as u64, 0, 256)?;
    within("workers.lease_seconds", workers.lease_seconds.into(), 5, 3600)?;
    within("workers.max_attempts", workers.max_attempts.into(), 1, 100)?;
    within("workers.open_days", workers.open_days.into(), 1, 36_500)?;
    within("reading.threads", configuration.reading.threads as u64, 0, 256)?;
    workers.listen_at().map(|_| ()).map_err(|problem| wrong("workers.listen", &problem))?;
    within("index.commit_ms", configuration.index.commit_ms, 50, 60_000)?;
    within("index.snapshot_hours", configuration.index.snapshot_hours.into(), 0, 8_760)?;
    within("watch.quiet_seconds", configuration.watch.quiet_seconds, 1, 3600)?;
    within("watch.poll_seconds", configuration.watch.poll_seconds, 1, 3600)?;
    within("server.upload_idle_seconds", configuration.server.upload_idle_seconds, 1, 3600)?;
    within("server.intake_memory_bytes", configuration.server.intake_memory_bytes, 1 << 20, u64::MAX)?;
    within("server.stop_seconds", configuration.server.stop_seconds, 1, 3600)?;
    within("archive.tasks_per_auditor", configuration.archive.tasks_per_auditor.into(), 1, 1000)?;
    check_database(configuration)?;
    let objects = &configuration.objects;
    // A store that loses its leading node was measured to answer after 33 s; less would give up on it.
    within("objects.timeout_seconds", objects.timeout_seconds, LEAST_TIMEOUT.as_secs(), 3600)?;
    within("objects.ticket_seconds", objects.ticket_seconds, 30, 86_400)?;
    check_folders(configuration)?;
    check_telemetry(configuration)?;
    configuration.archive.read_deadlines().map_err(|problem| wrong("archive.deadlines", &problem))?;
    ArchivalCodePattern::parse(&configuration.archive.code_pattern)
        .map_err(|error| wrong("archive.code_pattern", &error.to_string()))?;
    EnvFilter::try_new(&configuration.log.filter).map(|_| ()).map_err(|_| {
        wrong("log.filter", "takes error, warn, info, debug or trace, or crate=level, with commas between")
    })
}

fn check_addresses(configuration: &Configuration) -> Result<(), ConfigurationError> {
    const TABLES: [&str; 3] = ["sqlite:", "postgres:", "postgresql:"];
    let addresses = [
        ("database.url", &configuration.database.url, TABLES.as_slice()),
        ("keys.url", &configuration.keys.url, TABLES.as_slice()),
        ("queue.url", &configuration.queue.url, ["in-process:", "amqp:", "amqps:"].as_slice()),
        ("objects.url", &configuration.objects.url, ["file:", "s3:"].as_slice()),
        ("objects.endpoint", &configuration.objects.endpoint, ["https:", "http:"].as_slice()),
        ("telemetry.endpoint", &configuration.telemetry.endpoint, ["https:", "http:"].as_slice()),
    ];
    for (key, url, schemes) in addresses {
        let url = url.reveal();
        if !url.is_empty() && !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong(key, &format!("takes an address that begins with {}", schemes.join(" or "))));
        }
    }
    let (database, keys) = (configuration.database.url.reveal(), configuration.keys.url.reveal());
    if !database.is_empty() && database == keys {
        return Err(wrong(
            "keys.url",
            "must not be the catalogue's own database: keys have backups of their own",
        ));
    }
    Ok(())
}

fn check_database(configuration: &Configuration) -> Result<(), ConfigurationError> {
    let database = &configuration.database;
    within("database.connections", database.connections.into(), 2, 1000)?;
    within("database.statement_seconds", database.statement_seconds, 1, 3600)?;
    within("database.lock_seconds", database.lock_seconds, 1, 600)?;
    let ca_file = &database.ca_file;
    if !ca_file.as_os_str().is_empty() && !ca_file.is_file() {
        return Err(wrong("database.ca_file", "is not a file"));
    }
    Ok(())
}

fn check_telemetry(configuration: &Configuration) -> Result<(), ConfigurationError> {
    let section = &configuration.telemetry;
    within("telemetry.one_in", section.one_in.into(), 1, 1_000_000)?;
    if let Some(address) = section.traces_address()
        && address.parse::<Uri>().ok().and_then(|address| address.host().map(str::is_empty)) != Some(false)
    {
        return Err(wrong("telemetry.endpoint", "takes an address such as http://127.0.0.1:4318"));
    }
    let name = &section.service_name;
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(wrong("telemetry.service_name", "takes 1 to 100 characters"));
    }
    Ok(())
}

fn check_intake(configuration: &Configuration) -> Result<(), ConfigurationError> {
    let limits = &configuration.intake;
    within("intake.max_bytes", limits.max_bytes, 1 << 10, 4 << 30)?;
    within("intake.max_pages", limits.max_pages.into(), 1, 100_000)?;
    within("intake.max_page_pixels", limits.max_page_pixels, 1_000_000, 2_000_000_000)?;
    within("intake.max_total_pixels", limits.max_total_pixels, limits.max_page_pixels, u64::MAX)?;
    within("intake.max_expansion", limits.max_expansion, 1, 1_000_000)?;
    within("intake.max_seconds", limits.max_seconds, 1, 3600)?;
    within("intake.max_cpu_seconds", limits.max_cpu_seconds, 1, 86_400)?;
    // A page of the greatest size must fit, with room for the decoder.
    let least_memory = limits.max_page_pixels.saturating_mul(4).max(256 << 20);
    within("intake.max_child_memory_bytes", limits.max_child_memory_bytes, least_memory, u64::MAX)
}

fn check_folders(configuration: &Configuration) -> Result<(), ConfigurationError> {
    let forms = &configuration.reading.forms;
    if !forms.as_os_str().is_empty() && !forms.is_dir() {
        return Err(wrong("reading.forms", "is not a folder"));
    }
    Ok(())
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), ConfigurationError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let problem =
        if most == u64::MAX { format!("takes {least} or more") } else { format!("takes {least} to {most}") };
    Err(wrong(key, &problem))
}

fn wrong(key: &str, problem: &str) -> ConfigurationError {
    ConfigurationError::Value { key: key.to_owned(), problem: problem.to_owned() }
}
