use axum::http::StatusCode;
use backends::{
    clock::new_id,
    database::findings::{FindingRow, VerdictRow},
};
use domain::{
    access::Role,
    case_file::CaseState,
    finding::{Evidence, FindingCode, FindingState},
    ids::{CaseFileId, FindingId},
};
use serde_json::json;

use crate::{
    entries::EntryFormat,
    testing::{TestArchive, entry},
};

/// A case file in review with two open findings.
async fn in_review(archive: &TestArchive) -> Vec<FindingId> {
    in_review_of(archive, "S1").await.1
}

/// The case file of this slip number, in review with two open findings.
pub(crate) async fn in_review_of(archive: &TestArchive, slip_number: &str) -> (CaseFileId, Vec<FindingId>) {
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", slip_number).to_string().as_bytes(), EntryFormat::JsonLines).await;
    let now = archive.backends().clock.now();
    let mut tx = archive.backends().database.begin().await.unwrap();
    let mut case_file = tx.case_files().find_by_slip_number(slip_number).await.unwrap().unwrap();
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
            settled_reason_sealed: None,
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
    (case_file.id, rows.iter().map(|row| row.id).collect())
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

#[tokio::test]
async fn what_an_auditor_wrote_is_sealed_and_shown_to_whose_work_it_is() {
    let archive = TestArchive::open().await;
    let (case_file, ids) = in_review_of(&archive, "S1").await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, clerk) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let reason = "已致电王小明 186 8813 9755，请补扫";

    let path = format!("/api/v1/findings/{}/return", ids[0]);
    archive.post(&auditor, &path, json!({ "reason": reason })).await;

    let path = format!("/api/v1/case-files/{case_file}");
    let reason_in = |seen: &serde_json::Value| {
        let findings = seen["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["settled_reason"].clone()).find(|reason| !reason.is_null()).unwrap()
    };
    let (_, own) = archive.get(&clerk, &path).await;
    let (_, other) = archive.get(&auditor, &path).await;
    assert_eq!(reason_in(&own), json!({ "value": reason, "masked": false }));
    assert_eq!(reason_in(&other), json!({ "value": "****", "masked": true }));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 1000).await.unwrap();
    let returned = log.iter().find(|row| row.entry.action == "return_finding").unwrap();
    assert!(returned.entry.reason.as_deref().unwrap().starts_with("sealed:"));
    drop(tx);
    for file in std::fs::read_dir(archive.folder()).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let needle = "王小明 186".as_bytes();
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", file.display());
        }
    }
}
