//! The server is killed again and again, at any moment, while scans keep coming.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use archive_tests::{
    client::{ApiClient, Upload},
    entries::{self, Entry},
    random::Random,
    scans,
    server::Setup,
};
use backends::digest::ContentDigest;
use domain::scan::ScanState;

const OUTLET: &str = "TJHX0101";
const KILLS: usize = 50;
const SENDERS: u64 = 2;
/// Case files that the scans belong to.
const CASE_FILES: u64 = 20;

/// Digests of what was answered "received", and under which upload.
type Received = BTreeMap<[u8; 32], String>;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_under_load_lose_nothing_and_double_nothing() {
    // A job that was running when the server died is no bad job: here that happens to one job many times.
    let setup = Setup::for_drills().with("WORKERS__MAX_ATTEMPTS", "100");
    let mut server = setup.start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let all: Vec<Entry> = (0..CASE_FILES).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await.unwrap().document().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> =
        (0..SENDERS).map(|sender| tokio::spawn(send(clerk.clone(), sender, Arc::clone(&is_over)))).collect();

    let mut random = Random::new(50);
    let mut slowest = Duration::ZERO;
    for kill in 1..=KILLS {
        tokio::time::sleep(Duration::from_millis(50 + random.below(1_200))).await;
        slowest = slowest.max(server.kill_and_restart().await.unwrap());
        if kill % 25 == 0 {
            server.verify().await.unwrap();
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let mut received = Received::new();
    for sender in senders {
        received.extend(sender.await.unwrap().unwrap());
    }
    server.wait_until_settled().await.unwrap();

    println!(
        "{KILLS} kills, {} scans received, at most {} ms to come back",
        received.len(),
        slowest.as_millis()
    );
    let catalogue = server.catalogue().await.unwrap();
    let kept = catalogue.scans().await.unwrap();
    assert_eq!(kept.len(), received.len(), "sent and kept");
    for scan in &kept {
        assert!(received.contains_key(&scan.digest.bytes), "scan {} was never sent", scan.id);
        assert!(
            matches!(scan.state, ScanState::Placed | ScanState::Tray),
            "scan {} is {}",
            scan.id,
            scan.state
        );
        assert_eq!(scan.state == ScanState::Placed, scan.slip_number_given.is_some(), "scan {}", scan.id);
    }
    let acts = catalogue.acts().await.unwrap();
    for ((action, subject), times) in &acts {
        let once = ["upload", "read_scan", "place_scan"].contains(&action.as_str());
        assert!(!once || *times == 1, "{action} of {subject} was done {times} times");
    }
    let uploads: std::collections::BTreeSet<&String> = received.values().collect();
    assert_eq!(acts.keys().filter(|(action, _)| action == "upload").count(), uploads.len());
    assert_eq!(catalogue.dead_jobs().await.unwrap(), Vec::<String>::new());
    drop(catalogue);
    server.verify().await.unwrap();
}

/// Sends uploads of one to three files until it is over; each is sent until it is answered.
async fn send(clerk: ApiClient, sender: u64, is_over: Arc<AtomicBool>) -> Result<Received> {
    let mut random = Random::new(sender);
    let mut received = Received::new();
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let first = (sender * 1_000_000 + number) * 10;
        let files =
            (0..=random.below(3)).map(|file| scans::small_page(first + file)).collect::<Result<Vec<_>>>()?;
        let digests: Vec<[u8; 32]> = files.iter().map(|file| ContentDigest::of(&file.bytes).bytes).collect();
        let mut upload = Upload::of(files).with_key(&format!("{sender}-{number}"));
        // One upload in five says nothing about where it belongs and ends in the tray.
        if random.below(5) > 0 {
            upload = upload.for_slip(&entries::slip_number(random.below(CASE_FILES), OUTLET));
        }
        let upload_id = send_until_answered(&clerk, &upload).await?;
        received.extend(digests.into_iter().map(|digest| (digest, upload_id.clone())));
        tokio::time::sleep(Duration::from_millis(300 + random.below(1_200))).await;
    }
    Ok(received)
}

async fn send_until_answered(clerk: &ApiClient, upload: &Upload) -> Result<String> {
    loop {
        match clerk.upload(upload).await {
            Ok(answer) if answer.status.is_success() => {
                let outcomes = answer.outcomes();
                ensure!(outcomes.iter().all(|outcome| *outcome == "received"), "{outcomes:?}");
                return Ok(answer.document()?["upload_id"].as_str().unwrap_or_default().to_owned());
            }
            Ok(answer) => ensure!(answer.status.is_server_error(), "{}: {}", answer.status, answer.text),
            // Nobody there, or gone in the middle.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
