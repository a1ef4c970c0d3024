//! Addresses signed for S3 (AWS Signature Version 4, in the query), written down a second time, so that tests do not
//! take the program's own word for it.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

const REGION: &str = "us-east-1";
const BLOCK_BYTES: usize = 64;

/// An address that may be asked with `method` for five minutes. `query` is encoded and in the order of names, all of
/// which are in lower case.
pub fn presign(
    method: &str,
    endpoint: &str,
    path: &str,
    query: &str,
    (key, secret): (&str, &str),
) -> Result<String> {
    let at = DateTime::<Utc>::from(std::time::SystemTime::now()).format("%Y%m%dT%H%M%SZ").to_string();
    let day = &at[..8];
    let host = endpoint.split_once("://").context("an address without a scheme")?.1;
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let signing = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{}&X-Amz-Date={at}&X-Amz-Expires=300\
         &X-Amz-SignedHeaders=host",
        scope.replace('/', "%2F")
    );
    // Capitals sort before small letters.
    let query = if query.is_empty() { signing } else { format!("{signing}&{query}") };
    let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut signature = hmac(format!("AWS4{secret}").as_bytes(), day);
    for part in [REGION, "s3", "aws4_request", &to_sign] {
        signature = hmac(&signature, part);
    }
    Ok(format!("{endpoint}{path}?{query}&X-Amz-Signature={}", hex(&signature)))
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
