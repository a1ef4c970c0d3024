use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Beginnings that lead into each parser.
const MAGICS: [&[u8]; 10] = [
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"\xff\xd8\xff\xe1\0\x40Exif\0\0II*\0\x08\0\0\0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
    b"RIFF\x40\0\0\0WEBPVP8X",
    b"RIFF\x40\0\0\0WEBPVP8L",
    b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0",
    b"%PDF-1.7\n",
];

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(inspect(b"", &Limits::default()), Err(Refusal::EmptyFile));
}

#[test]
fn a_file_over_the_limit_is_refused_before_anything_else() {
    let limits = Limits { max_bytes: 4, ..Limits::default() };

    assert_eq!(inspect(b"12345", &limits), Err(Refusal::FileTooLarge { limit_bytes: 4 }));
}

#[test]
fn the_pages_together_have_a_limit() {
    let page = PageHeader {
        width: 10_000,
        height: 9_000,
        dpi: None,
        colour: ColourKind::Bilevel,
        bits_per_pixel: 1,
        orientation: 1,
    };

    let outcome = check_pages(&[page; 30], 1 << 20, &Limits::default());

    assert_eq!(outcome, Err(Refusal::ScanTooLarge { limit_pixels: 2_000_000_000 }));
}

#[test]
fn a_blank_sheet_may_be_packed_tightly() {
    let page = PageHeader {
        width: 2480,
        height: 3508,
        dpi: None,
        colour: ColourKind::Bilevel,
        bits_per_pixel: 1,
        orientation: 1,
    };

    assert_eq!(check_pages(&[page], 400, &Limits::default()), Ok(()));
}

#[test]
fn blank_lines_before_a_pdf_are_forgiven() {
    assert_eq!(sniff(b"\r\n\r\n%PDF-1.4 ..."), Ok(MediaType::Pdf));
    assert_eq!(sniff(b"\xff\xd8\xff\xe0 %PDF-1.4"), Ok(MediaType::Jpeg));
    assert_eq!(sniff(b"<html> %PDF-1.4"), Err(Refusal::MixedFormats));
}

#[test]
fn a_file_that_cannot_be_read_is_no_damaged_file() {
    struct Broken(u64);
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(self.0)
        }
    }

    assert!(inspect_from(Broken(1000), &Limits::default()).is_err());
    assert_eq!(inspect_from(Broken(0), &Limits::default()).unwrap(), Err(Refusal::EmptyFile));
}

#[test]
fn the_end_of_a_picture_is_found_across_any_stride() {
    for length in [65_534, 65_535, 65_536, 65_537, 131_071, 131_072] {
        let head = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\0\x02";
        let mut file = [&head[..], &vec![0x55; length], b"\xff\xd9"].concat();
        assert!(inspect(&file, &Limits::default()).is_ok(), "{length}");
        assert!(inspect_from(Cursor::new(&file), &Limits::default()).unwrap().is_ok(), "{length}");

        file.pop();

        assert_eq!(inspect(&file, &Limits::default()), Err(Refusal::DamagedFile), "{length}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = inspect(&bytes, &Limits::default());
    }

    #[test]
    fn random_bytes_behind_a_true_beginning_never_panic(
        kind in 0..MAGICS.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let file = [MAGICS[kind], &bytes].concat();

        let _ = inspect(&file, &Limits::default());
    }

    #[test]
    fn what_lies_elsewhere_is_judged_like_what_is_in_memory(
        kind in 0..MAGICS.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let file = [MAGICS[kind], &bytes].concat();

        let elsewhere = inspect_from(Cursor::new(&file), &Limits::default()).unwrap();

        prop_assert_eq!(elsewhere, inspect(&file, &Limits::default()));
    }

    #[test]
    fn a_directory_of_random_entries_never_panics(
        entries in proptest::collection::vec((250_u16..330, 0_u16..20, any::<u32>(), any::<u32>()), 0..20),
        next in 0_u32..200,
    ) {
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        file.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in entries {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(count.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend(next.to_le_bytes());

        let elsewhere = inspect_from(Cursor::new(&file), &Limits::default()).unwrap();

        prop_assert_eq!(elsewhere, inspect(&file, &Limits::default()));
    }
}
