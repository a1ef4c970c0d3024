//! The distributed side: rows go in and out through COPY.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    Copied, CopyError,
    lines::compared,
    sqlite::Batch,
    tables::{Column, Kind, Table, quoted},
};
use crate::database::postgres::make_months_since;

/// Tables that are never empty in an archive that was used.
const SIGNS_OF_USE: [&str; 7] =
    ["accounts", "case_files", "uploads", "operation_log", "jobs", "outlets", "data_keys"];

/// Whether a target is new, or holds the first part of the same copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    New,
    Resumed,
}

/// Marks the catalogue as the target of this copy, and empties it of what its migrations put in; refuses one that
/// holds anything else.
pub(super) async fn claim(
    connection: &mut PgConnection,
    tables: &[Table],
    source: &str,
    kind: &str,
) -> Result<Claimed, CopyError> {
    let known: Vec<(String, bool)> = sqlx::query_as("SELECT source, finished_at IS NOT NULL FROM copies")
        .fetch_all(&mut *connection)
        .await?;
    match known.as_slice() {
        [] => {}
        [(known, false)] if known == source => return Ok(Claimed::Resumed),
        _ => return Err(CopyError::TargetInUse { what: "the catalogue" }),
    }
    refuse_used(connection, tables, "the catalogue").await?;
    let mut tx = connection.begin().await?;
    truncate(&mut tx, tables).await?;
    let mark = "INSERT INTO copies (source, kind, started_at) VALUES ($1, $2, now())";
    sqlx::query(mark).bind(source).bind(kind).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Claimed::New)
}

/// Whether no copy into the catalogue was ever begun.
pub(super) async fn is_new(connection: &mut PgConnection) -> Result<bool, CopyError> {
    let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM copies").fetch_one(connection).await?;
    Ok(count == 0)
}

/// Ends the copy: from now on the archive may be served.
pub(super) async fn finish(connection: &mut PgConnection, source: &str) -> Result<(), CopyError> {
    let update = "UPDATE copies SET finished_at = now() WHERE source = $1";
    sqlx::query(update).bind(source).execute(connection).await?;
    Ok(())
}

/// Refuses a database that was used.
pub(super) async fn refuse_used(
    connection: &mut PgConnection,
    tables: &[Table],
    what: &'static str,
) -> Result<(), CopyError> {
    for table in tables.iter().filter(|table| SIGNS_OF_USE.contains(&table.name.as_str())) {
        let select = format!("SELECT EXISTS (SELECT 1 FROM \"{}\")", table.name);
        let (is_used,): (bool,) =
            sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_one(&mut *connection).await?;
        if is_used {
            return Err(CopyError::TargetInUse { what });
        }
    }
    Ok(())
}

/// Empties tables.
pub(super) async fn truncate(connection: &mut PgConnection, tables: &[Table]) -> Result<(), CopyError> {
    let truncate = format!("TRUNCATE {}", quoted(tables.iter().map(|table| table.name.as_str())));
    sqlx::query(sqlx::AssertSqlSafe(truncate)).execute(connection).await?;
    Ok(())
}

/// Stores a batch; all of it or nothing.
pub(super) async fn store(
    connection: &mut PgConnection,
    table: &Table,
    batch: &Batch,
) -> Result<(), CopyError> {
    let statement = format!("COPY \"{}\" ({}) FROM STDIN", table.name, table.column_list());
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(batch.lines.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

/// The key of the last row of a pass, as SQL for the embedded side; `None` when there is none.
pub(super) async fn last_key(
    connection: &mut PgConnection,
    table: &Table,
    pass: &str,
) -> Result<Option<String>, CopyError> {
    let literals: Result<Vec<String>, CopyError> = table.key.iter().map(literal).collect();
    let backwards: Vec<String> =
        table.key.iter().map(|column| format!("{} DESC", in_byte_order(column))).collect();
    let select = format!(
        "SELECT {} FROM \"{}\" AS source WHERE {pass} ORDER BY {} LIMIT 1",
        literals?.join(" || ',' || "),
        table.name,
        backwards.join(", ")
    );
    let found: Option<(String,)> =
        sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_optional(connection).await?;
    Ok(found.map(|(key,)| key))
}

/// Counts and digests a table, as the embedded side does.
pub(super) async fn summary(connection: &mut PgConnection, table: &Table) -> Result<Copied, CopyError> {
    let columns: Vec<String> =
        table.columns.iter().map(|column| compared(&column.name, column.kind)).collect();
    let order: Vec<String> = table.key.iter().map(in_byte_order).collect();
    let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
    for pass in table.passes() {
        let statement = format!(
            "COPY (SELECT {} FROM \"{}\" AS source WHERE {pass} ORDER BY {}) TO STDOUT",
            columns.join(", "),
            table.name,
            order.join(", ")
        );
        let mut pieces = connection.copy_out_raw(&statement).await?;
        while let Some(piece) = pieces.try_next().await? {
            hasher.update(&piece);
            count += piece.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        }
    }
    Ok(Copied { what: table.name.clone(), count, digest: hasher.finalize().to_hex().to_string() })
}

/// Texts sort by their bytes on the embedded side, whatever the locale of this one. A column alone would be that of the
/// answer, where numbers are texts, so that the table is named.
fn in_byte_order(column: &Column) -> String {
    match column.kind {
        Kind::Text => format!("source.\"{}\" COLLATE \"C\"", column.name),
        _ => format!("source.\"{}\"", column.name),
    }
}

/// An expression for the value as it is written in SQL on the embedded side.
fn literal(column: &Column) -> Result<String, CopyError> {
    let name = &column.name;
    match column.kind {
        Kind::Uuid => Ok(format!("'x''' || replace(\"{name}\"::text, '-', '') || ''''")),
        Kind::Bytes => Ok(format!("'x''' || encode(\"{name}\", 'hex') || ''''")),
        Kind::Integer => Ok(format!("\"{name}\"::text")),
        Kind::Text => Ok(format!("'''' || replace(\"{name}\", '''', '''''') || ''''")),
        Kind::Real | Kind::Instant | Kind::Day | Kind::Boolean => {
            Err(CopyError::Unusable(format!("column {name} cannot be part of a key that is copied")))
        }
    }
}

/// Makes the months of readings of which `first` is the oldest.
pub(super) async fn make_months(
    connection: &mut PgConnection,
    first: Uuid,
    now: DateTime<Utc>,
) -> Result<(), CopyError> {
    // The milliseconds of a UUIDv7 lead it.
    let milliseconds = i64::try_from(first.as_u128() >> 80).unwrap_or(i64::MAX);
    let made_at = DateTime::from_timestamp_millis(milliseconds).unwrap_or(now);
    make_months_since(connection, made_at.min(now), now).await?;
    Ok(())
}
