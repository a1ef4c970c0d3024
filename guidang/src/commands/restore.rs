//! `guidang restore`: puts a backup back into an empty place.

use std::{path::PathBuf, sync::Arc};

use backends::{
    clock::SystemClock,
    connect::Backends,
    copying::restore::{Restore, restore},
    database::operation_log::LogEntry,
};
use clap::Args;

use crate::{
    failure::{Failure, OrFail},
    progress::Steps,
    settings::Settings,
};

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of backups
    folder: PathBuf,
    /// The folder of copies of the keys; the newest is taken, so that what was destroyed stays so
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Which backup, by the name of its folder under catalogues/ [default: the newest]
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
}

/// Puts the backup where data folder and configuration say.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    settings.data.create()?.tell(&settings.data);
    let _lock = settings.data.lock()?;
    let (config, heads) = (settings.backends_config()?, settings.data.log_heads());
    if !config.root_key.exists() {
        let path = config.root_key.display();
        return Err(Failure::new(format!("put the root key of the backup at {path} (mode 600) first")));
    }
    let request = Restore {
        folder: &arguments.folder,
        keys: &arguments.keys,
        name: arguments.backup.as_deref(),
        target: &config,
        heads: &heads,
    };
    let mut steps = Steps::default();
    let done = restore(request, Arc::new(SystemClock), &mut |step| steps.show(&step)).await;
    steps.finish();
    let done = done.or_fail("the backup was not put back")?;
    on_record(&settings.backends_without_proof().await?, "restore", &done.name).await?;
    println!("Backup {} is back, with the keys of {}.", done.name, done.keys_name);
    println!(
        "{} objects; {} left out, their keys were destroyed; {} holds applied.",
        done.objects, done.destroyed, done.holds
    );
    println!("Run `guidang verify` before you let anybody in.");
    Ok(())
}

/// Puts what was done to the archive as a whole on its operation log.
pub async fn on_record(backends: &Backends, action: &str, subject: &str) -> Result<(), Failure> {
    const SENTENCE: &str = "the operation log cannot be written";
    let caller = archive_api::tokens::local_caller(backends).await;
    let caller = caller.or_fail("the account of this machine cannot act")?;
    let entry = LogEntry {
        at: backends.clock.now(),
        account_id: Some(caller.account.id),
        role: caller.account.role.clone(),
        outlet_code: None,
        origin: "command".to_owned(),
        action: action.to_owned(),
        subject_kind: "archive".to_owned(),
        subject_id: subject.to_owned(),
        reason: None,
        result: "done".to_owned(),
    };
    let mut tx = backends.database.begin().await.or_fail(SENTENCE)?;
    tx.operation_log().append(&entry).await.or_fail(SENTENCE)?;
    tx.commit().await.or_fail(SENTENCE)
}
