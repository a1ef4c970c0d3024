//! Requests that `object_store` has no calls for, signed by ourselves: versions, unfinished uploads, tickets, and the
//! plain questions of the probe.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, Response, Url, header::HeaderMap};
use rusty_s3::{Bucket as Place, Credentials, signing};

use super::answers::{Refusal, S3Error};
use crate::clock::Clock;

/// How long a signature of our own holds.
const SIGNATURE_SECONDS: u64 = 300;
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// One bucket, or what lies under a prefix of it.
pub(crate) struct Bucket {
    pub(super) http: Client,
    pub(super) place: Place,
    pub(super) credentials: Credentials,
    /// Empty, or ending with a slash.
    pub(super) prefix: String,
    pub(super) clock: Arc<dyn Clock>,
    /// How the store encrypts what lies in quarantine.
    pub(super) encryption: Option<String>,
}

/// What is asked of the store. Pairs are in the order of their names.
#[derive(Clone, Copy, Default)]
pub(super) struct Request<'a> {
    /// The object, by its path below the prefix; none for the bucket itself.
    pub path: Option<&'a str>,
    pub query: &'a [(&'a str, &'a str)],
    /// Signed, and to be sent.
    pub headers: &'a [(&'a str, &'a str)],
}

impl Bucket {
    /// An address that carries leave to make this one request until it expires.
    pub(super) fn signed(&self, method: &Method, request: Request<'_>, valid: Duration) -> Url {
        let url = match request.path {
            Some(path) => self.place.object_url(&format!("{}{path}", self.prefix)),
            None => self.place.base_url().clone(),
        };
        let now = jiff::Timestamp::from_second(self.clock.now().timestamp()).unwrap_or_default();
        signing::sign(
            &now,
            method_of(method),
            url,
            self.credentials.key(),
            self.credentials.secret(),
            self.credentials.token(),
            self.place.region(),
            valid.as_secs().max(1),
            request.query.iter().copied(),
            request.headers.iter().copied(),
        )
    }

    /// Asks, and asks again while the store is busy or cannot be reached. Only for what may be done twice.
    pub(super) async fn ask(&self, method: Method, request: Request<'_>) -> Result<Response, S3Error> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.ask_once(method.clone(), request, Vec::new()).await {
                Err(error) if error.is_passing() => {}
                answered => return answered,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask_once(method, request, Vec::new()).await
    }

    /// Asks once.
    pub(super) async fn ask_once(
        &self,
        method: Method,
        request: Request<'_>,
        body: Vec<u8>,
    ) -> Result<Response, S3Error> {
        let url = self.signed(&method, request, Duration::from_secs(SIGNATURE_SECONDS));
        let mut asked = self.http.request(method, url);
        for (name, value) in request.headers {
            asked = asked.header(*name, *value);
        }
        let answer = asked.body(body).send().await.map_err(S3Error::unreachable)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refusal(answer).await)
    }

    /// Asks without saying who we are.
    pub(super) async fn ask_unsigned(&self, path: &str) -> Result<Response, S3Error> {
        let url = self.place.object_url(&format!("{}{path}", self.prefix));
        let answer = self.http.get(url).send().await.map_err(S3Error::unreachable)?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer).await) }
    }

    /// The same bucket for somebody who knows the key but not its secret.
    pub(super) fn with_wrong_secret(&self) -> Self {
        let wrong: String = self.credentials.secret().chars().rev().chain(['x']).collect();
        Self {
            http: self.http.clone(),
            place: self.place.clone(),
            credentials: Credentials::new(self.credentials.key().to_owned(), wrong),
            prefix: self.prefix.clone(),
            clock: Arc::clone(&self.clock),
            encryption: self.encryption.clone(),
        }
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("name", &self.place.name()).finish_non_exhaustive()
    }
}

const fn method_of(method: &Method) -> rusty_s3::Method {
    match *method {
        Method::PUT => rusty_s3::Method::Put,
        Method::DELETE => rusty_s3::Method::Delete,
        Method::HEAD => rusty_s3::Method::Head,
        Method::POST => rusty_s3::Method::Post,
        _ => rusty_s3::Method::Get,
    }
}

async fn refusal(answer: Response) -> S3Error {
    let (status, said_at) = (answer.status().as_u16(), date_of(answer.headers()));
    let body = answer.text().await.unwrap_or_default();
    S3Error::Refused(Refusal { status, code: Refusal::code_in(&body), said_at })
}

/// The store's own time, as every answer carries it.
pub(super) fn date_of(headers: &HeaderMap) -> Option<chrono::DateTime<chrono::Utc>> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}
