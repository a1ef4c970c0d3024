//! An address that may hold a password: whatever prints it prints `***` instead.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A URL whose password is never shown.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The URL with its password, for whoever connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The URL, or `default` when none is configured.
    pub fn or(&self, default: String) -> String {
        if self.0.is_empty() { default } else { self.0.clone() }
    }

    /// The URL as it may be shown: what stands between the user's name and the last `@` of the address is the
    /// password, whatever it holds, and so is a parameter of that name. Where that cannot be told nothing is shown.
    fn shown(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let (address, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        if parameters.contains('@') {
            return format!("{scheme}://***");
        }
        let (user, place) = match address.rfind('@') {
            Some(at) => address.split_at(at),
            None => ("", address),
        };
        let user = match user.split_once(':') {
            Some((name, _)) => format!("{name}:***"),
            None => user.to_owned(),
        };
        format!("{scheme}://{user}{place}{}", without_password_parameter(parameters))
    }
}

fn without_password_parameter(place: &str) -> String {
    let Some((path, parameters)) = place.split_once('?') else { return place.to_owned() };
    let shown: Vec<String> = parameters.split('&').map(shown_parameter).collect();
    format!("{path}?{}", shown.join("&"))
}

fn shown_parameter(parameter: &str) -> String {
    let name = parameter.split('=').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_secret = ["pass", "secret", "token", "key"].iter().any(|word| lower.contains(word));
    if is_secret { format!("{name}=***") } else { parameter.to_owned() }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        SecretUrl(url.to_owned()).to_string()
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(shown("postgres://guidang:s3cret@db/guidang"), "postgres://guidang:***@db/guidang");
        assert_eq!(shown("postgres://guidang:a@b/c@db/guidang"), "postgres://guidang:***@db/guidang");
        assert_eq!(shown("postgres://guidang:a?b@db/guidang"), "postgres://***");
        assert_eq!(
            shown("postgres://db/guidang?password=s3cret&sslmode=require"),
            "postgres://db/guidang?password=***&sslmode=require"
        );
    }

    #[test]
    fn an_address_without_a_password_is_shown_whole() {
        assert_eq!(shown("sqlite:/var/lib/guidang/catalogue.db"), "sqlite:/var/lib/guidang/catalogue.db");
        assert_eq!(shown("postgres://guidang@db/guidang"), "postgres://guidang@db/guidang");
        assert_eq!(shown(""), "");
    }
}
