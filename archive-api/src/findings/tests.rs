use axum::http::StatusCode;
use backends::{
    clock::new_id,
    database::findings::{FindingRow, VerdictRow},
};
use domain::{
    access::Role,
    case_file::CaseState,
    finding::{Evidence, FindingCode, FindingState},
    ids::FindingId,
};
use serde_json::json;

use crate::{
    entries::EntryFormat,
    testing::{TestArchive, entry},
};

/// A case file in review with two open findings.
async fn in_review(archive: &TestArchive) -> Vec<FindingId> {
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let now = archive.backends().clock.now();
    let mut tx = archive.backends().database.begin().await.unwrap();
    let mut case_file = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap();
    let key = archive.backends().vault.required_key(case_file.key_id).await.unwrap();
    let verdict = VerdictRow {
        id: new_id(now),
        case_file_id: case_file.id,
        case_digest: [0; 32],
        outcome: "findings".to_owned(),
        given_at: now,
        fallen_at: None,
    };
    let row = |subject: &str| {
        let id = new_id(now);
        let evidence = Evidence { read: Some("王小朋".to_owned()), ..Evidence::default() };
        FindingRow {
            id,
            case_file_id: case_file.id,
            verdict_id: verdict.id,
            code: FindingCode::FieldMismatch,
            subject: subject.to_owned(),
            state: FindingState::Open,
            confidence: None,
            evidence_sealed: key.seal(FindingRow::place(id), &evidence).unwrap(),
            raised_at: now,
            settled_by: None,
            settled_at: None,
            settled_reason: None,
        }
    };
    let rows = vec![row("customer_name"), row("contact_name")];
    tx.findings().insert_verdict(&verdict, &[], &rows).await.unwrap();
    case_file.verdict_id = Some(verdict.id);
    tx.case_files().update(&mut case_file).await.unwrap();
    for state in [CaseState::Checked, CaseState::InReview] {
        tx.case_files().change_state(&mut case_file, state, "test", now).await.unwrap();
    }
    tx.commit().await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn the_case_file_is_accepted_with_its_last_open_finding() {
    let archive = TestArchive::open().await;
    let ids = in_review(&archive).await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let reason = json!({ "reason": "与原件一致" });

    let (_, first) =
        archive.post(&auditor, &format!("/api/v1/findings/{}/accept", ids[0]), reason.clone()).await;
    let (_, second) =
        archive.post(&auditor, &format!("/api/v1/findings/{}/accept", ids[1]), reason.clone()).await;
    let (again, problem) =
        archive.post(&auditor, &format!("/api/v1/findings/{}/accept", ids[1]), reason).await;

    assert_eq!(first["case_file_state"], "in_review");
    assert_eq!(second["case_file_state"], "accepted");
    assert_eq!((again, problem["code"].as_str()), (StatusCode::CONFLICT, Some("finding_settled")));
}

#[tokio::test]
async fn a_returned_finding_sends_the_case_file_back() {
    let archive = TestArchive::open().await;
    let ids = in_review(&archive).await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, clerk) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let path = format!("/api/v1/findings/{}/return", ids[0]);

    let (refused, _) = archive.post(&clerk, &path, json!({ "reason": "x" })).await;
    let (_, returned) = archive.post(&auditor, &path, json!({ "reason": "请补扫" })).await;

    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert_eq!(returned["case_file_state"], "returned");
}

#[tokio::test]
async fn the_queue_shows_what_is_in_reach_and_masks_it() {
    let archive = TestArchive::open().await;
    in_review(&archive).await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, elsewhere) = archive.account(Role::Auditor, None, Some("BJ")).await;

    let (_, mine) = archive.get(&auditor, "/api/v1/findings?code=field_mismatch").await;
    let (_, theirs) = archive.get(&elsewhere, "/api/v1/findings").await;
    let (_, none) = archive.get(&auditor, "/api/v1/findings?code=illegible").await;

    assert_eq!(mine["items"].as_array().unwrap().len(), 2);
    assert_eq!(mine["items"][0]["read"], json!({ "value": "王**", "masked": true }));
    assert_eq!(theirs["items"], json!([]));
    assert_eq!(none["items"], json!([]));
}
