//! Large files on their way into a local folder: little memory, and what a killed server leaves is removed.

use std::{path::Path, sync::Arc};

use archive_tests::{
    client::Upload,
    entries,
    large_files::{self, Chain, MemoryWatch, Sender},
    scans,
    server::{Setup, TestServer},
    small_disk::SmallDisk,
};
use backends::{
    clock::{Clock, HandClock, SystemClock},
    connect::{Backends, BackendsConfig},
};
use chrono::TimeDelta;
use workers::timetable;

const OUTLET: &str = "TJHX0101";
/// By how much the server may grow for a file of whatever size; 28 to 43 MB were seen, what the allocator keeps included.
const MOST_GROWTH: u64 = 64 << 20;

async fn start() -> TestServer {
    // What reads scans holds them; the memory of the server that takes them in is looked at here.
    let setup = Setup::for_drills().with("INTAKE__MAX_BYTES", "268435456").without_work();
    let server = setup.start().await.unwrap();
    let first = Upload::of(vec![scans::small_page(1).unwrap()]);
    server.archivist().unwrap().upload(&first).await.unwrap().document().unwrap();
    server
}

/// Files below a folder, whether the store lists them or not.
fn files_in(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

async fn keys(server: &TestServer) -> i64 {
    server.catalogue().await.unwrap().backends().vault.count().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_many_megabytes_passes_into_a_folder_through_little_memory() {
    let mut server = start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = large_files::tiff(&folder.path().join("large.tif"), 13, Chain::Whole).unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let slip = entries::slip_number(1, OUTLET);

    let watch = MemoryWatch::start(server.pid().unwrap()).unwrap();
    let answer = large_files::send(&clerk, &large, &[("slip_number", &slip)]).await.unwrap();
    let growth = watch.growth();

    println!("{} bytes were taken in; the server grew by {growth} bytes", large.size_bytes);
    assert_eq!(answer.outcomes(), ["received"], "{}", answer.text);
    assert!(growth < MOST_GROWTH, "the server grew by {growth} bytes");
    let scan = server.catalogue().await.unwrap().scan(&answer.scan_ids()[0]).await.unwrap();
    assert_eq!((scan.size_bytes as u64, scan.digest), (large.size_bytes, large.digest));
    server.verify().await.unwrap();
    server.stop().await.unwrap();

    // The same by the command, which finds no server and takes it in itself.
    let path = large.path.to_str().unwrap();
    let said = server.command(&["ingest", path, "--outlet", OUTLET, "--slip", &slip]).await.unwrap();

    assert!(said.contains("received before"), "{said}");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_killed_in_the_middle_of_a_large_file_left_is_removed() {
    let mut server = start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = large_files::tiff(&folder.path().join("large.tif"), 3, Chain::Whole).unwrap();
    let (objects, spool) = (server.data().join("objects"), server.data().join("spool"));
    let before = (files_in(&objects), keys(&server).await);

    server.stand_still_at("intake::in_parts").unwrap();
    let mut sender = Sender::start(&server.archivist().unwrap(), &large, &[]).await.unwrap();
    sender.send(8 << 20).await.unwrap();
    server.wait_until_standing_at("intake::in_parts").await.unwrap();
    server.kill().await.unwrap();
    sender.leave().await;
    let left = (files_in(&objects), files_in(&spool));
    sweep_an_hour_later(server.data()).await;

    assert_eq!(left, (before.0 + 1, 0));
    assert_eq!(files_in(&objects), before.0);
    server.restart().await.unwrap();
    assert_eq!(keys(&server).await, before.1);
    assert_eq!(server.catalogue().await.unwrap().scans().await.unwrap().len(), 1);
    let again = large_files::send(&server.archivist().unwrap(), &large, &[]).await.unwrap();
    assert_eq!(again.outcomes(), ["received"], "{}", again.text);
    server.verify().await.unwrap();
}

async fn sweep_an_hour_later(data: &Path) {
    let clock = HandClock::new(SystemClock.now() + TimeDelta::minutes(61));
    let backends = Backends::connect(&BackendsConfig::embedded(data), Arc::new(clock)).await.unwrap();
    timetable::sweep(&backends).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_a_large_file_refuses_it_and_keeps_nothing() {
    let disk = SmallDisk::mount(48 << 20).unwrap();
    let mut server =
        Setup::for_drills().in_folder(&disk.path().join("data")).without_work().start().await.unwrap();
    let archivist = server.archivist().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // It needs its size twice: as an object and in the spool.
    let large = large_files::tiff(&folder.path().join("large.tif"), 4, Chain::Whole).unwrap();

    let refused = large_files::send(&archivist, &large, &[]).await.unwrap();
    let small = archivist.upload(&Upload::of(vec![scans::small_page(2).unwrap()])).await.unwrap();

    assert_eq!((refused.status.as_u16(), refused.code()), (507, "storage_full"), "{}", refused.text);
    assert!(server.is_running(), "a full disk ended the server");
    assert_eq!(small.outcomes(), ["received"], "{}", small.text);
    assert_eq!(files_in(&server.data().join("objects")), 1);
    server.verify().await.unwrap();
}
