//! What an upload is answered, and what is kept of it.

use archive_tests::{
    client::{ApiClient, OutgoingFile, Upload},
    entries::{self, Entry},
    scans,
    server::Setup,
};
use reqwest::Method;
use serde_json::json;

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_same_answer_and_nothing_is_stored_twice() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let upload = Upload::of(vec![scans::small_page(1).unwrap(), scans::small_page(2).unwrap()]).with_key("k");

    let (first, second) = tokio::join!(clerk.upload(&upload), clerk.upload(&upload));
    let third = clerk.upload(&upload).await.unwrap().document().unwrap();

    let (first, second) = (first.unwrap().document().unwrap(), second.unwrap().document().unwrap());
    assert_eq!(first, second);
    assert_eq!(first, third);
    let other = clerk.upload(&Upload { files: vec![scans::small_page(3).unwrap()], ..upload }).await.unwrap();
    assert_eq!((other.status.as_u16(), other.code()), (422, "idempotency_key_used"), "{}", other.text);
    assert_eq!(server.catalogue().await.unwrap().scans().await.unwrap().len(), 2);
    server.wait_until_settled().await.unwrap();
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_for_the_same_case_are_linked_and_for_another_are_kept() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk
        .import(entries::csv(&[Entry::of(1, OUTLET), Entry::of(2, OUTLET)]))
        .await
        .unwrap()
        .document()
        .unwrap();
    let page = scans::small_page(1).unwrap();
    let for_case = |number| Upload::of(vec![page.clone()]).for_slip(&entries::slip_number(number, OUTLET));

    let first = clerk.upload(&for_case(1)).await.unwrap();
    server.wait_until_settled().await.unwrap();
    let same = clerk.upload(&for_case(1)).await.unwrap();
    let twice = Upload::of(vec![page.clone(), page.clone()]).for_slip(&entries::slip_number(1, OUTLET));
    let within = clerk.upload(&twice).await.unwrap();
    let other = clerk.upload(&for_case(2)).await.unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(first.outcomes(), ["received"]);
    assert_eq!((same.outcomes(), same.scan_ids()), (vec!["linked"], first.scan_ids()));
    assert_eq!(within.outcomes(), ["linked", "linked"]);
    assert_eq!(other.outcomes(), ["received"]);
    let catalogue = server.catalogue().await.unwrap();
    assert_eq!(catalogue.scans().await.unwrap().len(), 2);
    assert_eq!(catalogue.total("upload").await.unwrap(), 4, "every upload is on record");
    drop(catalogue);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_says_why_and_its_siblings_are_received() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let files = vec![
        OutgoingFile::new("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        scans::small_page(1).unwrap(),
        OutgoingFile::new("b.jpg", Vec::new()),
    ];

    let answer = clerk.upload(&Upload::of(files)).await.unwrap();
    let upload_id = answer.body["upload_id"].as_str().unwrap().to_owned();
    server.wait_until_settled().await.unwrap();
    let later = clerk.get(&format!("/api/v1/uploads/{upload_id}"), &[]).await.unwrap().document().unwrap();

    assert_eq!(answer.outcomes(), ["heic_not_supported", "received", "empty_file"]);
    assert!(answer.text.contains("Most Compatible"), "it says what to do: {}", answer.text);
    assert_eq!(
        (&later["settled"], &later["files"][1]["scan"]["state"]),
        (&json!(true), &json!("tray")),
        "{later}"
    );
    assert_eq!(later["files"][0]["refusal"]["code"], json!("heic_not_supported"));
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_upload_is_told_so_and_nothing_is_kept() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let manager = server.account("channel_manager", "M1", &["--outlet", OUTLET]).await.unwrap();
    let nobody = clerk_with_a_wrong_token(&server).unwrap();
    let upload = Upload::of(vec![scans::small_page(1).unwrap()]);
    let (form, mail) = ("multipart/form-data; boundary=x", "text/plain");

    let by_nobody = nobody.upload(&upload).await.unwrap();
    let by_manager = manager.upload(&upload).await.unwrap();
    let for_others = clerk.upload(&upload.clone().from_outlet("TJNK0202")).await.unwrap();
    let send = |kind: &'static str, body: &'static str| {
        let request = clerk.request(Method::POST, "/api/v1/scans").header("content-type", kind).body(body);
        clerk.send(request)
    };
    let (cut_off, empty, no_form) = tokio::join!(
        send(form, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"),
        send(form, "--x--\r\n"),
        send(mail, "hello"),
    );

    assert_eq!((by_nobody.status.as_u16(), by_nobody.code()), (401, "unauthenticated"));
    assert_eq!((by_manager.status.as_u16(), by_manager.code()), (403, "forbidden"));
    assert_eq!((for_others.status.as_u16(), for_others.code()), (403, "forbidden"));
    assert_eq!(cut_off.unwrap().code(), "upload_incomplete");
    assert_eq!(empty.unwrap().code(), "no_files");
    assert_eq!(no_form.unwrap().code(), "wrong_media_type");
    assert!(server.catalogue().await.unwrap().scans().await.unwrap().is_empty());
    server.verify().await.unwrap();
}

fn clerk_with_a_wrong_token(server: &archive_tests::server::TestServer) -> anyhow::Result<ApiClient> {
    ApiClient::new(server.address(), &format!("gd_{}", "0".repeat(64)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_goes_on_where_it_was() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let pages = (1..=6).map(|seed| scans::small_page(seed).unwrap()).collect();

    let answer = clerk.upload(&Upload::of(pages)).await.unwrap();
    server.stop().await.unwrap();
    server.verify().await.unwrap();
    server.restart().await.unwrap();
    server.wait_until_settled().await.unwrap();

    let catalogue = server.catalogue().await.unwrap();
    for id in answer.scan_ids() {
        assert_eq!(catalogue.scan(&id).await.unwrap().state.as_str(), "tray");
        assert_eq!(catalogue.times("read_scan", &id).await.unwrap(), 1);
    }
    drop(catalogue);
    server.verify().await.unwrap();
}
