//! Putting objects back, each held against the digest that was written down when it was backed up.

use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use domain::scan::ScanState;
use futures_util::TryStreamExt;

use super::{Chosen, Restore};
use crate::{
    blob_store::{BlobKey, BlobReader, BlobStore},
    connect::Backends,
    copying::{
        CopyError, OnStep, Step, at,
        backup::{OBJECT_LIST, OBJECTS},
        objects::carry,
    },
};

/// Puts back the objects that the catalogue names and whose keys are there; gives how many, and how many were left out.
pub(super) async fn put_back(
    restore: Restore<'_>,
    chosen: &Chosen,
    backends: &Backends,
    on_step: OnStep<'_>,
) -> Result<(u64, u64), CopyError> {
    let total = chosen.manifest.object_lines;
    if total == 0 {
        return Ok((0, 0));
    }
    let kept = BlobStore::local(&restore.folder.join(OBJECTS))?;
    let list_path = restore.folder.join(OBJECT_LIST);
    let list = BufReader::new(File::open(&list_path).map_err(at(&list_path))?);
    let (mut back, mut destroyed) = (0, 0);
    for (line, number) in list.lines().zip(1..=total) {
        let line = line.map_err(at(&list_path))?;
        on_step(Step { what: "objects".to_owned(), done: number, total });
        let (key, digest) = parse_line(&line).ok_or_else(|| CopyError::Differs {
            what: list_path.display().to_string(),
            detail: format!("line {number} cannot be read"),
        })?;
        match fate(backends, key).await? {
            Fate::Unknown => {}
            Fate::Destroyed => destroyed += 1,
            Fate::Needed => {
                put_object_back(&kept, &backends.blobs, key, digest).await?;
                back += 1;
            }
        }
    }
    Ok((back, destroyed))
}

/// What the restored catalogue says about an object.
enum Fate {
    Needed,
    Destroyed,
    Unknown,
}

async fn fate(backends: &Backends, key: BlobKey) -> Result<Fate, CopyError> {
    let Some(BlobKey::Scan(id)) = Some(key) else { return Ok(Fate::Unknown) };
    let mut tx = backends.database.begin_read().await?;
    let scan = tx.scans().find(id).await?.filter(|scan| scan.state != ScanState::Linked);
    drop(tx);
    let Some(scan) = scan else { return Ok(Fate::Unknown) };
    let is_there = backends.vault.key(scan.key_id).await?.is_some();
    Ok(if is_there { Fate::Needed } else { Fate::Destroyed })
}

async fn put_object_back(
    kept: &BlobStore,
    target: &BlobStore,
    key: BlobKey,
    digest: &str,
) -> Result<(), CopyError> {
    if let Some(there) = target.open(key).await? {
        // From an earlier part of this restore, or anybody's.
        return if digest_of(there).await? == digest { Ok(()) } else { Err(other_object(key)) };
    }
    // A line whose object a crash kept away was made good by a later line, or by a later backup.
    carry(kept, target, key, |_, found| {
        if found.to_hex().as_str() == digest {
            return Ok(());
        }
        let detail = "its bytes have another digest; take it from another copy of the backup".to_owned();
        Err(CopyError::Differs { what: key.path(), detail })
    })
    .await?;
    Ok(())
}

async fn digest_of(mut object: BlobReader) -> Result<String, CopyError> {
    let mut hasher = blake3::Hasher::new();
    while let Some(piece) = object.pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn other_object(key: BlobKey) -> CopyError {
    CopyError::Unusable(format!(
        "the target holds an object {} that is not the one of the backup; remove it, or name an empty place in \
         objects.url, then run the same command again",
        key.path()
    ))
}

fn parse_line(line: &str) -> Option<(BlobKey, &str)> {
    let mut parts = line.split(' ');
    let key = BlobKey::parse(parts.next()?)?;
    let _size: u64 = parts.next()?.parse().ok()?;
    Some((key, parts.next()?))
}

pub(super) async fn every_scan_has_one(backends: &Backends) -> Result<(), CopyError> {
    const BATCH: i64 = 1_000;
    let mut after = None;
    loop {
        let mut tx = backends.database.begin_read().await?;
        let scans = tx.scans().all(after, BATCH).await?;
        drop(tx);
        let Some(last) = scans.last() else { return Ok(()) };
        after = Some(last.id);
        for scan in scans.iter().filter(|scan| scan.same_as.is_none()) {
            let key = BlobKey::Scan(scan.id);
            if !backends.blobs.exists(key).await? && backends.vault.key(scan.key_id).await?.is_some() {
                let detail = "the backup does not have it".to_owned();
                return Err(CopyError::Differs { what: key.path(), detail });
            }
        }
    }
}
