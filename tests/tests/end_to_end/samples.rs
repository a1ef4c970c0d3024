//! Real pictures, really read.

use std::collections::BTreeSet;

use anyhow::Result;
use archive_tests::{
    client::{ApiClient, OutgoingFile, Upload},
    server::{Setup, TestServer},
};
use serde_json::{Value, json};

use crate::sample_cases::{self, SampleCase};

/// A server that finds a person among the open cases of all days, since samples do not grow younger.
pub(crate) fn setup() -> Setup {
    Setup::default().with("WORKERS__OPEN_DAYS", "36500").with("LOG__FILTER", "warn")
}

async fn sent(server: &TestServer, case: &SampleCase) -> Result<()> {
    let answer = server.archivist()?.upload(&case.upload()?).await?;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    Ok(())
}

/// State and findings in force of a case file.
pub(crate) async fn outcome(
    server: &TestServer,
    slip_number: &str,
) -> (String, BTreeSet<(String, String)>, Value) {
    let catalogue = server.catalogue().await.unwrap();
    let id = catalogue.case_file(slip_number).await.unwrap().id;
    drop(catalogue);
    let path = format!("/api/v1/case-files/{id}");
    let case_file = server.archivist().unwrap().get(&path, &[]).await.unwrap().document().unwrap();
    let in_force =
        case_file["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] == "open");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = in_force.map(|finding| (text(&finding["code"]), text(&finding["subject"]))).collect();
    (text(&case_file["state"]), findings, case_file)
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_without_fault_are_archived_and_faults_are_found() {
    let server = setup().start().await.unwrap();
    let ends = ["DX000100011", "DX000100017", "BC201800039", "BC201800031", "HX030700035", "BC201800065"];
    let cases: Vec<SampleCase> = ends.into_iter().map(|end| SampleCase::ending(end).unwrap()).collect();

    server.archivist().unwrap().import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    for case in &cases {
        sent(&server, case).await.unwrap();
        server.wait_until_settled().await.unwrap();
    }

    for case in &cases {
        let (state, findings, case_file) = outcome(&server, &case.slip_number).await;
        let missing: Vec<_> = case.expected().difference(&findings).cloned().collect();
        assert_eq!(missing, [], "{} with fault {:?}: {findings:?}", case.slip_number, case.fault);
        if case.fault.is_none() {
            assert_eq!(
                (state.as_str(), findings.len()),
                ("archived", 0),
                "{}: {findings:?}",
                case.slip_number
            );
            assert!(
                case_file["archival_code"].as_str().is_some_and(|code| code.ends_with("-0001")),
                "{case_file}"
            );
        } else {
            assert_eq!(state, "in_review", "{}", case.slip_number);
        }
    }
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_comes_before_its_original_is_found_when_that_comes() {
    let server = setup().start().await.unwrap();
    let copy = SampleCase::ending("DX000100017").unwrap();
    let original = SampleCase::ending("DX000100011").unwrap();
    let duplicate = ("duplicate_scan".to_owned(), "id_copy".to_owned());
    server.archivist().unwrap().import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    sent(&server, &copy).await.unwrap();
    server.wait_until_settled().await.unwrap();
    let (_, before, _) = outcome(&server, &copy.slip_number).await;
    assert!(!before.contains(&duplicate), "{before:?}");

    sent(&server, &original).await.unwrap();
    server.wait_until_settled().await.unwrap();

    let (state, after, _) = outcome(&server, &copy.slip_number).await;
    assert!(after.contains(&duplicate), "{after:?}");
    assert_eq!(state, "in_review");
    let (state, findings, _) = outcome(&server, &original.slip_number).await;
    assert_eq!((state.as_str(), findings.len()), ("archived", 0), "{findings:?}");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customers_papers_beside_the_right_ones_are_found() {
    let server = setup().start().await.unwrap();
    let case = SampleCase::ending("DX000100011").unwrap();
    server.archivist().unwrap().import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    sent(&server, &case).await.unwrap();
    server.wait_until_settled().await.unwrap();
    assert_eq!(outcome(&server, &case.slip_number).await.0, "archived");

    // The first front that comes is the newest, and the unsigned slip of a third customer comes after it.
    for file in ["TJ20260903DX000100003-id-front.jpg", "scan-028.tif"] {
        let stray = OutgoingFile::new(file, std::fs::read(sample_cases::path(file)).unwrap());
        let upload = Upload::of(vec![stray]).for_slip(&case.slip_number);
        assert_eq!(server.archivist().unwrap().upload(&upload).await.unwrap().status.as_u16(), 201);
        server.wait_until_settled().await.unwrap();
    }

    let (state, findings, _) = outcome(&server, &case.slip_number).await;
    assert_eq!(state, "in_review", "{findings:?}");
    for (code, subject) in [
        ("field_mismatch", "id_number"),
        ("field_mismatch", "service_number"),
        ("id_inconsistent", "id_copy"),
        ("id_inconsistent", "slip"),
        ("signature_missing", "slip"),
    ] {
        assert!(findings.contains(&(code.to_owned(), subject.to_owned())), "{code} {subject}: {findings:?}");
    }
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_before_entries_and_entries_before_scans_come_to_the_same() {
    let case = SampleCase::ending("BC201800039").unwrap();
    let mut outcomes = Vec::new();
    for is_entered_first in [true, false] {
        let server = setup().start().await.unwrap();
        let import = || async {
            let client: ApiClient = server.archivist().unwrap();
            client.import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
        };
        if is_entered_first {
            import().await;
        }
        sent(&server, &case).await.unwrap();
        server.wait_until_settled().await.unwrap();
        if !is_entered_first {
            import().await;
            server.wait_until_settled().await.unwrap();
        }
        server.verify().await.unwrap();

        let (state, findings, _) = outcome(&server, &case.slip_number).await;
        outcomes.push((state, findings));
    }

    assert_eq!(outcomes[0], outcomes[1]);
    assert!(case.expected().is_subset(&outcomes[0].1), "{:?}", outcomes[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_a_reading_beside_the_others_and_the_verdict_falls() {
    let server = setup().start().await.unwrap();
    let case = SampleCase::ending("HB104200038").unwrap();
    let auditor = server.account("auditor", "A1", &[]).await.unwrap();
    server.archivist().unwrap().import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    sent(&server, &case).await.unwrap();
    server.wait_until_settled().await.unwrap();
    let (_, before, case_file) = outcome(&server, &case.slip_number).await;
    let path = format!("/api/v1/case-files/{}", case_file["id"].as_str().unwrap());
    auditor.post(&format!("{path}/assign"), &json!({})).await.unwrap().document().unwrap();
    let clear = auditor.get(&path, &[]).await.unwrap().document().unwrap();
    let mismatch = ("field_mismatch".to_owned(), "service_number".to_owned());
    assert!(before.contains(&mismatch), "{before:?}");

    let checked = "check_case_file";
    let id = case_file["id"].as_str().unwrap();
    let times_before = server.catalogue().await.unwrap().times(checked, id).await.unwrap();
    let (page, paper_index) = paper_of_the_number(&clear);
    let correction = json!({
        "fields": [{
            "paper_index": paper_index,
            "field": "service_number",
            "text": clear["entered"]["service_number"]["value"],
        }],
        "reason": "looked at the slip with a magnifying glass",
    });
    auditor
        .post(&format!("/api/v1/pages/{page}/corrections"), &correction)
        .await
        .unwrap()
        .document()
        .unwrap();
    server.wait_until_settled().await.unwrap();

    let (_, after, corrected) = outcome(&server, &case.slip_number).await;
    assert!(!after.contains(&mismatch), "{after:?}");
    let engines = |case_file: &Value| -> Vec<String> {
        let readings = case_file["readings"].as_array().unwrap();
        readings.iter().map(|reading| reading["engine"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert!(!engines(&case_file).contains(&"person".to_owned()));
    assert_eq!(engines(&corrected).len(), engines(&case_file).len() + 1, "the machine's reading stays");
    assert_eq!(engines(&corrected).iter().filter(|engine| *engine == "person").count(), 1);
    let catalogue = server.catalogue().await.unwrap();
    assert_eq!(catalogue.times("correct_reading", &page).await.unwrap(), 1);
    assert_eq!(catalogue.times(checked, id).await.unwrap(), times_before + 1);
    drop(catalogue);
    server.verify().await.unwrap();
}

/// Where the finding about the service number points: page, and which paper on it.
fn paper_of_the_number(case_file: &Value) -> (String, usize) {
    let findings = case_file["findings"].as_array().unwrap();
    let finding =
        findings.iter().find(|finding| finding["subject"] == "service_number" && finding["state"] == "open");
    let page = finding.unwrap()["page_id"].as_str().unwrap();
    let readings = case_file["readings"].as_array().unwrap();
    let reading = readings.iter().rfind(|reading| reading["page_id"] == page).unwrap();
    let has_number = |paper: &Value| {
        paper["fields"]
            .as_array()
            .is_some_and(|fields| fields.iter().any(|field| field["field"] == "service_number"))
    };
    let paper_index = reading["papers"].as_array().unwrap().iter().position(has_number);
    (page.to_owned(), paper_index.unwrap())
}
