//! Moving an embedded archive into a distributed one.

use std::{path::Path, sync::Arc};

use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{
    Copied, CopyError, OnStep, Step,
    lines::Form,
    objects, postgres, sqlite,
    tables::{self, Table},
};
use crate::{
    clock::Clock,
    connect::{BackendsConfig, engine, open_objects, split},
    database::{self, Database as _},
    vault::RootKey,
};

/// From where to where.
#[derive(Debug, Clone, Copy)]
pub struct Migration<'a> {
    /// The embedded archive; no server may work on it meanwhile.
    pub source: &'a BackendsConfig,
    /// Where it goes: catalogue and keys on PostgreSQL, objects anywhere.
    pub target: &'a BackendsConfig,
}

/// One database on both sides.
struct Pair {
    from: SqliteConnection,
    to: PgConnection,
    tables: Vec<Table>,
}

/// Copies catalogue, keys and objects, then counts and digests both sides. Begun again after it was cut short, it goes
/// on after the last key that arrived. Refuses a target that holds anything else.
pub async fn migrate(
    migration: Migration<'_>,
    clock: Arc<dyn Clock>,
    on_step: OnStep<'_>,
) -> Result<Vec<Copied>, CopyError> {
    let archive = same_root_key(migration)?;
    let mut catalogue = open_catalogue(migration, &clock).await?;
    let mut keys = open_keys(migration, &clock).await?;
    let name = archive.simple().to_string();
    if is_new(&mut catalogue.to).await? {
        postgres::refuse_used(&mut keys.to, &keys.tables, "the key store").await?;
    }
    let claimed = postgres::claim(&mut catalogue.to, &catalogue.tables, &name, "migrate-data").await?;
    tracing::info!(resumed = (claimed == postgres::Claimed::Resumed), "an archive is being moved");
    make_months(&mut catalogue, migration, &clock).await?;
    copy_rows(&mut catalogue, on_step).await?;
    copy_rows(&mut keys, on_step).await?;
    let (source, target) =
        (open_objects(migration.source, &clock).await?, open_objects(migration.target, &clock).await?);
    let copied_objects = objects::copy(&source, &target, on_step).await?;
    let mut copied = compare_rows(&mut catalogue, on_step).await?;
    copied.extend(compare_rows(&mut keys, on_step).await?);
    copied.push(copied_objects);
    postgres::finish(&mut catalogue.to, &name).await?;
    Ok(copied)
}

fn same_root_key(migration: Migration<'_>) -> Result<Uuid, CopyError> {
    let load =
        |config: &BackendsConfig| RootKey::load(&config.root_key).map_err(crate::connect::ConnectError::from);
    let (source, target) = (load(migration.source)?, load(migration.target)?);
    if source.id() == target.id() {
        return Ok(source.id());
    }
    let (from, to) = (migration.source.root_key.display(), migration.target.root_key.display());
    Err(CopyError::Unusable(format!("the target has another root key; copy {from} to {to} first")))
}

async fn is_new(connection: &mut PgConnection) -> Result<bool, CopyError> {
    let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM copies").fetch_one(connection).await?;
    Ok(count == 0)
}

async fn open_catalogue(migration: Migration<'_>, clock: &Arc<dyn Clock>) -> Result<Pair, CopyError> {
    let path = sqlite_path(&migration.source.database_url, "database.url")?;
    drop(database::sqlite::SqliteDatabase::open(path).await?);
    let url = postgres_url(&migration.target.database_url, "database.url")?;
    let to = database::postgres::open_alone(url, &migration.target.postgres, clock, "database.url").await;
    pair(path, to.map_err(engine("database.url"))?).await
}

async fn open_keys(migration: Migration<'_>, clock: &Arc<dyn Clock>) -> Result<Pair, CopyError> {
    let path = sqlite_path(&migration.source.keys_url, "keys.url")?;
    drop(database::sqlite::open_keys(path).await?);
    let url = postgres_url(&migration.target.keys_url, "keys.url")?;
    let to = database::postgres::open_alone(url, &migration.target.postgres, clock, "keys.url").await;
    pair(path, to.map_err(engine("keys.url"))?).await
}

async fn pair(from: &Path, mut to: PgConnection) -> Result<Pair, CopyError> {
    let tables = tables::tables(&mut to).await?;
    Ok(Pair { from: sqlite::open(from).await?, to, tables })
}

fn sqlite_path<'a>(url: &'a str, key: &str) -> Result<&'a Path, CopyError> {
    match split(url) {
        ("sqlite", path) => Ok(Path::new(path)),
        _ => Err(CopyError::Unusable(format!(
            "{key} of the source is not embedded; only sqlite: can be moved"
        ))),
    }
}

fn postgres_url<'a>(url: &'a str, key: &str) -> Result<&'a str, CopyError> {
    match split(url) {
        ("postgres" | "postgresql", _) => Ok(url),
        _ => Err(CopyError::Unusable(format!("{key} of the target must be postgres:"))),
    }
}

/// The months in which the source has readings.
async fn make_months(
    catalogue: &mut Pair,
    migration: Migration<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<(), CopyError> {
    let select = "SELECT id FROM readings ORDER BY id LIMIT 1";
    let first: Option<(Uuid,)> = sqlx::query_as(select).fetch_optional(&mut catalogue.from).await?;
    if let Some(first) = first.and_then(|(id,)| postgres::made_at(id)) {
        let (url, options) = (&migration.target.database_url, &migration.target.postgres);
        let target = database::postgres::PostgresDatabase::connect(url, options, clock).await?;
        target.make_months(first.min(clock.now()), clock.now()).await?;
    }
    Ok(())
}

async fn copy_rows(pair: &mut Pair, on_step: OnStep<'_>) -> Result<(), CopyError> {
    for table in &pair.tables {
        let total = sqlite::count(&mut pair.from, table).await?;
        let mut done = count(&mut pair.to, table).await?;
        on_step(Step { what: table.name.clone(), done, total });
        for pass in table.passes() {
            let mut after = postgres::last_key(&mut pair.to, table, &pass).await?;
            loop {
                let batch =
                    sqlite::batch(&mut pair.from, table, &pass, after.as_deref(), Form::Stored).await?;
                let Some(last) = &batch.last else { break };
                postgres::store(&mut pair.to, table, &batch).await?;
                done += batch.rows;
                on_step(Step { what: table.name.clone(), done, total });
                after = Some(last.clone());
            }
        }
    }
    Ok(())
}

async fn count(connection: &mut PgConnection, table: &Table) -> Result<u64, CopyError> {
    let select = format!("SELECT count(*) FROM \"{}\"", table.name);
    let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

async fn compare_rows(pair: &mut Pair, on_step: OnStep<'_>) -> Result<Vec<Copied>, CopyError> {
    let mut same = Vec::new();
    for table in &pair.tables {
        let here = sqlite::summary(&mut pair.from, table).await?;
        let there = postgres::summary(&mut pair.to, table).await?;
        on_step(Step { what: format!("{}, compared", table.name), done: there.count, total: here.count });
        if here != there {
            let detail = format!(
                "{} rows with digest {} became {} rows with digest {}",
                here.count, here.digest, there.count, there.digest
            );
            return Err(CopyError::Differs { what: format!("table {}", table.name), detail });
        }
        same.push(there);
    }
    Ok(same)
}
