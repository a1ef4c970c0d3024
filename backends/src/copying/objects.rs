//! Objects, one by one.

use futures_util::StreamExt;

use super::{Copied, CopyError, OnStep, Step};
use crate::blob_store::{BlobKey, BlobStore, StoredBlob};

const OBJECTS: &str = "objects";
/// Objects between two reports.
const REPORT_EVERY: u64 = 64;

/// Copies what the target does not have yet, then reads every object on both sides and compares them.
pub(super) async fn copy(
    source: &BlobStore,
    target: &BlobStore,
    on_step: OnStep<'_>,
) -> Result<Copied, CopyError> {
    let total = count(source).await?;
    let mut listed = source.list();
    let mut done = 0;
    while let Some(object) = listed.next().await {
        let object = object?;
        if let Some(key) = travelling(&object)
            && !target.exists(key).await?
            && let Some(bytes) = source.get(key).await?
        {
            target.put(key, bytes).await?;
        }
        done += 1;
        if done % REPORT_EVERY == 0 || done == total {
            on_step(Step { what: OBJECTS.to_owned(), done, total });
        }
    }
    compare(source, target, total, on_step).await
}

/// The key of an object that goes wherever the archive goes.
pub(super) fn travelling(object: &StoredBlob) -> Option<BlobKey> {
    object.key.filter(|key| !key.stays_behind())
}

/// How many objects there are to be copied.
pub(super) async fn count(store: &BlobStore) -> Result<u64, CopyError> {
    let (mut listed, mut count) = (store.list(), 0);
    while let Some(object) = listed.next().await {
        count += u64::from(travelling(&object?).is_some());
    }
    Ok(count)
}

async fn compare(
    source: &BlobStore,
    target: &BlobStore,
    total: u64,
    on_step: OnStep<'_>,
) -> Result<Copied, CopyError> {
    // Listings come in no order that both sides share: digests are added up instead of chained.
    let mut sum = [0_u64; 4];
    let (mut listed, mut done) = (source.list(), 0);
    while let Some(object) = listed.next().await {
        let Some(key) = travelling(&object?) else { continue };
        let (here, there) = (source.get(key).await?, target.get(key).await?);
        if here != there {
            let detail = format!("object {} differs", key.path());
            return Err(CopyError::Differs { what: OBJECTS.to_owned(), detail });
        }
        let Some(bytes) = here else { continue };
        add(&mut sum, &key.path(), &bytes);
        done += 1;
        if done % REPORT_EVERY == 0 || done == total {
            on_step(Step { what: format!("{OBJECTS}, compared"), done, total });
        }
    }
    let [a, b, c, d] = sum;
    let digest = format!("{a:016x}{b:016x}{c:016x}{d:016x}");
    Ok(Copied { what: OBJECTS.to_owned(), count: done, digest })
}

fn add(sum: &mut [u64; 4], path: &str, bytes: &[u8]) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_bytes()).update(&[0]).update(bytes);
    let digest = hasher.finalize();
    let (words, _) = digest.as_bytes().as_chunks::<8>();
    for (total, word) in sum.iter_mut().zip(words) {
        *total = total.wrapping_add(u64::from_le_bytes(*word));
    }
}
