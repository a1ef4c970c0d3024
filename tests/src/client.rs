//! The API as any other program uses it.

use anyhow::{Context, Result, bail};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    multipart::{Form, Part},
};
use serde_json::Value;

/// One file to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl OutgoingFile {
    /// A file.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }
}

/// One request with files.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// In the order they are sent.
    pub files: Vec<OutgoingFile>,
    /// The acceptance they belong to.
    pub slip_number: Option<String>,
    /// The outlet they come from.
    pub outlet: Option<String>,
    /// The slot they fill.
    pub slot: Option<String>,
    /// The same key sent again gets the first answer again.
    pub idempotency_key: Option<String>,
    /// The place in a trace after which it follows.
    pub trace_parent: Option<String>,
}

impl Upload {
    /// Sends `files` without saying what they belong to.
    pub fn of(files: Vec<OutgoingFile>) -> Self {
        Self { files, ..Self::default() }
    }

    /// Says which acceptance they belong to.
    #[must_use]
    pub fn for_slip(self, slip_number: &str) -> Self {
        Self { slip_number: Some(slip_number.to_owned()), ..self }
    }

    /// Says from which outlet they come.
    #[must_use]
    pub fn from_outlet(self, outlet: &str) -> Self {
        Self { outlet: Some(outlet.to_owned()), ..self }
    }

    /// Says by which key a repetition is known.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self }
    }

    /// Says to which trace it belongs.
    #[must_use]
    pub fn in_trace(self, trace_parent: &str) -> Self {
        Self { trace_parent: Some(trace_parent.to_owned()), ..self }
    }

    fn form(&self) -> Form {
        let mut form = Form::new();
        for (name, text) in
            [("outlet", &self.outlet), ("slip_number", &self.slip_number), ("slot", &self.slot)]
        {
            if let Some(text) = text {
                form = form.text(name, text.clone());
            }
        }
        for file in &self.files {
            form = form.part("file", Part::bytes(file.bytes.clone()).file_name(file.name.clone()));
        }
        form
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The document; null when it is none.
    pub body: Value,
    /// The same as it came.
    pub text: String,
    /// The change that the answer names.
    pub change: Option<u64>,
}

impl Answer {
    /// The document of an answer that says yes; an error otherwise, with what was said.
    pub fn document(self) -> Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        bail!("the server answered {}: {}", self.status, self.text)
    }

    /// The code of a problem document.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// What each file became: `received`, `linked`, or the code of its refusal.
    pub fn outcomes(&self) -> Vec<&str> {
        let files = self.body["files"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = files.iter().map(|file| match file["outcome"].as_str() {
            Some("refused") => file["refusal"]["code"].as_str().unwrap_or("?"),
            other => other.unwrap_or("?"),
        });
        names.collect()
    }

    /// The scans that were received or linked, in order.
    pub fn scan_ids(&self) -> Vec<String> {
        let files = self.body["files"].as_array().map(Vec::as_slice).unwrap_or_default();
        files.iter().filter_map(|file| file["scan_id"].as_str().map(str::to_owned)).collect()
    }
}

/// A token, and the server it opens.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: Client,
    address: String,
    token: String,
}

impl ApiClient {
    /// A client of the server at `address`.
    pub fn new(address: &str, token: &str) -> Result<Self> {
        let http = Client::builder().no_proxy().build().context("no HTTP client can be made")?;
        Ok(Self { http, address: address.to_owned(), token: token.to_owned() })
    }

    /// Asks for something.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Asks for something to be done.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends entered data as CSV.
    pub async fn import(&self, csv: impl Into<Vec<u8>>) -> Result<Answer> {
        let request = self.request(Method::POST, "/api/v1/entries").header("content-type", "text/csv");
        self.send(request.body(csv.into())).await
    }

    /// Sends files.
    pub async fn upload(&self, upload: &Upload) -> Result<Answer> {
        let mut request = self.request(Method::POST, "/api/v1/scans");
        if let Some(key) = &upload.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(trace_parent) = &upload.trace_parent {
            request = request.header("traceparent", trace_parent);
        }
        self.send(request.multipart(upload.form())).await
    }

    /// Searches for case files and gives the list.
    pub async fn search(&self, query: &[(&str, &str)]) -> Result<Vec<Value>> {
        let found = self.get("/api/v1/case-files", query).await?.document()?;
        Ok(found["items"].as_array().cloned().unwrap_or_default())
    }

    /// A request of any kind, in English.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.address));
        request.bearer_auth(&self.token).header("accept-language", "en")
    }

    /// Sends a request and takes the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let answer = request.send().await?;
        let status = answer.status();
        let change = answer.headers().get("guidang-change").and_then(|value| value.to_str().ok());
        let change = change.and_then(|number| number.parse().ok());
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, body, text, change })
    }
}
