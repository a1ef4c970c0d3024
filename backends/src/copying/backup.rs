//! Taking a backup while the archive is at work: one state of the catalogue, then the keys, then objects that are new.
//!
//! The order matters: keys and objects are durable before the rows that need them, so what is copied after the catalogue
//! holds everything that the catalogue names.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use blake3::Hash;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Connection, Executor};

use super::{
    CopyError, Manifest, OnStep, Step, at,
    manifest::{FORMAT, FileDigest, sync_folder_of},
    newest, objects, sqlite, tables,
};
use crate::{
    blob_store::{BlobKey, BlobStore},
    connect::{Backends, BackendsConfig, split},
    database::postgres,
};

/// What a backup consists of.
#[derive(Debug, Clone, Copy)]
pub struct Backup<'a> {
    /// Where the archive is.
    pub config: &'a BackendsConfig,
    /// The file of signed heads of the operation log.
    pub heads: &'a Path,
    /// Where catalogue and objects go; `None` for the keys alone.
    pub folder: Option<&'a Path>,
    /// Where keys go: a place of its own, which forgets soon.
    pub keys: &'a Path,
    /// How long old copies of the keys are kept.
    pub keep_keys: TimeDelta,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The name of this backup: the instant it was begun.
    pub name: String,
    /// Bytes of the catalogue.
    pub catalogue_bytes: u64,
    /// Objects that were new.
    pub new_objects: u64,
    /// Copies of the keys that were too old and are gone.
    pub forgotten_keys: u64,
}

/// Where catalogues are kept in the folder of a backup.
pub(super) const CATALOGUES: &str = "catalogues";
/// Where objects are kept in the folder of a backup.
pub(super) const OBJECTS: &str = "objects";
/// Every object ever backed up with its digest, one a line, appended only.
pub(super) const OBJECT_LIST: &str = "objects.list";
/// The name of the embedded catalogue or key store in a backup.
pub(super) const EMBEDDED_FILE: &str = "database.db";
/// The name of the heads in a backup.
pub(super) const HEADS: &str = "heads.jsonl";

/// How long the keys of another backup are waited for, and how often they are looked at.
const TURN_PATIENCE: Duration = Duration::from_mins(30);
const LOOK_FOR_TURN_EVERY: Duration = Duration::from_millis(250);
/// Length of a name such as `20261122T040506000007Z`.
const NAME_LENGTH: usize = 22;

/// Takes a backup.
pub async fn back_up(
    backup: Backup<'_>,
    backends: &Backends,
    on_step: OnStep<'_>,
) -> Result<BackedUp, CopyError> {
    let taken_at = backends.clock.now();
    let mut done =
        BackedUp { name: name_of(taken_at), catalogue_bytes: 0, new_objects: 0, forgotten_keys: 0 };
    let _turn = backup.folder.map(take_turn).transpose()?;
    let catalogue = match backup.folder {
        Some(folder) => {
            remove_unfinished(&folder.join(CATALOGUES))?;
            Some(back_up_catalogue(backup, folder, backends, &done.name, taken_at).await?)
        }
        None => None,
    };
    done.forgotten_keys = back_up_keys(backup, backends).await?;
    if let (Some(folder), Some((place, mut manifest))) = (backup.folder, catalogue) {
        let (new, lines) = back_up_objects(folder, &backends.blobs, on_step).await?;
        manifest.object_lines = lines;
        manifest.write(&place)?;
        done.new_objects = new;
        done.catalogue_bytes = manifest.files.iter().map(|file| file.size_bytes).sum();
    }
    Ok(done)
}

fn name_of(taken_at: DateTime<Utc>) -> String {
    taken_at.format("%Y%m%dT%H%M%S%6fZ").to_string()
}

/// One backup into a folder at a time.
fn take_turn(folder: &Path) -> Result<File, CopyError> {
    try_to_take_turn(folder)?.ok_or_else(|| under_way(folder))
}

/// The same for the folder of keys, which the nightly and the hourly backup share: whoever comes second waits. Both
/// have it for as long as keys take, not for as long as objects do.
async fn wait_for_turn(folder: &Path) -> Result<File, CopyError> {
    let waiting = async {
        loop {
            if let Some(turn) = try_to_take_turn(folder)? {
                return Ok(turn);
            }
            tokio::time::sleep(LOOK_FOR_TURN_EVERY).await;
        }
    };
    tokio::time::timeout(TURN_PATIENCE, waiting).await.unwrap_or_else(|_| Err(under_way(folder)))
}

fn try_to_take_turn(folder: &Path) -> Result<Option<File>, CopyError> {
    make_folder(folder)?;
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(source)) => Err(at(&path)(source)),
    }
}

fn under_way(folder: &Path) -> CopyError {
    CopyError::Unusable(format!(
        "another backup into {} is under way; run this one again when it has ended",
        folder.display()
    ))
}

