//! `guidang migrate-data`: moves an embedded archive into a distributed one.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use backends::{
    clock::SystemClock,
    copying::{Migration, migrate},
};
use clap::Args;

use super::restore::on_record;
use crate::{
    data_folder::DataFolder,
    failure::{Failure, OrFail},
    progress::Steps,
    settings::Settings,
    table::Table,
};

/// Arguments of `migrate-data`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The data folder of the embedded archive; no server may run on it
    from: PathBuf,
    /// The data folder of the distributed one, whose guidang.toml names catalogue, keys and objects
    to: PathBuf,
}

/// Copies, compares, and says what is the same on both sides.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    // Variables would name the places of both sides at once, so that each side has only its file.
    let source = Settings::of_folder(&arguments.from, BTreeMap::new())?;
    let target = Settings::of_folder(&arguments.to, BTreeMap::new())?;
    source.data.check()?;
    let _lock = source.data.lock()?;
    target.data.create()?.tell(&target.data);
    let _target_lock = target.data.lock()?;
    let (from, to) = (source.backends_config()?, target.backends_config()?);
    bring_root_key(&from.root_key, &to.root_key)?;
    let mut steps = Steps::default();
    let request = Migration { source: &from, target: &to };
    let copied = migrate(request, Arc::new(SystemClock), &mut |step| steps.show(&step)).await;
    steps.finish();
    let copied = copied.or_fail("the archive was not moved; run the same command again to go on")?;
    bring_heads(&source.data, &target.data)?;
    on_record(&target.backends_without_proof().await?, "migrate_data", "archive").await?;
    let mut table = Table::new(&["what", "count", "digest, the same on both sides"]);
    for part in copied {
        table.row([part.what, part.count.to_string(), part.digest.chars().take(16).collect()]);
    }
    print!("{table}");
    println!(
        "The archive is moved. Keep the old data folder until `guidang --data {} verify` holds, and never",
        arguments.to.display()
    );
    println!("start a server on it again.");
    Ok(())
}

/// The target needs the root key of the source; one that is there is compared later.
fn bring_root_key(from: &std::path::Path, to: &std::path::Path) -> Result<(), Failure> {
    if to.exists() {
        return Ok(());
    }
    let sentence = format!("the root key cannot be copied to {}", to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).or_fail(sentence.clone())?;
    }
    fs::copy(from, to).or_fail(sentence.clone())?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).or_fail(sentence)
}

fn bring_heads(from: &DataFolder, to: &DataFolder) -> Result<(), Failure> {
    let (from, to) = (from.log_heads(), to.log_heads());
    if !from.exists() || to.exists() {
        return Ok(());
    }
    let sentence = "the signed heads of the operation log cannot be copied";
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).or_fail(sentence)?;
    }
    fs::copy(&from, &to).map(|_| ()).or_fail(sentence)
}
