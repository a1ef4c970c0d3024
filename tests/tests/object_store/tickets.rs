//! Upload tickets: a file goes straight to the store and comes in by the rules of every other upload.

use archive_tests::{
    client::{Answer, ApiClient, OutgoingFile},
    entries::{self, Entry},
    s3_signature::hex,
    scans, seaweed,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::archive::{OUTLET, OnS3};

const TICKETS: &str = "/api/v1/upload-tickets";

async fn issue(clerk: &ApiClient, bytes: &[u8]) -> Value {
    let sha256 = hex(&Sha256::digest(bytes));
    let request = json!({
        "size_bytes": bytes.len(),
        "sha256": sha256,
        "slip_number": entries::slip_number(1, OUTLET),
    });
    clerk.post(TICKETS, &request).await.unwrap().document().unwrap()
}

/// Does what the ticket says, with these bytes.
async fn bring(ticket: &Value, bytes: &[u8]) -> StatusCode {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut put = client.put(ticket["put"]["url"].as_str().unwrap());
    for (name, value) in ticket["put"]["headers"].as_object().unwrap() {
        // The client knows the length of what it sends.
        if name != "content-length" {
            put = put.header(name, value.as_str().unwrap());
        }
    }
    put.body(bytes.to_vec()).send().await.unwrap().status()
}

async fn complete(clerk: &ApiClient, ticket: &Value) -> Answer {
    clerk.post(ticket["complete"].as_str().unwrap(), &json!({ "name": "slip.png" })).await.unwrap()
}

async fn in_quarantine(on: &OnS3) -> usize {
    let store = seaweed::shared().await.unwrap();
    store.versions(&on.bucket, "archive/quarantine/").await.unwrap()
}

fn page(seed: u64) -> OutgoingFile {
    scans::small_page(seed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_brought_directly_is_taken_in_once_and_leaves_quarantine() {
    let on = OnS3::start().await;
    on.clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let other = on.server.account("clerk", "C2", &["--outlet", OUTLET]).await.unwrap();
    let (file, gif) = (page(1).bytes, b"GIF89a, which nobody takes".to_vec());

    let ticket = issue(&on.clerk, &file).await;
    let too_early = complete(&on.clerk, &ticket).await;
    let wrong_bytes = bring(&ticket, &page(2).bytes).await;
    let right_bytes = bring(&ticket, &file).await;
    let brought_again = bring(&ticket, &file).await;
    let waiting = in_quarantine(&on).await;
    let stranger = complete(&other, &ticket).await;
    let (first, second) = tokio::join!(complete(&on.clerk, &ticket), complete(&on.clerk, &ticket));
    let third = complete(&on.clerk, &ticket).await;
    let unwanted = issue(&on.clerk, &gif).await;
    let gif_brought = bring(&unwanted, &gif).await;
    let gif_completed = complete(&on.clerk, &unwanted).await;
    on.server.wait_until_settled().await.unwrap();

    assert_eq!((too_early.status.as_u16(), too_early.code()), (409, "ticket_not_used"));
    assert!(wrong_bytes.is_client_error(), "{wrong_bytes}");
    assert_eq!((right_bytes, brought_again), (StatusCode::OK, StatusCode::PRECONDITION_FAILED));
    assert_eq!(waiting, 1);
    assert_eq!(stranger.status.as_u16(), 404, "{}", stranger.text);
    assert_eq!(first.outcomes(), ["received"], "{}", first.text);
    assert_eq!((&first.body, &first.body), (&second.body, &third.body));
    assert_eq!((gif_brought, gif_completed.status.as_u16()), (StatusCode::OK, 422));
    assert_eq!(gif_completed.outcomes(), ["gif_not_supported"]);
    assert_eq!(in_quarantine(&on).await, 0);
    let catalogue = on.server.catalogue().await.unwrap();
    let scans = catalogue.scans().await.unwrap();
    assert_eq!(scans.len(), 1);
    assert!(scans[0].digest.is_of(&file));
    assert!(scans[0].case_file_id.is_some(), "the slip number of the ticket places the scan");
    drop(catalogue);
    on.server.verify().await.unwrap();
}
