//! `guidang init`: a new, empty archive with its root key.

use std::{path::Path, sync::Arc};

use archive_api::tokens::local_caller;
use backends::{
    clock::{Clock, SystemClock},
    connect::{Backends, BackendsConfig, has_keys},
    vault::{RootKey, RootKeyError},
};
use clap::Args;

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Makes folder, root key, catalogue, and the account of this machine. Safe to repeat: nothing is overwritten.
pub async fn run(settings: &Settings, _arguments: &Arguments) -> Result<(), Failure> {
    let config = settings.backends_config()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before anything is made: a new root key would open none of the keys that are there.
    if !config.root_key.exists()
        && has_keys(&config, &clock).await.or_fail("the key store cannot be looked at")?
    {
        return Err(Failure::new(missing_root_key(&config)));
    }
    settings.data.create()?.tell(&settings.data);
    if let Some(folder) = config.root_key.parent() {
        std::fs::create_dir_all(folder).or_fail(format!("folder {} cannot be made", folder.display()))?;
    }
    match RootKey::create(&config.root_key) {
        Ok(_) => println!("{}", advice(&config.root_key)),
        Err(RootKeyError::Exists { path }) => {
            println!("The root key {} is there already and stays.", path.display());
        }
        Err(error) => return Err(Failure::because("the root key cannot be made", error)),
    }
    let backends = Backends::connect(&config, clock).await.or_fail("the archive cannot be opened")?;
    local_caller(&backends).await.or_fail("the account of this machine cannot be made")?;
    println!("The archive is in {}. Start it with `guidang serve`.", settings.data.root().display());
    Ok(())
}

fn missing_root_key(config: &BackendsConfig) -> String {
    format!(
        "the key store holds keys, and the root key that opens them is not at {}; put it back from where it is kept, \
         with mode 600, and nothing else need be done. A new one would open nothing",
        config.root_key.display()
    )
}

fn advice(root_key: &Path) -> String {
    let path = root_key.display();
    format!(
        "Root key made: {path}\n\
         \n\
         Whoever has this key and the data can read everything; without it nobody ever can.\n\
         Back it up now, apart from the data and its backups:\n\
         \x20 - copy the file to two media that are kept in two safes, or print its one line and seal it;\n\
         \x20 - never put it into the same backup as the data folder: exclude {path};\n\
         \x20 - try the copy: put it back on another machine and run `guidang verify` there.\n"
    )
}
