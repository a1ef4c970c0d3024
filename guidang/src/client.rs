//! Talking to a running server over HTTP, as any other program would.

use std::{io, path::PathBuf, time::Duration};

use reqwest::{
    Body, Client, Method, RequestBuilder, StatusCode,
    header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue},
    multipart::{Form, Part},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// How long to look for a server that may be gone.
const KNOCK: Duration = Duration::from_secs(3);

/// Why the server did not do it.
#[derive(Debug, Error)]
pub enum ClientError {
    /// It does not answer, or not to the end.
    #[error("the server at {address} does not answer")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What the connection said.
        source: reqwest::Error,
    },
    /// It answered that it cannot, and why.
    #[error("{detail}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The code of the problem.
        code: String,
        /// What happened and what to do.
        detail: String,
        /// The whole answer.
        document: Box<Value>,
    },
    /// It answered something that no server of this version says.
    #[error("the answer of the server is not understood")]
    NotUnderstood(#[source] serde_json::Error),
    /// A file to be sent cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ClientError {
    /// Whether the same request may succeed later: nothing answered, or the archive is full or busy.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(status)
            }
            Self::NotUnderstood(_) | Self::Unreadable { .. } => false,
        }
    }

    /// Whether the token is not, or no longer, one of the server that answered.
    pub fn is_about_the_token(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED)
    }

    /// Whether the server cannot use what was said about a file: nothing will change that but other words.
    pub fn is_about_what_was_said(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "invalid_request")
    }
}

/// What is said about the files of one upload.
#[derive(Debug, Clone, Default)]
pub struct UploadLabels {
    /// The outlet they come from.
    pub outlet: Option<String>,
    /// The acceptance they belong to.
    pub slip_number: Option<String>,
    /// The slot they fill.
    pub slot: Option<String>,
}

/// One file to be sent; it is read while it is sent.
#[derive(Debug, Clone)]
pub struct OutgoingFile {
    /// Its name, as the archive will know it.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
}

impl OutgoingFile {
    async fn part(&self) -> Result<Part, ClientError> {
        let unreadable = |source| ClientError::Unreadable { path: self.path.clone(), source };
        let file = tokio::fs::File::open(&self.path).await.map_err(unreadable)?;
        Ok(Part::stream_with_length(Body::from(file), self.size_bytes).file_name(self.name.clone()))
    }
}

/// What the files of an upload became.
#[derive(Debug, Deserialize)]
pub struct Receipt {
    /// In the order they were sent.
    pub files: Vec<FileReceipt>,
    /// What there is to doubt in what was said about them.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// Something that may be a mistake; the files were taken all the same.
#[derive(Debug, Deserialize)]
pub struct Warning {
    /// In a sentence.
    pub detail: String,
}

/// What one file became.
#[derive(Debug, Deserialize)]
pub struct FileReceipt {
    /// `received`, `linked` or `refused`.
    pub outcome: String,
    /// The scan.
    pub scan_id: Option<domain::ids::ScanId>,
    /// Why it was refused, as a problem document.
    pub refusal: Option<Value>,
}

impl FileReceipt {
    /// Why the file was refused, in a sentence; `None` when it was taken.
    pub fn refusal_sentence(&self) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        let texts = ["detail", "title", "code"].into_iter().find_map(|name| refusal.get(name)?.as_str());
        Some(texts.unwrap_or("refused").to_owned())
    }
}

/// The language a problem is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// For who runs the machine.
    English,
    /// For clerks.
    Chinese,
}

/// A server, and the token that opens it.
#[derive(Clone)]
pub struct ArchiveClient {
    http: Client,
    address: String,
    token: String,
}

impl ArchiveClient {
    /// A client of the server at `address`.
    pub fn new(address: &str, token: &str, tongue: Tongue) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        let language = if tongue == Tongue::English { "en" } else { "zh" };
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(language));
        let built = Client::builder().default_headers(headers).connect_timeout(KNOCK).no_proxy().build();
        let http =
            built.map_err(|source| ClientError::Unreachable { address: address.to_owned(), source })?;
        Ok(Self { http, address: address.to_owned(), token: token.to_owned() })
    }

    /// Whether a server answers.
    pub async fn is_alive(&self) -> bool {
        let knock = self.http.get(format!("{}/healthz/live", self.address)).timeout(KNOCK).send().await;
        knock.is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends files. The same key sent again gets the first answer again.
    pub async fn upload(
        &self,
        files: &[OutgoingFile],
        labels: &UploadLabels,
        idempotency_key: &str,
    ) -> Result<Receipt, ClientError> {
        let mut form = Form::new();
        for (name, text) in
            [("outlet", &labels.outlet), ("slip_number", &labels.slip_number), ("slot", &labels.slot)]
        {
            if let Some(text) = text {
                form = form.text(name, text.clone());
            }
        }
        for file in files {
            form = form.part("file", file.part().await?);
        }
        let request = self.request(Method::POST, "/api/v1/scans").header("idempotency-key", idempotency_key);
        match self.send(request.multipart(form)).await {
            // Every file was refused: that is an answer about the files, not about the request.
            Err(ClientError::Refused { document, .. }) if document.get("files").is_some() => {
                serde_json::from_value(*document).map_err(ClientError::NotUnderstood)
            }
            other => other,
        }
    }

    /// Asks for something.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Asks for something to be done.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address)).bearer_auth(&self.token)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let unreachable = |source| ClientError::Unreachable { address: self.address.clone(), source };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            let bytes = if bytes.is_empty() { b"null".as_slice() } else { &bytes };
            return serde_json::from_slice(bytes).map_err(ClientError::NotUnderstood);
        }
        let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let code = text("code").unwrap_or_default();
        let detail = text("detail")
            .or_else(|| text("title"))
            .unwrap_or_else(|| format!("the server answered {status}"));
        Err(ClientError::Refused { status, code, detail, document: Box::new(document) })
    }
}
