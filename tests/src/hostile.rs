//! Files that try to break whoever opens them.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::{Compression, Crc, write::ZlibEncoder};

use crate::{client::OutgoingFile, scans};

/// A hostile file, and what may become of it.
#[derive(Debug, Clone)]
pub struct HostileFile {
    /// What is sent.
    pub file: OutgoingFile,
    /// The codes with which it may be refused, or found unreadable later.
    pub codes: &'static [&'static str],
    /// Whether it may also be read as if nothing were wrong with it.
    pub may_be_read: bool,
}

/// Only refused, with one of these codes.
fn refused(name: &str, bytes: Vec<u8>, codes: &'static [&'static str]) -> HostileFile {
    HostileFile { file: OutgoingFile::new(name, bytes), codes, may_be_read: false }
}

/// Whatever a decoder makes of it, so long as only the decoder suffers.
fn survived(name: &str, bytes: Vec<u8>) -> HostileFile {
    HostileFile { file: OutgoingFile::new(name, bytes), codes: ANY_DAMAGE, may_be_read: true }
}

const ANY_DAMAGE: &[&str] = &[
    "damaged_file",
    "no_pages",
    "too_many_pages",
    "page_too_large",
    "scan_too_large",
    "expands_too_much",
    "variant_not_supported",
    "decoder_timed_out",
    "decoder_out_of_memory",
    "decoder_crashed",
    "decoder_forbidden_call",
    "page_damaged",
    "page_not_supported",
    "page_not_read",
];

/// Whether this is the English sentence that the page of the code promises in `docs/errors`, with numbers for its letters.
pub fn is_promised(code: &str, sentence: &str) -> Result<bool> {
    let page = format!("{}/../docs/errors/{code}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&page).with_context(|| format!("{page} cannot be read"))?;
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let without_numbers = |text: &str| -> Vec<String> {
        let word =
            |word: &str| if is_number(word) || ["N", "P"].contains(&word) { "N" } else { word }.to_owned();
        text.split_whitespace().map(word).collect()
    };
    let promised = page.lines().filter_map(|line| line.strip_prefix("> "));
    Ok(promised.map(without_numbers).any(|promised| promised == without_numbers(sentence)))
}

/// Every kind there is.
pub fn files() -> Result<Vec<HostileFile>> {
    let good = scans::small_page(4_711)?.bytes;
    let mut files = bombs()?;
    files.extend(cut_off(&good));
    files.extend(disguised(&good));
    files.extend(pdfs()?);
    files.extend(tiffs());
    Ok(files)
}

fn bombs() -> Result<Vec<HostileFile>> {
    Ok(vec![
        refused("pixel-bomb.png", png_claiming(60_000, 60_000), &["page_too_large"]),
        refused("thin-bomb.png", png_claiming(9_900, 9_900), &["expands_too_much"]),
        refused("pixel-bomb.jpg", jpeg_claiming(65_500, 65_500), &["page_too_large"]),
        refused("pixel-bomb.bmp", bmp_claiming(i32::MAX, i32::MAX), &["page_too_large", "damaged_file"]),
        refused("backwards.bmp", bmp_claiming(i32::MIN, i32::MIN), &["page_too_large", "damaged_file"]),
        refused("no-size.png", png_claiming(0, 0), &["damaged_file"]),
        survived("flate-bomb.pdf", flate_bomb_pdf()?),
        refused("page-bomb.tif", tiff_with_pages(5_000), &["too_many_pages"]),
        refused("page-bomb.pdf", pdf_with_pages(5_000), &["too_many_pages"]),
    ])
}

fn cut_off(good: &[u8]) -> Vec<HostileFile> {
    let pdf = pdf_with_pages(1);
    vec![
        refused("empty.jpg", Vec::new(), &["empty_file"]),
        refused("half.png", good[..good.len() / 2].to_vec(), &["damaged_file", "page_damaged"]),
        refused("head.png", good[..20].to_vec(), &["damaged_file"]),
        refused("half.pdf", pdf[..pdf.len() / 2].to_vec(), &["damaged_file"]),
        survived("head.jpg", jpeg_claiming(100, 100)),
        refused("head.tif", b"II*\0\x08\0\0\0".to_vec(), &["damaged_file", "no_pages"]),
    ]
}

fn disguised(good: &[u8]) -> Vec<HostileFile> {
    let with = |start: &[u8], end: &[u8]| [start, end].concat();
    let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    vec![
        HostileFile { file: OutgoingFile::new("picture.pdf", good.to_vec()), codes: &[], may_be_read: true },
        refused(
            "program.jpg",
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".to_vec(),
            &["executable_not_supported"],
        ),
        refused("script.png", b"#!/bin/sh\nrm -rf /\n".to_vec(), &["executable_not_supported"]),
        refused("text.tif", "姓名 王小明".as_bytes().to_vec(), &["text_not_supported"]),
        refused("page.png", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), &["html_not_supported"]),
        refused("drawing.jpg", b"<svg onload=\"alert(1)\"/>".to_vec(), &["svg_not_supported"]),
        refused("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), &["heic_not_supported"]),
        refused("packed.jpg", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), &["archive_not_supported"]),
        refused("picture-and-archive.png", with(good, zip), &["mixed_formats"]),
        refused("picture-and-pdf.png", with(good, &pdf_with_pages(1)), &["mixed_formats"]),
        refused(
            "program-and-pdf.pdf",
            with(b"MZ\x90\0 #!/bin/sh ", &pdf_with_pages(1)),
            &["mixed_formats", "executable_not_supported"],
        ),
        refused(
            "page-and-pdf.pdf",
            with(b"<html><script>x</script>", &pdf_with_pages(1)),
            &["mixed_formats"],
        ),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "what makes the other kinds of file can fail")]
