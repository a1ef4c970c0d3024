//! What is taken in arrives as the pixels it shows.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use ingest::{ColourKind, DecodeError, PageFault, Resolution, encode_derivative};

use super::{
    files::{TiffPage, bilevel_tags, encoded, jpeg_turned, pdf_page, picture, sheet, tiff},
    first_page, sandbox,
};

fn is_near(found: Rgb<u8>, wanted: [u8; 3]) -> bool {
    found.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 24)
}

#[test]
fn every_picture_format_shows_the_same_picture() {
    let shown = DynamicImage::ImageRgb8(picture(64, 48));
    for format in
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff]
    {
        let page = first_page(&encoded(&shown, format)).unwrap();

        assert_eq!(page.pixels.dimensions(), (64, 48), "{format:?}");
        assert!(is_near(*page.pixels.get_pixel(8, 8), [220, 20, 20]), "{format:?}");
        assert!(is_near(*page.pixels.get_pixel(56, 8), [20, 200, 20]), "{format:?}");
        assert_eq!(page.colour, ColourKind::Colour, "{format:?}");
    }
}

#[test]
fn grey_of_sixteen_bits_and_transparency_come_out_on_white() {
    let grey = DynamicImage::ImageLuma8(sheet(40, 40)).into_luma16();
    let grey_page = first_page(&encoded(&DynamicImage::ImageLuma16(grey), ImageFormat::Png)).unwrap();
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(20, 20, image::Rgba([0, 0, 0, 0])));
    let clear_page = first_page(&encoded(&clear, ImageFormat::Png)).unwrap();

    assert_eq!(grey_page.colour, ColourKind::Grey);
    assert_eq!(grey_page.pixels.get_pixel(15, 15), &Rgb([0, 0, 0]));
    assert_eq!(clear_page.pixels.get_pixel(5, 5), &Rgb([255, 255, 255]));
}

#[test]
fn all_eight_exif_orientations_are_honoured_and_gone() {
    let upright = picture(64, 48);
    for orientation in 1..=8_u8 {
        let bytes = jpeg_turned(&upright, orientation);
        let mut expected = DynamicImage::ImageRgb8(upright.clone());
        expected.apply_orientation(image::metadata::Orientation::from_exif(orientation).unwrap());
        let expected: RgbImage = expected.into_rgb8();

        let description = sandbox().describe(&bytes).unwrap();
        let page = first_page(&bytes).unwrap();
        let derivative = encode_derivative(&page.pixels, 32, 80).unwrap();

        assert_eq!((description.pages[0].width, description.pages[0].height), expected.dimensions());
        assert_eq!(page.pixels.dimensions(), expected.dimensions());
        let (x, y) = (expected.width() / 4, expected.height() / 4);
        assert!(
            is_near(*page.pixels.get_pixel(x, y), expected.get_pixel(x, y).0),
            "orientation {orientation}"
        );
        assert!(!derivative.windows(4).any(|window| window == b"Exif"));
    }
}

#[test]
fn a_tiff_gives_all_its_pages_and_a_broken_one_does_not_cost_the_others() {
    // Uncompressed, eight rows of one byte: the left half black.
    let good = || TiffPage { tags: bilevel_tags(8, 8, 1), strip: vec![0xf0; 8] };
    let broken = TiffPage { tags: bilevel_tags(8, 8, 4), strip: vec![0x00; 2] };
    let bytes = tiff(&[good(), broken, good()], 0);

    let mut session = sandbox().open(&bytes).unwrap();
    let pages: Vec<_> =
        (0..session.page_count()).map(|index| session.page(index, Resolution::Native)).collect();

    assert_eq!(pages.len(), 3);
    for good_page in [&pages[0], &pages[2]] {
        let page = good_page.as_ref().unwrap();
        assert_eq!(page.colour, ColourKind::Bilevel);
        assert_eq!((page.pixels.get_pixel(0, 0).0[0], page.pixels.get_pixel(7, 0).0[0]), (0, 255));
    }
    assert!(matches!(pages[1], Err(DecodeError::Page { page_number: 2, fault: PageFault::Damaged })));
}

#[test]
fn a_group_three_fax_is_read_in_both_fill_orders() {
    // A line of 8 pixels: end of line, white 4 (1011), black 4 (011); filled with zeros to whole bytes.
    let line = "000000000001".to_owned() + "1011" + "011" + "00000";
    let bits = line.repeat(4) + &"000000000001".repeat(6);
    let strip: Vec<u8> = bits
        .as_bytes()
        .chunks(8)
        .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | ((bit - b'0') << (7 - at))))
        .collect();
    let mut reversed_tags = bilevel_tags(8, 4, 3);
    reversed_tags.push((266, 2));
    let reversed = strip.iter().map(|byte| byte.reverse_bits()).collect();

    let pages =
        [TiffPage { tags: bilevel_tags(8, 4, 3), strip }, TiffPage { tags: reversed_tags, strip: reversed }];
    for page in pages {
        let page = first_page(&tiff(&[page], 0)).unwrap();

        let row: Vec<u8> = (0..8).map(|x| page.pixels.get_pixel(x, 3).0[0]).collect();
        assert_eq!(row, [255, 255, 255, 255, 0, 0, 0, 0]);
    }
}

#[test]
fn a_born_digital_pdf_is_rendered_and_gives_its_text() {
    let bytes = pdf_page("BT /F1 24 Tf 10 30 Td (Hello) Tj ET");

    let mut session = sandbox().open(&bytes).unwrap();
    let page = session.page(0, Resolution::Native).unwrap();
    let text = session.text(0).unwrap();

    assert_eq!(page.pixels.dimensions(), (600, 300));
    assert!(page.pixels.pixels().any(|pixel| pixel.0[0] < 64));
    assert!(text.contains("Hello"));
    assert!(session.description().pages[0].has_text_layer);
}

#[test]
fn a_font_that_breaks_the_text_layer_leaves_the_page() {
    let bytes = String::from_utf8(pdf_page("BT /F1 24 Tf 10 30 Td (Hello) Tj ET")).unwrap();
    let broken = bytes.replace("/Encoding /WinAnsiEncoding", "/Encoding /UniGB-UCS2-Hxxx");

    let mut session = sandbox().open(broken.as_bytes()).unwrap();
    let _ = session.text(0);

    assert!(session.page(0, Resolution::MaxSide(100)).is_ok());
}

#[test]
fn a_page_is_shrunk_to_the_side_that_is_asked_for() {
    let bytes = encoded(&DynamicImage::ImageRgb8(picture(400, 200)), ImageFormat::Png);

    let page = sandbox().render_page(&bytes, 0, Resolution::MaxSide(100)).unwrap();

    assert_eq!(page.pixels.dimensions(), (100, 50));
}
