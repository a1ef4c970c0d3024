//! `guidang work`: jobs without an API, beside servers and other workers on the same catalogue.

use std::time::Duration;

use clap::Args;
use domain::job::JobName;
use tokio::signal::unix::{SignalKind, signal};
use workers::timetable::Timetable;

use crate::{
    failure::{Failure, OrFail},
    service::within,
    settings::Settings,
    watched::Watched,
    working,
};

/// Arguments of `work`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these kinds of jobs, with commas between: read, place, check, archive
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind_of_job)]
    only: Vec<JobName>,
}

/// Takes `read` as well as `read_scan`.
fn kind_of_job(text: &str) -> Result<JobName, String> {
    let is_named = |name: &JobName| {
        name.as_str() == text || name.as_str().split_once('_').is_some_and(|(verb, _)| verb == text)
    };
    let found = JobName::ALL.into_iter().find(is_named);
    found.ok_or_else(|| "there are read, place, check and archive".to_owned())
}

/// Works until SIGTERM or SIGINT, then lets what runs end, or puts it back; a second signal ends the process at once.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).or_fail("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("signals cannot be heard")?;
    settings.data.check()?;
    let _lock = settings.data.lock()?;
    let backends = settings.backends().await?;
    working::require_shared(&backends, "guidang work")?;
    let watched = Watched::start(settings, &backends).await?;
    working::take_over(&backends).await?;
    let names = if arguments.only.is_empty() { &JobName::ALL } else { arguments.only.as_slice() };
    let work = working::start(settings, &backends, names)?;
    let timetable = Timetable::start(&backends, settings.data.log_heads());
    let kinds: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    println!("Guidang works at {}", kinds.join(", "));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new work; what runs may end");
    let patience = Duration::from_secs(settings.configuration.server.stop_seconds);
    let ending = async {
        work.stop(patience).await;
        within(patience, "the timetable", timetable.stop()).await;
        if let Some(watched) = watched {
            within(patience, "health and metrics", watched.stop()).await;
        }
    };
    tokio::select! {
        () = ending => Ok(()),
        _ = terminate.recv() => Err(stopped_at_once()),
        _ = interrupt.recv() => Err(stopped_at_once()),
    }
}

fn stopped_at_once() -> Failure {
    Failure::new("stopped at once; what ran is taken up by others when its lease is over")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_by_their_verb() {
        assert_eq!(kind_of_job("read"), Ok(JobName::ReadScan));
        assert_eq!(kind_of_job("check_case_file"), Ok(JobName::CheckCaseFile));
        assert!(kind_of_job("scan").is_err());
    }
}
