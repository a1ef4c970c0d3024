//! Whether a PDF asks for a password: its trailer says so in the clear, wherever the pages are.
//!
//! Whatever is written in an unusual way is left to the decoder, which finds out as well.

use std::borrow::Cow;

use pdf_extract::{Dictionary, Document, Error, Object, encryption::DecryptionError};

use super::{super::source::Source, objects::Scanner};
use crate::{media_type::find, refusal::Refusal};

/// Largest trailer or encryption dictionary that is looked at.
const OBJECT_BYTES: usize = 16 << 10;
/// Most objects of one number that are looked at; a file that was changed and saved again has a few.
const MOST_VERSIONS: usize = 32;
/// Bytes searched at a time.
const STRIDE: usize = 64 << 10;

/// Refuses what no reader opens without a password. What only forbids printing or copying is opened with none.
pub fn refuse_locked(bytes: &(impl Source + ?Sized), end: &[u8]) -> Result<(), Refusal> {
    let Some(trailer) = trailer(bytes, end) else { return Ok(()) };
    let Some(encryption) = encryption(bytes, &trailer) else { return Ok(()) };
    let is_standard = matches!(encryption.get(b"Filter"), Ok(Object::Name(name)) if name == b"Standard");
    if !is_standard || needs_password(trailer, encryption) {
        return Err(Refusal::EncryptedPdf);
    }
    Ok(())
}

/// The newest trailer: the dictionary behind the table that the end of the file points to, or that of the stream there.
fn trailer(bytes: &(impl Source + ?Sized), end: &[u8]) -> Option<Dictionary> {
    let mark = b"startxref";
    let at = end.windows(mark.len()).rposition(|window| window == mark)?;
    let table = Scanner::new(end.get(at + mark.len()..)?).integer()?;
    let table = usize::try_from(table).ok()?;
    let part = bytes.part_up_to(table..table.checked_add(OBJECT_BYTES)?)?;
    let mut scanner = Scanner::new(&part);
    if !scanner.take(b"xref") {
        return numbered(&mut scanner);
    }
    let at = first(bytes, b"trailer", table)?;
    let part = object_at(bytes, at)?;
    let mut scanner = Scanner::new(&part);
    scanner.take(b"trailer");
    scanner.dictionary()
}

/// What the trailer says of encryption, there or in an object of its own, which is never packed.
fn encryption(bytes: &(impl Source + ?Sized), trailer: &Dictionary) -> Option<Dictionary> {
    match trailer.get(b"Encrypt").ok()? {
        Object::Dictionary(dictionary) => Some(dictionary.clone()),
        Object::Reference((number, generation)) => {
            let head = format!("{number} {generation} obj");
            let (mut at, mut found) = (0, None);
            // Of several the last one is in force. So many that looking at them costs something are left alone.
            for _ in 0..MOST_VERSIONS {
                let Some(here) = first(bytes, head.as_bytes(), at) else { return found };
                let before = here.checked_sub(1).and_then(|before| bytes.part(before..here));
                if !before.is_some_and(|byte| byte.first().is_some_and(u8::is_ascii_digit)) {
                    let part = object_at(bytes, here)?;
                    found = numbered(&mut Scanner::new(&part)).or(found);
                }
                at = here + head.len();
            }
            None
        }
        _ => None,
    }
}

/// The dictionary behind a head as `4 0 obj`.
fn numbered(scanner: &mut Scanner<'_>) -> Option<Dictionary> {
    scanner.integer()?;
    scanner.integer()?;
    if scanner.take(b"obj") { scanner.dictionary() } else { None }
}

fn object_at(bytes: &(impl Source + ?Sized), at: usize) -> Option<Cow<'_, [u8]>> {
    bytes.part_up_to(at..at.checked_add(OBJECT_BYTES)?)
}

/// Where `needle` first stands at or behind `start`.
fn first(bytes: &(impl Source + ?Sized), needle: &[u8], mut start: usize) -> Option<usize> {
    while start < bytes.size() {
        // A little more, so that one across two strides is seen.
        let part = bytes.part_up_to(start..start.checked_add(STRIDE + needle.len())?)?;
        if let Some(at) = find(&part, needle) {
            return Some(start + at);
        }
        start += STRIDE;
    }
    None
}