async fn back_up_catalogue(
    backup: Backup<'_>,
    folder: &Path,
    backends: &Backends,
    name: &str,
    taken_at: DateTime<Utc>,
) -> Result<(PathBuf, Manifest), CopyError> {
    let place = folder.join(CATALOGUES).join(name);
    make_folder(&place)?;
    let mut files = Vec::new();
    // Before the catalogue: a head must not speak of entries that its copy does not have.
    if backup.heads.exists() {
        copy_durably(backup.heads, &place.join(HEADS))?;
        files.push(HEADS.to_owned());
    }
    let url = &backup.config.database_url;
    files.extend(dump(url, backup.config, &place).await?);
    let manifest = manifest(&place, backends, url, &files, taken_at)?;
    Ok((place, manifest))
}

/// Copies the keys, and removes copies that are too old; says how many those were.
async fn back_up_keys(backup: Backup<'_>, backends: &Backends) -> Result<u64, CopyError> {
    let _turn = wait_for_turn(backup.keys).await?;
    remove_unfinished(backup.keys)?;
    // Named when its turn has come: the last name is to be that of the newest keys.
    let taken_at = backends.clock.now();
    let name = name_of(taken_at);
    let place = backup.keys.join(&name);
    make_folder(&place)?;
    let url = &backup.config.keys_url;
    let mut files = dump(url, backup.config, &place).await?;
    newest::write_holds(backends.database.as_ref(), &place).await?;
    files.push(newest::HOLDS.to_owned());
    manifest(&place, backends, url, &files, taken_at)?.write(&place)?;
    forget_keys(backup, &name, taken_at)
}

fn manifest(
    place: &Path,
    backends: &Backends,
    url: &str,
    files: &[String],
    taken_at: DateTime<Utc>,
) -> Result<Manifest, CopyError> {
    let files: Result<Vec<FileDigest>, CopyError> =
        files.iter().map(|name| FileDigest::of(place, name)).collect();
    let engine = if split(url).0 == "sqlite" { "sqlite" } else { "postgres" };
    Ok(Manifest {
        format: FORMAT,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        archive: backends.vault.root_id(),
        engine: engine.to_owned(),
        taken_at,
        files: files?,
        object_lines: 0,
    })
}

/// Writes one state of a database into a folder and names the files.
async fn dump(url: &str, config: &BackendsConfig, place: &Path) -> Result<Vec<String>, CopyError> {
    match split(url) {
        ("sqlite", path) => dump_sqlite(Path::new(path), &place.join(EMBEDDED_FILE)).await,
        _ => dump_postgres(url, config, place).await,
    }
}

/// `VACUUM INTO` writes one state without keeping anybody from writing, and leaves out what was deleted.
async fn dump_sqlite(from: &Path, to: &Path) -> Result<Vec<String>, CopyError> {
    let mut connection = sqlite::open(from).await?;
    sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().into_owned()).execute(&mut connection).await?;
    connection.close().await?;
    File::open(to).and_then(|file| file.sync_all()).map_err(at(to))?;
    sync_folder_of(to)?;
    Ok(vec![EMBEDDED_FILE.to_owned()])
}

/// Every table through COPY, in one transaction that sees one state. Our own, since `pg_dump` must match the server's
/// release and may not be where we are.
async fn dump_postgres(url: &str, config: &BackendsConfig, place: &Path) -> Result<Vec<String>, CopyError> {
    let mut connection = postgres::connect_alone(url, &config.postgres).await?;
    let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    tx.execute("SET LOCAL statement_timeout = 0").await?;
    let mut files = Vec::new();
    for table in tables::tables(&mut tx).await? {
        let name = format!("{}.copy", table.name);
        let path = place.join(&name);
        let mut file = std::io::BufWriter::new(File::create(&path).map_err(at(&path))?);
        // The first line names the columns, so that a later release can put them where they belong.
        writeln!(file, "{}", table.column_list()).map_err(at(&path))?;
        // By a query, since COPY itself refuses a table with partitions.
        let key = tables::quoted(table.key.iter().map(|column| column.name.as_str()));
        let columns = table.column_list();
        let statement = format!("COPY (SELECT {columns} FROM \"{}\" ORDER BY {key}) TO STDOUT", table.name);
        let mut pieces = tx.copy_out_raw(&statement).await?;
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).map_err(at(&path))?;
        }
        drop(pieces);
        let file = file.into_inner().map_err(|error| at(&path)(error.into_error()))?;
        file.sync_all().map_err(at(&path))?;
        files.push(name);
    }
    tx.rollback().await?;
    sync_folder_of(&place.join(HEADS))?;
    Ok(files)
}

