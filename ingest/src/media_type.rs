//! What kind of file the bytes are, by content and never by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The kinds of file that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    /// Photographs and most scans.
    Jpeg,
    /// Screenshots and lossless scans.
    Png,
    /// Scanners and fax servers; many pages.
    Tiff,
    /// Scans of many pages, and documents with a text layer.
    Pdf,
    /// Old scanner software.
    Bmp,
    /// Messengers.
    WebP,
}

impl MediaType {
    /// The media type as HTTP names it.
    pub const fn as_mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
            Self::Pdf => "application/pdf",
            Self::Bmp => "image/bmp",
            Self::WebP => "image/webp",
        }
    }

    /// The media type that HTTP calls `mime`, if we take it.
    pub fn from_mime(mime: &str) -> Option<Self> {
        [Self::Jpeg, Self::Png, Self::Tiff, Self::Pdf, Self::Bmp, Self::WebP]
            .into_iter()
            .find(|media_type| media_type.as_mime() == mime)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_mime())
    }
}

/// How many bytes from the start `sniff` wants to see, when there are so many.
pub const HEAD_BYTES: usize = 4096;

/// How far into a file readers accept the header of a PDF.
const PDF_HEADER_WINDOW: usize = 1024;

/// Tells the kind of file from its first bytes, or refuses it with what to do.
pub fn sniff(head: &[u8]) -> Result<MediaType, Refusal> {
    if head.is_empty() {
        return Err(Refusal::EmptyFile);
    }
    if let Some(media_type) = picture(head) {
        return Ok(media_type);
    }
    if head.starts_with(b"%PDF-") {
        return Ok(MediaType::Pdf);
    }
    if let Some(at) = find(&head[..head.len().min(PDF_HEADER_WINDOW)], b"%PDF-") {
        return pdf_behind_something(&head[..at]);
    }
    Err(unaccepted(head))
}

fn picture(head: &[u8]) -> Option<MediaType> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(MediaType::Jpeg);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(MediaType::Png);
    }
    let is_tiff = [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| head.starts_with(magic));
    if is_tiff {
        return Some(MediaType::Tiff);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some(MediaType::WebP);
    }
    // "BM" alone also begins English words, so the size of the header that follows is looked at as well.
    let dib_header_bytes =
        head.get(14..18).map(|field| u32::from_le_bytes([field[0], field[1], field[2], field[3]]));
    if head.starts_with(b"BM") && matches!(dib_header_bytes, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)) {
        return Some(MediaType::Bmp);
    }
    None
}

/// Mail gateways put blank lines or a byte order mark before a PDF; anything else there is a second file.
fn pdf_behind_something(before: &[u8]) -> Result<MediaType, Refusal> {
    let text = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before);
    if text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Ok(MediaType::Pdf);
    }
    Err(Refusal::MixedFormats)
}

fn unaccepted(head: &[u8]) -> Refusal {
    let starts = |magics: &[&[u8]]| magics.iter().any(|magic| head.starts_with(magic));
    if head.get(4..8) == Some(b"ftyp") {
        return iso_media(head);
    }
    if starts(&[b"GIF87a", b"GIF89a"]) {
        return Refusal::GifNotSupported;
    }
    if starts(&[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf"]) {
        return Refusal::OfficeNotSupported;
    }
    if starts(&[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]) {
        return zip(head);
    }
    if starts(&[b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"])
        || head.get(257..262) == Some(b"ustar")
    {
        return Refusal::ArchiveNotSupported;
    }
    if starts(&[b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"]) {
        return Refusal::ExecutableNotSupported;
    }
    if starts(&[b"\x1a\x45\xdf\xa3", b"OggS", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV"])
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI "))
    {
        return Refusal::VideoNotSupported;
    }
    text(head)
}

/// Office documents of today are zip archives whose first entries say so.
fn zip(head: &[u8]) -> Refusal {
    let office: [&[u8]; 6] =
        [b"[Content_Types].xml", b"word/", b"xl/", b"ppt/", b"mimetypeapplication/vnd", b"docProps/"];
    if office.iter().any(|name| find(head, name).is_some()) {
        return Refusal::OfficeNotSupported;
    }
    Refusal::ArchiveNotSupported
}

fn iso_media(head: &[u8]) -> Refusal {
    let brands = head.get(8..64.min(head.len())).unwrap_or_default();
    let has = |kinds: &[&[u8]]| brands.chunks_exact(4).any(|brand| kinds.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        return Refusal::FormatNotSupported;
    }
    if has(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"]) {
        return Refusal::HeicNotSupported;
    }
    Refusal::VideoNotSupported
}

fn text(head: &[u8]) -> Refusal {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = start[..start.len().min(1024)].to_ascii_lowercase();
    if lower.starts_with(b"<svg") || (lower.starts_with(b"<?xml") && find(&lower, b"<svg").is_some()) {
        return Refusal::SvgNotSupported;
    }
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Refusal::HtmlNotSupported;
    }
    let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let controls = head.iter().filter(|byte| **byte < 0x20 && !byte.is_ascii_whitespace()).count();
    if is_utf16 || controls == 0 {
        return Refusal::TextNotSupported;
    }
    Refusal::FormatNotSupported
}

/// Where `needle` first stands in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
