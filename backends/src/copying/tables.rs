//! Which tables there are, in an order in which they can be filled, read from the database itself.

use sqlx::PgConnection;

use crate::error::StorageError;

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The primary key.
    pub(super) key: Vec<Column>,
    /// The column that names another row of the same table, where there is one: rows without it go first.
    pub(super) self_reference: Option<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Bytes,
    Integer,
    Real,
    Text,
    Instant,
    Day,
    Boolean,
}

/// Tables that describe this copy of the archive, not the archive.
const NOT_COPIED: [&str; 4] = ["_sqlx_migrations", "copies", "index_snapshots", "uploads_under_way"];

impl Table {
    /// The conditions whose rows are copied one after the other.
    pub(super) fn passes(&self) -> Vec<String> {
        match &self.self_reference {
            None => vec!["TRUE".to_owned()],
            Some(column) => vec![format!("\"{column}\" IS NULL"), format!("\"{column}\" IS NOT NULL")],
        }
    }

    /// Column names, quoted, with commas between.
    pub(super) fn column_list(&self) -> String {
        quoted(self.columns.iter().map(|column| column.name.as_str()))
    }
}

pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// Every table of the archive, each after those it refers to.
pub(super) async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>, StorageError> {
    let select = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname";
    let names: Vec<(String,)> = sqlx::query_as(select).fetch_all(&mut *connection).await?;
    let select =
        "SELECT conrelid::regclass::text, confrelid::regclass::text, attname::text FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE contype = 'f' AND conparentid = 0";
    let references: Vec<(String, String, String)> =
        sqlx::query_as(select).fetch_all(&mut *connection).await?;
    let mut found = Vec::new();
    for (name,) in names.into_iter().filter(|(name,)| !NOT_COPIED.contains(&name.as_str())) {
        let itself = references.iter().find(|(from, to, _)| *from == name && *to == name);
        let self_reference = itself.map(|(_, _, column)| column.clone());
        found.push(table(connection, name, self_reference).await?);
    }
    in_order(found, &references)
}

async fn table(
    connection: &mut PgConnection,
    name: String,
    self_reference: Option<String>,
) -> Result<Table, StorageError> {
    let select = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let rows: Vec<(String, String)> = sqlx::query_as(select).bind(&name).fetch_all(&mut *connection).await?;
    let columns: Result<Vec<Column>, StorageError> = rows
        .into_iter()
        .map(|(column, kind)| {
            let kind = kind_of(&kind).ok_or_else(|| unknown(&name, &column, &kind))?;
            Ok(Column { name: column, kind })
        })
        .collect();
    let columns = columns?;
    let select = "SELECT attname::text FROM pg_index
        CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS part (number, place)
        JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number
        WHERE indrelid = $1::regclass AND indisprimary ORDER BY part.place";
    let key: Vec<(String,)> = sqlx::query_as(select).bind(&name).fetch_all(&mut *connection).await?;
    let of_key = |name: &String| columns.iter().find(|column| column.name == *name).cloned();
    let key: Vec<Column> = key.iter().filter_map(|(name,)| of_key(name)).collect();
    if key.is_empty() {
        let detail = format!("table {name} has no primary key and cannot be copied");
        return Err(StorageError::Unsupported { what: "catalogue", detail });
    }
    Ok(Table { name, columns, key, self_reference })
}

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "uuid" => Kind::Uuid,
        "bytea" => Kind::Bytes,
        "bigint" | "integer" | "smallint" => Kind::Integer,
        "real" => Kind::Real,
        "text" => Kind::Text,
        "timestamp with time zone" => Kind::Instant,
        "date" => Kind::Day,
        "boolean" => Kind::Boolean,
        _ => return None,
    })
}

fn unknown(table: &str, column: &str, kind: &str) -> StorageError {
    let detail = format!("column {table}.{column} is a {kind}, which this release cannot copy");
    StorageError::Unsupported { what: "catalogue", detail }
}

/// Puts each table after those it refers to.
fn in_order(
    mut left: Vec<Table>,
    references: &[(String, String, String)],
) -> Result<Vec<Table>, StorageError> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_free = |table: &Table| {
            let mut named =
                references.iter().filter(|(from, to, _)| *from == table.name && *to != table.name);
            named.all(|(_, to, _)| ordered.iter().any(|done| done.name == *to))
        };
        let (free, bound): (Vec<Table>, Vec<Table>) = left.into_iter().partition(is_free);
        if free.is_empty() {
            let names: Vec<&str> = bound.iter().map(|table| table.name.as_str()).collect();
            let detail = format!("tables {} refer to each other in a circle", names.join(", "));
            return Err(StorageError::Unsupported { what: "catalogue", detail });
        }
        ordered.extend(free);
        left = bound;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        Table { name: name.to_owned(), columns: Vec::new(), key: Vec::new(), self_reference: None }
    }

    fn reference(from: &str, to: &str) -> (String, String, String) {
        (from.to_owned(), to.to_owned(), "id".to_owned())
    }

    #[test]
    fn a_table_comes_after_those_it_refers_to() {
        let references = [reference("a", "b"), reference("b", "c"), reference("c", "c")];

        let ordered = in_order(vec![table("a"), table("b"), table("c")], &references).unwrap();

        let names: Vec<&str> = ordered.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
    }

    #[test]
    fn a_circle_is_refused() {
        let references = [reference("a", "b"), reference("b", "a")];

        assert!(in_order(vec![table("a"), table("b")], &references).is_err());
    }
}
