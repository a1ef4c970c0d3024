//! Months: readings are kept in one partition for each month in which they were made.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::error::StorageError;

/// Months that are made ahead, so that one may fail for weeks before anything falls outside of them.
const AHEAD: u32 = 3;

/// Makes the partitions from the month of `first` to a few after `now`, and gives how many were new. A month whose
/// rows are among the others already is left there: it costs speed, not truth.
pub(super) async fn make(
    connection: &mut PgConnection,
    first: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u32, StorageError> {
    let end = month_of(now) + Months::new(AHEAD);
    let (mut month, mut made) = (month_of(first), 0);
    while month <= end {
        if make_one(connection, month).await? {
            made += 1;
        }
        month = month + Months::new(1);
    }
    Ok(made)
}

async fn make_one(connection: &mut PgConnection, month: NaiveDate) -> Result<bool, StorageError> {
    let name = format!("readings_{}_{:02}", month.year(), month.month());
    let (from, to) = (first_id(month), first_id(month + Months::new(1)));
    let mut tx = connection.begin().await?;
    // Two processes that make the same month take turns; the second finds it made.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('guidang months'))").execute(&mut *tx).await?;
    let (exists,): (bool,) =
        sqlx::query_as("SELECT to_regclass($1) IS NOT NULL").bind(&name).fetch_one(&mut *tx).await?;
    if exists {
        return Ok(false);
    }
    let among_others = "SELECT EXISTS (SELECT 1 FROM readings_other WHERE id >= $1 AND id < $2)";
    let (is_taken,): (bool,) = sqlx::query_as(among_others).bind(from).bind(to).fetch_one(&mut *tx).await?;
    if is_taken {
        return Ok(false);
    }
    let create = format!("CREATE TABLE {name} PARTITION OF readings FOR VALUES FROM ('{from}') TO ('{to}')");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut *tx).await?;
    let forget = format!("ALTER TABLE {name} ALTER COLUMN reading_sealed SET STATISTICS 0");
    sqlx::query(sqlx::AssertSqlSafe(forget)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

fn month_of(instant: DateTime<Utc>) -> NaiveDate {
    let day = instant.date_naive();
    day.with_day(1).unwrap_or(day)
}

/// The lowest UUIDv7 of a month: its milliseconds lead.
fn first_id(month: NaiveDate) -> Uuid {
    let midnight = month.and_time(chrono::NaiveTime::MIN).and_utc();
    let milliseconds = u128::try_from(midnight.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_lies_in_the_month_in_which_it_was_made() {
        let made = DateTime::parse_from_rfc3339("2026-12-31T23:59:59.999Z").unwrap().to_utc();
        let id = crate::clock::new_id::<domain::ids::JobKind>(made).uuid();

        assert!(id >= first_id(month_of(made)));
        assert!(id < first_id(month_of(made) + Months::new(1)));
    }
}
