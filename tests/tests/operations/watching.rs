//! What an operator watches an archive by.

use archive_tests::{
    client::{OutgoingFile, Upload},
    entries::{self, Entry},
    scans,
    server::Setup,
};

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted_and_no_personal_value_is() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let slip = entries::slip_number(1, OUTLET);
    let files = vec![scans::small_page(1).unwrap(), OutgoingFile::new("a.txt", b"no scan".to_vec())];
    clerk.upload(&Upload::of(files).for_slip(&slip)).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();

    let refused = clerk.get("/metrics", &[]).await.unwrap();
    let administrator = server.account("system_admin", "S1", &[]).await.unwrap();
    let text = administrator.get("/metrics", &[]).await.unwrap().text;

    assert_eq!(refused.status, 403);
    for line in [
        "guidang_scans_received_total 1",
        "guidang_refusals_total{code=\"text_not_supported\"} 1",
        "guidang_jobs{name=\"read_scan\",state=\"waiting\"} 0",
        "guidang_oldest_job_seconds{name=\"read_scan\"} 0",
        "guidang_drain_seconds{name=\"read_scan\"} 0",
        "guidang_job_seconds_count{name=\"read_scan\",outcome=\"done\"} 1",
        "guidang_findings_total{code=\"illegible\"} 1",
        "guidang_request_seconds_count{method=\"POST\",route=\"/api/v1/scans\",status=\"201\"} 1",
        "guidang_catalogue_bytes ",
        "guidang_index_bytes ",
        "guidang_scan_bytes_count 1",
        "guidang_findings_total{code=\"duplicate_scan\"} 0",
        "guidang_refusals_total{code=\"storage_full\"} 0",
        "guidang_last_change ",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    for value in [&entry.customer_name, &entry.id_number, &entry.service_number, &slip] {
        assert!(!text.contains(value.as_str()), "{value}");
    }
}
