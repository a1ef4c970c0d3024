//! `guidang serve`: everything in one process, until it is told to stop.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    failure::{Failure, OrFail},
    service::{Duty, Listening, Service},
    settings::Settings,
};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Prints an address that signs one browser in once, as an auditor, within 15 minutes
    #[arg(long)]
    sign_in_link: bool,
    /// Does no jobs itself: processes of `guidang work` do them
    #[arg(long)]
    no_work: bool,
}

/// Runs until SIGTERM or SIGINT, then stops in order; a second signal ends the process at once.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).or_fail("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("signals cannot be heard")?;
    let duty = if arguments.no_work { Duty::LetsOthersWork } else { Duty::Works };
    let service = Service::start(settings, Listening::AsConfigured, duty).await?;
    println!("Guidang answers at {}", service.address);
    if arguments.sign_in_link {
        println!("Console, for one sign-in within 15 minutes: {}", service.sign_in_link().await?);
    }
    tracing::info!(address = %service.address, data = %settings.data.root().display(), "the archive is open");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new work; what runs may end");
    tokio::select! {
        () = service.stop() => {}
        _ = terminate.recv() => return Err(Failure::new("stopped at once; the next start goes on from what is stored")),
        _ = interrupt.recv() => return Err(Failure::new("stopped at once; the next start goes on from what is stored")),
    }
    tracing::info!("the archive is closed");
    Ok(())
}
