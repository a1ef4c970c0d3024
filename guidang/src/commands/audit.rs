//! `guidang audit`: the operation log.

use std::path::PathBuf;

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
    Verify {
        /// A copy of the signed heads that was kept elsewhere, instead of the one in the data folder
        #[arg(long, value_name = "FILE")]
        heads: Option<PathBuf>,
    },
}

/// Reads the whole log and holds it against every signed head.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let Action::Verify { heads } = &arguments.action;
    let backends = settings.backends_without_proof().await?;
    let heads = heads.clone().unwrap_or_else(|| settings.data.log_heads());
    let verified = workers::log_heads::verify(&backends, &heads, |_| ())
        .await
        .or_fail("the operation log does not verify")?;
    if let Some(why) = verified.not_checked(&heads) {
        return Err(Failure::partly(format!(
            "{} entries agree with each other, but {why}",
            verified.entries
        )));
    }
    let witnessed = verified.witnessed.unwrap_or_default();
    println!("The operation log is intact: {} entries, {witnessed} of them witnessed.", verified.entries);
    println!("The heads that witness them are in {}.", heads.display());
    Ok(())
}
