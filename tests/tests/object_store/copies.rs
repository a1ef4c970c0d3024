//! An archive whose objects are on S3 is backed up, put back and moved.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Result, ensure};
use archive_tests::{
    client::Upload,
    engines::PrivatePostgres,
    entries::{self, Entry},
    scans, server,
};
use tokio::process::Command;

use crate::archive::{OUTLET, OnS3};

/// Runs the executable on a data folder that says everything itself; anything but success is an error.
async fn succeed(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(server::program()?);
    let done = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "guidang {}:\n{said}", arguments.join(" "));
    Ok(said)
}

/// Makes a data folder with its configuration and the root key of another one.
fn folder(on: &OnS3, data: &Path, prefix: &str, more: &str) {
    fs::create_dir_all(data.join("keys")).unwrap();
    fs::copy(on.server.data().join("keys/root.key"), data.join("keys/root.key")).unwrap();
    fs::write(data.join("guidang.toml"), format!("{}\n{more}", on.configuration(prefix))).unwrap();
}

fn scans_of(verified: &str) -> Option<&str> {
    verified.lines().find(|line| line.starts_with("ok     1"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_on_s3_is_backed_up_put_back_and_moved() {
    let mut on = OnS3::start().await;
    on.clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let mut files: Vec<_> = (0..4).map(|seed| scans::small_page(seed).unwrap()).collect();
    // Large enough for several parts.
    files.push(scans::page_of_bytes(9, 9 << 20).unwrap());
    let upload = Upload::of(files).for_slip(&entries::slip_number(1, OUTLET));
    on.clerk.upload(&upload).await.unwrap().document().unwrap();
    on.server.wait_until_settled().await.unwrap();
    on.server.wait_until_findable().await.unwrap();
    // A snapshot belongs to this copy of the archive and goes nowhere.
    on.server.command(&["index", "snapshot"]).await.unwrap();
    let here = on.server.command(&["verify"]).await.unwrap();
    on.server.stop().await.unwrap();
    let places = tempfile::tempdir().unwrap();
    let at = |name: &str| places.path().join(name);

    let (backups, keys, back, moved) = (at("backups"), at("keys"), at("back"), at("moved"));
    on.server.command(&["backup", text(&backups), "--keys", text(&keys)]).await.unwrap();
    folder(&on, &back, "back", "");
    succeed(&["--data", text(&back), "restore", text(&backups), "--keys", text(&keys)]).await.unwrap();
    // A copy has no index of its own yet, and of none nothing can be verified.
    succeed(&["--data", text(&back), "index", "rebuild"]).await.unwrap();
    let put_back = succeed(&["--data", text(&back), "verify"]).await.unwrap();

    let postgres = PrivatePostgres::start().unwrap();
    let databases = format!(
        "[database]\nurl = \"{}\"\n[keys]\nurl = \"{}\"\n",
        postgres.url("moved").unwrap(),
        postgres.url("moved_keys").unwrap()
    );
    folder(&on, &moved, "moved", &databases);
    succeed(&["migrate-data", text(&back), text(&moved)]).await.unwrap();
    succeed(&["--data", text(&moved), "index", "rebuild"]).await.unwrap();
    let went = succeed(&["--data", text(&moved), "verify"]).await.unwrap();

    assert!(scans_of(&here).is_some_and(|line| line.contains("5 scans")), "{here}");
    assert_eq!(scans_of(&here), scans_of(&put_back));
    assert_eq!(scans_of(&here), scans_of(&went));
    assert!(here.contains("5 rows, 6 objects") && went.contains("5 rows, 5 objects"), "{here}{went}");
    assert!(put_back.contains("5 rows, 5 objects"), "{put_back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_only_looks_asks_the_store_little_and_stores_nothing() {
    let mut on = OnS3::start().await;
    on.server.stop().await.unwrap();
    let before = on.proxy.requests();

    on.server.command(&["jobs", "list"]).await.unwrap();
    let looked = on.proxy.requests() - before;
    on.server.command(&["index", "snapshot"]).await.unwrap();
    let proved = on.proxy.requests() - before - looked;

    assert!(looked <= 2, "{looked} requests");
    assert!(proved > 10, "{proved} requests");
}
