//! What is promised about PostgreSQL alone: what is refused, what is kept where, what is never sampled.

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use archive_tests::engines::{self, PrivatePostgres};
use backends::{
    clock::{Clock, HandClock, SystemClock, new_id},
    connect::{Backends, BackendsConfig, ConnectError},
    database::readings::ReadingRow,
    vault::RootKey,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::{PageId, ReadingId, ScanId},
    reading::EngineVersion,
};
use sqlx::{Connection, PgConnection, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::rows;

fn told(refused: Result<Backends, ConnectError>) -> String {
    let Err(error) = refused else { panic!("it was opened") };
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(this) = cause {
        told.push_str(": ");
        told.push_str(&this.to_string());
        cause = this.source();
    }
    told
}

async fn connect(config: &BackendsConfig) -> Result<Backends, ConnectError> {
    Backends::connect(config, Arc::new(SystemClock)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_encrypted_column_is_sampled_for_statistics() {
    let on = engines::postgres().await.unwrap();
    reading_made_at(&on.backends, on.backends.clock.now()).await;
    let mut database = PgConnection::connect(&on.config.database_url).await.unwrap();
    sqlx::query("ANALYZE").execute(&mut database).await.unwrap();

    let sampled: Vec<(String, String)> = sqlx::query_as(
        "SELECT attrelid::regclass::text, attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relkind IN ('r', 'p') AND attname LIKE '%\\_sealed' AND attstattarget <> 0",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let kept: Vec<(String,)> =
        sqlx::query_as("SELECT tablename::text FROM pg_stats WHERE attname LIKE '%\\_sealed'")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let (columns,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM pg_attribute WHERE attname LIKE '%\\_sealed' AND attnum > 0")
            .fetch_one(&mut database)
            .await
            .unwrap();

    assert_eq!((sampled, kept), (Vec::new(), Vec::new()));
    assert!(columns >= 7, "{columns} encrypted columns were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_are_kept_by_month_and_found_in_theirs_alone() {
    let on = engines::postgres().await.unwrap();
    let now = on.backends.clock.now();
    let made = [now - TimeDelta::days(70), now - TimeDelta::days(35), now, now + TimeDelta::days(35)];
    on.backends.database.make_months(made[0], now).await.unwrap();
    assert_eq!(on.backends.database.make_months(made[0], now).await.unwrap(), 0, "made twice");

    let mut ids = Vec::new();
    for instant in made {
        ids.push(reading_made_at(&on.backends, instant).await);
    }

    let mut database = PgConnection::connect(&on.config.database_url).await.unwrap();
    let mut places = BTreeMap::new();
    for (id, instant) in ids.iter().zip(made) {
        let (place,): (String,) =
            sqlx::query_as("SELECT tableoid::regclass::text FROM readings WHERE id = $1")
                .bind(id.uuid())
                .fetch_one(&mut database)
                .await
                .unwrap();
        assert_eq!(place, instant.format("readings_%Y_%m").to_string());
        places.insert(place, id);
        let explain = format!("EXPLAIN SELECT * FROM readings WHERE id = '{id}'");
        let plan: Vec<(String,)> =
            sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(&mut database).await.unwrap();
        let scans = plan.iter().filter(|(line,)| line.contains(" on readings_")).count();
        assert_eq!(scans, 1, "{plan:?}");
    }
    assert_eq!(places.len(), made.len(), "one month each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_from_a_month_that_was_never_made_is_kept_too() {
    let on = engines::postgres().await.unwrap();
    let long_ago = on.backends.clock.now() - TimeDelta::days(4_000);

    let id = reading_made_at(&on.backends, long_ago).await;

    let mut tx = on.backends.database.begin_read().await.unwrap();
    assert!(tx.readings().find(id).await.unwrap().is_some());
    drop(tx);
    assert!(on.backends.database.make_months(long_ago, on.backends.clock.now()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_disagrees_is_refused() {
    let on = engines::postgres().await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(HandClock::new(on.backends.clock.now() + TimeDelta::minutes(2)));

    let said = told(Backends::connect(&on.config, clock).await);

    assert!(said.contains("clock") && said.contains("NTP"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_replica_is_refused() {
    let on = engines::postgres().await.unwrap();
    let standby = on.server().unwrap().standby().unwrap();
    let mut config = on.config.clone();
    let database = config.database_url.rsplit('/').next().unwrap().to_owned();
    config.database_url = standby.address(&database);

    let said = told(connect(&config).await);

    assert!(said.contains("read replica") && said.contains("primary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_and_a_lock_are_not_waited_for_without_end() {
    let on = engines::postgres().await.unwrap();
    let mut config = on.config.clone();
    config.postgres.statement_limit = Duration::from_secs(30);
    config.postgres.lock_limit = Duration::from_millis(200);
    let backends = connect(&config).await.unwrap();
    let holder = PgPoolOptions::new().max_connections(1).connect(&config.database_url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();

    let mut tx = backends.database.begin().await.unwrap();
    let refused = tx.jobs().counts().await.unwrap_err();

    assert!(refused.is_transient(), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_known_by_the_authority_that_was_named() {
    let certificates = tempfile::tempdir().unwrap();
    make_certificates(certificates.path());
    let server = PrivatePostgres::start_with_tls(certificates.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("keys")).unwrap();
    let mut config = BackendsConfig::embedded(folder.path());
    RootKey::create(&config.root_key).unwrap();
    config.database_url = server.url("catalogue").unwrap();

    config.postgres.ca_file = Some(certificates.path().join("ca.pem"));
    assert!(connect(&config).await.is_ok());

    config.postgres.ca_file = Some(certificates.path().join("other.pem"));
    let said = told(connect(&config).await);
    assert!(said.contains("database.url") && said.contains("certificate"), "{said}");
}

/// An authority, a certificate of its for 127.0.0.1, and an authority that has nothing to do with it.
fn make_certificates(folder: &std::path::Path) {
    let script = "
        for name in ca other; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=$name \
                -keyout $name.key -out $name.pem -addext basicConstraints=critical,CA:TRUE
        done
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=db -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
        chmod 600 server.key";
    let done = Command::new("sh").args(["-e", "-c", script]).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Stores a scan with a page and a reading whose ids are of this instant.
async fn reading_made_at(backends: &Backends, instant: DateTime<Utc>) -> ReadingId {
    let account = rows::account(backends).await;
    let upload = rows::upload(backends, account, None);
    let scan = rows::scan(backends, upload.id, account, [7; 32]);
    let id: ReadingId = new_id(instant);
    let mut tx = backends.database.begin().await.unwrap();
    tx.scans().insert_uploads(&[rows::new_upload(upload, std::slice::from_ref(&scan))]).await.unwrap();
    let page = rows::page(backends, scan.id);
    tx.pages().put(std::slice::from_ref(&page)).await.unwrap();
    tx.readings().insert(&reading(id, page.id, scan.id, instant)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn reading(id: ReadingId, page_id: PageId, scan_id: ScanId, made_at: DateTime<Utc>) -> ReadingRow {
    ReadingRow {
        id,
        page_id,
        scan_id,
        engine: EngineVersion { engine: "test".to_owned(), version: "1".to_owned() },
        corrected_by: None,
        reading_sealed: Uuid::from_u128(9).as_bytes().to_vec(),
        cpu_ms: 1,
        made_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_or_lets_nobody_in_is_told_with_what_to_do() {
    let on = engines::postgres().await.unwrap();
    let server = on.server().unwrap();
    let at = |url: String| BackendsConfig { database_url: url, ..on.config.clone() };

    let nowhere = told(connect(&at(server.address("nodb"))).await);
    let nobody = told(connect(&at(on.config.database_url.replace("postgres@", "nobody@"))).await);

    assert!(nowhere.contains("database.url") && nowhere.contains("make it with `createdb`"), "{nowhere}");
    assert!(nobody.contains("database.url") && nobody.contains("pg_hba.conf"), "{nobody}");
}
