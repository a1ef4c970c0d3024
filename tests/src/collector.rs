//! A collector of traces as any operator may have one: it takes OTLP over HTTP.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span},
};
use prost::Message;
use tokio::net::TcpListener;

/// One span as it was told.
#[derive(Debug, Clone)]
pub struct CollectedSpan {
    /// Its name.
    pub name: String,
    /// The trace, in hexadecimal.
    pub trace: String,
    /// Its id, in hexadecimal.
    pub id: String,
    /// The span it follows; empty for the first.
    pub parent: String,
    /// Traces it points to.
    pub links: Vec<String>,
    /// Everything said about it, of the resource too.
    pub attributes: BTreeMap<String, String>,
    /// Lines that came with it.
    pub events: usize,
}

/// The collector; it ends with the runtime of its test.
pub struct Collector {
    /// Where it listens, as `http://127.0.0.1:12345`.
    pub address: String,
    spans: Spans,
}

type Spans = Arc<Mutex<Vec<CollectedSpan>>>;

impl Collector {
    /// Starts one.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let spans = Spans::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, spans })
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<CollectedSpan> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spans of one trace.
    pub fn of_trace(&self, trace: &str) -> Vec<CollectedSpan> {
        self.spans().into_iter().filter(|span| span.trace == trace).collect()
    }
}

/// The names of a span and of those it follows, nearest first.
pub fn line_of(span: &CollectedSpan, all: &[CollectedSpan]) -> Vec<String> {
    let mut names = vec![span.name.clone()];
    let mut parent = &span.parent;
    while let Some(above) = all.iter().find(|other| other.id == *parent) {
        names.push(above.name.clone());
        parent = &above.parent;
    }
    names
}

async fn take(State(spans): State<Spans>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let told = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
    spans.extend(told.resource_spans.into_iter().flat_map(unpacked));
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

fn unpacked(told: ResourceSpans) -> Vec<CollectedSpan> {
    let of_resource = told.resource.map(|resource| resource.attributes).unwrap_or_default();
    let spans = told.scope_spans.into_iter().flat_map(|scope| scope.spans);
    spans.map(|span| collected(span, &of_resource)).collect()
}

fn collected(span: Span, of_resource: &[KeyValue]) -> CollectedSpan {
    let attributes = of_resource.iter().chain(&span.attributes);
    CollectedSpan {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        attributes: attributes.map(|one| (one.key.clone(), shown(one))).collect(),
        events: span.events.len(),
        name: span.name,
    }
}

fn shown(one: &KeyValue) -> String {
    match one.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
