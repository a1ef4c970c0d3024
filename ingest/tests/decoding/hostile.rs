//! Files made to hurt: each costs at most its own process, and says what to do.

use std::time::{Duration, Instant};

use image::{DynamicImage, ImageFormat};
use ingest::{DecodeError, Limits, Refusal, Resolution, inspect};

use super::{
    files::{TiffPage, bilevel_tags, encoded, jpeg, pdf, pdf_page, picture, png_header, sheet, stream, tiff},
    sandbox, sandbox_with,
};

fn refusal_of(bytes: &[u8]) -> Refusal {
    match sandbox().open(bytes) {
        Err(DecodeError::Refused(refusal)) => refusal,
        Err(other) => panic!("refused otherwise: {other}"),
        Ok(_) => panic!("was taken"),
    }
}

#[test]
fn a_pixel_bomb_is_refused_by_its_header() {
    let limit_pixels = Limits::default().max_page_pixels;

    assert_eq!(
        refusal_of(&png_header(60_000, 60_000)),
        Refusal::PageTooLarge { page_number: 1, limit_pixels }
    );
    assert!(matches!(refusal_of(&png_header(9_900, 9_900)), Refusal::ExpandsTooMuch { .. }));
    assert_eq!(refusal_of(&png_header(0, 10)), Refusal::DamagedFile);
}

#[test]
fn a_tiff_that_claims_gigabytes_is_refused() {
    let claims = TiffPage { tags: bilevel_tags(400_000, 400_000, 4), strip: vec![0; 8] };
    let wide = TiffPage { tags: bilevel_tags(u32::MAX, u32::MAX, 4), strip: vec![0; 8] };

    assert!(matches!(refusal_of(&tiff(&[claims], 0)), Refusal::PageTooLarge { .. }));
    assert!(matches!(refusal_of(&tiff(&[wide], 0)), Refusal::PageTooLarge { .. }));
}

#[test]
fn a_chain_of_pages_that_bites_its_tail_is_refused() {
    let page = || TiffPage { tags: bilevel_tags(8, 8, 1), strip: vec![0; 8] };
    let first_directory = 16;

    assert_eq!(refusal_of(&tiff(&[page()], first_directory)), Refusal::DamagedFile);
}

#[test]
fn too_many_pages_are_refused() {
    let pages: Vec<_> =
        (0..201).map(|_| TiffPage { tags: bilevel_tags(8, 8, 1), strip: vec![0; 8] }).collect();
    let mut objects = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), Vec::new()];
    let references: Vec<String> = (3..=300).map(|number| format!("{number} 0 R")).collect();
    let references = references.join(" ");
    objects[1] = format!("<< /Type /Pages /Kids [{references}] /Count 298 >>").into_bytes();
    objects.extend((3..=300).map(|_| b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>".to_vec()));

    assert_eq!(refusal_of(&tiff(&pages, 0)), Refusal::TooManyPages { limit_pages: 200 });
    assert_eq!(refusal_of(&pdf(&objects, "")), Refusal::TooManyPages { limit_pages: 200 });
}

#[test]
fn a_page_tree_that_leads_back_to_itself_ends() {
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Parent 3 0 R >>".to_vec(),
    ];

    assert!(matches!(refusal_of(&pdf(&objects, "")), Refusal::NoPages | Refusal::DamagedFile));
}

#[test]
fn an_encrypted_pdf_says_how_to_send_it() {
    let trailer = format!(
        "/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter /Standard \
         /V 2 /R 3 /Length 128 /P -4 /O <{0}> /U <{0}> >>",
        "ab".repeat(32)
    );
    let bytes = pdf(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>".to_vec(),
        ],
        &trailer,
    );

    let refusal = refusal_of(&bytes);

    assert_eq!(refusal, Refusal::EncryptedPdf);
    assert!(refusal.message_en().contains("password") && refusal.message_zh().contains("密码"));
}

