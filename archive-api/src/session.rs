//! Sign-in: by bearer token, or by the cookie that the console sets after a token was shown to it once.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, Method, header, request::Parts},
};
use backends::clock::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::JobKind;

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    state::ArchiveState,
    tokens::{TOKEN_PREFIX, token_hash},
};

/// The cookie of the console.
pub(crate) const COOKIE: &str = "guidang_session";

impl FromRequestParts<ArchiveState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ArchiveState) -> Result<Self, Problem> {
        let origin = origin_of(parts);
        if let Some(token) = bearer_token(&parts.headers) {
            return caller_of_token(state, &token, &origin).await;
        }
        let token = cookie(&parts.headers, COOKIE).ok_or_else(|| Problem::new(kinds::UNAUTHENTICATED))?;
        if parts.method != Method::GET && parts.method != Method::HEAD && !is_same_site(&parts.headers) {
            return Err(Problem::new(kinds::CROSS_SITE));
        }
        caller_of_token(state, &token, &origin).await
    }
}

/// The account behind a token; a token that opens nothing is put on record.
pub(crate) async fn caller_of_token(
    state: &ArchiveState,
    token: &str,
    origin: &str,
) -> Result<Caller, Problem> {
    let backends = &state.backends;
    let now = backends.clock.now();
    let account = match token_hash(token) {
        Some(hash) => {
            let mut tx = backends.database.begin_read().await?;
            tx.organisation().account_by_token(&hash, now).await?
        }
        None => None,
    };
    let caller = account.and_then(|account| Caller::new(account, origin).ok());
    if let Some(caller) = caller {
        return Ok(caller);
    }
    state.refusals.record(backends, origin).await?;
    Err(Problem::new(kinds::UNAUTHENTICATED))
}

/// Where a request came from that is not signed in yet.
pub(crate) struct Origin(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(origin_of(parts)))
    }
}

/// The address the request came from.
fn origin_of(parts: &Parts) -> String {
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    address.map_or_else(|| "http".to_owned(), |ConnectInfo(address)| address.ip().to_string())
}

fn bearer_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// Whether the browser says that the request came from one of our own pages.
pub(crate) fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site == "same-origin",
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        _ => false,
    }
}

/// Codes that sign a browser in once, for the address that a command prints.
#[derive(Default)]
pub struct SignInCodes {
    waiting: Mutex<HashMap<String, (String, DateTime<Utc>)>>,
}

impl SignInCodes {
    /// Makes a code that stands for `token` for a quarter of an hour, once.
    pub fn issue(&self, token: &str, now: DateTime<Utc>) -> String {
        const MINUTES: i64 = 15;
        let random: [u8; 16] = rand::random();
        let code = format!("{}{}", crate::record::hex(&random), new_id::<JobKind>(now).uuid().simple());
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, until)| *until > now);
        waiting.insert(code.clone(), (token.to_owned(), now + TimeDelta::minutes(MINUTES)));
        code
    }

    /// Gives the token of a code that has not been used; the code is worthless afterwards.
    pub(crate) fn redeem(&self, code: &str, now: DateTime<Utc>) -> Option<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, until) = waiting.remove(code)?;
        (until > now && token.starts_with(TOKEN_PREFIX)).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_signs_in_once_and_not_for_ever() {
        let codes = SignInCodes::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let code = codes.issue("gd_1", now);
        let late = codes.issue("gd_2", now);

        assert_eq!(codes.redeem(&code, now).as_deref(), Some("gd_1"));
        assert_eq!(codes.redeem(&code, now), None);
        assert_eq!(codes.redeem(&late, now + TimeDelta::minutes(16)), None);
    }

    #[test]
    fn a_foreign_page_is_told_from_our_own() {
        let check = |pairs: &[(&'static str, &str)], expected| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_same_site(&headers), expected, "{pairs:?}");
        };
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "http://a:1"), ("host", "a:1")], true);
        check(&[("origin", "http://b:1"), ("host", "a:1")], false);
        check(&[], false);
    }
}
