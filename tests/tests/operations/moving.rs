//! An embedded archive becomes a distributed one, also when the move is killed in the middle.

use std::time::Duration;

use anyhow::Result;
use archive_tests::{
    client::Upload,
    engines::PrivatePostgres,
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};
use sqlx::{Connection, PgConnection};

use crate::program::{self, DistributedFolder, text};

const OUTLET: &str = "TJHX0101";
const ENTRIES: u64 = 3_000;

/// A stopped archive with entered data, placed scans, one twice, and some in the tray.
pub async fn used_archive(entered: u64) -> Result<TestServer> {
    let mut server = Setup::for_drills().start().await?;
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await?;
    let all: Vec<Entry> = (0..entered).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await?.document()?;
    for seed in 0..4 {
        let upload = Upload::of(vec![scans::small_page(seed)?, scans::small_page(seed / 2)?]);
        clerk.upload(&upload.for_slip(&entries::slip_number(seed / 2, OUTLET))).await?.document()?;
    }
    clerk.upload(&Upload::of(vec![scans::small_page(99)?])).await?.document()?;
    server.wait_until_settled().await?;
    server.stop().await?;
    Ok(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_moves_whole_even_when_the_move_is_killed() {
    let server = used_archive(ENTRIES).await.unwrap();
    let postgres = PrivatePostgres::start().unwrap();
    let target = DistributedFolder::new(&postgres, "moved").unwrap();
    let command = ["migrate-data", text(server.data()), text(&target.data)];

    kill_when_case_files_arrive(&command, &target).await;
    let refused = program::run(&["--data", text(&target.data), "verify"]).await.unwrap();
    assert!(!refused.is_done && refused.text.contains("has not ended"), "{}", refused.text);
    let arrived = count(&target, "case_files").await;
    let said = program::succeed(&command).await.unwrap();

    println!("{arrived} of {ENTRIES} case files had arrived before the kill\n{said}");
    assert_eq!(count(&target, "case_files").await, ENTRIES as i64);
    let here = program::verify(server.data()).await.unwrap();
    let there = program::verify(&target.data).await.unwrap();
    let looked_at =
        |lines: &str, number: &str| lines.lines().find(|line| line.contains(number)).map(str::to_owned);
    assert_eq!(looked_at(&here, "ok     1"), looked_at(&there, "ok     1"));
    assert_eq!(looked_at(&here, "ok     4"), looked_at(&there, "ok     4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_another_archive_is_refused() {
    let server = used_archive(5).await.unwrap();
    let postgres = PrivatePostgres::start().unwrap();
    let target = DistributedFolder::new(&postgres, "used").unwrap();
    program::succeed(&["--data", text(&target.data), "init"]).await.unwrap();
    let accounts = count(&target, "accounts").await;
    // Even with the right root key the rows that are there are not ours.
    std::fs::copy(server.data().join("keys/root.key"), target.data.join("keys/root.key")).unwrap();

    let refused = program::run(&["migrate-data", text(server.data()), text(&target.data)]).await.unwrap();

    assert!(!refused.is_done && refused.text.contains("holds other data"), "{}", refused.text);
    assert_eq!(count(&target, "accounts").await, accounts);
}

async fn kill_when_case_files_arrive(command: &[&str], target: &DistributedFolder) {
    let mut moving = program::start(command).unwrap();
    let mut database = PgConnection::connect(&target.database_url).await.unwrap();
    loop {
        assert!(moving.try_wait().unwrap().is_none(), "the move ended before it could be killed");
        let table = "SELECT to_regclass('case_files') IS NOT NULL AND to_regclass('copies') IS NOT NULL";
        let (is_made,): (bool,) = sqlx::query_as(table).fetch_one(&mut database).await.unwrap();
        if is_made {
            let select = "SELECT count(*) FROM case_files";
            let (arrived,): (i64,) = sqlx::query_as(select).fetch_one(&mut database).await.unwrap();
            if arrived > 0 {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    moving.kill().await.unwrap();
    require_unfinished(&mut database).await;
}

async fn count(target: &DistributedFolder, table: &str) -> i64 {
    let mut database = PgConnection::connect(&target.database_url).await.unwrap();
    let select = format!("SELECT count(*) FROM {table}");
    let (count,): (i64,) =
        sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_one(&mut database).await.unwrap();
    count
}

/// Starts a copy into the target, and kills it as soon as the target bears its mark.
pub async fn kill_when_begun(command: &[&str], target: &DistributedFolder) {
    let mut copying = program::start(command).unwrap();
    let mut database = PgConnection::connect(&target.database_url).await.unwrap();
    loop {
        assert!(copying.try_wait().unwrap().is_none(), "the copy ended before it could be killed");
        let table = "SELECT to_regclass('copies') IS NOT NULL";
        let (is_made,): (bool,) = sqlx::query_as(table).fetch_one(&mut database).await.unwrap();
        if is_made && count(target, "copies").await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    copying.kill().await.unwrap();
    require_unfinished(&mut database).await;
}

async fn require_unfinished(database: &mut PgConnection) {
    let select = "SELECT count(*) = 1 FROM copies WHERE finished_at IS NULL";
    let (is_open,): (bool,) = sqlx::query_as(select).fetch_one(database).await.unwrap();
    assert!(is_open, "the copy had ended");
}