#[test]
fn what_was_cut_off_is_refused_or_fails_and_never_hangs() {
    let shown = DynamicImage::ImageRgb8(picture(200, 200));
    let mut files: Vec<Vec<u8>> =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff]
            .map(|format| encoded(&shown, format))
            .to_vec();
    files.push(pdf_page("BT /F1 24 Tf 10 30 Td (Hello) Tj ET"));
    for file in files {
        let half = &file[..file.len() / 2];
        let outcome = sandbox().render_page(half, 0, Resolution::Native);

        assert!(
            matches!(outcome, Err(DecodeError::Refused(_) | DecodeError::Page { .. })),
            "{:?}",
            outcome.map(|page| page.pixels.dimensions())
        );
    }
}

#[test]
fn two_files_in_one_are_refused() {
    let picture_bytes = jpeg(&picture(32, 32));
    let archive = b"PK\x03\x04\x14\0\0\0\0\0payloadPK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let with_archive = [&picture_bytes[..], archive].concat();
    let with_pdf = [&b"GIF89a..."[..], &pdf_page("")].concat();
    let pdf_with_archive = [&pdf_page("")[..], archive].concat();
    let tiff = encoded(&DynamicImage::ImageRgb8(picture(32, 32)), ImageFormat::Tiff);
    let tiff_with_archive = [&tiff[..], archive].concat();

    assert_eq!(refusal_of(&with_archive), Refusal::MixedFormats);
    assert_eq!(refusal_of(&with_pdf), Refusal::MixedFormats);
    assert_eq!(refusal_of(&pdf_with_archive), Refusal::MixedFormats);
    assert_eq!(refusal_of(&tiff_with_archive), Refusal::MixedFormats);
}

#[test]
fn a_flate_bomb_costs_only_its_process() {
    // A run of 1 in 255 lengths packed: a page that unpacks to gigabytes of operators through nested filters.
    let bytes = pdf(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Resources << /XObject << /I 5 0 R >> >> /Contents 4 0 R >>"
                .to_vec(),
            stream("", b"72 0 0 72 0 0 cm /I Do"),
            stream(
                "/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8 \
                 /Filter [/RunLengthDecode /RunLengthDecode]",
                &[0x81, 0x81].repeat(40_000),
            ),
        ],
        "",
    );
    let limits = Limits { max_child_memory_bytes: 512 << 20, max_seconds: 20, ..Limits::default() };

    let start = Instant::now();
    let _ = sandbox_with(limits).render_page(&bytes, 0, Resolution::MaxSide(200));
    let after = sandbox().describe(&jpeg(&picture(32, 32)));

    assert!(start.elapsed() < Duration::from_mins(1));
    assert!(after.is_ok());
}

#[test]
fn a_decoder_that_takes_too_long_is_ended() {
    let bytes = encoded(&DynamicImage::ImageLuma8(sheet(4000, 4000)), ImageFormat::Png);
    let limits = Limits { max_seconds: 0, ..Limits::default() };

    let outcome = sandbox_with(limits).render_page(&bytes, 0, Resolution::Native);

    assert!(matches!(outcome, Err(DecodeError::TimedOut { limit_seconds: 0 })), "{outcome:?}");
}

#[test]
fn a_decoder_that_needs_too_much_memory_is_told_from_one_that_crashed() {
    let bytes = encoded(&DynamicImage::ImageRgb8(picture(5000, 5000)), ImageFormat::Png);
    let limits = Limits { max_child_memory_bytes: 48 << 20, ..Limits::default() };

    let outcome = sandbox_with(limits).render_page(&bytes, 0, Resolution::Native);

    assert!(matches!(outcome, Err(DecodeError::MemoryExceeded { .. })), "{:?}", outcome.err());
}

#[test]
fn a_name_says_nothing_about_what_is_inside() {
    let kinds: [(&[u8], &str); 8] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic_not_supported"),
        (b"GIF89a\x01\0\x01\0\0\0\0", "gif_not_supported"),
        (
            b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml",
            "office_not_supported",
        ),
        (b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0scan.jpg", "archive_not_supported"),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", "svg_not_supported"),
        (b"MZ\x90\0\x03\0\0\0", "executable_not_supported"),
        (b"Dear Sir,\nplease find", "text_not_supported"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08", "format_not_supported"),
    ];
    for (bytes, code) in kinds {
        let refusal = inspect(bytes, &Limits::default()).unwrap_err();

        assert_eq!(refusal.code(), code);
        assert!(refusal.message_en().len() > 20 && !refusal.message_zh().is_ascii());
    }
}
