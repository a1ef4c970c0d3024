//! Questions put to a store before it is trusted with anything. Each refusal says what to do.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::join_all;
use object_store::{ObjectStore, PutMode, PutOptions, PutPayload, path::Path};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::{
    answers::S3Error,
    bucket::{Bucket, Request, date_of},
    refused,
    ticket::TicketTerms,
};
use crate::{blob_store::BlobKey, clock::new_id, error::StorageError};

/// How far the store's clock may be from ours.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(5);
/// So many try to create the same object at once; one must win. One after the other would not tell: a store may look
/// first and write later.
const CONTENDERS: u8 = 8;
const BODY: &[u8] = b"guidang asks whether this store keeps its promises";

pub(super) async fn probe(store: &Arc<dyn ObjectStore>, bucket: &Arc<Bucket>) -> Result<(), StorageError> {
    bucket_answers(bucket).await?;
    let path = BlobKey::Probe(new_id::<()>(bucket.clock.now()).uuid()).path();
    let asked = promises_are_kept(store, bucket, &path).await;
    let removed = bucket.delete_all_versions(&path).await;
    asked?;
    removed.map_err(|error| {
        let advice = "the credentials must be allowed to list and delete versions of objects";
        refused(&format!("what the probe wrote cannot be removed ({error}); {advice}"))
    })
}

async fn promises_are_kept(
    store: &Arc<dyn ObjectStore>,
    bucket: &Arc<Bucket>,
    path: &str,
) -> Result<(), StorageError> {
    one_creator_wins(store, path).await?;
    strangers_are_turned_away(bucket, path).await?;
    tickets_are_bound(bucket).await
}

/// The bucket is there, is ours, and its clock agrees with ours.
pub(super) async fn bucket_answers(bucket: &Bucket) -> Result<(), StorageError> {
    let asked_at = bucket.clock.now();
    let query = [("versioning", "")];
    let answer = bucket.ask(Method::GET, Request { query: &query, ..Request::default() }).await;
    let said_at = match &answer {
        Ok(answer) => date_of(answer.headers()),
        Err(S3Error::Refused(refusal)) => refusal.said_at,
        Err(_) => None,
    };
    if let Some(said_at) = said_at {
        let taken = bucket.clock.now() - asked_at;
        let skew = said_at - asked_at;
        if skew < -MOST_SKEW || skew > MOST_SKEW + taken {
            let seconds = skew.num_seconds();
            return Err(refused(&format!(
                "its clock is {seconds} s ahead of this machine's (negative: behind); synchronise both by NTP"
            )));
        }
    }
    let name = bucket.place.name();
    match answer {
        Ok(_) => Ok(()),
        Err(S3Error::Unreachable { source }) => Err(refused(&format!(
            "it cannot be reached ({}); see to objects.endpoint, objects.ca_file and the network",
            innermost(&source)
        ))),
        Err(S3Error::Refused(refusal)) if refusal.status == 404 => {
            Err(refused(&format!("there is no bucket {name}; make it, or mend objects.url")))
        }
        Err(S3Error::Refused(refusal)) if matches!(refusal.status, 401 | 403) => Err(refused(&format!(
            "it refuses the credentials for bucket {name} ({}); see to key, secret, objects.region and the \
             permissions (read and write objects and versions, list, GetBucketVersioning)",
            refusal.code
        ))),
        Err(error) => Err(refused(&format!("bucket {name} cannot be used: {error}"))),
    }
}

/// Of several who create the same object at once, one wins.
async fn one_creator_wins(store: &Arc<dyn ObjectStore>, path: &str) -> Result<(), StorageError> {
    let path = Path::from(path);
    let attempts = (0..CONTENDERS).map(|number| {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let payload = PutPayload::from(vec![number; BODY.len()]);
        store.put_opts(&path, payload, options)
    });
    let mut winners = 0;
    let mut failure = None;
    for outcome in join_all(attempts).await {
        match outcome {
            Ok(_) => winners += 1,
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => failure = Some(error),
        }
    }
    match (winners, failure) {
        (1, _) => Ok(()),
        (0, Some(error)) => {
            let error = StorageError::from(error);
            Err(refused(&format!("objects cannot be written ({})", chain(&error))))
        }
        (0, None) => Err(refused("it lets nobody create an object with If-None-Match")),
        _ => Err(refused(
            "it ignores conditional writes (If-None-Match): two servers could overwrite each other's objects; use a \
             store that keeps them, such as SeaweedFS 4, MinIO, Ceph or Amazon S3",
        )),
    }
}

/// Neither a wrong secret nor no signature at all opens anything.
async fn strangers_are_turned_away(bucket: &Bucket, path: &str) -> Result<(), StorageError> {
    let request = Request { path: Some(path), ..Request::default() };
    if bucket.with_wrong_secret().ask_once(Method::GET, request, Vec::new()).await.is_ok() {
        return Err(refused("it accepts a wrong secret: anybody could read it; turn its access control on"));
    }
    if bucket.ask_unsigned(path).await.is_ok() {
        return Err(refused("it shows objects to anybody: make the bucket private"));
    }
    Ok(())
}

/// A ticket's address takes the file it was made for, encrypted as configured, and no other one.
async fn tickets_are_bound(bucket: &Bucket) -> Result<(), StorageError> {
    let path = BlobKey::Probe(new_id::<()>(bucket.clock.now()).uuid()).path();
    let other: Vec<u8> = BODY.iter().rev().copied().collect();
    let wrong = bring(bucket, &path, other).await;
    let right = bring(bucket, &path, BODY.to_vec()).await;
    let removed = bucket.delete_all_versions(&path).await;
    if wrong.is_ok() {
        return Err(refused(
            "it takes other bytes than an address was signed for (x-amz-checksum-sha256); use a store that checks them",
        ));
    }
    right.map_err(|error| {
        let advice = "see to the store's encryption keys, or set objects.quarantine_encryption to \"\" where its \
                      disks are encrypted";
        refused(&format!("a signed address does not work ({error}); {advice}"))
    })?;
    Ok(removed?)
}

async fn bring(bucket: &Bucket, path: &str, body: Vec<u8>) -> Result<(), S3Error> {
    let terms = TicketTerms {
        size_bytes: BODY.len() as u64,
        sha256: Sha256::digest(BODY).into(),
        valid: Duration::from_mins(1),
    };
    let leave = bucket.presign_put(path, &terms);
    let mut put = bucket.http.put(&leave.url).body(body);
    for (name, value) in &leave.headers {
        put = put.header(name, value);
    }
    let answer = put.send().await.map_err(S3Error::unreachable)?;
    if answer.status().is_success() {
        // A store that does not know the method may pass over it without a word.
        let said = answer.headers().get("x-amz-server-side-encryption").and_then(|value| value.to_str().ok());
        let is_encrypted = bucket.encryption.is_none() || said == bucket.encryption.as_deref();
        return if is_encrypted { Ok(()) } else { Err(S3Error::NotEncrypted) };
    }
    let status = answer.status().as_u16();
    let code = super::Refusal::code_in(&answer.text().await.unwrap_or_default());
    Err(S3Error::Refused(super::Refusal { status, code, said_at: None }))
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    format!("{error}: {}", innermost(error))
}
