//! The server is killed while it stands at a named place of the pipeline.

use anyhow::{Context, Result, ensure};
use archive_tests::{
    client::{ApiClient, Upload},
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};
use domain::{case_file::CaseState, scan::ScanState};
use serde_json::json;

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_killed_at_any_stage_is_sent_again_and_exists_once() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();

    for (number, place) in (1..).zip(["intake::stored", "intake::before_commit", "intake::after_commit"]) {
        let upload = upload(number).unwrap().with_key(&format!("key-{number}"));
        kill_during_upload(&mut server, &clerk, place, upload).await.context(place).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_before_its_commit_is_sent_again_and_exists_once() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let file = entries::csv(&[Entry::of(1, OUTLET), Entry::of(2, OUTLET)]);

    server.stand_still_at("import::before_commit").unwrap();
    let unanswered = tokio::spawn(import(clerk.clone(), file.clone()));
    server.wait_until_standing_at("import::before_commit").await.unwrap();
    server.kill_and_restart().await.unwrap();
    assert!(unanswered.await.unwrap().is_err());
    let report = import(clerk, file).await.unwrap();

    assert_eq!((report["new"].as_u64(), report["changed"].as_u64()), (Some(2), Some(0)), "{report}");
    assert_eq!(server.catalogue().await.unwrap().case_file_count().await.unwrap(), 2);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_killed_at_any_stage_of_reading_is_read_once() {
    kill_at_work(&[
        "read_scan::loaded",
        "read_scan::read",
        "read_scan::before_commit",
        "read_scan::after_commit",
    ])
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_killed_at_any_stage_of_placing_is_placed_once() {
    let places = [
        "place_scan::decided",
        "place_scan::handed_over",
        "place_scan::before_commit",
        "place_scan::after_commit",
    ];
    kill_at_work(&places).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_killed_at_any_stage_of_checking_gets_one_verdict() {
    kill_at_work(&[
        "check_case_file::judged",
        "check_case_file::before_commit",
        "check_case_file::after_commit",
    ])
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_with_a_server_that_was_alone_waits_for_no_lease() {
    // Nobody waits for the end of such a lease.
    let mut server = Setup::for_drills().with("WORKERS__LEASE_SECONDS", "3600").start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.stand_still_at("read_scan::read").unwrap();
    clerk.upload(&upload(1).unwrap()).await.unwrap().document().unwrap();
    server.wait_until_standing_at("read_scan::read").await.unwrap();

    server.kill_and_restart().await.unwrap();

    server.wait_until_settled().await.unwrap();
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_killed_while_it_is_archived_gets_one_code() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let auditor = server.account("auditor", "A1", &[]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    clerk.upload(&upload(1).unwrap()).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();

    server.stand_still_at("archive_case_file::before_commit").unwrap();
    accept_everything(&server, &auditor, 1).await.unwrap();
    server.wait_until_standing_at("archive_case_file::before_commit").await.unwrap();
    server.kill_and_restart().await.unwrap();
    server.wait_until_settled().await.unwrap();

    let catalogue = server.catalogue().await.unwrap();
    let case_file = catalogue.case_file(&entries::slip_number(1, OUTLET)).await.unwrap();
    assert_eq!(case_file.state, CaseState::Archived);
    assert!(case_file.archival_code.is_some_and(|code| code.ends_with("0001")));
    assert_eq!(catalogue.times("archive_case_file", &case_file.id.to_string()).await.unwrap(), 1);
    server.verify().await.unwrap();
}

fn upload(number: u64) -> Result<Upload> {
    Ok(Upload::of(vec![scans::small_page(number)?]).for_slip(&entries::slip_number(number, OUTLET)))
}

async fn import(client: ApiClient, file: String) -> Result<serde_json::Value> {
    client.import(file).await?.document()
}

/// Stands still during an upload, kills, sends the same upload again, and requires that it exists once.
async fn kill_during_upload(
    server: &mut TestServer,
    clerk: &ApiClient,
    place: &str,
    upload: Upload,
) -> Result<()> {
    server.stand_still_at(place)?;
    let (sender, sent) = (clerk.clone(), upload.clone());
    let unanswered = tokio::spawn(async move { sender.upload(&sent).await });
    server.wait_until_standing_at(place).await?;
    server.kill_and_restart().await?;
    ensure!(unanswered.await?.is_err(), "an upload was answered that stood still");

    let answer = clerk.upload(&upload).await?;
    ensure!(
        answer.outcomes() == ["received"],
        "sent again, it became {:?}: {}",
        answer.outcomes(),
        answer.text
    );
    let scan_id = answer.scan_ids().remove(0);
    let upload_id = answer.document()?["upload_id"].as_str().unwrap_or_default().to_owned();
    server.wait_until_settled().await?;

    let catalogue = server.catalogue().await?;
    let digest = catalogue.scan(&scan_id).await?.digest;
    let scans = catalogue.scans().await?;
    let copies = scans.iter().filter(|scan| scan.digest == digest).count();
    ensure!(copies == 1, "it exists {copies} times");
    ensure!(catalogue.times("upload", &upload_id).await? == 1, "it is not on record once");
    drop(catalogue);
    server.verify().await
}

/// Kills the server while a job stands at each place, and requires that the work is done once in the end.
async fn kill_at_work(places: &[&str]) -> Result<()> {
    let mut server = Setup::for_drills().start().await?;
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await?;
    let all: Vec<Entry> = (1..=places.len() as u64).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await?.document()?;
    for (number, place) in (1..).zip(places) {
        server.wait_until_settled().await?;
        server.stand_still_at(place)?;
        let answer = clerk.upload(&upload(number)?).await?;
        ensure!(answer.outcomes() == ["received"], "{}", answer.text);
        server.wait_until_standing_at(place).await?;
        let back = server.kill_and_restart().await?;
        println!("killed at {place}: back after {} ms", back.as_millis());
        server.wait_until_settled().await?;
        everything_was_done_once(&server, number, &answer.scan_ids()[0])
            .await
            .with_context(|| (*place).to_owned())?;
    }
    server.verify().await
}

async fn everything_was_done_once(server: &TestServer, number: u64, scan_id: &str) -> Result<()> {
    let catalogue = server.catalogue().await?;
    let scan = catalogue.scan(scan_id).await?;
    let case_file = catalogue.case_file(&entries::slip_number(number, OUTLET)).await?;
    ensure!(scan.state == ScanState::Placed && scan.case_file_id == Some(case_file.id), "it was not placed");
    ensure!(case_file.state == CaseState::InReview, "its case file is {}", case_file.state);
    for (action, subject) in
        [("read_scan", scan_id), ("place_scan", scan_id), ("check_case_file", &case_file.id.to_string())]
    {
        let times = catalogue.times(action, subject).await?;
        ensure!(times == 1, "{action} was done {times} times");
    }
    let findings = catalogue.findings(&case_file).await?;
    let of_verdict =
        findings.iter().filter(|finding| Some(finding.verdict_id) == case_file.verdict_id).count();
    ensure!(
        of_verdict == findings.len() && of_verdict > 0,
        "{of_verdict} of {} findings are in force",
        findings.len()
    );
    ensure!(catalogue.dead_jobs().await?.is_empty(), "a job was given up");
    Ok(())
}

/// The auditor takes the case file and accepts each of its findings, which leaves nothing in the way of archiving.
async fn accept_everything(server: &TestServer, auditor: &ApiClient, number: u64) -> Result<()> {
    let catalogue = server.catalogue().await?;
    let case_file = catalogue.case_file(&entries::slip_number(number, OUTLET)).await?;
    auditor.post(&format!("/api/v1/case-files/{}/assign", case_file.id), &json!({})).await?.document()?;
    for finding in catalogue.findings(&case_file).await? {
        let path = format!("/api/v1/findings/{}/accept", finding.id);
        auditor.post(&path, &json!({ "reason": "looked at the paper" })).await?.document()?;
    }
    Ok(())
}
