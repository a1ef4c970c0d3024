//! Putting a backup back into an empty place. Nothing is served from it before it is whole, and what was destroyed or
//! held after the backup stays so: keys and holds come from the newest copy of the keys.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::scan::ScanState;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    CopyError, Manifest, OnStep, Step, at,
    backup::{CATALOGUES, EMBEDDED_FILE, HEADS, OBJECT_LIST, OBJECTS, copies_in, copy_durably, make_folder},
    manifest::{FileDigest, sync_folder_of},
    newest, postgres, sqlite, tables,
};
use crate::{
    blob_store::{BlobKey, BlobStore},
    clock::Clock,
    connect::{Backends, BackendsConfig, split},
    database,
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
    put_databases_back(restore, &chosen, &clock).await?;
    let backends = Backends::open_unfinished(restore.target, Arc::clone(&clock)).await?;
    let holds = newest::apply_holds(backends.database.as_ref(), &chosen.keys).await?;
    let (objects, destroyed) = put_objects_back(restore, &chosen, &backends, on_step).await?;
    every_scan_has_its_object(&backends).await?;
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
    let of_keys = Manifest::verified(&keys)?;
    if of_keys.archive != manifest.archive {
        return Err(CopyError::Unusable("the keys belong to another archive".to_owned()));
    }
    if of_keys.taken_at < manifest.taken_at {
        let sentence =
            "the newest copy of the keys is older than the backup; name the folder that has the newer ones";
        return Err(CopyError::Unusable(sentence.to_owned()));
    }
    Ok(Chosen { name, catalogue, manifest, keys_name, keys })
}

async fn put_databases_back(
    restore: Restore<'_>,
    chosen: &Chosen,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    let target = restore.target;
    let (database, keys) = (split(&target.database_url), split(&target.keys_url));
    match (chosen.manifest.engine.as_str(), database.0, keys.0) {
        ("sqlite", "sqlite", "sqlite") => {
            put_sqlite_back(chosen, Path::new(database.1), Path::new(keys.1), clock).await
        }
        ("postgres", "postgres" | "postgresql", "postgres" | "postgresql") => {
            put_postgres_back(chosen, target, clock).await
        }
        (engine, ..) => Err(CopyError::Unusable(format!(
            "the backup is of {engine}; restore it to {engine}, then `guidang migrate-data` moves it"
        ))),
    }
}

async fn put_sqlite_back(
    chosen: &Chosen,
    catalogue: &Path,
    keys: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    if catalogue.exists() {
        // Only what this very restore left behind may be there.
        let database = database::sqlite::SqliteDatabase::open(catalogue).await?;
        let unfinished = database::Database::unfinished_copy(&database).await?;
        return match unfinished {
            Some(name) if name == chosen.name => Ok(()),
            _ => Err(CopyError::TargetInUse { what: "the catalogue" }),
        };
    }
    if keys.exists() && !is_copy_of(keys, &chosen.keys)? {
        return Err(CopyError::TargetInUse { what: "the key store" });
    }
    for path in [catalogue, keys] {
        path.parent().map(make_folder).transpose()?;
    }
    let new_keys = keys.with_extension("restoring");
    copy_durably(&chosen.keys.join(EMBEDDED_FILE), &new_keys)?;
    fs::rename(&new_keys, keys).map_err(at(keys))?;
    // The catalogue last, with its mark inside: without it there is no archive that could be served.
    let new = catalogue.with_extension("restoring");
    remove_embedded(&new)?;
    copy_durably(&chosen.catalogue.join(EMBEDDED_FILE), &new)?;
    drop(database::sqlite::SqliteDatabase::open(&new).await?);
    let mut connection = sqlite::open(&new).await?;
    let mark = "INSERT INTO copies (source, kind, started_at) VALUES ($1, 'restore', $2)";
    sqlx::query(mark).bind(&chosen.name).bind(clock.now()).execute(&mut connection).await?;
    // Their objects were not backed up.
    sqlx::query("DELETE FROM index_snapshots").execute(&mut connection).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    fs::rename(&new, catalogue).map_err(at(catalogue))?;
    sync_folder_of(catalogue)
}

fn is_copy_of(copy: &Path, folder: &Path) -> Result<bool, CopyError> {
    let (Some(place), Some(name)) = (copy.parent(), copy.file_name()) else { return Ok(false) };
    let found = FileDigest::of(place, &name.to_string_lossy())?;
    Ok(found.blake3 == FileDigest::of(folder, EMBEDDED_FILE)?.blake3)
}

fn remove_embedded(path: &Path) -> Result<(), CopyError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(path)(error)),
            _ => {}
        }
    }
    Ok(())
}

async fn put_postgres_back(
    chosen: &Chosen,
    target: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    let options = &target.postgres;
    let mut keys = database::postgres::open_alone(&target.keys_url, options, clock, "keys.url").await?;
    let mut catalogue =
        database::postgres::open_alone(&target.database_url, options, clock, "database.url").await?;
    let (of_catalogue, of_keys) = (tables::tables(&mut catalogue).await?, tables::tables(&mut keys).await?);
    if postgres::is_new(&mut catalogue).await? {
        postgres::refuse_used(&mut keys, &of_keys, "the key store").await?;
    }
    postgres::claim(&mut catalogue, &of_catalogue, &chosen.name, "restore").await?;
    if let Some(first) = first_reading(&chosen.catalogue)? {
        postgres::make_months(&mut catalogue, first, clock.now()).await?;
    }
    fill(&mut keys, &of_keys, &chosen.keys).await?;
    fill(&mut catalogue, &of_catalogue, &chosen.catalogue).await
}

