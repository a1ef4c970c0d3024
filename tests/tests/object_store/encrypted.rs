//! A store that is reached over TLS, with an authority of the operator's own.

use std::sync::Arc;

use archive_tests::{
    seaweed::{self, Versions},
    tls_proxy::TlsProxy,
};
use backends::{
    blob_store::{BlobKey, BlobStore, S3Settings},
    clock::{Clock, SystemClock, new_id},
};
use bytes::Bytes;

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_our_own_is_trusted_when_it_is_named_and_not_otherwise() {
    let server = seaweed::shared().await.unwrap();
    let bucket = server.bucket(Versions::Kept).await.unwrap();
    let proxy = TlsProxy::before(server.endpoint.trim_start_matches("http://")).await.unwrap();
    let other = TlsProxy::before(server.endpoint.trim_start_matches("http://")).await.unwrap();
    let endpoint = format!("https://{}", proxy.address);
    let with = |authorities| S3Settings { authorities, ..seaweed::settings_for(&endpoint) };
    let url = format!("s3://{bucket}/archive");

    let blobs = BlobStore::s3(&url, &with(Some(proxy.ca_file())), Arc::new(SystemClock)).await.unwrap();
    let key = BlobKey::Scan(new_id(SystemClock.now()));
    blobs.put(key, Bytes::from_static(b"sealed")).await.unwrap();
    let mut large = blobs.start(BlobKey::Scan(new_id(SystemClock.now()))).await.unwrap();
    large.write(&vec![1; 9 << 20]).await.unwrap();
    large.finish().await.unwrap();

    assert_eq!(blobs.get(key).await.unwrap().unwrap(), Bytes::from_static(b"sealed"));
    blobs.delete(key).await.unwrap();
    assert!(!blobs.exists(key).await.unwrap());
    for authorities in [None, Some(other.ca_file())] {
        let refused = BlobStore::s3(&url, &with(authorities), Arc::new(SystemClock)).await.unwrap_err();
        assert!(refused.to_string().contains("objects.ca_file"), "{refused}");
    }
}
