//! The embedded side: rows in the order of their keys, a batch at a time.

use chrono::DateTime;
use sqlx::{ConnectOptions, Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Copied, CopyError,
    lines::{Form, hex, push_field},
    tables::{Column, Kind, Table, quoted},
};
use crate::{database::sqlite::connect_options, error::StorageError};

const BATCH: i64 = 500;

/// Opens a database of the source that `SqliteDatabase` or `open_keys` has brought to the present version.
pub(super) async fn open(path: &std::path::Path) -> Result<SqliteConnection, CopyError> {
    Ok(connect_options(path).create_if_missing(false).connect().await?)
}

/// Some rows, as lines.
pub(super) struct Batch {
    pub(super) lines: Vec<u8>,
    pub(super) rows: u64,
    /// The key of the last row, as SQL; `None` when there was none.
    pub(super) last: Option<String>,
}

/// The rows of a pass whose keys come after `after`.
pub(super) async fn batch(
    connection: &mut SqliteConnection,
    table: &Table,
    pass: &str,
    after: Option<&str>,
    form: Form,
) -> Result<Batch, CopyError> {
    let key = quoted(table.key.iter().map(|column| column.name.as_str()));
    let quoted_key: Vec<String> =
        table.key.iter().map(|column| format!("quote(\"{}\")", column.name)).collect();
    let beyond = after.map(|after| format!(" AND ({key}) > ({after})")).unwrap_or_default();
    let select = format!(
        "SELECT {}, {} AS copy_cursor FROM \"{}\" WHERE {pass}{beyond} ORDER BY {key} LIMIT {BATCH}",
        table.column_list(),
        quoted_key.join(" || ',' || "),
        table.name,
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(&mut *connection).await?;
    let mut lines = Vec::new();
    for row in &rows {
        push_row(&mut lines, row, table, form)?;
    }
    let last = rows.last().map(|row| row.try_get::<String, _>("copy_cursor")).transpose()?;
    Ok(Batch { lines, rows: rows.len() as u64, last })
}

/// How many rows a table has.
pub(super) async fn count(connection: &mut SqliteConnection, table: &Table) -> Result<u64, CopyError> {
    let select = format!("SELECT count(*) FROM \"{}\"", table.name);
    let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// Counts and digests a table.
pub(super) async fn summary(connection: &mut SqliteConnection, table: &Table) -> Result<Copied, CopyError> {
    let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
    for pass in table.passes() {
        let mut after: Option<String> = None;
        loop {
            let batch = batch(connection, table, &pass, after.as_deref(), Form::Compared).await?;
            hasher.update(&batch.lines);
            count += batch.rows;
            if batch.last.is_none() {
                break;
            }
            after = batch.last;
        }
    }
    Ok(Copied { what: table.name.clone(), count, digest: hasher.finalize().to_hex().to_string() })
}

fn push_row(lines: &mut Vec<u8>, row: &SqliteRow, table: &Table, form: Form) -> Result<(), CopyError> {
    for (index, column) in table.columns.iter().enumerate() {
        if index > 0 {
            lines.push(b'\t');
        }
        let field = field(row, index, column, form)
            .map_err(|_| StorageError::corrupt("catalogue", format!("{}.{}", table.name, column.name)))?;
        push_field(lines, field.as_deref());
    }
    lines.push(b'\n');
    Ok(())
}

/// The value of a column as text.
fn field(row: &SqliteRow, index: usize, column: &Column, form: Form) -> Result<Option<String>, sqlx::Error> {
    let text = |row: &SqliteRow| row.try_get_unchecked::<Option<String>, _>(index);
    Ok(match column.kind {
        Kind::Uuid => row.try_get_unchecked::<Option<Vec<u8>>, _>(index)?.map(|bytes| hex(&bytes)),
        Kind::Bytes => {
            let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(index)?;
            bytes.map(|bytes| format!("\\x{}", hex(&bytes)))
        }
        Kind::Integer | Kind::Boolean => {
            row.try_get_unchecked::<Option<i64>, _>(index)?.map(|number| number.to_string())
        }
        Kind::Real => row.try_get_unchecked::<Option<f64>, _>(index)?.map(|number| real(number, form)),
        Kind::Text | Kind::Day => text(row)?,
        Kind::Instant => text(row)?.map(|text| instant(&text)).transpose()?,
    })
}

fn real(number: f64, form: Form) -> String {
    match form {
        Form::Stored => number.to_string(),
        Form::Compared => hex(&(number as f32).to_be_bytes()),
    }
}

fn instant(text: &str) -> Result<String, sqlx::Error> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(instant.to_utc().format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}