/// The oldest reading of a backup, whose rows are in the order of their keys.
fn first_reading(folder: &Path) -> Result<Option<Uuid>, CopyError> {
    let path = folder.join("readings.copy");
    let file = BufReader::new(File::open(&path).map_err(at(&path))?);
    let first = file.lines().nth(1).transpose().map_err(at(&path))?;
    Ok(first.and_then(|line| line.split('\t').next().and_then(|id| Uuid::try_parse(id).ok())))
}

/// Fills every table from its file, all in one transaction.
async fn fill(connection: &mut PgConnection, all: &[tables::Table], folder: &Path) -> Result<(), CopyError> {
    let mut tx = connection.begin().await?;
    postgres::truncate(&mut tx, all).await?;
    for table in all {
        let path = folder.join(format!("{}.copy", table.name));
        // A table that a later release brought was not there to be backed up.
        if path.exists() {
            fill_one(&mut tx, table, &path).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn fill_one(
    connection: &mut PgConnection,
    table: &tables::Table,
    path: &Path,
) -> Result<(), CopyError> {
    use std::io::Read;
    const PIECE_BYTES: usize = 1 << 18;
    let mut file = BufReader::new(File::open(path).map_err(at(path))?);
    let mut columns = String::new();
    file.read_line(&mut columns).map_err(at(path))?;
    let statement = format!("COPY \"{}\" ({}) FROM STDIN", table.name, columns.trim());
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).map_err(at(path))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        copy.send(bytes).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// Puts back the objects that the catalogue names and whose keys are there; gives how many, and how many were left out.
async fn put_objects_back(
    restore: Restore<'_>,
    chosen: &Chosen,
    backends: &Backends,
    on_step: OnStep<'_>,
) -> Result<(u64, u64), CopyError> {
    let total = chosen.manifest.object_lines;
    if total == 0 {
        return Ok((0, 0));
    }
    let kept = BlobStore::local(&restore.folder.join(OBJECTS))?;
    let list_path = restore.folder.join(OBJECT_LIST);
    let list = BufReader::new(File::open(&list_path).map_err(at(&list_path))?);
    let (mut back, mut destroyed) = (0, 0);
    for (line, number) in list.lines().zip(1..=total) {
        let line = line.map_err(at(&list_path))?;
        on_step(Step { what: "objects".to_owned(), done: number, total });
        let (key, digest) = parse_line(&line).ok_or_else(|| CopyError::Differs {
            what: list_path.display().to_string(),
            detail: format!("line {number} cannot be read"),
        })?;
        match fate(backends, key).await? {
            Fate::Unknown => {}
            Fate::Destroyed => destroyed += 1,
            Fate::Needed => {
                put_object_back(&kept, &backends.blobs, key, digest).await?;
                back += 1;
            }
        }
    }
    Ok((back, destroyed))
}

/// What the restored catalogue says about an object.
enum Fate {
    Needed,
    Destroyed,
    Unknown,
}

async fn fate(backends: &Backends, key: BlobKey) -> Result<Fate, CopyError> {
    let Some(BlobKey::Scan(id)) = Some(key) else { return Ok(Fate::Unknown) };
    let mut tx = backends.database.begin_read().await?;
    let scan = tx.scans().find(id).await?.filter(|scan| scan.state != ScanState::Linked);
    drop(tx);
    let Some(scan) = scan else { return Ok(Fate::Unknown) };
    let is_there = backends.vault.key(scan.key_id).await?.is_some();
    Ok(if is_there { Fate::Needed } else { Fate::Destroyed })
}

async fn put_object_back(
    kept: &BlobStore,
    target: &BlobStore,
    key: BlobKey,
    digest: &str,
) -> Result<(), CopyError> {
    if target.exists(key).await? {
        return Ok(());
    }
    // A line whose object a crash kept away was made good by a later line, or by a later backup.
    let Some(bytes) = kept.get(key).await? else { return Ok(()) };
    if blake3::hash(&bytes).to_hex().as_str() != digest {
        let detail = "its bytes have another digest; take it from another copy of the backup".to_owned();
        return Err(CopyError::Differs { what: key.path(), detail });
    }
    target.put(key, bytes).await?;
    Ok(())
}

fn parse_line(line: &str) -> Option<(BlobKey, &str)> {
    let mut parts = line.split(' ');
    let key = BlobKey::parse(parts.next()?)?;
    let _size: u64 = parts.next()?.parse().ok()?;
    Some((key, parts.next()?))
}

async fn every_scan_has_its_object(backends: &Backends) -> Result<(), CopyError> {
    const BATCH: i64 = 1_000;
    let mut after = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let scans = tx.scans().all(after, BATCH).await?;
        drop(tx);
        let Some(last) = scans.last() else { return Ok(()) };
        after = Some(last.id);
        for scan in scans.iter().filter(|scan| scan.same_as.is_none()) {
            let key = BlobKey::Scan(scan.id);
            if !backends.blobs.exists(key).await? && backends.vault.key(scan.key_id).await?.is_some() {
                let detail = "the backup does not have it".to_owned();
                return Err(CopyError::Differs { what: key.path(), detail });
            }
        }
    }
}
