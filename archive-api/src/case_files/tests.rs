use axum::http::StatusCode;
use backends::database::case_files::CaseFileRow;
use domain::access::Role;
use serde_json::json;

use crate::{
    entries::EntryFormat,
    testing::{TestArchive, entry},
};

async fn with_entry(archive: &TestArchive) -> CaseFileRow {
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap()
}

#[tokio::test]
async fn another_outlets_clerk_is_told_that_nothing_is_there() {
    let archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let (_, own) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let (_, other) = archive.account(Role::Clerk, Some("TJ02"), None).await;
    let (_, branch) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, elsewhere) = archive.account(Role::Auditor, None, Some("BJ")).await;
    let path = format!("/api/v1/case-files/{}", case_file.id);

    let check = async |token: &str, expected| assert_eq!(archive.get(token, &path).await.0, expected);

    check(&own, StatusCode::OK).await;
    check(&other, StatusCode::NOT_FOUND).await;
    check(&branch, StatusCode::OK).await;
    check(&elsewhere, StatusCode::NOT_FOUND).await;
    check("gd_0000", StatusCode::UNAUTHORIZED).await;
}

#[tokio::test]
async fn values_are_clear_to_whose_work_it_is_and_masked_to_others() {
    let archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let (_, clerk) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let path = format!("/api/v1/case-files/{}", case_file.id);

    let (_, own) = archive.get(&clerk, &path).await;
    let (_, masked) = archive.get(&auditor, &path).await;
    let (taken, _) = archive.post(&auditor, &format!("{path}/assign"), json!({})).await;
    let (_, assigned) = archive.get(&auditor, &path).await;

    assert_eq!(own["entered"]["customer_name"], json!({ "value": "王小明", "masked": false }));
    assert_eq!(masked["entered"]["customer_name"], json!({ "value": "王**", "masked": true }));
    assert_eq!(masked["entered"]["id_number"]["value"], "110***********002X");
    assert!(!masked.to_string().contains("友谊路"));
    assert_eq!(taken, StatusCode::OK);
    assert_eq!(assigned["entered"]["id_number"]["value"], "11010519491231002X");
}

#[tokio::test]
async fn unmasking_takes_a_reason_and_is_put_on_record() {
    let archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let (caller, token) = archive.account(Role::Archivist, None, Some("TJ")).await;
    let path = format!("/api/v1/case-files/{}/unmask", case_file.id);

    let (refused, problem) = archive.post(&token, &path, json!({ "reason": " " })).await;
    let (_, clear) = archive.post(&token, &path, json!({ "reason": "客户投诉核查" })).await;

    assert_eq!((refused, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("reason_required")));
    assert_eq!(clear["entered"]["customer_name"]["value"], "王小明");
    assert_eq!(clear["entered"]["id_number"]["masked"], true);
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 100).await.unwrap();
    let unmasked: Vec<_> = log.iter().filter(|row| row.entry.action == "unmask").collect();
    assert_eq!(unmasked.len(), 1);
    assert_eq!(unmasked[0].entry.account_id, Some(caller.account.id));
    assert_eq!(unmasked[0].entry.reason.as_deref(), Some("客户投诉核查"));
}

#[tokio::test]
async fn a_search_without_an_index_says_so() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Auditor, None, Some("TJ")).await;

    let (status, problem) = archive.get(&token, "/api/v1/case-files?name=王").await;

    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("search_unavailable"))
    );
    assert!(problem["trace_id"].is_string());
}
