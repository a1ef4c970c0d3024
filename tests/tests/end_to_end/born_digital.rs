//! Born-digital PDF files: their text layer helps to read the page and never speaks for it.
//!
//! `tools/specimens/born_digital.py` makes the files of `fixtures/born_digital`.

use std::{collections::BTreeSet, fs, path::Path};

use archive_tests::{
    client::{OutgoingFile, Upload},
    entries::{self, Entry},
};

use crate::samples::{outcome, setup};

const OUTLET: &str = "TJHX0101";
const SLIP_NUMBER: &str = "TJ20260918HX010100007";

/// What the pages show.
fn entry() -> Entry {
    let address = "天津市河西区友谊路8号楼1门107号";
    Entry {
        accepted_on: "2026-09-18".to_owned(),
        slip_number: SLIP_NUMBER.to_owned(),
        service_number: "15510000007".to_owned(),
        customer_name: "钱佳琪".to_owned(),
        id_number: "120103199003070016".to_owned(),
        id_address: address.to_owned(),
        mailing_address: address.to_owned(),
        contact_name: "王雨桐".to_owned(),
        contact_phone: "18620000007".to_owned(),
        ..Entry::of(7, OUTLET)
    }
}

/// The fields of which the page says something else than `entry`.
async fn mismatches(file: &str, entry: &Entry) -> BTreeSet<String> {
    let server = setup().start().await.unwrap();
    let archivist = server.archivist().unwrap();
    archivist.import(entries::csv(std::slice::from_ref(entry))).await.unwrap().document().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/born_digital").join(file);
    let file = OutgoingFile::new("slip.pdf", fs::read(path).unwrap());

    let answer = archivist.upload(&Upload::of(vec![file]).from_outlet(OUTLET)).await.unwrap();
    assert_eq!(answer.outcomes(), ["received"], "{}", answer.text);
    server.wait_until_settled().await.unwrap();

    let (_, findings, case_file) = outcome(&server, SLIP_NUMBER).await;
    assert_eq!(case_file["scans"][0]["placed_by"], "slip_number_read", "{}", case_file["scans"]);
    server.verify().await.unwrap();
    let mismatches = findings.into_iter().filter(|(code, _)| code == "field_mismatch");
    mismatches.map(|(_, subject)| subject).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_a_text_layer_is_read_and_found_to_agree() {
    assert_eq!(mismatches("slip.pdf", &entry()).await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_layer_that_says_something_else_than_the_page_is_not_believed() {
    assert_eq!(mismatches("slip_other_text.pdf", &entry()).await, BTreeSet::new());

    let typed_as_the_layer = Entry {
        customer_name: "陈明轩".to_owned(),
        id_number: "120104198512250025".to_owned(),
        service_number: "15599999999".to_owned(),
        ..entry()
    };
    let found = mismatches("slip_other_text.pdf", &typed_as_the_layer).await;
    for field in ["customer_name", "id_number", "service_number"] {
        assert!(found.contains(field), "{field} was taken from the text layer: {found:?}");
    }
}
