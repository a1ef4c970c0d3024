use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use backends::database::scans::ScanRow;
use domain::{access::Role, case_file::CaseState, ids::ScanId, scan::ScanState};
use serde_json::{Value, json};

use crate::{
    entries::EntryFormat,
    testing::{TestArchive, entry, png, read},
};

fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, file_name, bytes) in parts {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        body.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b--\r\n");
    Request::post("/api/v1/scans")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap()
}

async fn upload(
    archive: &TestArchive,
    token: &str,
    parts: &[(&str, Option<&str>, &[u8])],
) -> (StatusCode, Value) {
    read(archive.send(token, multipart(parts)).await).await
}

async fn to_tray(archive: &TestArchive, id: ScanId) {
    let mut tx = archive.backends().database.begin().await.unwrap();
    let scan = tx.scans().find(id).await.unwrap().unwrap();
    tx.scans().update(&ScanRow { state: ScanState::Tray, ..scan }, ScanState::Received).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_upload_over_http_names_each_scan_and_where_to_follow_it() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let picture = png(1);
    let parts: [(&str, Option<&str>, &[u8]); 3] =
        [("slip_number", None, b"S1"), ("file", Some("a.png"), &picture), ("file", Some("b.gif"), b"GIF89a")];

    let (status, answer) = upload(&archive, &token, &parts).await;

    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(answer["files"][1]["refusal"]["code"], "gif_not_supported");
    let (_, scan) = archive.get(&token, answer["files"][0]["follow"].as_str().unwrap()).await;
    assert_eq!((scan["state"].as_str(), scan["slip_number_given"].as_str()), (Some("received"), Some("S1")));
    assert_eq!(scan["settled"], false);
    let (_, upload) = archive.get(&token, answer["follow"].as_str().unwrap()).await;
    assert_eq!(upload["files"][1]["outcome"], "refused");
    let (_, other) = archive.account(Role::Clerk, Some("TJ02"), None).await;
    let (hidden, _) = archive.get(&other, answer["follow"].as_str().unwrap()).await;
    assert_eq!(hidden, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn when_every_file_is_refused_nothing_is_called_received() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;

    let (status, problem) = upload(&archive, &token, &[("file", Some("a"), b"GIF89a")]).await;

    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("nothing_taken")));
    assert!(problem["files"][0]["refusal"]["detail"].as_str().unwrap().contains("GIF"));
}

#[tokio::test]
async fn a_scan_is_placed_by_hand_and_taken_out_again() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let picture = png(1);
    let (_, answer) = upload(&archive, &token, &[("file", Some("a.png"), &picture)]).await;
    let id: ScanId = answer["files"][0]["scan_id"].as_str().unwrap().parse().unwrap();
    to_tray(&archive, id).await;

    let (missing, _) =
        archive.post(&token, &format!("/api/v1/scans/{id}/place"), json!({"slip_number": "S9"})).await;
    let (_, tray) = archive.get(&token, "/api/v1/tray").await;
    let (placed, scan) =
        archive.post(&token, &format!("/api/v1/scans/{id}/place"), json!({"slip_number": "S1"})).await;

    assert_eq!(missing, StatusCode::NOT_FOUND);
    assert_eq!(tray["items"][0]["id"], json!(id));
    assert_eq!((placed, scan["state"].as_str()), (StatusCode::OK, Some("placed")));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let case_file = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap();
    assert_eq!(case_file.state, CaseState::Reading);
    assert!(tx.jobs().is_pending(case_file.id.uuid()).await.unwrap());
    drop(tx);

    let (out, scan) = archive.post(&token, &format!("/api/v1/scans/{id}/unplace"), json!({})).await;

    assert_eq!((out, scan["state"].as_str()), (StatusCode::OK, Some("tray")));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let row = tx.scans().find(id).await.unwrap().unwrap();
    archive.backends().vault.destroy(case_file.key_id).await.unwrap();
    assert!(archive.backends().vault.key(row.key_id).await.unwrap().is_some());
}

/// Sends a picture without an outlet, and gives its scan.
async fn sent_without_outlet(archive: &TestArchive, sender: &str, shade: u8) -> ScanId {
    let picture = png(shade);
    let (_, answer) = upload(archive, sender, &[("file", Some("a.png"), &picture)]).await;
    let id: ScanId = answer["files"][0]["scan_id"].as_str().unwrap().parse().unwrap();
    to_tray(archive, id).await;
    id
}

