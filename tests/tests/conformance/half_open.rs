//! PostgreSQL over a line of which one end knows nothing any more, and clients that stand still.

use std::{sync::Arc, time::Duration};

use archive_tests::{
    engines::{self, TestBackends},
    tcp_proxy::TcpProxy,
};
use backends::{
    clock::SystemClock,
    connect::{Backends, BackendsConfig},
    error::StorageError,
};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::rows;

/// Only so that what hangs fails.
const NEVER: Duration = Duration::from_mins(2);
const CONNECTIONS: usize = 6;

async fn connect(config: &BackendsConfig) -> Backends {
    Backends::connect(config, Arc::new(SystemClock)).await.unwrap()
}

async fn over_proxy(on: &TestBackends) -> (TcpProxy, Backends) {
    let server = on.server().unwrap().host_and_port();
    let proxy = TcpProxy::before(&server).await.unwrap();
    let mut config = on.config.clone();
    config.database_url = config.database_url.replace(&server, &proxy.address);
    config.keys_url = config.keys_url.replace(&server, &proxy.address);
    config.postgres.statement_limit = Duration::from_secs(2);
    (proxy, connect(&config).await)
}

/// As many connections as this are open at once, and every one of them answers.
async fn use_connections(backends: &Backends) {
    let all_open = Arc::new(tokio::sync::Barrier::new(CONNECTIONS));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (backends, all_open) = (backends.clone(), Arc::clone(&all_open));
        tasks.spawn(async move {
            let mut tx = backends.database.begin().await?;
            all_open.wait().await;
            tx.jobs().counts().await?;
            backends.vault.count().await
        });
    }
    for done in tasks.join_all().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_comes_is_given_up_and_its_connection_replaced() {
    let on = engines::postgres().await.unwrap();
    let (proxy, backends) = over_proxy(&on).await;
    use_connections(&backends).await;
    let mut holder = PgConnection::connect(&on.config.database_url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();

    let asked = backends.clone();
    let asking = tokio::spawn(async move {
        let mut tx = asked.database.begin().await?;
        tx.jobs().counts().await
    });
    until_somebody_waits(&on).await;
    proxy.strand();
    let given_up = tokio::time::timeout(NEVER, asking).await.unwrap().unwrap();
    held.rollback().await.unwrap();
    // Every other connection of the pool is as dead as that one.
    tokio::time::timeout(NEVER, use_connections(&backends)).await.unwrap();

    assert!(matches!(given_up, Err(StorageError::Unavailable { .. })), "{given_up:?}");
}

async fn until_somebody_waits(on: &TestBackends) {
    let mut look = PgConnection::connect(&on.config.database_url).await.unwrap();
    let select = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()";
    loop {
        let (waiting,): (i64,) = sqlx::query_as(select).fetch_one(&mut look).await.unwrap();
        if waiting > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_never_comes_is_an_error_that_may_be_tried_again() {
    let on = engines::postgres().await.unwrap();
    let (proxy, backends) = over_proxy(&on).await;
    let mut tx = backends.database.begin().await.unwrap();
    tx.jobs().enqueue(&rows::job(&backends, 7)).await.unwrap();

    proxy.strand();
    let committed = tokio::time::timeout(NEVER, tx.commit()).await.unwrap();

    assert!(committed.as_ref().is_err_and(StorageError::is_transient), "{committed:?}");
    let mut again = backends.database.begin().await.unwrap();
    again.jobs().enqueue(&rows::job(&backends, 8)).await.unwrap();
    again.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_still_in_a_transaction_holds_others_up_for_a_while_only() {
    let on = engines::postgres().await.unwrap();
    let mut config = on.config.clone();
    config.postgres.idle_limit = Duration::from_millis(500);
    config.postgres.lock_limit = Duration::from_secs(50);
    let (still, other) = (connect(&config).await, connect(&config).await);
    let mut stands = still.database.begin().await.unwrap();
    stands.jobs().enqueue(&rows::job(&still, 7)).await.unwrap();

    let mut tx = other.database.begin().await.unwrap();
    tx.jobs().enqueue(&rows::job(&other, 7)).await.unwrap();
    tx.commit().await.unwrap();

    let late = stands.commit().await;
    assert!(late.as_ref().is_err_and(StorageError::is_transient), "{late:?}");
}
