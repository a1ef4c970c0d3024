//! Connecting to PostgreSQL: limits of every connection, and what is refused before anything starts.

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use super::bounded::within;
use crate::{clock::Clock, error::StorageError};

/// How PostgreSQL is used, for the catalogue and for the key store alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Most connections one process opens to each of its two databases.
    pub connections: u32,
    /// How long one statement may take.
    pub statement_limit: Duration,
    /// How long a statement may wait for a lock.
    pub lock_limit: Duration,
    /// How long a transaction may stand open without a word before the server ends it and frees what it holds.
    pub idle_limit: Duration,
    /// Certificates that the server's certificate must come from; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 16,
            statement_limit: Duration::from_mins(1),
            lock_limit: Duration::from_secs(10),
            idle_limit: Duration::from_mins(1),
            ca_file: None,
        }
    }
}

/// Oldest release that is known to work: the oldest one still maintained when this was written.
const OLDEST_VERSION: i32 = 140_000;
/// Clocks that disagree by more than this make leases and deadlines mean different things on two machines.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);
const ACQUIRE_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection of the pool may take to say that it lives. One that does not is closed.
const ALIVE_WITHIN: Duration = Duration::from_secs(3);
/// A connection that said so a moment ago is not asked again.
const SAID_LATELY: Duration = Duration::from_millis(100);
/// After so long without an answer the server takes a client for gone, and frees what it holds.
const CLIENT_GONE_AFTER: Duration = Duration::from_secs(30);
/// How often the server looks whether the client whose statement it runs has gone.
const LOOK_FOR_CLIENT: &str = "SET client_connection_check_interval = '10s'";

/// Every connection of this process to one database.
pub(super) fn connect_options(
    url: &str,
    options: &PostgresOptions,
) -> Result<PgConnectOptions, StorageError> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    let mut connect = PgConnectOptions::from_str(url)?.application_name("guidang").options([
        ("statement_timeout", milliseconds(options.statement_limit)),
        ("lock_timeout", milliseconds(options.lock_limit)),
        ("idle_in_transaction_session_timeout", milliseconds(options.idle_limit)),
        ("tcp_user_timeout", milliseconds(CLIENT_GONE_AFTER)),
        ("tcp_keepalives_idle", "10".to_owned()),
        ("tcp_keepalives_interval", "5".to_owned()),
        ("tcp_keepalives_count", "4".to_owned()),
        ("timezone", "UTC".to_owned()),
    ]);
    if let Some(ca_file) = &options.ca_file {
        connect = connect.ssl_root_cert(ca_file);
        // Whoever names authorities wants them asked; a weaker mode in the address would not ask them.
        if matches!(connect.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer) {
            connect = connect.ssl_mode(PgSslMode::VerifyFull);
        }
    }
    Ok(connect)
}

/// Opens one connection, refuses a server that must not be relied on, and brings the schema up to date.
/// The connection has no time limits: building an index may take its time.
pub(super) async fn prepare(
    connect: &PgConnectOptions,
    clock: &Arc<dyn Clock>,
    key: &'static str,
    migrations: &sqlx::migrate::Migrator,
) -> Result<PgConnection, StorageError> {
    let mut connection = open(connect).await?;
    within(ACQUIRE_LIMIT, probe(&mut connection, clock, key)).await?;
    lift_limits(&mut connection).await?;
    migrations.run(&mut connection).await.map_err(super::migration_failed)?;
    Ok(connection)
}

/// Opens one connection.
pub(super) async fn open(connect: &PgConnectOptions) -> Result<PgConnection, StorageError> {
    Ok(within(ACQUIRE_LIMIT, connect.connect()).await?)
}

/// For whoever copies or builds, and is alone on the connection.
pub(super) async fn lift_limits(connection: &mut PgConnection) -> Result<(), StorageError> {
    for limit in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        let lift = sqlx::AssertSqlSafe(format!("SET {limit} = 0"));
        within(ACQUIRE_LIMIT, sqlx::query(lift).execute(&mut *connection)).await?;
    }
    Ok(())
}

/// A bounded pool whose every connection leads to a primary, also after the one before it became a replica.
pub(super) fn pool(connect: PgConnectOptions, options: &PostgresOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(
                async move { if about.idle_for < SAID_LATELY { Ok(true) } else { lives(connection).await } },
            )
        })
        .after_release(|connection, _| Box::pin(lives(connection)))
        .after_connect(|connection, _| Box::pin(begin_well(connection)))
        .connect_lazy_with(connect)
}

/// Asks a connection whether it lives. An error closes it at once, with whatever was under way on it.
async fn lives(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    within(ALIVE_WITHIN, connection.ping()).await.map(|()| true)
}

async fn begin_well(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // A server whose system cannot tell refuses this; then it notices when it answers.
    let _ = sqlx::query(LOOK_FOR_CLIENT).execute(&mut *connection).await;
    refuse_replica(connection).await
}

async fn refuse_replica(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if is_replica(connection).await? {
        return Err(sqlx::Error::Protocol("the server has become a read replica".to_owned()));
    }
    Ok(())
}

async fn is_replica(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let select = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
    let (is_replica,): (bool,) = sqlx::query_as(select).fetch_one(connection).await?;
    Ok(is_replica)
}

async fn probe(
    connection: &mut PgConnection,
    clock: &Arc<dyn Clock>,
    key: &'static str,
) -> Result<(), StorageError> {
    let select = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let (number, version): (i32, String) = sqlx::query_as(select).fetch_one(&mut *connection).await?;
    if number < OLDEST_VERSION {
        return Err(refused(format!("{key} leads to PostgreSQL {version}; 14 or newer is needed")));
    }
    if is_replica(connection).await? {
        let advice = "which cannot be written to and may lag; point it to the primary";
        return Err(refused(format!("{key} leads to a read replica, {advice}")));
    }
    let before = clock.now();
    let (theirs,): (DateTime<Utc>,) =
        sqlx::query_as("SELECT clock_timestamp()").fetch_one(&mut *connection).await?;
    let off_by = clock_difference(before, theirs, clock.now());
    if off_by > CLOCK_TOLERANCE {
        let seconds = off_by.num_seconds();
        let advice = "set both by NTP, then start again";
        return Err(refused(format!(
            "the clock of {key} differs from this machine's by {seconds} s; {advice}"
        )));
    }
    Ok(())
}

/// How far `theirs` lies outside of the time between question and answer.
fn clock_difference(before: DateTime<Utc>, theirs: DateTime<Utc>, after: DateTime<Utc>) -> TimeDelta {
    (before - theirs).max(theirs - after).max(TimeDelta::zero())
}

fn refused(detail: String) -> StorageError {
    StorageError::Unsupported { what: "PostgreSQL", detail }
}

/// Closes a connection that has done its work; that this fails harms nothing.
pub(super) async fn close(connection: PgConnection) {
    drop(connection.close().await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_outside_of_question_and_answer_counts() {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);

        assert_eq!(clock_difference(at(10), at(12), at(14)), TimeDelta::zero());
        assert_eq!(clock_difference(at(10), at(4), at(14)), TimeDelta::seconds(6));
        assert_eq!(clock_difference(at(10), at(20), at(14)), TimeDelta::seconds(6));
    }

    #[test]
    fn named_authorities_are_always_asked() {
        let options = PostgresOptions { ca_file: Some("/etc/ca.pem".into()), ..PostgresOptions::default() };

        let connect = connect_options("postgres://a@db/x?sslmode=disable", &options).unwrap();

        assert!(matches!(connect.get_ssl_mode(), PgSslMode::VerifyFull));
    }
}
