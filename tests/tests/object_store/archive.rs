//! The program with its objects on S3: nothing that was answered "received" is lost, whatever the store does.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use archive_tests::{
    client::{ApiClient, Upload},
    entries::{self, Entry},
    s3_proxy::{Misbehaviour, S3Proxy},
    scans,
    seaweed::{self, Versions},
    server::{Setup, TestServer},
};
use tempfile::TempDir;

pub(crate) const OUTLET: &str = "TJHX0101";

/// A server whose objects are in a bucket behind a proxy, and a clerk.
pub(crate) struct OnS3 {
    pub server: TestServer,
    pub clerk: ApiClient,
    pub proxy: S3Proxy,
    pub bucket: String,
    credentials: String,
    _secrets: TempDir,
}

impl OnS3 {
    pub(crate) async fn start() -> Self {
        Self::start_as(Setup::for_drills()).await
    }

    /// A server that is set up in another way.
    pub(crate) async fn start_as(setup: Setup) -> Self {
        let store = seaweed::shared().await.unwrap();
        let bucket = store.bucket(Versions::Kept).await.unwrap();
        let proxy = S3Proxy::before(&store.endpoint).await.unwrap();
        let secrets = tempfile::tempdir().unwrap();
        let credentials = credentials_file(secrets.path());
        let setup = setup
            .with("OBJECTS__URL", &format!("s3://{bucket}/archive"))
            .with("OBJECTS__ENDPOINT", &proxy.endpoint)
            .with("OBJECTS__CREDENTIALS", &credentials)
            .with("OBJECTS__TIMEOUT_SECONDS", "40");
        let server = setup.start().await.unwrap();
        let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
        Self { server, clerk, proxy, bucket, credentials, _secrets: secrets }
    }

    /// What a configuration file says to keep objects in the same bucket under another prefix.
    pub(crate) fn configuration(&self, prefix: &str) -> String {
        format!(
            "[objects]\nurl = \"s3://{}/{prefix}\"\nendpoint = \"{}\"\ncredentials = \"{}\"\n",
            self.bucket, self.proxy.endpoint, self.credentials
        )
    }
}

pub(crate) fn credentials_file(folder: &Path) -> String {
    let ours = seaweed::credentials();
    let path = folder.join("credentials");
    let text = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        ours.access_key_id, ours.secret_access_key
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_store_does_an_upload_is_received_and_there_or_refused() {
    let mut on = OnS3::start().await;
    on.clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let upload = |seed: u64| {
        let file = match seed % 3 {
            // Large enough for several parts.
            0 => scans::page_of_bytes(seed, 10 << 20).unwrap(),
            _ => scans::small_page(seed).unwrap(),
        };
        let upload = Upload::of(vec![file]).for_slip(&entries::slip_number(1, OUTLET));
        upload.with_key(&format!("key-{seed}"))
    };
    let (mut received, mut refused, mut seed) = (Vec::new(), Vec::new(), 0);
    for how in [
        Misbehaviour::None,
        Misbehaviour::AnswersNowAndThen(500),
        Misbehaviour::AnswersNowAndThen(503),
        Misbehaviour::LosesAnswersNowAndThen,
        Misbehaviour::Slow(Duration::from_millis(500)),
        Misbehaviour::Answers(503),
        Misbehaviour::Answers(507),
        Misbehaviour::Answers(403),
        Misbehaviour::Cuts,
    ] {
        on.proxy.misbehave(how);
        for _ in 0..3 {
            seed += 1;
            let answer = on.clerk.upload(&upload(seed)).await.unwrap();
            match answer.status.as_u16() {
                201 => received.extend(answer.scan_ids()),
                503 | 507 => refused.push((seed, how, answer.code().to_owned())),
                other => panic!("{how:?}: {other} {}", answer.text),
            }
        }
    }
    on.proxy.misbehave(Misbehaviour::None);
    let received_first = received.len();
    for (seed, how, code) in &refused {
        let full = matches!(how, Misbehaviour::Answers(507));
        assert_eq!(code, if full { "storage_full" } else { "unavailable" }, "{how:?}");
        let again = on.clerk.upload(&upload(*seed)).await.unwrap();
        assert_eq!(again.outcomes(), ["received"], "{how:?}: {}", again.text);
        received.extend(again.scan_ids());
    }
    on.server.wait_until_settled().await.unwrap();
    println!("sent {seed}, received at once {received_first}, refused and sent again {}", refused.len());

    assert!(refused.len() >= 9, "a store that refuses everything was not noticed: {refused:?}");
    assert_eq!(received.len() as u64, seed);
    let catalogue = on.server.catalogue().await.unwrap();
    assert_eq!(catalogue.scans().await.unwrap().len() as u64, seed);
    drop(catalogue);
    on.server.verify().await.unwrap();
    on.server.kill_and_restart().await.unwrap();
    on.server.verify().await.unwrap();
    assert!(!on.server.log().contains("secret words"), "the store's error document was logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_names_a_store_that_is_gone_and_a_server_does_not_start_without_it() {
    let mut on = OnS3::start().await;

    on.proxy.misbehave(Misbehaviour::Answers(403));
    let without = on.clerk.get("/healthz/ready", &[]).await.unwrap();
    on.proxy.misbehave(Misbehaviour::None);
    let with = on.clerk.get("/healthz/ready", &[]).await.unwrap();
    on.server.stop().await.unwrap();
    on.proxy.misbehave(Misbehaviour::IgnoresConditions);
    let refused = on.server.restart().await.unwrap_err().to_string();
    on.proxy.misbehave(Misbehaviour::None);
    on.server.restart().await.unwrap();

    assert_eq!(without.status.as_u16(), 503, "{}", without.text);
    let objects =
        without.body["dependencies"].as_array().unwrap().iter().find(|one| one["name"] == "objects");
    assert_eq!(objects.unwrap()["state"], "unavailable");
    assert_eq!(with.status.as_u16(), 200, "{}", with.text);
    assert!(refused.contains("objects.url") && refused.contains("If-None-Match"), "{refused}");
}