/// Whether the empty password, which every reader tries first, is not that of the file.
fn needs_password(trailer: Dictionary, mut encryption: Dictionary) -> bool {
    let version = encryption.get(b"V").and_then(Object::as_i64).unwrap_or_default();
    let length = encryption.get(b"Length").and_then(Object::as_i64).ok();
    // As the decoder does it: up to version 4 the length of the key decides, whatever the version says of it.
    let (version, length) = match version {
        1 => (1, 40),
        2 => (2, length.unwrap_or(40)),
        4 => (2, length.unwrap_or(128)),
        version => (version, 256),
    };
    encryption.set("V", version);
    encryption.set("Length", length);
    let mut document = Document::new();
    document.trailer = trailer;
    let id = document.add_object(encryption);
    document.trailer.set("Encrypt", Object::Reference(id));
    let opened = document.authenticate_user_password("");
    matches!(opened, Err(Error::Decryption(DecryptionError::IncorrectPassword)))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Cursor, sync::Arc};

    use pdf_extract::{
        EncryptionState, EncryptionVersion, Permissions, dictionary,
        encryption::crypt_filters::{Aes128CryptFilter, Aes256CryptFilter, CryptFilter},
        xref::XrefType,
    };

    use super::*;
    use crate::{Inspection, Limits, MediaType, inspect, inspect_from};

    const OWNER: &str = "owner";

    /// A document of one page, with an id, as encryption needs one.
    fn document(table: XrefType) -> Document {
        let mut document = Document::with_version("1.7");
        document.reference_table.cross_reference_type = table;
        let tree = document.new_object_id();
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        });
        let pages = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
        document.objects.insert(tree, Object::Dictionary(pages));
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        let id = Object::string_literal("0123456789abcdef");
        document.trailer.set("ID", Object::Array(vec![id.clone(), id]));
        document
    }

    fn saved(mut document: Document) -> Vec<u8> {
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    /// The document, locked with `user_password` in every way there is.
    fn locked(table: XrefType, user_password: &str) -> Vec<Vec<u8>> {
        let (permissions, key) = (Permissions::all(), [7; 32]);
        let filters = |filter: Arc<dyn CryptFilter>| BTreeMap::from([(b"StdCF".to_vec(), filter)]);
        let plain = document(table);
        let versions = [
            EncryptionVersion::V1 { document: &plain, owner_password: OWNER, user_password, permissions },
            EncryptionVersion::V2 {
                document: &plain,
                owner_password: OWNER,
                user_password,
                key_length: 128,
                permissions,
            },
            EncryptionVersion::V4 {
                document: &plain,
                encrypt_metadata: true,
                crypt_filters: filters(Arc::new(Aes128CryptFilter)),
                stream_filter: b"StdCF".to_vec(),
                string_filter: b"StdCF".to_vec(),
                owner_password: OWNER,
                user_password,
                permissions,
            },
            EncryptionVersion::V5 {
                encrypt_metadata: true,
                crypt_filters: filters(Arc::new(Aes256CryptFilter)),
                file_encryption_key: &key,
                stream_filter: b"StdCF".to_vec(),
                string_filter: b"StdCF".to_vec(),
                owner_password: OWNER,
                user_password,
                permissions,
            },
        ];
        let lock = |version| {
            let mut document = document(table);
            document.encrypt(&EncryptionState::try_from(version).unwrap()).unwrap();
            saved(document)
        };
        versions.into_iter().map(lock).collect()
    }

    fn tables() -> [XrefType; 2] {
        [XrefType::CrossReferenceTable, XrefType::CrossReferenceStream]
    }

    #[test]
    fn a_pdf_that_asks_for_a_password_is_refused_at_once() {
        for (number, bytes) in tables().into_iter().flat_map(|table| locked(table, "secret")).enumerate() {
            assert_eq!(inspect(&bytes, &Limits::default()), Err(Refusal::EncryptedPdf), "{number}");
            let elsewhere = inspect_from(Cursor::new(&bytes), &Limits::default()).unwrap();
            assert_eq!(elsewhere, Err(Refusal::EncryptedPdf), "{number}");
        }
    }

    #[test]
    fn a_pdf_that_opens_without_a_password_is_taken() {
        let taken = Ok(Inspection { media_type: MediaType::Pdf, pages: Vec::new() });
        let plain = tables().map(|table| saved(document(table)));
        let opens = tables().into_iter().flat_map(|table| locked(table, ""));
        for (number, bytes) in plain.into_iter().chain(opens).enumerate() {
            assert_eq!(inspect(&bytes, &Limits::default()), taken, "{number}");
        }
    }

    #[test]
    fn a_pdf_that_asks_for_a_certificate_is_refused() {
        let mut document = document(XrefType::CrossReferenceTable);
        document.trailer.set("Encrypt", dictionary! { "Filter" => "Adobe.PubSec", "V" => 4 });

        assert_eq!(inspect(&saved(document), &Limits::default()), Err(Refusal::EncryptedPdf));
    }
}