/// Copies objects that are not there yet; gives how many, and how long the list of all is now.
async fn back_up_objects(
    folder: &Path,
    source: &BlobStore,
    on_step: OnStep<'_>,
) -> Result<(u64, u64), CopyError> {
    let kept = folder.join(OBJECTS);
    make_folder(&kept)?;
    let kept = BlobStore::local(&kept)?;
    // Parts that a crash left behind: nobody else writes here.
    kept.abandon_unfinished(DateTime::<Utc>::MAX_UTC).await?;
    let list_path = folder.join(OBJECT_LIST);
    end_torn_line(&list_path)?;
    let mut list =
        OpenOptions::new().create(true).append(true).mode(0o600).open(&list_path).map_err(at(&list_path))?;
    let total = objects::count(source).await?;
    let (mut listed, mut done, mut new) = (source.list(), 0, 0);
    while let Some(object) = listed.next().await {
        let object = object?;
        let Some(key) = objects::travelling(&object) else { continue };
        done += 1;
        on_step(Step { what: "objects".to_owned(), done, total: total.max(done) });
        if is_kept_whole(&kept, source, key, object.size_bytes).await? {
            continue;
        }
        // The line first: an object without its line would never be restored, a line without its object is made good
        // by the next backup.
        let write_line = |size_bytes: u64, digest: Hash| {
            let line = format!("{} {size_bytes} {}\n", key.path(), digest.to_hex());
            list.write_all(line.as_bytes()).and_then(|()| list.sync_data()).map_err(at(&list_path))
        };
        // Destroyed since it was listed: then nobody needs it.
        if !objects::carry(source, &kept, key, write_line).await? {
            continue;
        }
        new += 1;
    }
    Ok((new, count_lines(&list_path)?))
}

/// Whether an object is backed up already. One that a power cut left with its name and without its bytes is removed, to
/// be copied again; never one that the source does not have any more.
async fn is_kept_whole(
    kept: &BlobStore,
    source: &BlobStore,
    key: BlobKey,
    listed_bytes: u64,
) -> Result<bool, CopyError> {
    let Some(kept_bytes) = kept.size_bytes(key).await? else { return Ok(false) };
    if kept_bytes == listed_bytes {
        return Ok(true);
    }
    // A listing of versions may speak of a marker; the object itself decides.
    if source.size_bytes(key).await?.is_none_or(|size_bytes| size_bytes == kept_bytes) {
        return Ok(true);
    }
    tracing::warn!(path = key.path(), "an object of an earlier backup was cut short and is copied again");
    kept.delete(key).await?;
    Ok(false)
}

/// Takes away a line that a crash cut short.
fn end_torn_line(path: &Path) -> Result<(), CopyError> {
    use std::io::{Read, Seek, SeekFrom};
    const LONGEST_LINE: u64 = 512;
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(at(path))?,
    };
    let length = file.metadata().map_err(at(path))?.len();
    let start = length.saturating_sub(LONGEST_LINE);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut end)).map_err(at(path))?;
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place as u64 + 1);
    file.set_len(start + whole).map_err(at(path))
}

fn count_lines(path: &Path) -> Result<u64, CopyError> {
    use std::io::BufRead;
    let file = std::io::BufReader::new(File::open(path).map_err(at(path))?);
    let mut count = 0;
    for line in file.lines() {
        line.map_err(at(path))?;
        count += 1;
    }
    Ok(count)
}

/// Removes copies of the keys that are older than they may be; never the one just made.
fn forget_keys(backup: Backup<'_>, newest: &str, now: DateTime<Utc>) -> Result<u64, CopyError> {
    let mut forgotten = 0;
    for (name, place) in copies_in(backup.keys)? {
        let taken_at = Manifest::read(&place).map(|manifest| manifest.taken_at);
        if name != newest && taken_at.is_ok_and(|taken_at| taken_at < now - backup.keep_keys) {
            fs::remove_dir_all(&place).map_err(at(&place))?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// Complete copies in a folder, oldest first.
pub(super) fn copies_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, CopyError> {
    let mut copies = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(copies),
        other => other.map_err(at(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        if entry.path().join("manifest.json").exists() {
            copies.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    copies.sort();
    Ok(copies)
}

/// Removes copies that a crash cut short: they have no manifest.
fn remove_unfinished(folder: &Path) -> Result<(), CopyError> {
    make_folder(folder)?;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let is_ours = path.is_dir() && path.file_name().is_some_and(|name| name.len() == NAME_LENGTH);
        if is_ours && !path.join("manifest.json").exists() {
            fs::remove_dir_all(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

pub(super) fn make_folder(folder: &Path) -> Result<(), CopyError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

pub(super) fn copy_durably(from: &Path, to: &Path) -> Result<(), CopyError> {
    fs::copy(from, to).map_err(at(from))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(at(to))?;
    sync_folder_of(to)
}