async fn tray_of(archive: &TestArchive, token: &str) -> Vec<Value> {
    let (status, tray) = archive.get(token, "/api/v1/tray").await;
    assert_eq!(status, StatusCode::OK, "{tray}");
    tray["items"].as_array().unwrap().iter().map(|scan| scan["id"].clone()).collect()
}

#[tokio::test]
async fn what_cannot_be_read_and_is_placed_hides_nothing_in_the_tray() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let (_, archivist) = archive.account(Role::Archivist, None, None).await;
    let mut ids = Vec::new();
    for shade in 1..=3 {
        let id = sent_without_outlet(&archive, &archivist, shade).await;
        let mut tx = archive.backends().database.begin().await.unwrap();
        let scan = tx.scans().find(id).await.unwrap().unwrap();
        tx.scans().update(&ScanRow { state: ScanState::Unreadable, ..scan }, ScanState::Tray).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(id);
    }
    for id in &ids[..2] {
        let place = format!("/api/v1/scans/{id}/place");
        let (placed, scan) = archive.post(&archivist, &place, json!({"slip_number": "S1"})).await;
        assert_eq!((placed, scan["state"].as_str()), (StatusCode::OK, Some("unreadable")));
    }

    let (_, tray) = archive.get(&archivist, "/api/v1/tray?limit=1").await;

    assert_eq!(tray["items"][0]["id"], json!(ids[2]), "{tray}");
}

#[tokio::test]
async fn what_points_to_a_scan_goes_where_the_scan_goes() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    for slip_number in ["S1", "S2"] {
        let line = entry("TJ01", slip_number).to_string();
        archive.import(&local, line.as_bytes(), EntryFormat::JsonLines).await;
    }
    let (_, archivist) = archive.account(Role::Archivist, None, None).await;
    let (first, again) = (
        sent_without_outlet(&archive, &archivist, 1).await,
        sent_without_outlet(&archive, &archivist, 1).await,
    );
    let act = async |id: ScanId, act: &str, slip_number: &str| {
        let path = format!("/api/v1/scans/{id}/{act}");
        let body = if act == "place" { json!({"slip_number": slip_number}) } else { json!({}) };
        let (status, scan) = archive.post(&archivist, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{scan}");
    };
    let where_is = async |id: ScanId| {
        let mut tx = archive.backends().database.begin_read().await.unwrap();
        let scan = tx.scans().find(id).await.unwrap().unwrap();
        (scan.case_file_id, scan.same_as)
    };
    act(first, "place", "S1").await;
    act(again, "place", "S1").await;
    assert_eq!(where_is(again).await, (where_is(first).await.0, Some(first)));

    act(first, "unplace", "").await;
    act(first, "place", "S2").await;
    let elsewhere = (where_is(first).await, where_is(again).await);
    // The same bytes come to the first case file once more, and then everything goes back there.
    let third = sent_without_outlet(&archive, &archivist, 1).await;
    act(third, "place", "S1").await;
    act(first, "unplace", "").await;
    act(first, "place", "S1").await;

    let ((case_file, none), link) = elsewhere;
    assert!(case_file.is_some() && none.is_none());
    assert_eq!(link, (case_file, Some(first)));
    let back = where_is(third).await.0;
    assert_eq!(where_is(first).await, (back, Some(third)));
    assert_eq!(where_is(again).await, (back, Some(third)));
}

#[tokio::test]
async fn what_is_taken_out_stays_with_those_who_took_it_out() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let (_, archivist) = archive.account(Role::Archivist, None, None).await;
    let (_, clerk) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let (_, auditor) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let id = sent_without_outlet(&archive, &archivist, 1).await;
    let (place, unplace) = (format!("/api/v1/scans/{id}/place"), format!("/api/v1/scans/{id}/unplace"));
    archive.post(&archivist, &place, json!({"slip_number": "S1"})).await;

    let (out, scan) = archive.post(&clerk, &unplace, json!({})).await;

    assert_eq!((out, &scan["outlet_code"]), (StatusCode::OK, &json!("TJ01")), "{scan}");
    assert_eq!(tray_of(&archive, &clerk).await, [json!(id)]);
    assert_eq!(tray_of(&archive, &auditor).await, [json!(id)]);
    let (seen, _) = archive.get(&clerk, &format!("/api/v1/scans/{id}")).await;
    let (back, scan) = archive.post(&clerk, &place, json!({"slip_number": "S1"})).await;
    assert_eq!((seen, back), (StatusCode::OK, StatusCode::OK), "{scan}");
}

