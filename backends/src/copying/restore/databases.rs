//! Putting the two databases back, each on the engine it came from: the catalogue may be on PostgreSQL and the keys
//! embedded, or the other way round.
//!
//! The catalogue is marked first, so that nothing is served from what is half there; whatever comes after the mark is
//! done again by a restore that goes on.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::Chosen;
use crate::{
    clock::Clock,
    connect::{BackendsConfig, split},
    copying::{
        CopyError, Manifest, at,
        backup::{EMBEDDED_FILE, copy_durably, make_folder},
        manifest::sync_folder_of,
        postgres, sqlite,
        tables::{self, Table},
    },
    database::{self, Database, postgres::open_alone},
};

/// Where one database is put back.
enum Place<'a> {
    Embedded(&'a Path),
    Postgres { connection: Box<PgConnection>, tables: Vec<Table> },
}

/// Puts keys and catalogue back where the target says; refuses a target that holds anything but the first part of this.
pub(super) async fn put_back(
    chosen: &Chosen,
    target: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    let mut catalogue =
        place(&chosen.manifest, ("database.url", &target.database_url), target, clock).await?;
    let mut keys = place(&chosen.keys_manifest, ("keys.url", &target.keys_url), target, clock).await?;
    if is_new(&mut catalogue, &chosen.name).await? {
        refuse_used_keys(&mut keys).await?;
    }
    match &mut catalogue {
        Place::Embedded(path) => put_embedded_catalogue(path, chosen, clock).await?,
        Place::Postgres { connection, tables } => {
            postgres::claim(connection, tables, &chosen.name, "restore").await?;
        }
    }
    match &mut keys {
        Place::Embedded(path) => put_embedded_keys(path, &chosen.keys)?,
        Place::Postgres { connection, tables } => fill(connection, tables, &chosen.keys).await?,
    }
    if let Place::Postgres { connection, tables } = &mut catalogue {
        if let Some(first) = first_reading(&chosen.catalogue)? {
            postgres::make_months(connection, first, clock.now()).await?;
        }
        fill(connection, tables, &chosen.catalogue).await?;
    }
    Ok(())
}

/// Opens the place of one database, which must be of the engine that the backup of it is of.
async fn place<'a>(
    of: &Manifest,
    (key, url): (&'static str, &'a str),
    target: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Place<'a>, CopyError> {
    match (of.engine.as_str(), split(url)) {
        ("sqlite", ("sqlite", path)) => Ok(Place::Embedded(Path::new(path))),
        ("postgres", ("postgres" | "postgresql", _)) => {
            let mut connection = open_alone(url, &target.postgres, clock, key).await?;
            let tables = tables::tables(&mut connection).await?;
            Ok(Place::Postgres { connection: Box::new(connection), tables })
        }
        ("sqlite", _) => Err(CopyError::Unusable(format!(
            "the backup has an embedded database for {key}: leave {key} empty and restore into the data folder; \
             `guidang migrate-data` then moves the archive"
        ))),
        (engine, _) => Err(CopyError::Unusable(format!(
            "the backup has a database on {engine} for {key}: let {key} name an empty one there"
        ))),
    }
}

/// Whether nothing is there yet; otherwise it is the first part of this very restore, or refused.
async fn is_new(catalogue: &mut Place<'_>, name: &str) -> Result<bool, CopyError> {
    match catalogue {
        Place::Embedded(path) if !path.exists() => Ok(true),
        Place::Embedded(path) => {
            let database = database::sqlite::SqliteDatabase::open(path).await?;
            match database.unfinished_copy().await? {
                Some(unfinished) if unfinished == name => Ok(false),
                _ => Err(CopyError::TargetInUse { what: "the catalogue" }),
            }
        }
        // What else it may hold is looked at when it is claimed.
        Place::Postgres { connection, .. } => postgres::is_new(connection).await,
    }
}

async fn refuse_used_keys(keys: &mut Place<'_>) -> Result<(), CopyError> {
    match keys {
        Place::Embedded(path) if path.exists() => Err(CopyError::TargetInUse { what: "the key store" }),
        Place::Embedded(_) => Ok(()),
        Place::Postgres { connection, tables } => {
            postgres::refuse_used(connection, tables, "the key store").await
        }
    }
}

/// Puts the catalogue back with its mark inside; one that is there has been put back before.
async fn put_embedded_catalogue(
    path: &Path,
    chosen: &Chosen,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    if path.exists() {
        return Ok(());
    }
    path.parent().map(make_folder).transpose()?;
    let new = path.with_extension("restoring");
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
    fs::rename(&new, path).map_err(at(path))?;
    sync_folder_of(path)
}

/// Puts the keys back, in the place of those that an earlier part of this restore put there: they may be newer now.
fn put_embedded_keys(path: &Path, folder: &Path) -> Result<(), CopyError> {
    path.parent().map(make_folder).transpose()?;
    let new = path.with_extension("restoring");
    copy_durably(&folder.join(EMBEDDED_FILE), &new)?;
    remove_embedded(path)?;
    fs::rename(&new, path).map_err(at(path))?;
    sync_folder_of(path)
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

/// The oldest reading of a backup, whose rows are in the order of their keys.
fn first_reading(folder: &Path) -> Result<Option<Uuid>, CopyError> {
    let path = folder.join("readings.copy");
    let file = BufReader::new(File::open(&path).map_err(at(&path))?);
    let first = file.lines().nth(1).transpose().map_err(at(&path))?;
    Ok(first.and_then(|line| line.split('\t').next().and_then(|id| Uuid::try_parse(id).ok())))
}

/// Fills every table from its file, all in one transaction.
async fn fill(connection: &mut PgConnection, all: &[Table], folder: &Path) -> Result<(), CopyError> {
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

async fn fill_one(connection: &mut PgConnection, table: &Table, path: &Path) -> Result<(), CopyError> {
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
