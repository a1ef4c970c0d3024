//! Measures writing objects to S3: `cargo run --release -p archive-bench --bin objects -- --endpoint URL --bucket NAME
//! [--rounds 5] [--mebibytes 48]`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` set.
//!
//! Puts the same number of bytes in turn by a bare `object_store` client and by the program's object path, which seals
//! them, creates conditionally, and writes in parts from 8 MiB on. Prints medians as a Markdown table; the share is the
//! bare time over ours, taken within each round. `tools/setup/bench.sh` starts a SeaweedFS for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use archive_bench::{archive::BenchArchive, corpus::argument};
use backends::{
    blob_store::{BlobKey, BlobStore, S3Credentials, S3Settings},
    clock::{Clock, SystemClock, new_id},
    vault::{DataKey, KeyPurpose, SealStream},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, WriteMultipart, aws::AmazonS3Builder, path::Path,
};
use rand::{RngCore, SeedableRng, rngs::StdRng};

/// Objects written at once, as the intake does.
const AT_ONCE: usize = 8;
/// From here on an object is written in parts, as the intake does.
const LARGE_BYTES: usize = 8 << 20;
const PART_BYTES: usize = 8 << 20;
const PIECE_BYTES: usize = 1 << 20;
const KIBIBYTES: [usize; 3] = [64, 512, 24 << 10];

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint: String = argument("--endpoint", String::new())?;
    let bucket: String = argument("--bucket", "bench".to_owned())?;
    let rounds: usize = argument("--rounds", 5)?;
    let mebibytes: usize = argument("--mebibytes", 48)?;
    ensure!(!endpoint.is_empty(), "--endpoint URL names the store; tools/setup/bench.sh starts one");
    let credentials = credentials()?;
    let bare = bare_client(&endpoint, &bucket, &credentials)?;
    let settings = S3Settings { endpoint, credentials: Some(credentials), ..S3Settings::default() };
    let ours = BlobStore::s3(&format!("s3://{bucket}"), &settings, Arc::new(SystemClock)).await?;

    // The intake takes keys from a reserve that is filled a few dozen at a time; here one key stands for all.
    let folder = tempfile::tempdir()?;
    let vault = BenchArchive::open(folder.path()).await?.backends.vault;
    let key = vault.new_key(KeyPurpose::Scan, SystemClock.now()).await?;
    println!("| objects of KiB | bare MiB/s | bare objects/s | ours MiB/s | ours objects/s | share |");
    println!("|---|---|---|---|---|---|");
    for kibibytes in KIBIBYTES {
        let objects = ((mebibytes << 10) / kibibytes).max(2);
        let mut measured = Vec::with_capacity(rounds);
        // The first round warms up.
        for round in 0..=rounds {
            let content = content(kibibytes << 10, round as u64);
            let bare = put_bare(&bare, &content, objects).await?;
            let times = (bare, put_ours(&ours, &key, &content, objects).await?);
            if round > 0 {
                measured.push(times);
            }
        }
        print_row(kibibytes, objects, &measured);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement is told its secrets by the environment")]
fn credentials() -> Result<S3Credentials> {
    let value = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    Ok(S3Credentials {
        access_key_id: value("AWS_ACCESS_KEY_ID")?,
        secret_access_key: value("AWS_SECRET_ACCESS_KEY")?,
        session_token: None,
    })
}

fn bare_client(endpoint: &str, bucket: &str, credentials: &S3Credentials) -> Result<Arc<dyn ObjectStore>> {
    let builder = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_bucket_name(bucket)
        .with_region("us-east-1")
        .with_access_key_id(&credentials.access_key_id)
        .with_secret_access_key(&credentials.secret_access_key)
        .with_client_options(ClientOptions::new().with_allow_http(true));
    backends::blob_store::choose_tls();
    Ok(Arc::new(builder.build()?))
}

fn content(size_bytes: usize, seed: u64) -> Bytes {
    let mut bytes = vec![0; size_bytes];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes.into()
}

async fn put_bare(store: &Arc<dyn ObjectStore>, content: &Bytes, objects: usize) -> Result<Duration> {
    let started = Instant::now();
    let writes = (0..objects).map(|_| async {
        let path = Path::from(format!("bare/{}", new_id::<()>(SystemClock.now())));
        if content.len() <= LARGE_BYTES {
            store.put(&path, content.clone().into()).await?;
            return anyhow::Ok(());
        }
        let upload = store.put_multipart(&path).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        for piece in content.chunks(PIECE_BYTES) {
            writer.wait_for_capacity(2).await?;
            writer.write(piece);
        }
        writer.finish().await?;
        Ok(())
    });
    stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(started.elapsed())
}

async fn put_ours(blobs: &BlobStore, key: &DataKey, content: &Bytes, objects: usize) -> Result<Duration> {
    let started = Instant::now();
    let writes = (0..objects).map(|_| put_one(blobs, key, content));
    stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(started.elapsed())
}

/// Seals and writes as the intake does.
async fn put_one(blobs: &BlobStore, key: &DataKey, content: &Bytes) -> Result<()> {
    let blob = BlobKey::Scan(new_id(SystemClock.now()));
    let (mut sealing, mut sealed) = SealStream::start(key, &blob.path())?;
    if content.len() <= LARGE_BYTES {
        let content = content.clone();
        let sealed = tokio::task::spawn_blocking(move || {
            sealing.push(&content, &mut sealed)?;
            sealing.finish(&mut sealed)?;
            anyhow::Ok(sealed)
        });
        return Ok(blobs.put(blob, sealed.await??.into()).await?);
    }
    let mut writer = blobs.start(blob).await?;
    for piece in content.chunks(PIECE_BYTES) {
        sealing.push(piece, &mut sealed)?;
        writer.write(&sealed).await?;
        sealed.clear();
    }
    sealing.finish(&mut sealed)?;
    writer.write(&sealed).await?;
    Ok(writer.finish().await?)
}

fn print_row(kibibytes: usize, objects: usize, measured: &[(Duration, Duration)]) {
    let (bare, ours) = (median(measured, |times| times.0), median(measured, |times| times.1));
    let mut shares: Vec<f64> =
        measured.iter().map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64() * 100.0).collect();
    shares.sort_by(f64::total_cmp);
    let share = shares.get(shares.len() / 2).copied().unwrap_or(f64::NAN);
    let mebibytes = (objects * kibibytes) as f64 / 1024.0;
    println!(
        "| {kibibytes} | {:.1} | {:.1} | {:.1} | {:.1} | {share:.0} % |",
        mebibytes / bare,
        objects as f64 / bare,
        mebibytes / ours,
        objects as f64 / ours,
    );
}

fn median(measured: &[(Duration, Duration)], time: impl Fn(&(Duration, Duration)) -> Duration) -> f64 {
    let mut times: Vec<f64> = measured.iter().map(|times| time(times).as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
