//! Every address of the API and the console, and the layers around them.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, header},
    middleware,
    response::Response,
    routing::{get, post},
};

use crate::{
    case_files, console, entries, findings, freshness, health, intake, jobs, metrics, pages,
    problem::{self, Problem, kinds},
    request_span, scans,
    state::{ArchiveState, Process},
    upload_tickets,
};

/// Largest body of a request that is not streamed.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Everything that this kind of process answers.
pub fn router(state: ArchiveState) -> Router {
    let not_found = async || Problem::new(kinds::NOT_FOUND);
    let addresses = match state.process {
        Process::Server => {
            let watched = watching().merge(searching()).merge(working());
            watched.merge(console::router(state.clone())).fallback(not_found)
        }
        Process::SearchNode => {
            let elsewhere = async || Problem::new(kinds::SEARCH_NODE_ONLY);
            watching().merge(searching()).fallback(elsewhere).method_not_allowed_fallback(elsewhere)
        }
        Process::Worker => watching().fallback(not_found),
    };
    addresses
        .layer(middleware::from_fn_with_state(state.clone(), freshness::name_change))
        .layer(middleware::from_fn_with_state(state.clone(), problem::render_problems))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::map_response(harden))
        .layer(middleware::from_fn(metrics::measure_requests))
        .layer(middleware::from_fn(request_span::trace_requests))
        .with_state(state)
}

fn watching() -> Router<ArchiveState> {
    Router::new()
        .route("/healthz/live", get(health::live))
        .route("/healthz/ready", get(health::ready))
        .route("/metrics", get(metrics::get_metrics))
}

fn searching() -> Router<ArchiveState> {
    Router::new()
        .route("/api/v1/index", get(freshness::get_index))
        .route("/api/v1/case-files", get(case_files::get_case_files))
        .route("/api/v1/case-files/{id}", get(case_files::get_case_file))
}

fn working() -> Router<ArchiveState> {
    Router::new()
        .route("/api/v1/entries", post(entries::post_entries))
        .route("/api/v1/scans", post(intake::post_scans))
        .route("/api/v1/scans/{id}", get(scans::get_scan))
        .route("/api/v1/scans/{id}/place", post(scans::place_scan))
        .route("/api/v1/scans/{id}/unplace", post(scans::unplace_scan))
        .route("/api/v1/uploads/{id}", get(scans::get_upload))
        .route("/api/v1/upload-tickets", post(upload_tickets::issue))
        .route("/api/v1/upload-tickets/{id}/complete", post(upload_tickets::complete))
        .route("/api/v1/tray", get(scans::get_tray))
        .route("/api/v1/case-files/{id}/unmask", post(case_files::unmask))
        .route("/api/v1/case-files/{id}/assign", post(case_files::assign))
        .route("/api/v1/findings", get(findings::get_findings))
        .route("/api/v1/findings/{id}/accept", post(findings::accept))
        .route("/api/v1/findings/{id}/return", post(findings::return_to_outlet))
        .route("/api/v1/pages/{id}/image", get(pages::get_image))
        .route("/api/v1/pages/{id}/corrections", post(pages::correct))
        .route("/api/v1/jobs", get(jobs::get_jobs))
        .route("/api/v1/jobs/{id}/retry", post(jobs::retry_job))
}

/// Nothing may be framed, guessed, cached or loaded from elsewhere.
async fn harden(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; \
                          base-uri 'none'; frame-ancestors 'none'";
    let fixed: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
