//! Path, query and body of a request. What cannot be used is refused in our own words, in the language asked for; of
//! what was sent nothing is repeated.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path as AxumPath, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

use crate::{
    parameters::{missing, not_usable, unknown},
    problem::{Kind, Problem, kinds},
};

/// The ids in an address. One that is no id names nothing.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = <AxumPath<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        path.map(|AxumPath(value)| Self(value)).map_err(|_| {
            Problem::new(kinds::NOT_FOUND).with_detail(
                "地址里的编号不是本系统的编号。请从列表或回执中重新打开。",
                "What stands in the address is no id of this archive. Take it from a list or a receipt.",
            )
        })
    }
}

/// The parameters behind the question mark.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        read_pairs(text.as_bytes(), kinds::QUERY_INVALID).map(Self)
    }
}

/// The form of a page.
pub(crate) struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Some("application/x-www-form-urlencoded") {
            return Err(Problem::new(kinds::WRONG_MEDIA_TYPE));
        }
        read_pairs(&body_of(request, state).await?, kinds::INVALID_REQUEST).map(Self)
    }
}

/// A JSON document, asked or answered.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Some("application/json") {
            return Err(Problem::new(kinds::WRONG_MEDIA_TYPE));
        }
        read_json(&body_of(request, state).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The kind of content without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

async fn body_of<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(kinds::REQUEST_TOO_LARGE),
        _ => Problem::new(kinds::INVALID_REQUEST)
            .with_detail("请求没有传完，请重试。", "The request did not arrive in full; send it again."),
    })
}

fn read_pairs<T: DeserializeOwned>(text: &[u8], kind: Kind) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text));
    serde_path_to_error::deserialize(pairs)
        .map_err(|error| unusable(kind, &error.path().to_string(), &error.inner().to_string()))
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut document).map_err(|error| {
        let inner = error.inner();
        match inner.classify() {
            Category::Data => unusable(kinds::INVALID_REQUEST, &error.path().to_string(), &inner.to_string()),
            Category::Syntax | Category::Eof | Category::Io => not_json(inner),
        }
    })?;
    document.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(kinds::INVALID_REQUEST).with_detail(
        format!("请求的内容不是有效的 JSON（第 {line} 行第 {column} 列）。"),
        format!("The body is not valid JSON (line {line}, column {column})."),
    )
}

/// What serde says about a value, without the value: its messages quote what was sent, then list what we know.
fn unusable(kind: Kind, path: &str, message: &str) -> Problem {
    if message.starts_with("unknown field `") {
        return unknown(kind, &listed(message));
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return missing(kind, name);
    }
    let choices = if message.starts_with("unknown variant `") { listed(message) } else { Vec::new() };
    match path.rsplit('.').next().and_then(|last| last.split('[').next()).filter(|name| is_name(name)) {
        Some(name) => not_usable(kind, name, &choices),
        None => Problem::new(kind),
    }
}

/// The words behind the last `expected`. What was sent stands before it, whatever it looks like.
fn listed(message: &str) -> Vec<&str> {
    let words = message.rsplit_once("`, expected ").map_or("", |(_, words)| words);
    words.split('`').skip(1).step_by(2).filter(|word| is_name(word)).collect()
}

/// Whether a word looks like one of our own names.
fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::language::Language;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Asked {
        #[serde(default)]
        slot: Option<domain::field::Slot>,
        #[serde(default)]
        limit: Option<usize>,
        reason: String,
    }

    fn said(result: Result<Asked, Problem>) -> (String, String) {
        let problem = result.unwrap_err();
        (problem.text(Language::Chinese), problem.text(Language::English))
    }

    #[test]
    fn what_was_sent_is_never_repeated() {
        for body in [
            r#"{"reason":"a","slot":"张三"}"#,
            r#"{"reason":"a","slot":"x`, expected `张三"}"#,
            r#"{"reason":"a","张三":1}"#,
            r#"{"reason":"a","x`, expected `张三":1}"#,
            r#"{"reason":{"张三":1}}"#,
            r#""张三""#,
            r#"{"张三"#,
        ] {
            let (zh, en) = said(read_json(body.as_bytes()));

            assert!(!zh.contains("张三") && !en.contains("张三"), "{body}: {zh} {en}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        let (zh, en) = said(read_json(br#"{"reason":"a","slot":"banana"}"#));
        assert!(zh.contains("材料") && zh.contains("id_front") && !zh.contains("banana"), "{zh}");
        assert!(en.contains("Document") && en.contains("id_front"), "{en}");

        let (zh, _) = said(read_pairs(b"reason=a&limit=many", kinds::QUERY_INVALID));
        assert!(zh.contains("每页条数") && zh.contains("整数"), "{zh}");
    }

    #[test]
    fn unknown_and_missing_fields_and_broken_json_are_told_apart() {
        let (zh, en) = said(read_pairs(b"reason=a&bogus=1", kinds::QUERY_INVALID));
        assert!(zh.contains("slot、limit、reason") && en.contains("slot, limit, reason"), "{zh} {en}");

        let (zh, en) = said(read_json(b"{}"));
        assert!(zh.contains("原因") && en.contains("Reason"), "{zh} {en}");

        let (zh, en) = said(read_json(b"{"));
        assert!(zh.contains("JSON") && en.contains("line 1"), "{zh} {en}");
    }
}
