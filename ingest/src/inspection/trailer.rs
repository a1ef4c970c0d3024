//! What may stand behind a picture: padding and what phones add, but no second file of another kind.

use crate::{media_type::find, refusal::Refusal};

/// How far behind the end of a picture the start of a second file is looked for.
const WINDOW: usize = 512;

/// Farthest from its end that a ZIP archive may keep its directory: its comment has at most 65,535 bytes.
const ZIP_END_WINDOW: usize = 65_557;

/// Refuses a ZIP, PDF, program or page appended to a picture: another program would open that instead.
///
/// A second JPEG (the preview of a phone) and an MP4 (a live photo) are left alone: they are never looked at.
pub fn refuse_second_file(rest: &[u8]) -> Result<(), Refusal> {
    let start = &rest[..rest.len().min(WINDOW)];
    let foreign: [&[u8]; 8] =
        [b"PK\x03\x04", b"%PDF-", b"\x7fELF", b"Rar!\x1a", b"7z\xbc\xaf", b"<script", b"<html", b"<?php"];
    if start.starts_with(b"MZ") || foreign.iter().any(|magic| find(start, magic).is_some()) {
        return Err(Refusal::MixedFormats);
    }
    refuse_archive(rest)
}

/// Refuses bytes that a ZIP reader, which starts from the end, would open.
pub fn refuse_archive(bytes: &[u8]) -> Result<(), Refusal> {
    let end = &bytes[bytes.len().saturating_sub(ZIP_END_WINDOW)..];
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
