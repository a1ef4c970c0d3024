//! Leave to bring one file straight to the store, bound to its size and digest.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;

use super::bucket::{Bucket, Request};

/// What may be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketTerms {
    /// Exactly so many bytes.
    pub size_bytes: u64,
    /// Exactly these.
    pub sha256: [u8; 32],
    /// How long the address holds.
    pub valid: Duration,
}

/// One request that a holder of the ticket may make, once: `PUT` to the address with these headers.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedPut {
    /// The address. Whoever has it may bring the file, so it goes into no log.
    pub url: String,
    /// Headers that are signed and must be sent as they are.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for PresignedPut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresignedPut(***)")
    }
}

impl Bucket {
    /// Signs a request that puts exactly this file at `path`, where nothing may be yet.
    pub(crate) fn presign_put(&self, path: &str, terms: &TicketTerms) -> PresignedPut {
        let (size, digest) = (terms.size_bytes.to_string(), STANDARD.encode(terms.sha256));
        let mut headers = vec![
            ("content-length", size.as_str()),
            ("if-none-match", "*"),
            ("x-amz-checksum-sha256", digest.as_str()),
        ];
        if let Some(encryption) = &self.encryption {
            headers.push(("x-amz-server-side-encryption", encryption));
        }
        // The address names the host; the client sends that header by itself.
        let request = Request { path: Some(path), headers: &headers, ..Request::default() };
        let url = self.signed(&Method::PUT, request, terms.valid).to_string();
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        PresignedPut { url, headers: headers.collect() }
    }
}
