//! `guidang audit`: the operation log.

use clap::{Args, Subcommand};

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Finds an edited, moved, inserted or missing entry, a fork, and an end that was cut off
    Verify,
}

/// Reads the whole log and holds it against every signed head.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let Action::Verify = arguments.action;
    let backends = settings.backends_without_proof().await?;
    let heads = settings.data.log_heads();
    let size =
        workers::log_heads::verify(&backends, &heads).await.or_fail("the operation log does not verify")?;
    println!("The operation log is intact: {size} entries.");
    Ok(())
}
