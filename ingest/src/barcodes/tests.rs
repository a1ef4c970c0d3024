use image::imageops;
use proptest::prelude::*;

use super::*;

/// Bars and gaps of the values of Code 128; 104 starts set B.
const PATTERNS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];

const TEXT: &str = "AB20260101ZZ0042";

/// The modules of a text in set B: true is a bar.
fn modules(text: &str) -> Vec<bool> {
    let mut values = vec![104_usize];
    values.extend(text.bytes().map(|byte| usize::from(byte - 32)));
    let check = values.iter().enumerate().map(|(at, value)| value * at.max(1)).sum::<usize>() % 103;
    values.extend([check, 106]);
    let mut modules = Vec::new();
    for value in values {
        for (at, width) in PATTERNS[value].bytes().enumerate() {
            modules.extend(std::iter::repeat_n(at % 2 == 0, usize::from(width - b'0')));
        }
    }
    modules
}

/// A page with bars of `module` pixels about its middle, turned by `degrees`.
fn page(module: f32, degrees: f32) -> RgbImage {
    let modules = modules(TEXT);
    let half = modules.len() as f32 * module / 2.0;
    let (sine, cosine) = degrees.to_radians().sin_cos();
    RgbImage::from_fn(900, 1000, |x, y| {
        // Four by four points in each pixel, as a scanner averages over its surface.
        let is_ink = |part: u32| {
            let dx = x as f32 + (part % 4) as f32 / 4.0 + 0.125 - 450.0;
            let dy = y as f32 + (part / 4) as f32 / 4.0 + 0.125 - 500.0;
            let (u, v) = (dx * cosine + dy * sine, dy * cosine - dx * sine);
            let at = (u + half) / module;
            v.abs() < 35.0 && at >= 0.0 && modules.get(at as usize) == Some(&true)
        };
        let ink = (0..16).filter(|part| is_ink(*part)).count() as u32;
        image::Rgb([(250 - ink * 15) as u8; 3])
    })
}

#[test]
fn bars_are_read_however_they_lie() {
    for degrees in [0.0, 2.5, -4.5, 90.0, 93.0, 180.0, 177.0, 270.0] {
        let found = find_barcodes(&page(2.0, degrees));

        let texts: Vec<_> = found.iter().map(|barcode| barcode.text.as_str()).collect();
        assert_eq!(texts, [TEXT], "at {degrees} degrees");
    }
}

#[test]
fn the_first_corner_of_turned_bars_is_where_their_reader_begins() {
    let found = find_barcodes(&page(2.0, 180.0));

    let [first, second, ..] = found[0].region.0;
    assert!(first.x > second.x && first.y > 500.0);
}

#[test]
fn a_page_of_ruled_lines_has_no_barcode() {
    let ruled = RgbImage::from_fn(600, 800, |_, y| image::Rgb([if y % 20 < 2 { 0 } else { 255 }; 3]));

    assert!(find_barcodes(&ruled).is_empty());
    assert!(find_barcodes(&RgbImage::new(1, 1)).is_empty());
}

#[test]
fn a_page_searched_at_half_its_size_is_read_at_its_own() {
    let mut large = RgbImage::from_pixel(2480, 3508, image::Rgb([250; 3]));
    imageops::replace(&mut large, &page(3.0, 1.5), 1200, 300);

    let found = find_barcodes(&large);

    assert_eq!(found.iter().map(|barcode| barcode.text.as_str()).collect::<Vec<_>>(), [TEXT]);
    let [left, top, right, bottom] = found[0].region.bounds();
    assert!(left > 1200.0 && right < 2100.0 && top > 700.0 && bottom < 900.0, "{:?}", found[0].region);
}

proptest! {
    #[test]
    fn any_picture_is_searched(
        (width, height) in (0_u32..150, 0_u32..150),
        (across, down) in (1_u32..9, 1_u32..9),
        level in proptest::num::u8::ANY,
    ) {
        let striped = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([if (x / across + y / (down * 8)) % 2 == 0 { level } else { 255 - level }; 3])
        });

        prop_assert!(find_barcodes(&striped).len() <= MAX_PLACES + 1);
    }
}
