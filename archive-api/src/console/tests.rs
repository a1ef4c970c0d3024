use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use backends::database::scans::ScanRow;
use domain::{access::Role, scan::ScanState};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    entries::EntryFormat,
    intake::{Labels, UploadRequest},
    router::router,
    session::COOKIE,
    testing::{Files, TestArchive, entry, png},
};

async fn page(archive: &TestArchive, token: &str, path: &str, language: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header(header::COOKIE, format!("{COOKIE}={token}"))
        .header(header::ACCEPT_LANGUAGE, language)
        .body(Body::empty())
        .unwrap();
    let response = router(archive.state.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn every_page_is_shown_in_both_languages() {
    let archive = TestArchive::open().await;
    let local = archive.local().await;
    archive.import(&local, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let id = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap().id;
    drop(tx);
    let (_, token) = archive.account(Role::Auditor, None, Some("TJ")).await;

    for (path, zh, en) in [
        ("/".to_owned(), "今天要做的", "What waits for you"),
        ("/tray".to_owned(), "没有等待人工归卷", "No scan waits"),
        ("/upload".to_owned(), "上传扫描件", "Upload scans"),
        (format!("/case-files/{id}"), "还没有扫描件", "No scans yet"),
        ("/sign-in".to_owned(), "访问令牌", "Access token"),
    ] {
        let (status, chinese) = page(&archive, &token, &path, "zh-CN").await;
        let (_, english) = page(&archive, &token, &path, "en").await;

        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(chinese.contains(zh) && english.contains(en), "{path}");
        assert!(
            !chinese.contains("王小明") && !chinese.contains("<script") && !chinese.contains("style="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_asked_to_and_a_foreign_form_is_refused() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;

    let (asked, _) = page(&archive, "gd_x", "/", "zh").await;
    let foreign = Request::post("/upload")
        .header(header::COOKIE, format!("{COOKIE}={token}"))
        .header("sec-fetch-site", "cross-site")
        .body(Body::empty())
        .unwrap();
    let refused = router(archive.state.clone()).oneshot(foreign).await.unwrap();

    assert_eq!(asked, StatusCode::SEE_OTHER);
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.headers().contains_key(header::CONTENT_SECURITY_POLICY));
}

#[tokio::test]
async fn a_code_opens_the_console_once() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let code = archive.state.sign_in_codes.issue(&token, archive.backends().clock.now());

    let (first, _) = page(&archive, "", &format!("/sign-in?code={code}"), "zh").await;
    let (second, text) = page(&archive, "", &format!("/sign-in?code={code}"), "zh").await;

    assert_eq!((first, second), (StatusCode::SEE_OTHER, StatusCode::OK));
    assert!(text.contains("令牌无效"));
}

#[tokio::test]
async fn signing_in_and_out_is_on_record_and_ends_the_browsers_token_alone() {
    let archive = TestArchive::open().await;
    let (caller, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let post = async |path: &str, cookie: &str, form: String| {
        let request = Request::post(path)
            .header(header::COOKIE, format!("{COOKIE}={cookie}"))
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        router(archive.state.clone()).oneshot(request).await.unwrap()
    };

    let signed_in = post("/sign-in", "", format!("token={token}")).await;
    let set = signed_in.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let session = set.split(['=', ';']).nth(1).unwrap().to_owned();
    let (open, _) = page(&archive, &session, "/", "zh").await;
    let signed_out = post("/sign-out", &session, String::new()).await;
    let (closed, _) = page(&archive, &session, "/", "zh").await;
    let (still, _) = page(&archive, &token, "/", "zh").await;

    assert_ne!(session, token);
    assert_eq!((open, signed_out.status()), (StatusCode::OK, StatusCode::SEE_OTHER));
    assert_eq!((closed, still), (StatusCode::SEE_OTHER, StatusCode::OK));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let log = tx.operation_log().after(0, 100).await.unwrap();
    let done = |action: &str| {
        let entries = log.iter().filter(|row| row.entry.action == action && row.entry.result == "done");
        entries.filter(|row| row.entry.account_id == Some(caller.account.id)).count()
    };
    assert_eq!((done("sign_in"), done("sign_out")), (1, 1));
}

#[tokio::test]
async fn the_tray_and_the_history_speak_in_sentences() {
    let archive = TestArchive::open().await;
    let (clerk, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    archive.import(&clerk, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;
    let labels = Labels { outlet: Some("TJ01".to_owned()), ..Labels::default() };
    let mut files = Files::new(vec![(labels, Some(png(1)))]);
    archive.state.intake.receive(&clerk, UploadRequest::default(), &mut files).await.unwrap();
    let mut tx = archive.backends().database.begin().await.unwrap();
    let case_file = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap().id;
    let scan = tx.scans().in_state(ScanState::Received, None, None, 1).await.unwrap().remove(0);
    let row = ScanRow { state: ScanState::Unreadable, problem: Some("no_pages".to_owned()), ..scan.clone() };
    tx.scans().update(&row, ScanState::Received).await.unwrap();
    tx.commit().await.unwrap();

    let (_, tray) = page(&archive, &token, "/tray", "zh").await;
    let (_, upload) = page(&archive, &token, &format!("/uploads/{}", scan.upload_id), "en").await;
    let (_, case_page) = page(&archive, &token, &format!("/case-files/{case_file}"), "zh").await;

    assert!(tray.contains("文件里没有页面") && !tray.contains("no_pages"), "{tray}");
    assert!(upload.contains("There is no page in the file"), "{upload}");
    assert!(case_page.contains("建立案卷") && !case_page.contains("opened"), "{case_page}");
}

#[tokio::test]
async fn a_form_that_names_a_person_leaves_no_trace_of_it_in_an_address() {
    let archive = TestArchive::open().await;
    let (_, token) = archive.account(Role::Auditor, None, Some("TJ")).await;
    let (_, other) = archive.account(Role::Auditor, None, Some("BJ")).await;

    let personal = sent(&archive, &token, "state=&name=%E7%8E%8B%E5%B0%8F%E6%98%8E&phone=13812345678").await;
    let plain = sent(&archive, &token, "state=in_review&name=&sort=date").await;
    let (status, shown) = page(&archive, &token, &personal, "en").await;
    let (foreign, _) = page(&archive, &other, &personal, "en").await;
    let (refused, why) = page(&archive, &token, "/case-files?name=%E7%8E%8B", "zh").await;

    assert!(personal.starts_with("/searches/") && !personal.contains("13812345678"), "{personal}");
    let plain = plain.strip_prefix("/case-files?").map(|query| query.split('&').collect::<BTreeSet<_>>());
    assert_eq!(plain, Some(BTreeSet::from(["sort=date", "state=in_review"])));
    assert_eq!((status, foreign), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_REQUEST), "{shown}");
    assert!(refused == StatusCode::BAD_REQUEST && why.contains("不能写在网址里"), "{why}");
}

/// Where the search form leads.
async fn sent(archive: &TestArchive, token: &str, form: &str) -> String {
    let request = Request::post("/case-files")
        .header(header::COOKIE, format!("{COOKIE}={token}"))
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    let response = router(archive.state.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}
