//! What is sent, and that every bit of it arrived once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use archive_tests::{
    client::{ApiClient, OutgoingFile, Upload},
    cluster::Cluster,
    entries::{self, Entry},
    scans,
};
use backends::digest::ContentDigest;
use domain::scan::ScanState;
use serde_json::json;

pub const OUTLET: &str = "TJHX0101";
/// How long one request is waited for before it is sent again.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// How long a page is sent again and again.
const PATIENCE: Duration = Duration::from_mins(4);
/// Case files that scans belong to.
const CASE_FILES: u64 = 5;

/// Whoever sends, and what was answered "received": digests and their uploads.
pub struct Sender {
    clerk: ApiClient,
    /// Slip numbers of the case files that scans belong to.
    slips: Vec<String>,
    received: BTreeMap<[u8; 32], String>,
}

impl Sender {
    /// A clerk whose outlet has entered some acceptances.
    pub async fn new(cluster: &Cluster) -> Result<Self> {
        let all: Vec<Entry> = (0..CASE_FILES).map(|number| Entry::of(number, OUTLET)).collect();
        Self::of(cluster, &all).await
    }

    /// A clerk whose outlet has entered these acceptances.
    pub async fn of(cluster: &Cluster, entered: &[Entry]) -> Result<Self> {
        let clerk = cluster.server.account("clerk", "C1", &["--outlet", OUTLET]).await?;
        clerk.import(entries::csv(entered)).await?.document()?;
        let slips = entered.iter().map(|entry| entry.slip_number.clone()).collect();
        Ok(Self { clerk, slips, received: BTreeMap::new() })
    }

    /// The slip number of one of the case files, taken in turn.
    pub fn slip(&self, number: u64) -> &str {
        &self.slips[number as usize % self.slips.len()]
    }

    /// Sends a small page for one of the case files; it must be answered.
    pub async fn send(&mut self, number: u64) -> Result<()> {
        self.send_file(number, scans::small_page(number)?).await
    }

    /// Sends a file for one of the case files; it must be answered.
    pub async fn send_file(&mut self, number: u64, file: OutgoingFile) -> Result<()> {
        let digest = ContentDigest::of(&file.bytes).bytes;
        let upload = Upload::of(vec![file]).for_slip(self.slip(number));
        let answer = self.clerk.upload(&upload).await?;
        ensure!(answer.outcomes() == ["received"], "{} {}", answer.status, answer.text);
        let upload_id = answer.document()?["upload_id"].as_str().unwrap_or_default().to_owned();
        self.received.insert(digest, upload_id);
        Ok(())
    }

    /// Sends a small page as often as it takes until it is answered: the same request under the same key.
    pub async fn send_until_received(&mut self, number: u64) -> Result<()> {
        let file = scans::small_page(number)?;
        let digest = ContentDigest::of(&file.bytes).bytes;
        let upload = Upload::of(vec![file]).for_slip(self.slip(number)).with_key(&format!("page-{number}"));
        let started = Instant::now();
        loop {
            let sent = tokio::time::timeout(ANSWER_PATIENCE, self.clerk.upload(&upload)).await;
            if let Ok(Ok(answer)) = sent {
                if answer.outcomes() == ["received"] {
                    let upload_id = answer.document()?["upload_id"].as_str().unwrap_or_default().to_owned();
                    self.received.insert(digest, upload_id);
                    return Ok(());
                }
                ensure!(answer.status.as_u16() >= 500, "{} {}", answer.status, answer.text);
            }
            ensure!(started.elapsed() < PATIENCE, "page {number} was not received within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Lets an auditor accept every finding of a case file, after which it is archived.
    pub async fn accept_everything(&self, cluster: &Cluster, auditor: &ApiClient, number: u64) -> Result<()> {
        let catalogue = cluster.server.catalogue().await?;
        let case_file = catalogue.case_file(self.slip(number)).await?;
        auditor.post(&format!("/api/v1/case-files/{}/assign", case_file.id), &json!({})).await?.document()?;
        let findings = catalogue.findings(&case_file).await?;
        // Those of a verdict that fell are settled.
        for finding in findings.iter().filter(|finding| Some(finding.verdict_id) == case_file.verdict_id) {
            let path = format!("/api/v1/findings/{}/accept", finding.id);
            auditor.post(&path, &json!({ "reason": "looked at the paper" })).await?.document()?;
        }
        Ok(())
    }

    /// How many were answered.
    pub fn count(&self) -> usize {
        self.received.len()
    }

    /// Waits until all work is done, then requires that sent is received is placed, that nothing was done twice, that
    /// nothing was given up, and that every invariant holds.
    pub async fn require_all_placed_once(&self, cluster: &Cluster) -> Result<()> {
        cluster.server.wait_until_settled().await?;
        let catalogue = cluster.server.catalogue().await?;
        let kept = catalogue.scans().await?;
        ensure!(kept.len() == self.count(), "{} sent, {} kept", self.count(), kept.len());
        for scan in &kept {
            ensure!(self.received.contains_key(&scan.digest.bytes), "scan {} was never sent", scan.id);
            ensure!(scan.state == ScanState::Placed, "scan {} is {}", scan.id, scan.state);
        }
        for ((action, subject), times) in &catalogue.acts().await? {
            let once = ["upload", "read_scan", "place_scan", "archive_case_file"].contains(&action.as_str());
            ensure!(!once || *times == 1, "{action} of {subject} was done {times} times");
        }
        let dead = catalogue.dead_jobs().await?;
        ensure!(dead.is_empty(), "{dead:?}");
        println!("{} sent, {} placed", self.count(), kept.len());
        cluster.server.verify().await
    }
}
