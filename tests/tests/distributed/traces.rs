//! One trace through many processes, whichever of them does the work.

use archive_tests::{
    client::Upload,
    cluster::Cluster,
    collector::{CollectedSpan, Collector, line_of},
    entries::{self, Entry},
    scans,
};

use crate::load::OUTLET;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_leads_from_the_server_over_the_broker_to_the_last_job() {
    let collector = Collector::start().await.unwrap();
    let mut cluster = Cluster::start(&[("TELEMETRY__ENDPOINT", &collector.address)]).await.unwrap();
    let clerk = cluster.server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let mut reader = cluster.worker(&["--only", "read,archive"]).await.unwrap();
    let mut finisher = cluster.worker(&["--only", "place,check"]).await.unwrap();
    // A check that the import asked for and that still waits would be the import's.
    cluster.server.wait_until_settled().await.unwrap();

    let upload = Upload::of(vec![scans::small_page(1).unwrap(), scans::small_page(2).unwrap()])
        .for_slip(&entries::slip_number(1, OUTLET))
        .in_trace(&format!("00-{TRACE}-b7ad6b7169203331-01"));
    let answer = clerk.upload(&upload).await.unwrap();
    assert_eq!(answer.outcomes(), ["received", "received"]);
    cluster.server.wait_until_settled().await.unwrap();
    reader.stop().await.unwrap();
    finisher.stop().await.unwrap();
    cluster.server.stop().await.unwrap();

    let spans = collector.of_trace(TRACE);
    // An attempt that met another one at the same case file is made again, and is a span of its own.
    let is_done =
        |span: &&CollectedSpan| span.attributes.get("job.outcome").is_some_and(|outcome| outcome == "done");
    let check = spans.iter().filter(is_done).find(|span| span.name == "check_case_file");
    let check = check.unwrap_or_else(|| panic!("no check in {spans:#?}"));
    assert_eq!(line_of(check, &spans), ["check_case_file", "place_scan", "read_scan", "POST /api/v1/scans"]);
    for name in ["read_scan", "place_scan"] {
        let done = spans.iter().filter(is_done).filter(|span| span.name == name);
        assert_eq!(done.count(), 2, "{name}");
    }
    let process =
        |name: &str| &spans.iter().find(|span| span.name == name).unwrap().attributes["process.pid"];
    let processes = [process("POST /api/v1/scans"), process("read_scan"), process("place_scan")];
    assert!(processes[0] != processes[1] && processes[1] != processes[2] && processes[0] != processes[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_belongs_to_another_trace_already_is_pointed_to() {
    let collector = Collector::start().await.unwrap();
    let mut cluster = Cluster::start(&[("TELEMETRY__ENDPOINT", &collector.address)]).await.unwrap();
    let clerk = cluster.server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    // Nobody checks while both are placed, so that one check waits for both.
    let mut placer = cluster.worker(&["--only", "read,place"]).await.unwrap();
    for (number, trace) in [(1, TRACE), (2, "1af7651916cd43dd8448eb211c80319c")] {
        let upload = Upload::of(vec![scans::small_page(number).unwrap()])
            .for_slip(&entries::slip_number(1, OUTLET))
            .in_trace(&format!("00-{trace}-b7ad6b7169203331-01"));
        clerk.upload(&upload).await.unwrap().document().unwrap();
        let catalogue = cluster.server.catalogue().await.unwrap();
        while catalogue.total("place_scan").await.unwrap() < number as usize {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    placer.stop().await.unwrap();
    cluster.server.stop().await.unwrap();

    let second = collector.of_trace("1af7651916cd43dd8448eb211c80319c");
    let place = second.iter().find(|span| span.name == "place_scan").unwrap();
    assert_eq!(place.links.len(), 1, "{place:?}");
}