fn pdfs() -> Result<Vec<HostileFile>> {
    let deep =
        format!("<< /Type /Catalog /Pages 2 0 R /Deep {}{} >>", "[".repeat(50_000), "]".repeat(50_000));
    Ok(vec![
        refused("encrypted.pdf", encrypted_pdf(), &["encrypted_pdf"]),
        refused("no-pages.pdf", pdf_without_pages(), &["no_pages"]),
        survived(
            "page-tree-loop.pdf",
            pdf(&[CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"], ""),
        ),
        survived(
            "page-tree-ring.pdf",
            pdf(
                &[
                    CATALOG,
                    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                    "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>",
                ],
                "",
            ),
        ),
        survived(
            "many-pages-claimed.pdf",
            pdf(&[CATALOG, "<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", PAGE], ""),
        ),
        survived("deep.pdf", pdf(&[&deep, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", PAGE], "")),
        survived("table-loop.pdf", pdf(&[CATALOG, PAGES, PAGE], "/Prev 9")),
        survived("huge-page.pdf", pdf(&[CATALOG, PAGES, &PAGE.replace("595 842", "1e9 1e9")], "")),
        survived(
            "drawing-loop.pdf",
            pdf(
                &[
                    CATALOG,
                    PAGES,
                    &page_drawing("5 0 R"),
                    "<< /Length 6 >>\nstream\n/X Do\n\nendstream",
                    "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length 6 >>\nstream\n/X Do\n\nendstream",
                ],
                "",
            ),
        ),
    ])
}

fn tiffs() -> Vec<HostileFile> {
    let mut big = b"II+\0\x08\0\0\0".to_vec();
    big.extend(0xFFFF_FFFF_0000_u64.to_le_bytes());
    let mut ring = tiff_with_pages(3);
    // The last directory points back to the first.
    let end = ring.len() - 4;
    ring[end..].copy_from_slice(&8_u32.to_le_bytes());
    vec![
        refused(
            "gigabytes.tif",
            tiff(&[(256, 0xFFFF_FFFF), (257, 0xFFFF_FFFF), (273, 8), (279, 0xFFFF_FFFF)]),
            &["page_too_large"],
        ),
        refused("directory-beyond.tif", b"II*\0\xf0\xff\xff\xff".to_vec(), &["damaged_file"]),
        refused("directory-beyond-64.tif", big, &["damaged_file"]),
        refused("directory-ring.tif", ring, &["damaged_file"]),
        survived(
            "strip-beyond.tif",
            tiff(&[(256, 100), (257, 100), (258, 8), (273, 0x7FFF_FFFF), (278, 100), (279, 0x7FFF_FFFF)]),
        ),
        survived(
            "strip-short.tif",
            tiff(&[(256, 1000), (257, 1000), (258, 8), (259, 4), (273, 8), (278, 1000), (279, 4)]),
        ),
    ]
}

/// A PNG whose header claims a size and whose data are a few bytes.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    png_chunk(&mut bytes, *b"IHDR", &header);
    png_chunk(&mut bytes, *b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]);
    png_chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

fn png_chunk(bytes: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    bytes.extend((content.len() as u32).to_be_bytes());
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(content);
    bytes.extend(kind);
    bytes.extend(content);
    bytes.extend(crc.sum().to_be_bytes());
}

fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1]);
    bytes.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 0, 0, 0xff, 0xd9]);
    bytes
}

