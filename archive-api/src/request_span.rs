//! One span for each request, in the trace that its sender names. It says by which route and with what result, never
//! the address: that may hold what was searched for.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use backends::trace::{self, TraceParent};
use tracing::{Instrument, Span, field};

/// Whoever watches asks these every few seconds, and nothing follows from it.
const WATCHED: [&str; 3] = ["/healthz/live", "/healthz/ready", "/metrics"];

/// Answers a request within its span.
pub(crate) async fn trace_requests(request: Request, next: Next) -> Response {
    let route = route_of(&request);
    if WATCHED.contains(&route.as_str()) {
        return next.run(request).await;
    }
    let span = span_of(&request, &route);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

fn span_of(request: &Request, route: &str) -> Span {
    let method = method_of(request);
    let span = tracing::info_span!(
        target: trace::TARGET,
        "request",
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        upload.id = field::Empty,
        otel.kind = "server",
        otel.name = format!("{method} {route}"),
        otel.status_code = field::Empty,
    );
    let sent = request.headers().get(trace::HEADER).and_then(|value| value.to_str().ok());
    if let Some(parent) = sent.and_then(TraceParent::parse) {
        parent.lead(&span);
    }
    span
}

/// The route that answers; never the address.
pub(crate) fn route_of(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>();
    route.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned())
}

/// The method as one of the words there are for it: a sender may invent others without end.
pub(crate) fn method_of(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
