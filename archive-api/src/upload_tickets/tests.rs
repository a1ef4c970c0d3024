//! What can be told without an object store; the rest is told in `tests/tests/object_store`.

use axum::http::StatusCode;
use domain::access::Role;
use serde_json::json;

use crate::testing::TestArchive;

const PATH: &str = "/api/v1/upload-tickets";

#[tokio::test]
async fn without_an_object_store_the_answer_says_where_to_upload() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;

    let (status, problem) =
        archive.post(&token, PATH, json!({ "size_bytes": 3, "sha256": "ab".repeat(32) })).await;

    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "tickets_not_offered");
}

#[tokio::test]
async fn a_request_that_cannot_be_met_is_refused_before_a_ticket_is_made() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let digest = "ab".repeat(32);
    for (request, expected) in [
        (json!({ "size_bytes": 0, "sha256": digest }), "invalid_request"),
        (json!({ "size_bytes": u64::MAX, "sha256": digest }), "invalid_request"),
        (json!({ "size_bytes": 3, "sha256": "+b".repeat(32) }), "invalid_request"),
        (json!({ "size_bytes": 3, "sha256": "ab" }), "invalid_request"),
        (json!({ "size_bytes": 3, "sha256": digest, "slot": "hat" }), "invalid_request"),
        (json!({ "size_bytes": 3, "sha256": digest, "outlet": "TJ02" }), "forbidden"),
    ] {
        let (_, problem) = archive.post(&token, PATH, request.clone()).await;

        assert_eq!(problem["code"], expected, "{request}");
    }
}

#[tokio::test]
async fn whoever_may_not_upload_gets_no_ticket() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::AuditAdmin, None, None).await;

    let request = json!({ "size_bytes": 3, "sha256": "ab".repeat(32) });
    let (status, _) = archive.post(&token, PATH, request).await;

    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_ticket_that_is_not_there_is_not_found() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;

    let path = format!("{PATH}/{}/complete", uuid::Uuid::from_u128(7));
    let (status, problem) = archive.post(&token, &path, json!({})).await;

    assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
}
