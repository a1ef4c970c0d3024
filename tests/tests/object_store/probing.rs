//! A store that does not keep its promises is refused at start, with what to do.

use std::sync::Arc;

use archive_tests::{
    s3_proxy::{Misbehaviour, S3Proxy},
    seaweed::{self, Versions},
};
use backends::{
    blob_store::{BlobStore, S3Settings},
    clock::SystemClock,
};

async fn refusal_of(url: &str, settings: &S3Settings) -> String {
    match BlobStore::s3(url, settings, Arc::new(SystemClock)).await {
        Ok(_) => panic!("{url} was not refused"),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("8c1f") && !text.contains("X-Amz"), "a secret is shown: {text}");
            text
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_keeps_its_promises_is_taken_and_nothing_of_the_probe_is_left() {
    let server = seaweed::shared().await.unwrap();
    for versions in [Versions::Kept, Versions::NotKept] {
        let bucket = server.bucket(versions).await.unwrap();

        let url = format!("s3://{bucket}");
        BlobStore::s3(&url, &server.settings(), Arc::new(SystemClock)).await.unwrap();

        assert_eq!(server.versions(&bucket, "").await.unwrap(), 0, "{versions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_allowed_is_said() {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::NotKept).await.unwrap();
    let url = format!("s3://{bucket}");
    let good = server.settings();
    let mut wrong_secret = good.clone();
    wrong_secret.credentials.as_mut().unwrap().secret_access_key = "wrong".to_owned();
    let nowhere = S3Settings { endpoint: "http://127.0.0.1:9".to_owned(), ..good.clone() };
    let nobody = S3Settings { credentials: None, ..good.clone() };
    let no_file = S3Settings { authorities: Some("/nonexistent.pem".into()), ..good.clone() };
    for (url, settings, expected) in [
        ("s3://no-such-bucket", &good, "there is no bucket no-such-bucket; make it"),
        (url.as_str(), &wrong_secret, "refuses the credentials"),
        (url.as_str(), &nowhere, "cannot be reached"),
        (url.as_str(), &nobody, "AWS_ACCESS_KEY_ID"),
        (url.as_str(), &no_file, "objects.ca_file"),
        ("s3:bucket", &good, "s3://bucket/prefix"),
    ] {
        let said = refusal_of(url, settings).await;

        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_breaks_a_promise_is_refused() {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::NotKept).await.unwrap();
    let proxy = S3Proxy::before(&server.endpoint).await.unwrap();
    let settings = seaweed::settings_for(&proxy.endpoint);
    let url = format!("s3://{bucket}");
    BlobStore::s3(&url, &settings, Arc::new(SystemClock)).await.unwrap();
    for (how, expected) in [
        (Misbehaviour::IgnoresConditions, "If-None-Match"),
        (Misbehaviour::AcceptsAnySecret, "wrong secret"),
        (Misbehaviour::ClockOff(60), "clock is 60 s ahead"),
        (Misbehaviour::ClockOff(-60), "synchronise both by NTP"),
    ] {
        proxy.misbehave(how);

        let said = refusal_of(&url, &settings).await;

        // A second may pass between the two looks at the clock.
        let said = said.replace("59 s", "60 s").replace("61 s", "60 s");
        assert!(said.contains(expected), "{how:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_encrypt_what_lies_in_quarantine_is_refused() {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::NotKept).await.unwrap();
    let settings =
        S3Settings { quarantine_encryption: Some("no-such-method".to_owned()), ..server.settings() };

    let said = refusal_of(&format!("s3://{bucket}"), &settings).await;

    assert!(said.contains("objects.quarantine_encryption"), "{said}");
}
