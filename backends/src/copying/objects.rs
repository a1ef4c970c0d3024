//! Objects, one by one.

use blake3::Hash;
use futures_util::{StreamExt, TryStreamExt};

use super::{Copied, CopyError, OnStep, Step};
use crate::{
    blob_store::{BlobKey, BlobReader, BlobStore, BlobWriter, StoredBlob},
    error::StorageError,
};

const OBJECTS: &str = "objects";
/// Objects up to this size are carried in one piece; of larger ones only parts are ever held.
const CARRIED_WHOLE: u64 = 4 << 20;
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
        {
            carry(source, target, key, |_, _| Ok(())).await?;
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

/// Copies one object under a key that is new in the target; `false` when the source does not have it. `accept` hears its
/// size and digest before it is there, and may refuse it.
pub(super) async fn carry(
    source: &BlobStore,
    target: &BlobStore,
    key: BlobKey,
    accept: impl FnOnce(u64, Hash) -> Result<(), CopyError>,
) -> Result<bool, CopyError> {
    let Some(object) = source.open(key).await? else { return Ok(false) };
    if object.size_bytes <= CARRIED_WHOLE {
        let bytes = object.whole().await?;
        accept(bytes.len() as u64, blake3::hash(&bytes))?;
        target.put(key, bytes).await?;
        return Ok(true);
    }
    let mut writer = target.start(key).await?;
    let accepted = match pass(object, &mut writer).await {
        Ok((size_bytes, digest)) => accept(size_bytes, digest),
        Err(error) => Err(error.into()),
    };
    match accepted {
        Ok(()) => writer.finish().await?,
        Err(error) => {
            // What it failed with is told; what cannot be removed now is nobody's object and goes later.
            let _ = writer.abort().await;
            return Err(error);
        }
    }
    Ok(true)
}

async fn pass(mut object: BlobReader, writer: &mut BlobWriter) -> Result<(u64, Hash), StorageError> {
    let (mut hasher, mut size_bytes) = (blake3::Hasher::new(), 0);
    while let Some(piece) = object.pieces.try_next().await? {
        hasher.update(&piece);
        size_bytes += piece.len() as u64;
        writer.pass(piece).await?;
    }
    Ok((size_bytes, hasher.finalize()))
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
        let (here, there) = (digest_at(source, key).await?, digest_at(target, key).await?);
        if here != there {
            let detail = format!("object {} differs", key.path());
            return Err(CopyError::Differs { what: OBJECTS.to_owned(), detail });
        }
        let Some(digest) = here else { continue };
        add(&mut sum, &digest);
        done += 1;
        if done % REPORT_EVERY == 0 || done == total {
            on_step(Step { what: format!("{OBJECTS}, compared"), done, total });
        }
    }
    let [a, b, c, d] = sum;
    let digest = format!("{a:016x}{b:016x}{c:016x}{d:016x}");
    Ok(Copied { what: OBJECTS.to_owned(), count: done, digest })
}

/// The digest of an object's path and bytes; `None` when there is none.
async fn digest_at(store: &BlobStore, key: BlobKey) -> Result<Option<Hash>, CopyError> {
    let Some(mut object) = store.open(key).await? else { return Ok(None) };
    let mut hasher = blake3::Hasher::new();
    hasher.update(key.path().as_bytes()).update(&[0]);
    while let Some(piece) = object.pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok(Some(hasher.finalize()))
}

fn add(sum: &mut [u64; 4], digest: &Hash) {
    let (words, _) = digest.as_bytes().as_chunks::<8>();
    for (total, word) in sum.iter_mut().zip(words) {
        *total = total.wrapping_add(u64::from_le_bytes(*word));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::ids::ScanId;
    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> BlobKey {
        BlobKey::Scan(ScanId::from_uuid(Uuid::from_u128(number)))
    }

    fn refused() -> CopyError {
        CopyError::Unusable("refused".to_owned())
    }

    #[tokio::test]
    async fn small_and_large_objects_arrive_as_they_were_and_what_is_refused_does_not() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (source, target) = (BlobStore::local(from.path()).unwrap(), BlobStore::local(to.path()).unwrap());
        let large: Vec<u8> = (0..20 << 20).map(|place: u32| (place % 251) as u8).collect();
        source.put(key(1), Bytes::from_static(b"small")).await.unwrap();
        source.put(key(2), Bytes::from(large.clone())).await.unwrap();

        for number in [1, 2] {
            assert!(carry(&source, &target, key(number), |_, _| Err(refused())).await.is_err());
            assert!(!target.exists(key(number)).await.unwrap());
        }
        let copied = copy(&source, &target, &mut |_| ()).await.unwrap();

        assert_eq!(copied.count, 2);
        assert_eq!(target.get(key(2)).await.unwrap().unwrap(), large);
        assert!(!carry(&source, &target, key(3), |_, _| Ok(())).await.unwrap());
    }
}