#[tokio::test]
async fn a_scan_without_an_outlet_lies_in_the_tray_of_its_senders_branch() {
    let archive = TestArchive::open().await;
    let (_, sender) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, colleague) = archive.account(Role::Archivist, None, Some("TJ")).await;
    let (_, elsewhere) = archive.account(Role::Archivist, None, Some("BJ")).await;
    let (_, clerk) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let id = sent_without_outlet(&archive, &sender, 1).await;

    for (token, status, tray) in [
        (&sender, StatusCode::OK, vec![json!(id)]),
        (&colleague, StatusCode::OK, vec![json!(id)]),
        (&elsewhere, StatusCode::NOT_FOUND, vec![]),
        (&clerk, StatusCode::NOT_FOUND, vec![]),
    ] {
        assert_eq!(archive.get(token, &format!("/api/v1/scans/{id}")).await.0, status);
        assert_eq!(tray_of(&archive, token).await, tray);
    }
}

#[tokio::test]
async fn a_link_tells_nobody_what_another_outlet_has() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let (_, owner) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let (_, stranger) = archive.account(Role::Clerk, Some("TJ02"), None).await;
    let small = png(1);
    // Too large to be held, which takes another way.
    let large = [b"%PDF-1.7\n".to_vec(), vec![b' '; 5 << 20], b"startxref\n0\n%%EOF\n".to_vec()].concat();
    let outcomes = async |token: &str, slip_number: &str| {
        let parts: [(&str, Option<&str>, &[u8]); 3] = [
            ("slip_number", None, slip_number.as_bytes()),
            ("file", Some("a.png"), &small),
            ("file", Some("b.pdf"), &large),
        ];
        let (_, answer) = upload(&archive, token, &parts).await;
        let outcome = |file: usize| answer["files"][file]["outcome"].as_str().unwrap().to_owned();
        [(outcome(0), answer["files"][0]["scan_id"].clone()), (outcome(1), json!(null))]
    };
    let [(first, id), _] = outcomes(&owner, "S1").await;
    outcomes(&owner, "S2").await;
    to_tray(&archive, id.as_str().unwrap().parse().unwrap()).await;
    let place = format!("/api/v1/scans/{}/place", id.as_str().unwrap());
    archive.post(&owner, &place, json!({"slip_number": "S1"})).await;

    assert_eq!(first, "received");
    // Of a case file, and of a slip number that nobody has entered.
    for slip_number in ["S1", "S2"] {
        let known = outcomes(&owner, slip_number).await;
        let hidden = outcomes(&stranger, slip_number).await;

        assert!(known.iter().all(|(outcome, _)| outcome == "linked"), "{known:?}");
        assert!(hidden.iter().all(|(outcome, _)| outcome == "received"), "{hidden:?}");
        assert_ne!(hidden[0].1, known[0].1);
    }
}

#[tokio::test]
async fn a_misspelt_field_of_an_upload_is_refused_and_named() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let picture = png(1);

    let parts: [(&str, Option<&str>, &[u8]); 2] =
        [("slipnumber", None, b"S1"), ("file", Some("a.png"), &picture)];
    let (status, problem) = upload(&archive, &token, &parts).await;

    assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_request")));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("slipnumber") && detail.contains("slip_number"), "{detail}");
}

#[tokio::test]
async fn an_outlet_that_nothing_names_yet_is_warned_of() {
    let archive = TestArchive::open().await;
    let (_, auditor) = archive.account(Role::Auditor, None, None).await;
    archive.account(Role::Clerk, Some("TJ01"), None).await;
    let picture = png(1);
    let from = async |outlet: &str| {
        let parts: [(&str, Option<&str>, &[u8]); 2] =
            [("outlet", None, outlet.as_bytes()), ("file", Some("a.png"), &picture)];
        upload(&archive, &auditor, &parts).await
    };

    let (taken, answer) = from("TJO1").await;
    let (_, known) = from("TJ01").await;

    assert_eq!((taken, &answer["warnings"][0]["code"]), (StatusCode::CREATED, &json!("outlet_unknown")));
    assert!(answer["warnings"][0]["detail"].as_str().unwrap().contains("TJO1"), "{answer}");
    assert_eq!(known["warnings"], Value::Null);
}
