use axum::http::StatusCode;
use backends::database::case_files::CaseFileRow;
use domain::access::Role;
use indexer::{
    document::CaseDocument,
    searcher::Searcher,
    writer::{Change, IndexWriter},
};
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

    assert_eq!(own["entered"]["customer_name"], json!({ "value": "王小明", "masked": false }));
    assert_eq!(masked["entered"]["customer_name"], json!({ "value": "王**", "masked": true }));
    assert_eq!(masked["entered"]["id_number"]["value"], "110***********002X");
    assert!(!masked.to_string().contains("友谊路"));
}

#[tokio::test]
async fn unmasking_takes_a_reason_and_is_put_on_record() {
    let archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let (caller, token) = archive.account(Role::Archivist, None, Some("TJ")).await;
    let path = format!("/api/v1/case-files/{}/unmask", case_file.id);

    let (refused, problem) = archive.post(&token, &path, json!({ "reason": " " })).await;
    let reason = "王小明来电 138 1234 5678，投诉核查";
    let (_, clear) = archive.post(&token, &path, json!({ "reason": reason })).await;

    assert_eq!((refused, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("reason_required")));
    assert_eq!(clear["entered"]["customer_name"]["value"], "王小明");
    assert_eq!(clear["entered"]["id_number"]["masked"], true);
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 100).await.unwrap();
    let unmasked: Vec<_> = log.iter().filter(|row| row.entry.action == "unmask").collect();
    assert_eq!(unmasked.len(), 1);
    assert_eq!(unmasked[0].entry.account_id, Some(caller.account.id));
    // The words can be read while the key of the case file lives; the log holds a digest of them.
    let key = archive.backends().vault.required_key(case_file.key_id).await.unwrap();
    assert_eq!(unmasked[0].entry.reason, Some(key.fingerprint(reason)));
    let sealed = tx.operation_log().reason_of(unmasked[0].sequence).await.unwrap().unwrap();
    assert_eq!((sealed.key_id, sealed.open(&key).unwrap()), (case_file.key_id, reason.to_owned()));
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

/// An index that holds the case file as it stands.
fn index_of(folder: &std::path::Path, archive: &TestArchive, case_file: &CaseFileRow) -> Searcher {
    let key = archive.state.blind_key();
    let mut writer = IndexWriter::open(folder, key.clone()).unwrap();
    let document = CaseDocument {
        case_file_id: case_file.id,
        slip_number: case_file.slip_number.clone(),
        outlet_code: case_file.outlet_code.clone().unwrap(),
        branch_code: case_file.branch_code.clone().unwrap(),
        channel: case_file.channel.clone().unwrap(),
        accepted_on: case_file.accepted_on.unwrap(),
        state: case_file.state,
        finding_codes: Vec::new(),
        has_open_findings: false,
        archival_code: None,
        names: vec!["王小明".to_owned()],
        id_numbers: vec!["11010519491231002X".to_owned()],
        phones: vec!["13812345678".to_owned()],
        addresses: vec!["天津市河西区友谊路1号".to_owned()],
    };
    writer.apply(&[Change::Upsert(Box::new(document))], 1).unwrap();
    writer.commit().unwrap();
    Searcher::open(folder, key).unwrap()
}

#[tokio::test]
async fn a_search_finds_what_is_in_reach_masks_it_and_logs_no_term() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let searcher = index_of(folder.path(), &archive, &case_file);
    archive.state.searcher = tokio::sync::watch::channel(Some(std::sync::Arc::new(searcher))).1;
    let (_, own) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let (_, other) = archive.account(Role::Clerk, Some("TJ02"), None).await;
    let (_, administrator) = archive.account(Role::SystemAdmin, None, None).await;
    let path = "/api/v1/case-files?name=%E5%B0%8F&id_number=002X&address=%E5%8F%8B%E8%B0%8A&count=exact";

    let (_, found) = archive.get(&own, path).await;
    let (_, nothing) = archive.get(&other, path).await;
    let in_body = json!({ "name": "小", "id_number": "002X", "address": "友谊", "count": "exact" });
    let (_, same) = archive.post(&own, "/api/v1/case-files/search", in_body).await;
    let (archived, none) = archive.get(&own, "/api/v1/case-files?state=archived").await;
    let (forbidden, _) = archive.get(&administrator, path).await;

    assert_eq!(
        (found["count"].as_u64(), found["items"][0]["customer_name"].as_str()),
        (Some(1), Some("王**"))
    );
    assert_eq!(same, found);
    assert_eq!((nothing["count"].as_u64(), nothing["items"].as_array().unwrap().len()), (Some(0), 0));
    assert_eq!((archived, none["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(0)));
    assert_eq!(forbidden, StatusCode::FORBIDDEN);
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 100).await.unwrap();
    let searches: Vec<_> = log.iter().filter(|row| row.entry.action == "search").collect();
    assert_eq!(searches.len(), 4);
    assert!(searches.iter().all(|row| row.entry.subject_id.len() == 16));
}

#[tokio::test]
async fn a_damaged_case_file_is_listed_without_its_values_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = TestArchive::open().await;
    let case_file = with_entry(&archive).await;
    let mut damaged = case_file.clone();
    let mut tx = archive.backends().database.begin().await.unwrap();
    let mut version = tx.entered_data().find(case_file.entered_data_id.unwrap()).await.unwrap().unwrap();
    version.id = backends::clock::new_id(case_file.created_at);
    version.version += 1;
    version.entered_sealed.truncate(40);
    tx.entered_data().insert(&version).await.unwrap();
    damaged.entered_data_id = Some(version.id);
    tx.case_files().update(&mut damaged).await.unwrap();
    tx.commit().await.unwrap();
    let searcher = index_of(folder.path(), &archive, &case_file);
    archive.state.searcher = tokio::sync::watch::channel(Some(std::sync::Arc::new(searcher))).1;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;

    let (status, found) = archive.get(&token, "/api/v1/case-files?slip_number=S1").await;

    assert_eq!(status, StatusCode::OK);
    let shown = &found["items"][0];
    assert_eq!((shown["slip_number"].as_str(), shown["customer_name"].as_str()), (Some("S1"), Some("")));
}
