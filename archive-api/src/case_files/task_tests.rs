//! Case files as tasks: who may take one, how many, and from whom.

use std::sync::Arc;

use axum::http::StatusCode;
use domain::{access::Role, ids::CaseFileId};
use serde_json::{Value, json};

use crate::{
    entries::EntryFormat,
    findings::tests::in_review_of,
    state::ApiSettings,
    testing::{TestArchive, entry},
};

async fn assign(archive: &TestArchive, token: &str, id: CaseFileId, request: Value) -> (u16, Value) {
    let (status, answer) = archive.post(token, &format!("/api/v1/case-files/{id}/assign"), request).await;
    (status.as_u16(), answer["code"].clone())
}

async fn id_number(archive: &TestArchive, token: &str, id: CaseFileId) -> Value {
    let (_, seen) = archive.get(token, &format!("/api/v1/case-files/{id}")).await;
    seen["entered"]["id_number"]["value"].clone()
}

const MASKED: &str = "110***********002X";
const CLEAR: &str = "11010519491231002X";

#[tokio::test]
async fn a_task_shows_what_is_clear_until_its_case_file_is_accepted() {
    let archive = TestArchive::open().await;
    let (id, findings) = in_review_of(&archive, "S1").await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;

    let before = id_number(&archive, &auditor, id).await;
    let taken = assign(&archive, &auditor, id, json!({})).await;
    let mine = id_number(&archive, &auditor, id).await;
    for finding in findings {
        let path = format!("/api/v1/findings/{finding}/accept");
        archive.post(&auditor, &path, json!({ "reason": "与原件一致" })).await;
    }
    let (_, after) = archive.get(&auditor, &format!("/api/v1/case-files/{id}")).await;
    let again = assign(&archive, &auditor, id, json!({})).await;

    assert_eq!((before, mine), (json!(MASKED), json!(CLEAR)));
    assert_eq!(taken.0, 200);
    assert_eq!((&after["state"], &after["assigned_to"]), (&json!("accepted"), &Value::Null));
    assert_eq!(after["entered"]["id_number"]["value"], MASKED);
    assert_eq!(again, (409, json!("no_open_finding")));
}

#[tokio::test]
async fn what_nobody_has_to_decide_about_is_no_task() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let id = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap().id;
    drop(tx);
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;

    for task in [json!({}), json!({ "task": "take_over", "reason": "他人离职" })] {
        assert_eq!(assign(&archive, &auditor, id, task).await, (409, json!("no_open_finding")));
    }

    assert_eq!(id_number(&archive, &auditor, id).await, MASKED);
}

#[tokio::test]
async fn a_task_is_taken_over_with_a_reason_and_its_findings_are_settled_by_nobody_else() {
    let archive = TestArchive::open().await;
    let (id, findings) = in_review_of(&archive, "S1").await;
    let (_, first) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, second) = archive.account(Role::Auditor, None, None).await;
    assign(&archive, &first, id, json!({})).await;
    let accept = format!("/api/v1/findings/{}/accept", findings[0]);

    let settled = archive.post(&second, &accept, json!({ "reason": "与原件一致" })).await;
    let taken = assign(&archive, &second, id, json!({})).await;
    let given_back = assign(&archive, &second, id, json!({ "task": "give_back" })).await;
    let silent = assign(&archive, &second, id, json!({ "task": "take_over" })).await;
    let reason = json!({ "task": "take_over", "reason": "王五离职" });
    let taken_over = assign(&archive, &second, id, reason).await;

    assert_eq!((settled.0, &settled.1["code"]), (StatusCode::CONFLICT, &json!("already_assigned")));
    assert_eq!(taken, (409, json!("already_assigned")));
    assert_eq!(given_back, (409, json!("already_assigned")));
    assert_eq!(silent, (400, json!("reason_required")));
    assert_eq!(taken_over.0, 200);
    assert_eq!(id_number(&archive, &first, id).await, MASKED);
    assert_eq!(id_number(&archive, &second, id).await, CLEAR);
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 1000).await.unwrap();
    assert!(log.iter().any(|row| row.entry.action == "take_over_case_file" && row.entry.reason.is_some()));
}

#[tokio::test]
async fn nobody_has_more_tasks_than_is_allowed() {
    let mut archive = TestArchive::open().await;
    archive.state.settings = Arc::new(ApiSettings { tasks_per_auditor: 1, ..ApiSettings::default() });
    let (one, _) = in_review_of(&archive, "S1").await;
    let (two, _) = in_review_of(&archive, "S2").await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;

    let first = assign(&archive, &auditor, one, json!({})).await;
    let again = assign(&archive, &auditor, one, json!({})).await;
    let second = assign(&archive, &auditor, two, json!({})).await;
    let still_masked = id_number(&archive, &auditor, two).await;
    assign(&archive, &auditor, one, json!({ "task": "give_back" })).await;
    let then = assign(&archive, &auditor, two, json!({})).await;

    assert_eq!((first.0, again.0), (200, 200));
    assert_eq!(second, (409, json!("too_many_tasks")));
    assert_eq!(still_masked, MASKED);
    assert_eq!(then.0, 200);
}
