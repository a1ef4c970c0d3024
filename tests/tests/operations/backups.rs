//! A backup is one state, taken while the archive is at work; put back it is whole, and what was destroyed or held
//! since stays so.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use archive_tests::{
    client::{ApiClient, Upload},
    engines::PrivatePostgres,
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};
use backends::{
    clock::{SystemClock, new_id},
    connect::{Backends, BackendsConfig},
    database::holdings::HoldRow,
};
use tempfile::TempDir;

use crate::{
    moving::{kill_when_begun, used_archive},
    program::{self, DistributedFolder, bring_root_key, text},
};

const OUTLET: &str = "TJHX0101";

/// Where backups go in a test.
struct Places {
    folder: TempDir,
}

impl Places {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn back_up(&self, data: &Path) -> Result<String> {
        let (backups, keys) = (self.at("backups"), self.at("keys"));
        program::succeed(&["--data", text(data), "backup", text(&backups), "--keys", text(&keys)]).await
    }

    async fn restore(&self, to: &Path) -> Result<program::Said> {
        let (backups, keys) = (self.at("backups"), self.at("keys"));
        program::run(&["--data", text(to), "restore", text(&backups), "--keys", text(&keys)]).await
    }
}

async fn open(data: &Path) -> Backends {
    Backends::connect(&BackendsConfig::embedded(data), Arc::new(SystemClock)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_when_it_is_put_back() {
    let server = Setup::for_drills().start().await.unwrap();
    let places = Places::new();
    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();

    backed_up_under_load_and_put_back(server, &places, &back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_backup_under_load_is_whole_when_it_is_put_back() {
    let postgres = PrivatePostgres::start().unwrap();
    let (catalogue, keys) = (postgres.url("catalogue").unwrap(), postgres.url("keys").unwrap());
    let setup = Setup::for_drills().with("DATABASE__URL", &catalogue).with("KEYS__URL", &keys);
    let server = setup.start().await.unwrap();
    let back = DistributedFolder::new(&postgres, "back").unwrap();
    back.bring_root_key(server.data()).unwrap();

    backed_up_under_load_and_put_back(server, &Places::new(), &back.data).await;
}

async fn backed_up_under_load_and_put_back(mut server: TestServer, places: &Places, back: &Path) {
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let all: Vec<Entry> = (0..20).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await.unwrap().document().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let sender = tokio::spawn(send(clerk, Arc::clone(&is_over)));
    let (backups, keys) = (places.at("backups"), places.at("keys"));
    let command = ["backup", text(&backups), "--keys", text(&keys)];

    tokio::time::sleep(Duration::from_millis(500)).await;
    let first = server.command(&command).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = server.command(&command).await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    let sent = sender.await.unwrap().unwrap();
    server.kill().await.unwrap();

    let said = places.restore(back).await.unwrap();
    assert!(said.is_done, "{}", said.text);
    println!("{sent} scans sent\n{first}{second}{}", said.text);
    program::verify(back).await.unwrap();
    let again = places.restore(back).await.unwrap();
    assert!(!again.is_done && again.text.contains("holds other data"), "{}", again.text);
}

/// Sends scans until it is over, and says how many.
async fn send(clerk: ApiClient, is_over: Arc<AtomicBool>) -> Result<u64> {
    let mut sent = 0;
    while !is_over.load(Ordering::Relaxed) {
        let upload = Upload::of(vec![scans::small_page(sent)?]);
        clerk.upload(&upload.for_slip(&entries::slip_number(sent % 20, OUTLET))).await?.document()?;
        sent += 1;
    }
    Ok(sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_destroyed_or_held_after_a_backup_stays_so_when_it_is_put_back() {
    let server = used_archive(5).await.unwrap();
    let places = Places::new();
    places.back_up(server.data()).await.unwrap();
    let catalogue = server.catalogue().await.unwrap();
    let gone = catalogue.case_file(&entries::slip_number(0, OUTLET)).await.unwrap();
    let held = catalogue.case_file(&entries::slip_number(1, OUTLET)).await.unwrap();
    let scan_keys: Vec<_> = catalogue
        .scans()
        .await
        .unwrap()
        .into_iter()
        .filter(|scan| scan.case_file_id == Some(gone.id))
        .map(|scan| scan.key_id)
        .collect();
    drop(catalogue);
    let backends = open(server.data()).await;
    assert!(backends.vault.key(gone.key_id).await.unwrap().is_some());
    backends.vault.destroy(gone.key_id).await.unwrap();
    let hold = HoldRow {
        id: new_id(backends.clock.now()),
        authority: "court".to_owned(),
        owner: new_id(backends.clock.now()),
        placed_at: backends.clock.now(),
        review_on: None,
    };
    let mut tx = backends.database.begin().await.unwrap();
    tx.holdings().place_hold(&hold, &[held.id]).await.unwrap();
    tx.commit().await.unwrap();
    drop(backends);
    let keys = places.at("keys");
    let command = ["--data", text(server.data()), "backup", "--keys-only", "--keys", text(&keys)];
    program::succeed(&command).await.unwrap();

    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();
    let said = places.restore(&back).await.unwrap();

    assert!(said.is_done, "{}", said.text);
    assert!(said.text.contains("1 holds applied"), "{}", said.text);
    assert!(!scan_keys.is_empty());
    let backends = open(&back).await;
    assert!(backends.vault.key(gone.key_id).await.unwrap().is_none());
    for key in scan_keys {
        assert!(backends.vault.key(key).await.unwrap().is_none(), "the scan of a destroyed case file");
    }
    let mut tx = backends.database.begin_read().await.unwrap();
    assert_eq!(tx.holdings().holds_on(held.id).await.unwrap(), [hold]);
    drop(tx);
    drop(backends);
    program::verify(&back).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_altered_is_not_put_back() {
    let server = used_archive(2).await.unwrap();
    let places = Places::new();
    places.back_up(server.data()).await.unwrap();
    let catalogues = fs::read_dir(places.at("backups/catalogues")).unwrap();
    let catalogue = catalogues.flatten().next().unwrap().path().join("database.db");
    let mut bytes = fs::read(&catalogue).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&catalogue, bytes).unwrap();

    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();
    let refused = places.restore(&back).await.unwrap();

    assert!(!refused.is_done && refused.text.contains("is not what was written"), "{}", refused.text);
    assert!(!back.join("catalogue.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_archive_is_backed_up_and_put_back() {
    let server = used_archive(40).await.unwrap();
    let postgres = PrivatePostgres::start().unwrap();
    let first = DistributedFolder::new(&postgres, "first").unwrap();
    program::succeed(&["migrate-data", text(server.data()), text(&first.data)]).await.unwrap();
    let places = Places::new();
    let said = places.back_up(&first.data).await.unwrap();

    let second = DistributedFolder::new(&postgres, "second").unwrap();
    second.bring_root_key(server.data()).unwrap();
    let back = places.restore(&second.data).await.unwrap();

    assert!(back.is_done, "{said}{}", back.text);
    let (here, there) =
        (program::verify(&first.data).await.unwrap(), program::verify(&second.data).await.unwrap());
    let scans = |lines: &str| lines.lines().find(|line| line.starts_with("ok     1")).map(str::to_owned);
    assert_eq!(scans(&here), scans(&there));
    let again = places.restore(&second.data).await.unwrap();
    assert!(!again.is_done && again.text.contains("holds other data"), "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_in_the_middle_is_run_again() {
    let server = used_archive(3_000).await.unwrap();
    let postgres = PrivatePostgres::start().unwrap();
    let first = DistributedFolder::new(&postgres, "first").unwrap();
    program::succeed(&["migrate-data", text(server.data()), text(&first.data)]).await.unwrap();
    let places = Places::new();
    places.back_up(&first.data).await.unwrap();
    let second = DistributedFolder::new(&postgres, "second").unwrap();
    second.bring_root_key(server.data()).unwrap();

    let (backups, keys) = (places.at("backups"), places.at("keys"));
    let command =
        ["--data", text(&second.data), "restore", text(&backups), "--keys", text(&keys)].map(str::to_owned);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    kill_when_begun(&command, &second).await;
    let refused = program::run(&["--data", text(&second.data), "verify"]).await.unwrap();
    let again = places.restore(&second.data).await.unwrap();

    assert!(!refused.is_done && refused.text.contains("has not ended"), "{}", refused.text);
    assert!(again.is_done, "{}", again.text);
    let (here, there) =
        (program::verify(&first.data).await.unwrap(), program::verify(&second.data).await.unwrap());
    for number in ["ok     1", "ok     4"] {
        let line = |lines: &str| lines.lines().find(|line| line.contains(number)).map(str::to_owned);
        assert_eq!(line(&here), line(&there));
    }
}

/// Where one database is embedded and the other is not, each is backed up and put back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_mixture_of_engines_is_backed_up_and_put_back_into_the_same_mixture() {
    let postgres = PrivatePostgres::start().unwrap();
    for which in ["DATABASE__URL", "KEYS__URL"] {
        let name = which.to_lowercase();
        let (first, second) =
            (postgres.url(&format!("{name}_1")).unwrap(), postgres.url(&format!("{name}_2")).unwrap());
        let mut server = Setup::for_drills().with(which, &first).start().await.unwrap();
        let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
        clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
        let upload = Upload::of(vec![scans::small_page(1).unwrap()]);
        let upload = upload.for_slip(&entries::slip_number(1, OUTLET));
        clerk.upload(&upload).await.unwrap().document().unwrap();
        while server.command(&["jobs", "list", "--state", "waiting"]).await.unwrap() != "No job is waiting.\n"
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        server.stop().await.unwrap();
        let places = Places::new();
        let (backups, keys) = (places.at("backups"), places.at("keys"));
        server.command(&["backup", text(&backups), "--keys", text(&keys)]).await.unwrap();

        let other_kind = places.at("other-kind");
        bring_root_key(server.data(), &other_kind).unwrap();
        let refused = places.restore(&other_kind).await.unwrap();
        let back = places.at("back");
        bring_root_key(server.data(), &back).unwrap();
        let section = which.split_once("__").map(|(section, _)| section.to_lowercase()).unwrap();
        fs::write(back.join("guidang.toml"), format!("[{section}]\nurl = \"{second}\"\n")).unwrap();
        let said = places.restore(&back).await.unwrap();

        let key = format!("{section}.url");
        assert!(!refused.is_done && refused.text.contains(&key), "{which}: {}", refused.text);
        assert!(said.is_done, "{which}: {}", said.text);
        assert!(said.text.contains("1 objects"), "{which}: {}", said.text);
        program::verify(&back).await.unwrap();
        let again = places.restore(&back).await.unwrap();
        assert!(!again.is_done && again.text.contains("holds other data"), "{which}: {}", again.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_there_already_must_be_the_one_of_the_backup() {
    let server = used_archive(2).await.unwrap();
    let places = Places::new();
    places.back_up(server.data()).await.unwrap();
    let list = fs::read_to_string(places.at("backups/objects.list")).unwrap();
    let key = list.split(' ').next().unwrap();
    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();
    let object = back.join("objects").join(key);
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(&object, "not what was backed up").unwrap();

    let refused = places.restore(&back).await.unwrap();
    fs::remove_file(&object).unwrap();
    let again = places.restore(&back).await.unwrap();

    assert!(!refused.is_done && refused.text.contains(key), "{}", refused.text);
    assert!(refused.text.contains("remove it"), "{}", refused.text);
    assert!(again.is_done, "{}", again.text);
    program::verify(&back).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_a_power_cut_emptied_is_copied_again_by_the_next_backup() {
    let server = used_archive(2).await.unwrap();
    let places = Places::new();
    places.back_up(server.data()).await.unwrap();
    let list = fs::read_to_string(places.at("backups/objects.list")).unwrap();
    let key = list.split(' ').next().unwrap();
    fs::write(places.at("backups/objects").join(key), "").unwrap();

    places.back_up(server.data()).await.unwrap();
    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();
    let restored = places.restore(&back).await.unwrap();

    assert!(restored.is_done, "{}", restored.text);
    program::verify(&back).await.unwrap();
}

/// The nightly backup leaves what the hourly one is just writing alone, and waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn backups_that_share_a_folder_of_keys_take_turns() {
    let server = used_archive(2).await.unwrap();
    let places = Places::new();
    let keys = places.at("keys");
    let unfinished = keys.join("20261122T040506000007Z");
    fs::create_dir_all(&unfinished).unwrap();
    let turn = fs::File::create(keys.join("lock")).unwrap();
    turn.lock().unwrap();

    let (data, folder) = (server.data().to_owned(), places.at("backups"));
    let nightly = program::start(&["--data", text(&data), "backup", text(&folder), "--keys", text(&keys)]);
    let nightly = nightly.unwrap();
    while !is_catalogue_copied(&folder) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let is_left_alone = unfinished.exists();
    drop(turn);
    let done = nightly.wait_with_output().await.unwrap();

    assert!(is_left_alone, "what another backup was writing is gone");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!unfinished.exists(), "what nobody writes any more is left");
}

fn is_catalogue_copied(backups: &Path) -> bool {
    let copies = fs::read_dir(backups.join("catalogues"));
    copies.is_ok_and(|copies| copies.flatten().any(|copy| copy.path().join("database.db").exists()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_index_has_followed_is_not_said_to_hold() {
    let server = used_archive(2).await.unwrap();
    let places = Places::new();
    places.back_up(server.data()).await.unwrap();
    let back = places.at("back");
    bring_root_key(server.data(), &back).unwrap();
    assert!(places.restore(&back).await.unwrap().is_done);

    let without = program::run(&["--data", text(&back), "verify"]).await.unwrap();
    program::succeed(&["--data", text(&back), "index", "rebuild"]).await.unwrap();
    let with = program::succeed(&["--data", text(&back), "verify"]).await.unwrap();

    assert_eq!(without.status, Some(3), "{}", without.text);
    assert!(
        without.text.contains("not checked") && without.text.contains("index rebuild"),
        "{}",
        without.text
    );
    assert!(!without.text.contains("All 8"), "{}", without.text);
    assert!(with.contains("All 8 invariants hold."), "{with}");
}
