//! A store that does not do as it should: an HTTP proxy in front of a real S3 server.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};

/// Largest request that goes through.
const MOST_BYTES: usize = 256 << 20;

/// What the store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Nothing.
    None,
    /// It says that an object was created where one was before.
    IgnoresConditions,
    /// It opens objects to everybody who names a key.
    AcceptsAnySecret,
    /// Its clock is off by so many seconds.
    ClockOff(i64),
    /// It answers requests for objects with this status.
    Answers(u16),
    /// Every second request for an object gets this status.
    AnswersNowAndThen(u16),
    /// It takes so long to pass a request on.
    Slow(Duration),
    /// It does what it was asked, and says so after so long.
    AnswersLate(Duration),
    /// It does what it was asked, and every second time its answer is lost on the way: a gateway says 504 instead.
    LosesAnswersNowAndThen,
    /// It takes every request and answers none.
    NeverAnswers,
    /// It breaks off in the middle of an object that is read.
    Cuts,
}

/// The proxy; it ends with the runtime of its test.
#[derive(Clone)]
pub struct S3Proxy {
    /// Where it answers.
    pub endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    http: reqwest::Client,
    misbehaviour: Mutex<Misbehaviour>,
    seen: AtomicU32,
    /// Requests of any kind.
    all: AtomicU32,
}

impl S3Proxy {
    /// Starts a proxy before the server at `target`.
    pub async fn before(target: &str) -> Result<Self> {
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
            misbehaviour: Mutex::new(Misbehaviour::None),
            seen: AtomicU32::new(0),
            all: AtomicU32::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let service = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { endpoint, shared })
    }

    /// How many requests were made so far.
    pub fn requests(&self) -> u32 {
        self.shared.all.load(Ordering::Relaxed)
    }

    /// From now on the store does this.
    pub fn misbehave(&self, how: Misbehaviour) {
        *self.shared.misbehaviour.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = how;
    }
}

/// An answer of the server behind.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let misbehaviour = *shared.misbehaviour.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.all.fetch_add(1, Ordering::Relaxed);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_object = ["/scans/", "/quarantine/"].iter().any(|part| path.contains(part));
    let count = if is_object { shared.seen.fetch_add(1, Ordering::Relaxed) } else { 0 };
    match misbehaviour {
        Misbehaviour::Answers(status) if is_object => return refusal(status),
        Misbehaviour::AnswersNowAndThen(status) if is_object && count % 2 == 0 => return refusal(status),
        Misbehaviour::Slow(pause) if is_object => tokio::time::sleep(pause).await,
        Misbehaviour::NeverAnswers => std::future::pending().await,
        _ => {}
    }
    let answer = match forward(&shared, request).await {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    if misbehaviour == Misbehaviour::LosesAnswersNowAndThen && is_object && count % 2 == 0 {
        return refusal(504);
    }
    spoiled(misbehaviour, &method, is_object, answer).await
}

async fn spoiled(how: Misbehaviour, method: &Method, is_object: bool, mut answer: Answer) -> Response {
    match how {
        Misbehaviour::IgnoresConditions if answer.status == StatusCode::PRECONDITION_FAILED => {
            answer.status = StatusCode::OK;
            answer.headers.insert(header::ETAG, header::HeaderValue::from_static("\"0\""));
            answer.body = Bytes::new();
        }
        Misbehaviour::AcceptsAnySecret if answer.status == StatusCode::FORBIDDEN => {
            answer.status = StatusCode::OK;
            answer.body = Bytes::new();
        }
        Misbehaviour::ClockOff(seconds) => set_clock(&mut answer.headers, seconds),
        Misbehaviour::AnswersLate(pause) if is_object => tokio::time::sleep(pause).await,
        Misbehaviour::Cuts if is_object && *method == Method::GET && answer.status.is_success() => {
            let half = answer.body.slice(..answer.body.len() / 2);
            let broken = std::io::Error::other("the store broke off");
            let pieces = futures_util::stream::iter([Ok(half), Err(broken)]);
            return (answer.status, answer.headers, Body::from_stream(pieces)).into_response();
        }
        _ => {}
    }
    let is_head = *method == Method::HEAD;
    let mut response = (answer.status, Body::from(answer.body)).into_response();
    for (name, value) in &answer.headers {
        // The length of a body that is not sent must not be made up anew.
        if is_head || name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn set_clock(headers: &mut HeaderMap, seconds: i64) {
    let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
    let date = date.and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    let Some(date) = date else { return };
    let moved = (date.with_timezone(&Utc) + TimeDelta::seconds(seconds)).format("%a, %d %b %Y %H:%M:%S GMT");
    if let Ok(value) = moved.to_string().parse() {
        headers.insert(header::DATE, value);
    }
}

fn refusal(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, "<Error><Code>Drill</Code><StringToSign>secret words</StringToSign></Error>").into_response()
}

async fn forward(shared: &Shared, request: Request) -> Result<Answer> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let body = axum::body::to_bytes(body, MOST_BYTES).await?;
    // The signature covers the name of the host, so that it goes through as it came.
    let request = shared.http.request(parts.method, format!("{}{path}", shared.target));
    let answer = request.headers(parts.headers).body(body).send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Answer { status, headers, body: answer.bytes().await? })
}
