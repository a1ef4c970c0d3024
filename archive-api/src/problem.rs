//! How failures become answers: problem documents (RFC 9457), one code for each thing a caller can do about it.

pub mod kinds;

use std::sync::Arc;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use backends::{clock::new_id, error::StorageError};
use domain::{access::Permission, ids::JobKind};
use indexer::query::QueryError;
use ingest::Refusal;
use serde_json::{Value, json};

pub use self::kinds::Kind;
use crate::{language::Language, metrics::count_refusal, state::ArchiveState};

/// One failure on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    // In a box, so that what succeeds does not carry its size around.
    inner: Box<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    detail: Option<(String, String)>,
    extensions: Vec<(&'static str, Value)>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A problem in the words of its kind.
    pub fn new(kind: Kind) -> Self {
        Self { inner: Box::new(Inner { kind, detail: None, extensions: Vec::new(), source: None }) }
    }

    /// Says more, in Chinese and in English; never personal data.
    #[must_use]
    pub fn with_detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.inner.detail = Some((zh.into(), en.into()));
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.inner.extensions.push((name, value));
        self
    }

    /// Keeps the cause for the log of the machine.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// What happened and what to do.
    pub(crate) fn text(&self, language: Language) -> String {
        match &self.inner.detail {
            Some((zh, en)) => language.pick(zh, en).to_owned(),
            None => language.pick(self.inner.kind.zh, self.inner.kind.en).to_owned(),
        }
    }

    /// The answer for this permission; nothing when it is allowed.
    pub(crate) fn unless_allowed(permission: Permission) -> Result<(), Self> {
        match permission {
            Permission::Allowed => Ok(()),
            Permission::Refused => Err(Self::new(kinds::FORBIDDEN)),
            Permission::NotFound => Err(Self::new(kinds::NOT_FOUND)),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.inner.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// After how many seconds it is worth trying again: a store that is full is not emptied at once.
    fn retry_after(&self) -> Option<&'static str> {
        match self.inner.kind.status {
            503 => Some("5"),
            507 => Some("60"),
            _ => None,
        }
    }

    /// Logs what is ours to mend, once, and gives the trace id under which it is found.
    pub(crate) fn log_if_ours(
        &self,
        state: &ArchiveState,
        method: &str,
        path: Option<&str>,
    ) -> Option<String> {
        if self.inner.kind.status < 500 {
            return None;
        }
        let trace_id = new_id::<JobKind>(state.backends.clock.now()).to_string();
        let cause = self.inner.source.as_deref().map(chain).unwrap_or_default();
        tracing::error!(
            trace.id = trace_id,
            method,
            path,
            code = self.inner.kind.code,
            cause,
            "request failed"
        );
        Some(trace_id)
    }

    fn document(&self, language: Language, trace_id: Option<&str>) -> Value {
        let mut document = json!({
            "type": format!("/docs/errors/{}", self.inner.kind.code),
            "code": self.inner.kind.code,
            "status": self.inner.kind.status,
            "title": language.pick(self.inner.kind.zh, self.inner.kind.en),
            "detail": self.text(language),
        });
        for (name, value) in &self.inner.extensions {
            document[*name] = value.clone();
        }
        if let Some(trace_id) = trace_id {
            document["trace_id"] = Value::from(trace_id);
        }
        document
    }

    fn render(&self, language: Language, trace_id: Option<&str>) -> Response {
        let mut response = (self.status(), Json(self.document(language, trace_id))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.inner.kind.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render(Language::Chinese, None);
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts problems into the reader's language, and logs those that are ours to mend under a trace id.
pub(crate) async fn render_problems(
    axum::extract::State(state): axum::extract::State<ArchiveState>,
    request: Request,
    next: Next,
) -> Response {
    let language = Language::accepted(request.headers());
    let method = request.method().clone();
    let path = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    count_refusal(problem.kind().code);
    let trace_id = problem.log_if_ours(&state, method.as_str(), path.as_deref());
    problem.render(language, trace_id.as_deref())
}

fn chain(error: &(dyn std::error::Error + Send + Sync)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        text.push_str(": ");
        text.push_str(&this.to_string());
        cause = this.source();
    }
    text
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        let kind = match &error {
            StorageError::Conflict { .. } => kinds::CONFLICT,
            StorageError::Unavailable { .. } => kinds::UNAVAILABLE,
            StorageError::Full { .. } => kinds::STORAGE_FULL,
            StorageError::Corrupt { .. }
            | StorageError::Unsupported { .. }
            | StorageError::Internal { .. } => kinds::INTERNAL,
        };
        Self::new(kind).caused_by(error)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        if !error.is_users() {
            return Self::new(kinds::SEARCH_UNAVAILABLE).caused_by(error);
        }
        let zh = match &error {
            QueryError::Phone(_) => "号码：请输入完整号码，或至少四位连续数字（用 * 表示其余部分）。",
            QueryError::IdNumber(_) => {
                "证件号码：请输入完整号码、后四位，或至少四位连续字符（用 * 表示其余部分）。"
            }
            QueryError::Name(_) => "姓名：请至少输入一个字。",
            QueryError::Address(_) => "地址：请至少输入相连的两个字。",
            QueryError::Empty(_) => "有一个查询条件是空的。",
            QueryError::DaysReversed { .. } => "起始日期晚于结束日期。",
            QueryError::PageSize { .. } => "每页 1 到 1000 条。",
            QueryError::EmptyScope => "您的账号没有可以查看的网点。",
            _ => "翻页标记无效，请从第一页重新开始。",
        };
        Self::new(kinds::QUERY_INVALID).with_detail(zh, error.to_string())
    }
}

/// Why a file was refused, as an answer names it.
pub(crate) fn refusal_document(code: &str, refusal: Option<Refusal>, language: Language) -> Value {
    let detail = match (refusal, language) {
        (Some(refusal), Language::Chinese) => refusal.message_zh(),
        (Some(refusal), Language::English) => refusal.message_en(),
        (None, _) => language.pick("不接收这个文件。", "This file is not taken.").to_owned(),
    };
    json!({ "type": format!("/docs/errors/{code}"), "code": code, "detail": detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_shows_a_trace_id_and_nothing_internal() {
        let error = StorageError::Corrupt { what: "catalogue", detail: "column secret".to_owned() };

        let document = Problem::from(error).document(Language::English, Some("t-1"));

        assert_eq!(document["status"], 500);
        assert_eq!(document["trace_id"], "t-1");
        assert!(!document.to_string().contains("secret"));
    }

    #[test]
    fn every_kind_has_its_page() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        for kind in kinds::ALL {
            let page = folder.join(format!("{}.md", kind.code));
            assert!(page.exists(), "docs/errors/{}.md is missing", kind.code);
        }
    }
}
