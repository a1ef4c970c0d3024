//! Putting a backup back into an empty place. Nothing is served from it before it is whole, and what was destroyed or
//! held after the backup stays so: keys and holds come from the newest copy of the keys.

mod databases;
mod objects;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    CopyError, Manifest, OnStep,
    backup::{CATALOGUES, HEADS, copies_in, copy_durably, make_folder},
    newest,
};
use crate::{
    clock::Clock,
    connect::{Backends, BackendsConfig},
    vault::RootKey,
};

/// What is put back, and where.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'a> {
    /// The folder of backups.
    pub folder: &'a Path,
    /// The folder of copies of the keys.
    pub keys: &'a Path,
    /// Which backup, by name; `None` for the newest.
    pub name: Option<&'a str>,
    /// Where the archive is to be.
    pub target: &'a BackendsConfig,
    /// Where the signed heads of the operation log are to be.
    pub heads: &'a Path,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The name of the backup.
    pub name: String,
    /// The name of the copy of the keys.
    pub keys_name: String,
    /// Objects that are there now.
    pub objects: u64,
    /// Objects left out because their keys were destroyed.
    pub destroyed: u64,
    /// Holds that were applied.
    pub holds: u64,
}

/// The two halves of what is put back, both proved whole.
struct Chosen {
    name: String,
    catalogue: PathBuf,
    manifest: Manifest,
    keys_name: String,
    keys: PathBuf,
    keys_manifest: Manifest,
}

/// Proves the backup whole, puts it back, applies holds, and ends the mark that keeps the target from being served.
/// Begun again after it was cut short, it goes on; a target that holds anything else is refused.
pub async fn restore(
    restore: Restore<'_>,
    clock: Arc<dyn Clock>,
    on_step: OnStep<'_>,
) -> Result<Restored, CopyError> {
    let chosen = choose(restore)?;
    let root = RootKey::load(&restore.target.root_key).map_err(crate::connect::ConnectError::from)?;
    if root.id() != chosen.manifest.archive {
        let path = restore.target.root_key.display();
        return Err(CopyError::Unusable(format!(
            "{path} is not the root key of this backup; put its own there"
        )));
    }
    drop(root);
    databases::put_back(&chosen, restore.target, &clock).await?;
    let backends = Backends::open_unfinished(restore.target, Arc::clone(&clock)).await?;
    let holds = newest::apply_holds(backends.database.as_ref(), &chosen.keys).await?;
    let (objects, destroyed) = objects::put_back(restore, &chosen, &backends, on_step).await?;
    objects::every_scan_has_one(&backends).await?;
    let heads = chosen.catalogue.join(HEADS);
    if heads.exists() {
        restore.heads.parent().map(make_folder).transpose()?;
        copy_durably(&heads, restore.heads)?;
    }
    backends.database.finish_copy(&chosen.name, clock.now()).await?;
    Ok(Restored { name: chosen.name, keys_name: chosen.keys_name, objects, destroyed, holds })
}

fn choose(restore: Restore<'_>) -> Result<Chosen, CopyError> {
    let catalogues = copies_in(&restore.folder.join(CATALOGUES))?;
    let found = match restore.name {
        Some(name) => catalogues.into_iter().find(|(found, _)| found == name),
        None => catalogues.into_iter().next_back(),
    };
    let (name, catalogue) = found.ok_or_else(|| {
        CopyError::Unusable(format!("there is no such backup in {}", restore.folder.display()))
    })?;
    let manifest = Manifest::verified(&catalogue)?;
    let newest = copies_in(restore.keys)?.into_iter().next_back();
    let (keys_name, keys) = newest
        .ok_or_else(|| CopyError::Unusable(format!("there are no keys in {}", restore.keys.display())))?;
    let keys_manifest = Manifest::verified(&keys)?;
    if keys_manifest.archive != manifest.archive {
        return Err(CopyError::Unusable("the keys belong to another archive".to_owned()));
    }
    if keys_manifest.taken_at < manifest.taken_at {
        let sentence =
            "the newest copy of the keys is older than the backup; name the folder that has the newer ones";
        return Err(CopyError::Unusable(sentence.to_owned()));
    }
    Ok(Chosen { name, catalogue, manifest, keys_name, keys, keys_manifest })
}
