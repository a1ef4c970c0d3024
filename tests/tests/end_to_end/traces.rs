//! One trace from the upload to its last job, told to a real collector, without any personal value.

use std::collections::BTreeSet;

use archive_tests::{
    client::{OutgoingFile, Upload},
    collector::{CollectedSpan, Collector, line_of},
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};

use crate::sample_cases::{self, SampleCase};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// All that is ever said about a span.
const SAID: [&str; 17] = [
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "job.attempt",
    "job.id",
    "job.name",
    "job.outcome",
    "job.subject",
    "otel.name",
    "process.pid",
    "service.instance.id",
    "service.name",
    "service.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "upload.id",
];

fn setup(collector: &str) -> Setup {
    Setup::default()
        .with("WORKERS__OPEN_DAYS", "36500")
        .with("LOG__FILTER", "warn")
        .with("TELEMETRY__ENDPOINT", collector)
}

fn trace_parent() -> String {
    format!("00-{TRACE}-{CALLER}-01")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_and_all_its_jobs_are_one_trace() {
    let collector = Collector::start().await.unwrap();
    let mut server = setup(&collector.address).start().await.unwrap();
    let case = SampleCase::ending("DX000100011").unwrap();
    let archivist = server.archivist().unwrap();
    archivist.import(sample_cases::entries().unwrap()).await.unwrap().document().unwrap();
    // A check that the import asked for and that still waits would be the import's.
    server.wait_until_settled().await.unwrap();

    let upload = case.upload().unwrap().in_trace(&trace_parent());
    let answer = archivist.upload(&upload).await.unwrap();
    server.wait_until_settled().await.unwrap();
    server.stop().await.unwrap();

    let spans = collector.of_trace(TRACE);
    let request = spans.iter().find(|span| span.name == "POST /api/v1/scans").unwrap();
    assert_eq!(request.parent, CALLER);
    assert_eq!(request.attributes["http.response.status_code"], "201");
    assert_eq!(request.attributes["upload.id"], answer.body["upload_id"].as_str().unwrap());
    let last = spans.iter().find(|span| span.name == "archive_case_file").unwrap();
    assert_eq!(
        line_of(last, &spans),
        ["archive_case_file", "check_case_file", "place_scan", "read_scan", "POST /api/v1/scans"]
    );
    for scan in answer.scan_ids() {
        let jobs = spans.iter().filter(|span| span.attributes.get("job.subject") == Some(&scan));
        let done: BTreeSet<&str> = jobs.map(|span| span.name.as_str()).collect();
        assert_eq!(done, BTreeSet::from(["read_scan", "place_scan"]), "{scan}");
    }
    say_nothing_personal(&collector.spans(), &case.upload().unwrap().files, &case.slip_number);
}

fn say_nothing_personal(spans: &[CollectedSpan], files: &[OutgoingFile], slip_number: &str) {
    let typed = sample_cases::entries().unwrap();
    let line = typed.lines().find(|line| line.contains(slip_number)).unwrap();
    // Short cells are words such as the kind of customer, or empty.
    let mut values: Vec<&str> = line.split(',').filter(|cell| cell.chars().count() > 1).collect();
    values.extend(files.iter().map(|file| file.name.as_str()));
    for span in spans {
        assert_eq!(span.events, 0, "{span:?}");
        for (key, text) in &span.attributes {
            assert!(SAID.contains(&key.as_str()), "{key} = {text}");
            assert!(!values.iter().any(|value| text.contains(value)), "{key} = {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_costs_spans_and_nothing_else() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let mut server = drill(&address).await;

    for number in 1..4 {
        let file = scans::small_page(number).unwrap();
        server.archivist().unwrap().upload(&Upload::of(vec![file])).await.unwrap().document().unwrap();
        server.wait_until_settled().await.unwrap();
    }
    server.verify().await.unwrap();
    server.stop().await.unwrap();

    let warnings = server.log().matches("the collector takes no spans").count();
    assert_eq!(warnings, 1, "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_traces_few_are_recorded_but_those_that_a_sender_records() {
    let collector = Collector::start().await.unwrap();
    let mut server = drill_with(&collector.address, "1000000").await;
    let archivist = server.archivist().unwrap();
    let page = |number| Upload::of(vec![scans::small_page(number).unwrap()]);

    archivist.upload(&page(1)).await.unwrap().document().unwrap();
    archivist.upload(&page(2).in_trace(&trace_parent())).await.unwrap().document().unwrap();
    let not_recorded = format!("00-{}-{CALLER}-00", TRACE.replace('4', "5"));
    archivist.upload(&page(3).in_trace(&not_recorded)).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.stop().await.unwrap();

    let traces: BTreeSet<String> = collector.spans().into_iter().map(|span| span.trace).collect();
    assert_eq!(traces, BTreeSet::from([TRACE.to_owned()]));
}

async fn drill(collector: &str) -> TestServer {
    drill_with(collector, "1").await
}

async fn drill_with(collector: &str, one_in: &str) -> TestServer {
    let setup = Setup::for_drills().with("TELEMETRY__ENDPOINT", collector).with("TELEMETRY__ONE_IN", one_in);
    let server = setup.start().await.unwrap();
    let entry = Entry::of(1, "TJHX0101");
    server.archivist().unwrap().import(entries::csv(&[entry])).await.unwrap().document().unwrap();
    server
}
