//! `guidang verify`: every invariant, one line each.

use clap::Args;

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints each invariant as it is checked; fails when one does not hold.
pub async fn run(settings: &Settings, _arguments: &Arguments) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let places = settings.places();
    let checks =
        workers::verify::run(&backends, &places, print).await.or_fail("the archive cannot be checked")?;
    let broken = checks.iter().filter(|check| !check.holds()).count();
    if broken == 0 {
        println!("All {} invariants hold.", checks.len());
        return Ok(());
    }
    Err(Failure::new(format!("{broken} of {} invariants do not hold", checks.len())))
}

/// One line for the invariant, and one for each thing that breaks it.
pub fn print(check: &workers::verify::Check) {
    let sign = if check.holds() { "ok    " } else { "BROKEN" };
    println!("{sign} {} {} ({})", check.number, check.name, check.looked_at);
    for violation in &check.violations {
        println!("         {violation}");
    }
}
