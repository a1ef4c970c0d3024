//! `guidang index-node`: searches, beside servers and workers on the same catalogue.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    failure::{Failure, OrFail},
    service::{Duty, Listening, Service},
    settings::Settings,
};

/// Arguments of `index-node`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Follows the catalogue and answers searches until SIGTERM or SIGINT; a second signal ends the process at once.
pub async fn run(settings: &Settings, _arguments: &Arguments) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).or_fail("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("signals cannot be heard")?;
    let service = Service::start(settings, Listening::AsConfigured, Duty::Searches).await?;
    println!("Guidang searches at {}", service.address);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let stopped_at_once = || Failure::new("stopped at once; the index goes on from its last commit");
    tokio::select! {
        () = service.stop() => Ok(()),
        _ = terminate.recv() => Err(stopped_at_once()),
        _ = interrupt.recv() => Err(stopped_at_once()),
    }
}
