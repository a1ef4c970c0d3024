//! Which case file a scan comes to: by barcode, by hand, or none yet.

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
};
use domain::job::JobName;
use serde_json::json;

use crate::{sample_cases, samples};

const OUTLET: &str = "TJHX0101";
const ELSEWHERE: &str = "TJNK0202";

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_finds_its_case_file_by_its_barcode() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let slip_number = entries::slip_number(1, OUTLET);
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();

    let page = scans::page_with_barcode(&slip_number, 1).unwrap();
    let scan_id = clerk.upload(&Upload::of(vec![page])).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();

    let scan = clerk.get(&format!("/api/v1/scans/{scan_id}"), &[]).await.unwrap().document().unwrap();
    assert_eq!(scan["state"], "placed", "{scan}");
    assert_eq!(
        (&scan["placed_by"], &scan["case_file"]["slip_number"]),
        (&json!("barcode"), &json!(slip_number))
    );
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_barcode_of_another_outlet_moves_nothing_there() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let archivist = server.archivist().unwrap();
    archivist.import(entries::csv(&[Entry::of(1, ELSEWHERE)])).await.unwrap().document().unwrap();

    let page = scans::page_with_barcode(&entries::slip_number(1, ELSEWHERE), 1).unwrap();
    let scan_id = clerk.upload(&Upload::of(vec![page])).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();

    let scan = clerk.get(&format!("/api/v1/scans/{scan_id}"), &[]).await.unwrap().document().unwrap();
    assert_eq!(scan["state"], "tray", "{scan}");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_of_another_outlets_case_file_comes_to_the_tray() {
    let server = samples::setup().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    server.archivist().unwrap().import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    let slip = sample_cases::path("scan-005.jpg");

    let said =
        server.command(&["ingest", "--wait", "--outlet", OUTLET, slip.to_str().unwrap()]).await.unwrap();

    assert!(said.contains("1 files: 1 tray"), "{said}");
    let tray = clerk.get("/api/v1/tray", &[]).await.unwrap().document().unwrap();
    let scan = &tray["items"][0];
    assert_eq!((&scan["state"], &scan["settled"]), (&json!("tray"), &json!(true)), "{tray}");
    let catalogue = server.catalogue().await.unwrap();
    assert_eq!(catalogue.dead_jobs().await.unwrap(), [] as [String; 0]);
    drop(catalogue);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_placed_waits_in_the_tray_and_is_placed_by_hand() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let other = server.account("clerk", "C2", &["--outlet", ELSEWHERE]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let upload = Upload::of(vec![scans::small_page(1).unwrap()]);
    let scan_id = clerk.upload(&upload).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();
    let slip = json!({ "slip_number": entries::slip_number(1, OUTLET) });
    let place = format!("/api/v1/scans/{scan_id}/place");

    let own_tray = clerk.get("/api/v1/tray", &[]).await.unwrap().document().unwrap();
    let other_tray = other.get("/api/v1/tray", &[]).await.unwrap().document().unwrap();
    let by_other = other.post(&place, &slip).await.unwrap();
    let by_hand = clerk.post(&place, &slip).await.unwrap().document().unwrap();
    let again = clerk.post(&place, &slip).await.unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(own_tray["items"][0]["id"], json!(scan_id));
    assert_eq!(other_tray["items"], json!([]));
    assert_eq!(by_other.status.as_u16(), 404, "{}", by_other.text);
    assert_eq!((&by_hand["state"], &by_hand["placed_by"]), (&json!("placed"), &json!("hand")));
    assert_eq!((again.status.as_u16(), again.code()), (409, "scan_not_placeable"));
    let catalogue = server.catalogue().await.unwrap();
    let case_file = catalogue.case_file(&entries::slip_number(1, OUTLET)).await.unwrap();
    assert_eq!(case_file.state.as_str(), "in_review");
    drop(catalogue);
    server.verify().await.unwrap();

    clerk.post(&format!("/api/v1/scans/{scan_id}/unplace"), &json!({})).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    let tray = clerk.get("/api/v1/tray", &[]).await.unwrap().document().unwrap();
    assert_eq!(tray["items"][0]["id"], json!(scan_id));
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_took_out_is_put_back_by_a_person_only() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let slip_number = entries::slip_number(1, OUTLET);
    let upload = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&slip_number);
    let scan_id = clerk.upload(&upload).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();
    clerk.post(&format!("/api/v1/scans/{scan_id}/unplace"), &json!({})).await.unwrap().document().unwrap();

    // As a sibling that was placed, or an entry that came, would ask for it.
    let catalogue = server.catalogue().await.unwrap();
    catalogue.enqueue(JobName::PlaceScan, scan_id.parse().unwrap()).await.unwrap();
    drop(catalogue);
    server.wait_until_settled().await.unwrap();

    let scan = clerk.get(&format!("/api/v1/scans/{scan_id}"), &[]).await.unwrap().document().unwrap();
    assert_eq!((&scan["state"], &scan["case_file"]), (&json!("tray"), &json!(null)), "{scan}");
    let slip = json!({ "slip_number": slip_number });
    let back = clerk.post(&format!("/api/v1/scans/{scan_id}/place"), &slip).await.unwrap();
    assert_eq!(back.document().unwrap()["state"], "placed");
    server.wait_until_settled().await.unwrap();
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_number_nobody_entered_opens_a_case_file_that_waits_for_its_entry() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let slip_number = entries::slip_number(1, OUTLET);

    clerk
        .upload(&Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&slip_number))
        .await
        .unwrap()
        .document()
        .unwrap();
    server.wait_until_settled().await.unwrap();
    let waiting = server.catalogue().await.unwrap().case_file(&slip_number).await.unwrap();
    let report = clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(waiting.state.as_str(), "assembling");
    assert_eq!((waiting.outlet_code.as_deref(), waiting.entered_data_id), (Some(OUTLET), None));
    assert_eq!(report["new"], json!(1), "{report}");
    let entered = server.catalogue().await.unwrap().case_file(&slip_number).await.unwrap();
    assert_eq!((entered.id, entered.state.as_str()), (waiting.id, "in_review"));
    server.verify().await.unwrap();
}
