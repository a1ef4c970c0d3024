//! Signing in with a token or a one-time code, signing out, and choosing a language.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use serde::Deserialize;

use super::{
    layout::{Frame, page},
    visitor::{LANGUAGE_COOKIE, language_of},
};
use crate::{
    caller::Caller,
    extract::{Form, Path, Query},
    problem::{Problem, kinds},
    session::{COOKIE, Origin, caller_of_token, cookie, is_same_site},
    state::{ArchiveState, CookieTransport},
    tokens,
};

/// How long a browser stays signed in.
const SESSION: TimeDelta = TimeDelta::hours(8);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    is_refused: bool,
}

/// A one-time code in the address.
#[derive(Default, Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

/// A token typed into the form.
#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
}

/// Shows the form, or signs in by a code that has not been used.
pub(super) async fn show(
    State(state): State<ArchiveState>,
    headers: HeaderMap,
    Origin(origin): Origin,
    Query(query): Query<Code>,
) -> Result<Response, Problem> {
    let now = state.backends.clock.now();
    if let Some(token) = state.sign_in_codes.redeem(&query.code, now) {
        let caller = caller_of_token(&state, &token, &origin).await?;
        return signed_in(&state, &caller).await;
    }
    page(&SignInPage { frame: Frame::nobody(language_of(&headers)), is_refused: !query.code.is_empty() })
}

/// Signs in by token.
pub(super) async fn sign_in(
    State(state): State<ArchiveState>,
    headers: HeaderMap,
    Origin(origin): Origin,
    Form(form): Form<Token>,
) -> Result<Response, Problem> {
    if !is_same_site(&headers) {
        return Err(Problem::new(kinds::CROSS_SITE));
    }
    let token = form.token.trim();
    match caller_of_token(&state, token, &origin).await {
        Ok(caller) => signed_in(&state, &caller).await,
        Err(problem) if problem.kind() == kinds::UNAUTHENTICATED => {
            page(&SignInPage { frame: Frame::nobody(language_of(&headers)), is_refused: true })
        }
        Err(problem) => Err(problem),
    }
}

/// The browser gets a token of its own: what was typed stays out of its cookies.
async fn signed_in(state: &ArchiveState, caller: &Caller) -> Result<Response, Problem> {
    let until = state.backends.clock.now() + SESSION;
    let token = tokens::sign_in(&state.backends, caller, until).await?;
    let cookie = format!(
        "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}",
        SESSION.num_seconds(),
        secure(state.settings.cookies)
    );
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

const fn secure(transport: CookieTransport) -> &'static str {
    match transport {
        CookieTransport::Any => "",
        CookieTransport::EncryptedOnly => "; Secure",
    }
}

/// Ends the token of this browser, and forgets it.
pub(super) async fn sign_out(
    State(state): State<ArchiveState>,
    headers: HeaderMap,
    Origin(origin): Origin,
) -> Result<Response, Problem> {
    if !is_same_site(&headers) {
        return Err(Problem::new(kinds::CROSS_SITE));
    }
    if let Some(token) = cookie(&headers, COOKIE) {
        match caller_of_token(&state, &token, &origin).await {
            Ok(caller) => tokens::sign_out(&state.backends, &caller, &token).await?,
            // It had ended already.
            Err(problem) if problem.kind() == kinds::UNAUTHENTICATED => {}
            Err(problem) => return Err(problem),
        }
    }
    let cookie = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

/// Remembers the language and goes back to the start.
pub(super) async fn choose_language(Path(tag): Path<String>) -> Response {
    let tag = if tag == "en" { "en" } else { "zh" };
    let cookie = format!("{LANGUAGE_COOKIE}={tag}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
