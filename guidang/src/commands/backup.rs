//! `guidang backup`: one state of the archive while it is at work.

use std::path::PathBuf;

use backends::copying::backup::{Backup, back_up};
use chrono::TimeDelta;
use clap::Args;

use super::restore::on_record;
use crate::{
    failure::{Failure, OrFail},
    progress::Steps,
    settings::Settings,
};

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of backups; objects already in it are not copied again. Left out with --keys-only
    #[arg(required_unless_present = "keys_only")]
    folder: Option<PathBuf>,
    /// The folder of copies of the keys: another place than the backups, since whoever has both can read everything
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Copies keys and holds alone: soon done, for every hour and after every destruction
    #[arg(long, conflicts_with = "folder")]
    keys_only: bool,
    /// Days after which a copy of the keys is removed; a destroyed key lives on in them until then
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    keep_keys_days: u16,
}

/// Takes a backup and says what it holds.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let folder = arguments.folder.as_deref().map(absolute).transpose()?;
    let keys = absolute(&arguments.keys)?;
    let is_apart = |folder: &PathBuf| !keys.starts_with(folder) && !folder.starts_with(&keys);
    let data = settings.data.root().to_path_buf();
    if !folder.as_ref().is_none_or(is_apart) || keys.starts_with(&data) {
        let sentence = "--keys must name a place apart from the backups and from the data folder";
        return Err(Failure::usage(sentence));
    }
    let backends = settings.backends().await?;
    let (config, heads) = (settings.backends_config()?, settings.data.log_heads());
    let backup = Backup {
        config: &config,
        heads: &heads,
        folder: folder.as_deref(),
        keys: &keys,
        keep_keys: TimeDelta::days(arguments.keep_keys_days.into()),
    };
    let mut steps = Steps::default();
    let done = back_up(backup, &backends, &mut |step| steps.show(&step)).await;
    steps.finish();
    let done = done.or_fail("the backup did not end; run it again")?;
    on_record(&backends, "backup", &done.name).await?;
    println!("Backup {} is complete: {} new objects.", done.name, done.new_objects);
    println!("Old copies of the keys removed: {}.", done.forgotten_keys);
    Ok(())
}

fn absolute(path: &std::path::Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).or_fail(format!("{} is no usable name", path.display()))
}
