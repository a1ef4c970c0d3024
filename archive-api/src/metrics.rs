//! `GET /metrics`: what is to be watched, in the form Prometheus reads. Names, codes and counts; never personal data.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use backends::database::Figures;
use domain::{
    access::Action,
    finding::FindingCode,
    job::{JobName, JobState},
};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    request_span,
    state::ArchiveState,
};

/// Upper bounds of durations, in seconds.
const SECONDS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// Upper bounds of files, in bytes.
const BYTES: [f64; 8] = [16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6, 256e6];
/// Name of the sizes of what comes in.
const SCAN_BYTES: &str = "guidang_scan_bytes";

/// Starts counting in this process, once; gives what renders the counts.
pub fn start_counting() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(SCAN_BYTES.to_owned()), &BYTES)?
        .set_buckets(&SECONDS)?
        .install_recorder()?;
    describe();
    begin_at_nothing();
    Ok(handle)
}

fn describe() {
    describe_gauge!("guidang_jobs", "Jobs that are not done, by name and state");
    describe_gauge!("guidang_oldest_job_seconds", "Age of the oldest job that waits, by name");
    describe_gauge!(
        "guidang_drain_seconds",
        "Time until what waits is done at the speed of late, by name; -1: never"
    );
    describe_gauge!("guidang_catalogue_bytes", "Size of the catalogue on disk");
    describe_gauge!("guidang_last_change", "Number of the last change of any case file");
    describe_gauge!("guidang_index_behind", "Changes that the index of this process has not followed yet");
    describe_histogram!("guidang_job_seconds", "Time a job took in this process, by name and outcome");
    describe_histogram!("guidang_request_seconds", "Time until an answer began, by method, route and status");
    describe_counter!("guidang_refusals_total", "What was refused, by code");
    describe_counter!("guidang_scans_received_total", "Scans that were answered received");
    describe_counter!("guidang_findings_total", "Findings raised, by code");
    describe_histogram!(SCAN_BYTES, "Size of each scan that was received");
    describe_gauge!("guidang_index_bytes", "Size of the index of this process on disk");
}

/// Every code has a value from the start, so that the first time is seen to be a rise.
fn begin_at_nothing() {
    counter!("guidang_scans_received_total").increment(0);
    for code in FindingCode::ALL {
        counter!("guidang_findings_total", "code" => code.as_str()).increment(0);
    }
    for kind in kinds::ALL {
        counter!("guidang_refusals_total", "code" => kind.code).increment(0);
    }
}

/// Renders counts of this process and figures of the whole archive. For whoever runs the machine.
pub(crate) async fn get_metrics(
    State(state): State<ArchiveState>,
    caller: Caller,
) -> Result<Response, Problem> {
    if !caller.has(Action::RunMachine) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let Some(handle) = &state.metrics else { return Err(Problem::new(kinds::NOT_FOUND)) };
    let searcher = state.searcher.borrow().clone();
    let reached = searcher.as_ref().map(|searcher| searcher.reached() as i64);
    // A folder that is being exchanged for a rebuilt one is measured the next time.
    let index_bytes = searcher.and_then(|searcher| searcher.size_bytes().ok());
    let figures = state.backends.database.figures(state.backends.clock.now()).await?;
    let mut tx = state.backends.database.begin_read().await?;
    let last_change = tx.case_files().last_change().await?;
    drop(tx);
    show_jobs(&figures);
    gauge!("guidang_catalogue_bytes").set(figures.catalogue_bytes as f64);
    gauge!("guidang_last_change").set(last_change as f64);
    if let Some(reached) = reached {
        gauge!("guidang_index_behind").set((last_change - reached).max(0) as f64);
    }
    if let Some(bytes) = index_bytes {
        gauge!("guidang_index_bytes").set(bytes as f64);
    }
    let text = handle.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Every job and state has a value, so that what came to an end is seen to have done so.
fn show_jobs(figures: &Figures) {
    for name in JobName::ALL {
        for state in [JobState::Waiting, JobState::Retrying, JobState::Running, JobState::Dead] {
            let count = figures.open(name, state);
            gauge!("guidang_jobs", "name" => name.as_str(), "state" => state.as_str()).set(count as f64);
        }
        let backlog = figures.backlog(name);
        gauge!("guidang_oldest_job_seconds", "name" => name.as_str()).set(backlog.oldest_seconds);
        gauge!("guidang_drain_seconds", "name" => name.as_str()).set(backlog.drain_seconds.unwrap_or(-1.0));
    }
}

/// Counts requests by route, never by address: addresses hold ids.
pub(crate) async fn measure_requests(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request_span::method_of(&request);
    let route = request_span::route_of(&request);
    let response = next.run(request).await;
    let labels =
        [("method", method.to_owned()), ("route", route), ("status", response.status().as_u16().to_string())];
    histogram!("guidang_request_seconds", &labels).record(started.elapsed().as_secs_f64());
    response
}

/// Counts what was refused, by code.
pub(crate) fn count_refusal(code: &str) {
    counter!("guidang_refusals_total", "code" => code.to_owned()).increment(1);
}

/// Counts the size of a scan that was received.
pub(crate) fn count_bytes(size_bytes: i64) {
    histogram!(SCAN_BYTES).record(size_bytes as f64);
}

/// Counts scans that were answered received.
pub(crate) fn count_received(scans: u64) {
    counter!("guidang_scans_received_total").increment(scans);
}