fn bmp_claiming(width: i32, height: i32) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    bytes.extend(70_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(54_u32.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes.extend([0; 16]);
    bytes
}

/// A chain of so many directories, each a page of one pixel.
fn tiff_with_pages(pages: u32) -> Vec<u8> {
    let directory_bytes = 2 + 5 * 12 + 4;
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for page in 1..=pages {
        let next = if page == pages { 0 } else { 8 + page * directory_bytes };
        tiff_directory(&mut bytes, &[(256, 1), (257, 1), (258, 8), (273, 8), (279, 1)], next);
    }
    bytes
}

fn tiff(entries: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    tiff_directory(&mut bytes, entries, 0);
    bytes
}

fn tiff_directory(bytes: &mut Vec<u8>, entries: &[(u16, u32)], next: u32) {
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";
const PAGES: &str = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>";

/// A page that runs object 4 as its content, with `form` as the drawing named X.
fn page_drawing(form: &str) -> String {
    PAGE.replace(" >>", &format!(" /Contents 4 0 R /Resources << /XObject << /X {form} >> >> >>"))
}

/// A PDF of these objects, numbered from 1, with a right table.
fn pdf(objects: &[&str], trailer: &str) -> Vec<u8> {
    let objects: Vec<Vec<u8>> = objects.iter().map(|object| object.as_bytes().to_vec()).collect();
    pdf_of_bytes(&objects, trailer)
}

fn pdf_of_bytes(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::with_capacity(objects.len());
    for (number, object) in (1..).zip(objects) {
        offsets.push(bytes.len());
        bytes.extend(format!("{number} 0 obj\n").into_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let table_at = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    let size = objects.len() + 1;
    let end = format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table_at}\n%%EOF\n");
    bytes.extend(end.into_bytes());
    bytes
}

fn pdf_with_pages(pages: usize) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", page + 3)).collect();
    let tree = format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" "));
    let mut objects = vec![CATALOG.as_bytes().to_vec(), tree.into_bytes()];
    objects.extend((0..pages).map(|_| PAGE.as_bytes().to_vec()));
    pdf_of_bytes(&objects, "")
}

/// A PDF that asks for a password.
pub fn encrypted_pdf() -> Vec<u8> {
    let hidden = "41".repeat(32);
    let encryption = format!("<< /Filter /Standard /V 1 /R 2 /O <{hidden}> /U <{hidden}> /P -4 >>");
    pdf(&[CATALOG, PAGES, PAGE, &encryption], "/Encrypt 4 0 R /ID [<41414141> <41414141>]")
}

/// A PDF in which there is nothing to see.
pub fn pdf_without_pages() -> Vec<u8> {
    pdf(&[CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>"], "")
}

/// A picture whose few bytes unpack, twice, to hundreds of millions.
fn flate_bomb_pdf() -> Result<Vec<u8>> {
    const SIDE: usize = 16_000;
    let mut once = ZlibEncoder::new(Vec::new(), Compression::fast());
    let row = vec![0_u8; SIDE];
    for _ in 0..SIDE {
        once.write_all(&row)?;
    }
    let mut twice = ZlibEncoder::new(Vec::new(), Compression::best());
    twice.write_all(&once.finish()?)?;
    let packed = twice.finish()?;
    let mut picture = format!(
        "<< /Type /XObject /Subtype /Image /Width {SIDE} /Height {SIDE} /ColorSpace /DeviceGray /BitsPerComponent 8 \
         /Filter [/FlateDecode /FlateDecode] /Length {} >>\nstream\n",
        packed.len()
    )
    .into_bytes();
    picture.extend(packed);
    picture.extend(b"\nendstream");
    let content = b"<< /Length 25 >>\nstream\n595 0 0 842 0 0 cm /X Do\n\nendstream".to_vec();
    let objects = [
        CATALOG.as_bytes().to_vec(),
        PAGES.as_bytes().to_vec(),
        page_drawing("5 0 R").into_bytes(),
        content,
        picture,
    ];
    Ok(pdf_of_bytes(&objects, ""))
}
