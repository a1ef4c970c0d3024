//! The language of an answer: Chinese unless the reader prefers English.

use axum::http::{HeaderMap, header};

/// A language that answers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// 中文.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The tag of HTML and HTTP.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The text in this language.
    pub(crate) const fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The language that `Accept-Language` prefers; Chinese when neither is named.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let accepted =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let weight = |wanted: &str| {
            accepted.split(',').filter_map(|range| weight_of(range, wanted)).fold(0.0, f32::max)
        };
        if weight("en") > weight("zh") { Self::English } else { Self::Chinese }
    }
}

fn weight_of(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';');
    let tag = parts.next()?.trim().to_ascii_lowercase();
    if tag != wanted && !tag.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-')) {
        return None;
    }
    parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1.0), |quality| quality.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_given_to_those_who_prefer_it() {
        let check = |accepted: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(Language::accepted(&headers), expected, "{accepted}");
        };
        check("en", Language::English);
        check("en-GB,en;q=0.9", Language::English);
        check("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese);
        check("en;q=0.5, zh;q=0.4", Language::English);
        check("de", Language::Chinese);
        check("*", Language::Chinese);
    }
}
