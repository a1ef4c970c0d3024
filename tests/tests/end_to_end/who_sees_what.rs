//! Whose customers are whose, what is masked for whom, and that every look is on record.

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
};
use serde_json::{Value, json};

const OUTLET: &str = "TJHX0101";
const ELSEWHERE: &str = "TJNK0202";

#[tokio::test(flavor = "multi_thread")]
async fn an_outlet_knows_nothing_of_the_customers_of_another() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let other = server.account("clerk", "C2", &["--outlet", ELSEWHERE]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entry.slip_number);
    let scan_id = clerk.upload(&page).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();
    let id = server.catalogue().await.unwrap().case_file(&entry.slip_number).await.unwrap().id;
    let scan = clerk.get(&format!("/api/v1/scans/{scan_id}"), &[]).await.unwrap().document().unwrap();
    let page_id = scan["pages"][0]["id"].as_str().unwrap();

    let own = clerk.search(&[("id_number", &entry.id_number)]).await.unwrap();
    let foreign = other.search(&[("id_number", &entry.id_number)]).await.unwrap();
    let named = other.search(&[("outlet", OUTLET)]).await.unwrap();

    assert_eq!((own.len(), foreign.len(), named.len()), (1, 0, 0));
    for path in [
        format!("/api/v1/case-files/{id}"),
        format!("/api/v1/scans/{scan_id}"),
        format!("/api/v1/uploads/{}", scan["upload_id"].as_str().unwrap()),
        format!("/api/v1/pages/{page_id}/image?reason=curiosity"),
        format!("/case-files/{id}"),
    ] {
        let answer = other.get(&path, &[]).await.unwrap();
        assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text);
        assert!(!answer.text.contains(&entry.customer_name), "{path}");
    }
    let findings = other.get("/api/v1/findings", &[]).await.unwrap().document().unwrap();
    assert_eq!(findings["items"], json!([]));
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_masked_unless_the_case_is_the_readers_own_work() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let archivist = server.account("archivist", "R1", &[]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();
    let id = server.catalogue().await.unwrap().case_file(&entry.slip_number).await.unwrap().id;
    let path = format!("/api/v1/case-files/{id}");

    let own = clerk.get(&path, &[]).await.unwrap().document().unwrap();
    let masked = archivist.get(&path, &[]).await.unwrap();
    let list = clerk.get("/api/v1/case-files", &[("name", &entry.customer_name)]).await.unwrap();
    let without_reason = archivist.post(&format!("{path}/unmask"), &json!({ "reason": " " })).await.unwrap();
    let reason = json!({ "reason": "the customer complains" });
    let unmasked = archivist.post(&format!("{path}/unmask"), &reason).await.unwrap().document().unwrap();

    let value = |document: &Value, field: &str| {
        document["entered"][field]["value"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(value(&own, "id_number"), entry.id_number);
    for personal in
        [&entry.customer_name, &entry.id_number, &entry.contact_phone, &entry.id_address, &entry.contact_name]
    {
        assert!(!masked.text.contains(personal.as_str()), "{}", masked.text);
        assert!(!list.text.contains(personal.as_str()), "a list is masked for everybody: {}", list.text);
    }
    assert_eq!(without_reason.code(), "reason_required");
    assert_eq!(value(&unmasked, "customer_name"), entry.customer_name);
    assert_ne!(value(&unmasked, "id_number"), entry.id_number, "the highest level takes a second person");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_is_on_the_operation_log_and_no_personal_value_is() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let auditor = server.account("auditor", "A1", &[]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entry.slip_number);
    let upload = clerk.upload(&page).await.unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();
    let looks_before = server.catalogue().await.unwrap().total("search").await.unwrap();
    let catalogue = server.catalogue().await.unwrap();
    let case_file = catalogue.case_file(&entry.slip_number).await.unwrap();
    let finding = catalogue.findings(&case_file).await.unwrap()[0].id.to_string();
    drop(catalogue);
    let (id, scan_id) = (case_file.id.to_string(), upload.scan_ids().remove(0));

    clerk.search(&[("name", &entry.customer_name)]).await.unwrap();
    clerk.get(&format!("/api/v1/case-files/{id}"), &[]).await.unwrap().document().unwrap();
    auditor.get(&format!("/api/v1/case-files/{id}"), &[]).await.unwrap().document().unwrap();
    // What people type as a reason names people.
    let reason = json!({ "reason": format!("{} called from 186 8813 9755", entry.customer_name) });
    auditor.post(&format!("/api/v1/case-files/{id}/unmask"), &reason).await.unwrap().document().unwrap();
    auditor.post(&format!("/api/v1/case-files/{id}/assign"), &json!({})).await.unwrap().document().unwrap();
    auditor.post(&format!("/api/v1/findings/{finding}/accept"), &reason).await.unwrap().document().unwrap();

    let catalogue = server.catalogue().await.unwrap();
    for (action, subject) in [
        ("upload", upload.body["upload_id"].as_str().unwrap()),
        ("read_scan", &scan_id),
        ("place_scan", &scan_id),
        ("check_case_file", &id),
        ("read_clear", &id),
        ("read_masked", &id),
        ("unmask", &id),
        ("take_case_file", &id),
        ("accept_finding", &finding),
    ] {
        assert_eq!(catalogue.times(action, subject).await.unwrap(), 1, "{action}");
    }
    assert_eq!(catalogue.total("search").await.unwrap(), looks_before + 1);
    assert_eq!(catalogue.total("import_entries").await.unwrap(), 1);
    let acts = format!("{:?}", catalogue.acts().await.unwrap());
    drop(catalogue);
    for personal in [&entry.customer_name, &entry.id_number, &entry.contact_phone, &entry.service_number] {
        assert!(!acts.contains(personal.as_str()));
        assert!(!server.log().contains(personal.as_str()), "{}", server.log());
    }
    server.verify().await.unwrap();
}
