//! Names and values that try to break whoever stores, shows or searches them.

use archive_tests::{
    client::ApiClient,
    entries::{self, Entry},
    scans,
    server::Setup,
};
use reqwest::Method;
use serde_json::Value;

const OUTLET: &str = "TJHX0101";
const SCRIPT: &str = "<script>alert('王小明')</script>";

/// Values that are strange but text.
const STRANGE: [&str; 10] = [
    SCRIPT,
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+86 155-0000-0000",
    "王\u{202E}gpj.exe\u{202C}",
    "'; DROP TABLE case_files; --",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "../../../../etc/passwd",
    "\u{1F600}𠮷野家\u{0301}\u{200B}",
    "\"quoted\", and, commas\nand a second line",
];

#[tokio::test(flavor = "multi_thread")]
async fn strange_values_come_back_as_they_were_and_are_masked_for_others() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let strange = |(number, value): (u64, &&str)| Entry {
        customer_name: (*value).to_owned(),
        id_address: format!("天津市{value}"),
        ..Entry::of(number, OUTLET)
    };
    let file: Vec<Entry> = (1..).zip(&STRANGE).map(strange).collect();

    let report = clerk.import(entries::csv(&file)).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();

    assert_eq!((report["new"].as_u64(), report["bad"].as_u64()), (Some(10), Some(0)), "{report}");
    let archivist = server.archivist().unwrap();
    for (entry, value) in file.iter().zip(STRANGE) {
        let own = read(&clerk, &entry.slip_number).await;
        let foreign = read(&archivist, &entry.slip_number).await;
        assert_eq!(own["entered"]["customer_name"]["value"], value.trim());
        assert_eq!(foreign["entered"]["customer_name"]["masked"], true, "{foreign}");
        assert_ne!(foreign["entered"]["customer_name"]["value"], value.trim());
    }
    assert!(!server.log().contains("alert("), "a name is in the log");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_markup_in_a_value_as_text() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry =
        Entry { customer_name: SCRIPT.to_owned(), product: SCRIPT.to_owned(), ..Entry::of(1, OUTLET) };
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();
    let id = server.catalogue().await.unwrap().case_file(&entry.slip_number).await.unwrap().id;

    let list = clerk.get("/case-files", &[("slip_number", "<script>alert(1)</script>")]).await.unwrap();
    let page = clerk.get(&format!("/case-files/{id}"), &[]).await.unwrap();

    assert!(page.status.is_success(), "{}: {}", page.status, page.text);
    assert!(
        page.text.contains("&#60;script&#62;alert") || page.text.contains("&lt;script&gt;alert"),
        "{}",
        page.text
    );
    for text in [&list.text, &page.text] {
        assert!(!text.contains("<script>alert"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_no_text_are_reported_by_line_and_the_others_are_kept() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let with_name =
        |number, name: &str| Entry { customer_name: name.to_owned(), ..Entry::of(number, OUTLET) };
    let file = entries::csv(&[
        with_name(1, "王\0小明"),
        with_name(2, "王小明"),
        with_name(3, &"长".repeat(10_000)),
        with_name(4, "\u{1b}[2J\u{7}"),
        Entry { slip_number: "x y; DROP TABLE".to_owned(), ..Entry::of(5, OUTLET) },
        Entry { accepted_on: "2026-02-31".to_owned(), ..Entry::of(6, OUTLET) },
        with_name(7, "李雷"),
    ]);

    let report = clerk.import(file).await.unwrap().document().unwrap();

    assert_eq!((report["new"].as_u64(), report["bad"].as_u64()), (Some(2), Some(5)), "{report}");
    let told: Vec<(u64, &str)> = report["bad_lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (bad["line"].as_u64().unwrap(), bad["reason"].as_str().unwrap()))
        .collect();
    let expected = [
        (2, "control_character"),
        (4, "value_too_long"),
        (5, "control_character"),
        (6, "not_a_slip_number"),
        (7, "not_a_day"),
    ];
    assert_eq!(told, expected);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_file_names_are_only_names() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let long = "a".repeat(10_000);
    let names = [
        "../../../../etc/cron.d/scan.png",
        "/etc/passwd",
        "C:\\Windows\\System32\\scan.png",
        "<img src=x onerror=alert(1)>.png",
        "'; DROP TABLE scans; --.png",
        "王\u{202E}gnp.exe",
        "CON",
        "..",
        "",
        "scan.png\\\"; filename=\\\"other.png",
        &long,
        "nul\0byte.png",
    ];

    for (seed, name) in (1..).zip(names) {
        let answer = upload_named(&clerk, name, seed).await;
        let status = answer["http_status"].as_u64().unwrap();
        assert!(status == 201 || (400..500).contains(&status), "{name:?}: {answer}");
    }
    server.wait_until_settled().await.unwrap();

    assert!(server.is_running());
    let scans = server.catalogue().await.unwrap().scans().await.unwrap();
    assert!(scans.len() >= 10, "only {} of the files were taken", scans.len());
    let objects = std::fs::read_dir(server.data()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(objects.into_iter().all(|name| name != "scan.png"), "a name became a file");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_questions_get_an_answer_and_never_a_failure() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();
    let long = "1".repeat(5_000);
    let kinds = [
        "slip_number",
        "phone",
        "id_number",
        "name",
        "whole_name",
        "address",
        "cursor",
        "limit",
        "state",
        "accepted_from",
    ];
    let values = [
        "' OR '1'='1",
        "*",
        "****",
        "%",
        "\u{202E}",
        "-1",
        "99999999999999999999",
        "<script>",
        "1*1*1",
        &long,
    ];

    for kind in kinds {
        for value in values {
            let answer = clerk.get("/api/v1/case-files", &[(kind, value)]).await.unwrap();
            assert!(answer.status.as_u16() < 500, "{kind}={value}: {}", answer.text);
            let found = answer.body["items"].as_array().map_or(0, Vec::len);
            assert!(found == 0 || value != "' OR '1'='1", "{kind}: everything was found");
        }
    }
    for path in [
        "/api/v1/case-files/..%2f..%2fetc%2fpasswd",
        "/api/v1/scans/%00",
        "/api/v1/uploads/'",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let answer = clerk.get(path, &[]).await.unwrap();
        assert!((400..500).contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }

    assert!(server.is_running());
    server.verify().await.unwrap();
}

async fn read(client: &ApiClient, slip_number: &str) -> Value {
    let found = client.search(&[("slip_number", slip_number)]).await.unwrap();
    let id = found[0]["id"].as_str().unwrap();
    client.get(&format!("/api/v1/case-files/{id}"), &[]).await.unwrap().document().unwrap()
}

/// Writes the request by hand: a decent client would make the name harmless first.
async fn upload_named(client: &ApiClient, name: &str, seed: u64) -> Value {
    let mut body = b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
    body.extend(name.as_bytes());
    body.extend(b"\"\r\n\r\n");
    body.extend(scans::small_page(seed).unwrap().bytes);
    body.extend(b"\r\n--edge--\r\n");
    let request = client.request(Method::POST, "/api/v1/scans");
    let request = request.header("content-type", "multipart/form-data; boundary=edge").body(body);
    let answer = client.send(request).await.unwrap();
    let mut document = answer.body;
    document["http_status"] = answer.status.as_u16().into();
    document
}
