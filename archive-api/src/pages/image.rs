//! `GET /api/v1/pages/{id}/image`: a page as a picture, under a watermark that says who looked, when and why.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use backends::{
    blob_store::BlobKey,
    connect::Backends,
    database::{operation_log::LogEntry, scans::ScanRow},
    error::StorageError,
    vault::OpenStream,
};
use domain::{
    access::{Action, Relation},
    ids::{KeyId, PageId},
    masking::Sensitivity,
};
use image::{RgbImage, imageops};
use ingest::{DecodeError, Resolution, Sandbox, encode_derivative};
use serde::Deserialize;

use super::{visible_page, watermark::Watermark};
use crate::{
    caller::Caller,
    case_files::{Reader, ReasonGiven},
    extract::{Path, Query},
    problem::{Problem, kinds},
    record::{append_with_reason, reason_in_address},
    state::ArchiveState,
};

/// Longest side of a page picture, unless asked otherwise.
const DEFAULT_SIDE: u32 = 1600;
/// Longest side that is given out.
const MAX_SIDE: u32 = 3200;
/// Longest side of what is left of a page that is blurred: no character survives it.
const BLURRED_SIDE: u32 = 48;
const JPEG_QUALITY: u8 = 82;

/// Why and how large.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageQuery {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    max_side: Option<u32>,
}

/// Answers with the page as JPEG: clear to those whose task it is, blurred to all others.
pub(crate) async fn get_image(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<PageId>,
    Query(query): Query<ImageQuery>,
) -> Result<Response, Problem> {
    let reason = reason_in_address(&query.reason)?;
    let now = state.backends.clock.now();
    let mut tx = state.backends.database.begin_read().await?;
    let (page, scan, case_file) = visible_page(tx.as_mut(), &caller, Action::SeePage, id).await?;
    // A scan that only points to another one has neither object nor key of its own.
    let holder = match scan.same_as {
        Some(holder) => tx.scans().find(holder).await?,
        None => Some(scan.clone()),
    };
    let holder = holder.ok_or_else(|| Problem::new(kinds::PAGE_NOT_SHOWN))?;
    drop(tx);
    let relation = match &case_file {
        Some(case_file) => caller.relation_to(case_file),
        // Not placed yet: it is the work of whoever sent it.
        None if scan.received_by == caller.account.id => Relation::OwnOutletOpen,
        None => Relation::Other,
    };
    let reader = Reader { role: caller.role, relation, reason: ReasonGiven::No };
    let is_clear = reader.sees_clear(Sensitivity::of_page());
    let side = query.max_side.unwrap_or(DEFAULT_SIDE).clamp(64, MAX_SIDE);
    let staff_number = caller.account.staff_number.clone();
    let watermark = Watermark { staff_number, at: now, reason: reason.clone() };
    let page_index = usize::try_from(page.page_index).unwrap_or_default();
    let jpeg = drawn(&state, &holder, Picture { page_index, side, is_clear, watermark }).await?;
    let result = if is_clear { "clear" } else { "blurred" };
    let entry = caller.log_entry(now, "see_page", ("page", id.to_string()), result);
    let key_id = case_file.as_ref().map_or(holder.key_id, |case_file| case_file.key_id);
    put_on_record(&state.backends, &entry, (key_id, &reason)).await?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "no-store")], Body::from(jpeg))
        .into_response())
}

/// Puts the look on record. Nothing is answered when this fails.
async fn put_on_record(
    backends: &Backends,
    entry: &LogEntry,
    (key_id, reason): (KeyId, &str),
) -> Result<(), StorageError> {
    let key = backends.vault.required_key(key_id).await?;
    let mut tx = backends.database.begin().await?;
    append_with_reason(tx.as_mut(), entry, (&key, reason)).await?;
    tx.commit().await
}

/// What is to be made of a page.
struct Picture {
    page_index: usize,
    side: u32,
    is_clear: bool,
    watermark: Watermark,
}

/// The page as JPEG. Waits for a turn before anything is loaded; all that takes long is done away from the threads that
/// answer.
async fn drawn(state: &ArchiveState, scan: &ScanRow, picture: Picture) -> Result<Vec<u8>, Problem> {
    let not_shown = || Problem::new(kinds::PAGE_NOT_SHOWN);
    let turn = state.pictures.turn().await?;
    let blob = BlobKey::Scan(scan.id);
    let key = state.backends.vault.key(scan.key_id).await?.ok_or_else(not_shown)?;
    let sealed = state.backends.blobs.get(blob).await?.ok_or_else(not_shown)?;
    let sandbox = Arc::clone(&state.sandbox);
    let making = tokio::task::spawn_blocking(move || {
        let bytes = OpenStream::open(&key, &blob.path(), &sealed)?;
        drop(sealed);
        let jpeg = draw(&sandbox, &bytes, &picture);
        drop(turn);
        jpeg
    });
    making.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?
}

fn draw(sandbox: &Sandbox, bytes: &[u8], picture: &Picture) -> Result<Vec<u8>, Problem> {
    let rendered = sandbox.render_page(bytes, picture.page_index, Resolution::MaxSide(picture.side));
    let mut pixels = rendered.map_err(decode_problem)?.pixels;
    if !picture.is_clear {
        pixels = blurred(&pixels);
    }
    picture.watermark.burn_into(&mut pixels);
    encode_derivative(&pixels, picture.side, JPEG_QUALITY)
        .map_err(|error| Problem::new(kinds::PAGE_NOT_SHOWN).caused_by(error))
}

fn decode_problem(error: DecodeError) -> Problem {
    let kind = if error.may_be_retried() { kinds::UNAVAILABLE } else { kinds::PAGE_NOT_SHOWN };
    Problem::new(kind).with("cause", error.code().into()).caused_by(error)
}

/// So coarse that shapes are left and nothing that is printed.
fn blurred(picture: &RgbImage) -> RgbImage {
    let longest = picture.width().max(picture.height()).max(1);
    let side = |length: u32| (u64::from(length) * u64::from(BLURRED_SIDE) / u64::from(longest)).max(1) as u32;
    let coarse = imageops::thumbnail(picture, side(picture.width()), side(picture.height()));
    imageops::resize(&coarse, picture.width(), picture.height(), imageops::FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_print_survives_the_blur() {
        let stripes = RgbImage::from_fn(800, 600, |x, _| image::Rgb([if x % 8 < 4 { 0 } else { 255 }; 3]));

        let blurred = blurred(&stripes);

        assert_eq!(blurred.dimensions(), stripes.dimensions());
        let contrast = blurred.pixels().map(|pixel| pixel[0]).max().unwrap()
            - blurred.pixels().map(|pixel| pixel[0]).min().unwrap();
        assert!(contrast < 40, "{contrast}");
    }
}
