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
    case_files, console, entries, error_pages, findings, freshness, health, intake, jobs, metrics, pages,
    problem::{self, Problem, kinds},
    request_span, scans,
    state::{ArchiveState, Process},
    upload_tickets,
};

/// Largest body of a request that is not streamed.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Everything that this kind of process answers.
pub fn router(state: ArchiveState) -> Router {
    let addresses = match state.process {
        // What is at no address is told by the console, which knows who is a browser.
        Process::Server => {
            let watched = watching().merge(searching()).merge(working());
            watched.method_not_allowed_fallback(not_allowed).merge(console::router(state.clone()))
        }
        Process::SearchNode => {
            let elsewhere = async || Problem::new(kinds::SEARCH_NODE_ONLY);
            watching().merge(searching()).fallback(elsewhere).method_not_allowed_fallback(elsewhere)
        }
        Process::Worker => watching().fallback(nothing_here).method_not_allowed_fallback(not_allowed),
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

/// Nothing has this address.
pub(crate) async fn nothing_here() -> Problem {
    Problem::new(kinds::NOT_FOUND)
        .with_detail("没有这个地址，请核对。", "There is nothing at this address; check how it is written.")
}

/// The address takes other methods.
pub(crate) async fn not_allowed() -> Problem {
    Problem::new(kinds::METHOD_NOT_ALLOWED)
}

fn watching() -> Router<ArchiveState> {
    Router::new()
        .route("/healthz/live", get(health::live))
        .route("/healthz/ready", get(health::ready))
        .route("/metrics", get(metrics::get_metrics))
        .route("/docs/errors/{code}", get(error_pages::get_error_page))
}

fn searching() -> Router<ArchiveState> {
    Router::new()
        .route("/api/v1/index", get(freshness::get_index))
        .route("/api/v1/case-files", get(case_files::get_case_files))
        .route("/api/v1/case-files/search", post(case_files::search_case_files))
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
        .route("/api/v1/case-files/{id}/assign", post(case_files::post_assign))
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

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Method, Request, header},
    };
    use domain::access::Role;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::router;
    use crate::{session::COOKIE, testing::TestArchive};

    /// An answer in short.
    struct Said {
        status: u16,
        media_type: String,
        allow: String,
        text: String,
    }

    async fn ask(archive: &TestArchive, token: &str, language: &str, asked: (&Method, &str, &str)) -> Said {
        let (method, address, body) = asked;
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(header::COOKIE, format!("{COOKIE}={token}"))
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT_LANGUAGE, language)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = router(archive.state.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let head = |name: header::HeaderName| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (media_type, allow) = (head(header::CONTENT_TYPE), head(header::ALLOW));
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Said { status, media_type, allow, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_told_to_programs_in_their_language_and_not_repeated() {
        let archive = TestArchive::open().await;
        let (_, token) = archive.account(Role::Auditor, None, Some("TJ")).await;
        let scan = "/api/v1/scans/01890000-0000-7000-8000-000000000000/place";
        for (method, address, body, status, zh, en) in [
            (Method::GET, "/api/v1/scans/banana", "", 404, "编号", "no id of this archive"),
            (Method::GET, "/api/v1/case-files?banana=1", "", 400, "accepted_from", "accepted_from"),
            (Method::GET, "/api/v1/findings?code=banana", "", 400, "field_mismatch", "field_mismatch"),
            (Method::GET, "/api/v1/findings?banana=1", "", 400, "case_file_id", "case_file_id"),
            (Method::GET, "/api/v1/tray?limit=banana", "", 400, "每页条数", "Rows of a page"),
            (Method::GET, "/api/v1/case-files?state=banana", "", 400, "in_review", "in_review"),
            (Method::POST, scan, r#"{"slot":"banana"}"#, 400, "id_front", "id_front"),
            (Method::POST, scan, r#"{"outlet":"banana""#, 400, "JSON", "JSON"),
            (Method::DELETE, "/api/v1/scans", "", 405, "方式", "method"),
            (Method::GET, "/api/v1/banana", "", 404, "没有这个地址", "nothing at this address"),
        ] {
            for (language, sentence) in [("zh-CN", zh), ("en", en)] {
                let said = ask(&archive, &token, language, (&method, address, body)).await;

                assert_eq!(said.status, status, "{method} {address}: {}", said.text);
                assert_eq!(said.media_type, "application/problem+json", "{method} {address}");
                assert!(said.text.contains(sentence), "{method} {address}: {}", said.text);
                assert!(!said.text.contains("banana"), "{method} {address}: {}", said.text);
            }
        }
        let refused = ask(&archive, &token, "en", (&Method::DELETE, "/api/v1/scans", "")).await;
        assert_eq!(refused.allow, "POST");
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_told_to_browsers_on_a_page() {
        let archive = TestArchive::open().await;
        let (_, token) = archive.account(Role::Auditor, None, Some("TJ")).await;
        for (method, address, status, zh) in [
            (Method::GET, "/case-files/banana", 404, "编号"),
            (Method::GET, "/case-files?banana=1", 400, "accepted_from"),
            (Method::GET, "/uploads/banana", 404, "编号"),
            (Method::GET, "/banana", 404, "没有这个地址"),
            (Method::PUT, "/tray", 405, "方式"),
            (Method::POST, "/sign-in", 415, "内容类型"),
        ] {
            let said = ask(&archive, &token, "zh-CN", (&method, address, "")).await;

            assert_eq!(said.status, status, "{method} {address}: {}", said.text);
            assert!(said.media_type.starts_with("text/html"), "{method} {address}: {}", said.media_type);
            assert!(
                said.text.contains(zh) && !said.text.contains("banana"),
                "{method} {address}: {}",
                said.text
            );
        }
    }
}
