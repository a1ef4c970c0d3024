//! `guidang verify`: every invariant, one line each.

use std::path::PathBuf;

use clap::Args;

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A copy of the signed heads of the operation log that was kept elsewhere, instead of the one in the data folder
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
}

/// Prints each invariant as it is checked; fails when one does not hold, and in part when one could not be checked.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let mut places = settings.places();
    if let Some(heads) = &arguments.heads {
        places.heads.clone_from(heads);
    }
    let checks =
        workers::verify::run(&backends, &places, print).await.or_fail("the archive cannot be checked")?;
    let (all, broken) = (checks.len(), checks.iter().filter(|check| check.is_broken()).count());
    let holding = checks.iter().filter(|check| check.holds()).count();
    if broken > 0 {
        return Err(Failure::new(format!("{broken} of {all} invariants do not hold")));
    }
    if holding < all {
        // Nothing is broken, but not everything was proved: neither success nor failure.
        return Err(Failure::partly(format!("{holding} of {all} invariants hold, the rest was not checked")));
    }
    println!("All {all} invariants hold.");
    Ok(())
}

/// One line for the invariant, and one for each thing that breaks it.
pub fn print(check: &workers::verify::Check) {
    let sign = match check {
        _ if check.is_broken() => "BROKEN",
        _ if check.holds() => "ok    ",
        _ => "-     ",
    };
    println!("{sign} {} {} ({})", check.number, check.name, check.looked_at);
    if let Some(why) = &check.not_checked {
        println!("         not checked: {why}");
    }
    for violation in &check.violations {
        println!("         {violation}");
    }
}
