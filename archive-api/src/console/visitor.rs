//! Who looks at a page, and in which language.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use crate::{caller::Caller, language::Language, problem::Problem, session::cookie, state::ArchiveState};

/// The cookie that remembers a language that was chosen.
pub(super) const LANGUAGE_COOKIE: &str = "guidang_language";

/// A signed-in person in front of a page.
pub(super) struct Visitor {
    pub caller: Caller,
    pub language: Language,
}

impl FromRequestParts<ArchiveState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ArchiveState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self { caller, language: language_of(&parts.headers) })
    }
}

/// The language that was chosen, else the one the browser prefers.
pub(super) fn language_of(headers: &HeaderMap) -> Language {
    match cookie(headers, LANGUAGE_COOKIE).as_deref() {
        Some("en") => Language::English,
        Some("zh") => Language::Chinese,
        _ => Language::accepted(headers),
    }
}
