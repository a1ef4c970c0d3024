//! Entered data: new, changed, bad, in every form a business system exports.

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
};
use reqwest::Method;
use serde_json::json;

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_entry_is_a_new_version_and_is_checked_again() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    let changed = Entry { contact_name: entry.customer_name.clone(), ..entry.clone() };
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entry.slip_number);
    clerk.upload(&page).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    let before = server.catalogue().await.unwrap().case_file(&entry.slip_number).await.unwrap();

    let same = clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let report = clerk.import(entries::csv(&[changed])).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!((&same["unchanged"], &same["changed"]), (&json!(1), &json!(0)), "{same}");
    assert_eq!((&report["unchanged"], &report["changed"]), (&json!(0), &json!(1)), "{report}");
    let catalogue = server.catalogue().await.unwrap();
    let after = catalogue.case_file(&entry.slip_number).await.unwrap();
    assert_ne!(before.verdict_id, after.verdict_id, "the verdict was given on the old entry");
    let findings = catalogue.findings(&after).await.unwrap();
    let raised = findings.iter().filter(|finding| Some(finding.verdict_id) == after.verdict_id);
    assert!(raised.into_iter().any(|finding| finding.code.as_str() == "contact_is_customer"));
    drop(catalogue);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_checked_when_they_arrive() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let good = Entry::of(1, OUTLET);
    let wrong_digit = Entry { id_number: good.id_number.replace("120103", "120104"), ..Entry::of(2, OUTLET) };
    let own_number = Entry { contact_phone: Entry::of(3, OUTLET).service_number, ..Entry::of(3, OUTLET) };

    let file = entries::csv(&[good.clone(), wrong_digit.clone(), own_number.clone()]);
    clerk.import(file).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();

    let catalogue = server.catalogue().await.unwrap();
    for (entry, expected) in [
        (good, None),
        (wrong_digit, Some("id_number_invalid")),
        (own_number, Some("contact_phone_is_service_number")),
    ] {
        let case_file = catalogue.case_file(&entry.slip_number).await.unwrap();
        let findings = catalogue.findings(&case_file).await.unwrap();
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{}", entry.slip_number);
    }
    drop(catalogue);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_say_the_same_as_csv() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    let line = json!({
        "outlet_code": entry.outlet_code, "outlet_name": "测试营业厅", "channel": "自有营业厅",
        "accepted_on": entry.accepted_on, "slip_number": entry.slip_number,
        "service_numbers": [entry.service_number], "customer_type": "公众",
        "customer_name": entry.customer_name, "id_type": "居民身份证", "id_number": entry.id_number,
        "id_address": entry.id_address, "contact_name": entry.contact_name,
        "contact_phone": entry.contact_phone, "mailing_address": entry.mailing_address,
        "staff_number": "HX0001", "product": entry.product,
    });
    let lines = format!("{line}\nnot json\n");

    let request =
        clerk.request(Method::POST, "/api/v1/entries").header("content-type", "application/x-ndjson");
    let first = clerk.send(request.body(lines)).await.unwrap().document().unwrap();
    let second = clerk.import(entries::csv(&[entry])).await.unwrap().document().unwrap();

    assert_eq!((&first["new"], &first["bad"]), (&json!(1), &json!(1)), "{first}");
    assert_eq!(
        (&first["bad_lines"][0]["line"], &first["bad_lines"][0]["reason"]),
        (&json!(2), &json!("not_json"))
    );
    assert_eq!(second["unchanged"], json!(1), "{second}");
    server.verify().await.unwrap();
}
