//! Objects in an S3-compatible store: reads and writes through `object_store`, the rest by requests of our own.

mod answers;
mod bucket;
mod probe;
mod settings;
mod ticket;
mod versions;

use std::{fs, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, S3ConditionalPut},
    prefix::PrefixStore,
};
use reqwest::Url;
use rusty_s3::{Bucket as Place, Credentials, UrlStyle};

pub(crate) use self::{answers::Refusal, bucket::Bucket};
pub use self::{
    settings::{Addressing, CredentialsError, LEAST_TIMEOUT, Proof, S3Credentials, S3Settings},
    ticket::{PresignedPut, TicketTerms},
};
use crate::{clock::Clock, error::StorageError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: usize = 4;

/// A bucket as both kinds of requests see it.
pub(super) struct OpenedBucket {
    pub store: Arc<dyn ObjectStore>,
    pub bucket: Arc<Bucket>,
}

/// Opens `s3://BUCKET[/PREFIX]` and refuses a store that does not keep its promises.
pub(super) async fn open(
    url: &str,
    settings: &S3Settings,
    clock: Arc<dyn Clock>,
) -> Result<OpenedBucket, StorageError> {
    let address = url.strip_prefix("s3://").unwrap_or_default();
    let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
    let prefix = prefix.trim_matches('/');
    if name.is_empty() || !prefix.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) {
        return Err(refused("the address must look like s3://bucket or s3://bucket/prefix"));
    }
    choose_tls();
    let authorities = authorities(settings)?;
    let bucket = Arc::new(Bucket {
        http: http_client(settings, authorities.as_deref())?,
        place: place(name, settings)?,
        credentials: credentials(settings)?,
        prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
        clock,
        encryption: settings.quarantine_encryption.clone(),
    });
    let store = object_store(name, prefix, settings, authorities.as_deref())?;
    match settings.proof {
        Proof::EveryPromise => probe::probe(&store, &bucket).await?,
        Proof::Answer => probe::bucket_answers(&bucket).await?,
    }
    Ok(OpenedBucket { store, bucket })
}

/// Says which cryptography speaks TLS in this process. Must be called before any other client of S3 is made.
pub fn choose_tls() {
    // An error means that somebody has chosen before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn endpoint(settings: &S3Settings) -> String {
    match settings.endpoint.as_str() {
        "" => format!("https://s3.{}.amazonaws.com", settings.region),
        named => named.trim_end_matches('/').to_owned(),
    }
}

fn place(name: &str, settings: &S3Settings) -> Result<Place, StorageError> {
    let wrong = || refused("objects.endpoint must look like https://store.example:9000");
    let endpoint = Url::parse(&endpoint(settings)).map_err(|_| wrong())?;
    let style = match settings.addressing {
        Addressing::Path => UrlStyle::Path,
        Addressing::VirtualHost => UrlStyle::VirtualHost,
    };
    Place::new(endpoint, style, name.to_owned(), settings.region.clone()).map_err(|_| wrong())
}

fn credentials(settings: &S3Settings) -> Result<Credentials, StorageError> {
    let ours = settings.credentials.as_ref().ok_or_else(|| {
        refused(
            "there are no credentials: name a file in objects.credentials, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY",
        )
    })?;
    let (key, secret) = (ours.access_key_id.clone(), ours.secret_access_key.clone());
    Ok(match &ours.session_token {
        Some(token) => Credentials::new_with_token(key, secret, token.clone()),
        None => Credentials::new(key, secret),
    })
}

fn authorities(settings: &S3Settings) -> Result<Option<Vec<u8>>, StorageError> {
    let Some(path) = &settings.authorities else { return Ok(None) };
    let unreadable = |_| refused(&format!("objects.ca_file {} cannot be read", path.display()));
    fs::read(path).map(Some).map_err(unreadable)
}

fn http_client(settings: &S3Settings, authorities: Option<&[u8]>) -> Result<reqwest::Client, StorageError> {
    let mut builder =
        reqwest::Client::builder().timeout(settings.timeout).connect_timeout(CONNECT_TIMEOUT).no_proxy();
    if let Some(pem) = authorities {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| not_pem())?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| StorageError::Internal { what: "object store", source: Box::new(error) })
}

fn object_store(
    name: &str,
    prefix: &str,
    settings: &S3Settings,
    authorities: Option<&[u8]>,
) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let endpoint = endpoint(settings);
    let is_plain = endpoint.starts_with("http://");
    let mut client = ClientOptions::new()
        .with_timeout(settings.timeout)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_allow_http(is_plain);
    if let Some(pem) = authorities {
        for certificate in Certificate::from_pem_bundle(pem).map_err(|_| not_pem())? {
            client = client.with_root_certificate(certificate);
        }
    }
    let virtual_host = settings.addressing == Addressing::VirtualHost;
    let endpoint = if virtual_host { with_bucket(&endpoint, name) } else { endpoint };
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        retry_timeout: settings.timeout * 2,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(&settings.region)
        .with_endpoint(endpoint)
        .with_virtual_hosted_style_request(virtual_host)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_client_options(client)
        .with_retry(retry);
    if let Some(ours) = &settings.credentials {
        builder =
            builder.with_access_key_id(&ours.access_key_id).with_secret_access_key(&ours.secret_access_key);
        if let Some(token) = &ours.session_token {
            builder = builder.with_token(token);
        }
    }
    let store = builder.build()?;
    Ok(if prefix.is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) })
}

/// `object_store` expects the name of the bucket in the endpoint then.
fn with_bucket(endpoint: &str, name: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, host)) => format!("{scheme}://{name}.{host}"),
        None => endpoint.to_owned(),
    }
}

fn not_pem() -> StorageError {
    refused("objects.ca_file holds no certificates in PEM")
}

fn refused(detail: &str) -> StorageError {
    StorageError::Unsupported { what: "object store", detail: detail.to_owned() }
}
