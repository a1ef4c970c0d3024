//! What may stand behind a picture: padding and what phones add, but no second file of another kind.

use super::source::Source;
use crate::{media_type::find, refusal::Refusal};

/// How far behind the end of a picture the start of a second file is looked for.
const WINDOW: usize = 512;

/// Farthest from its end that a ZIP archive may keep its directory: its comment has at most 65,535 bytes.
const ZIP_END_WINDOW: usize = 65_557;

/// Refuses a ZIP, PDF, program or page appended to a picture that ends at `end`: another program would open that instead.
///
/// A second JPEG (the preview of a phone) and an MP4 (a live photo) are left alone: they are never looked at.
pub fn refuse_second_file(bytes: &(impl Source + ?Sized), end: usize) -> Result<(), Refusal> {
    let start = bytes.part_up_to(end..end.saturating_add(WINDOW)).ok_or(Refusal::DamagedFile)?;
    let foreign: [&[u8]; 8] =
        [b"PK\x03\x04", b"%PDF-", b"\x7fELF", b"Rar!\x1a", b"7z\xbc\xaf", b"<script", b"<html", b"<?php"];
    if start.starts_with(b"MZ") || foreign.iter().any(|magic| find(&start, magic).is_some()) {
        return Err(Refusal::MixedFormats);
    }
    refuse_archive(bytes, end)
}

/// Refuses a file that a ZIP reader, which starts from the end, would open for what stands behind `start`.
pub fn refuse_archive(bytes: &(impl Source + ?Sized), start: usize) -> Result<(), Refusal> {
    let size = bytes.size();
    let start = size.saturating_sub(ZIP_END_WINDOW).max(start);
    let end = bytes.part(start..size).ok_or(Refusal::DamagedFile)?;
    let directories = end.windows(4).enumerate().filter(|(_, window)| *window == b"PK\x05\x06");
    for (at, _) in directories {
        let record = &end[at..];
        let comment = record.get(20..22).map(|field| usize::from(u16::from_le_bytes([field[0], field[1]])));
        if comment.is_some_and(|comment_bytes| 22 + comment_bytes <= record.len()) {
            return Err(Refusal::MixedFormats);
        }
    }
    Ok(())
}
