use image::{Rgb, imageops};
use proptest::prelude::*;

use super::*;

/// A sheet with two framed papers, filled with lines of blocks that depend on `person`.
fn sheet(person: u32) -> RgbImage {
    let mut page = RgbImage::from_pixel(827, 1169, Rgb([248; 3]));
    for (paper, top) in [(0, 150), (1, 500)] {
        for y in 0..260 {
            for x in 0..420 {
                page.put_pixel(200 + x, top + y, Rgb([226; 3]));
            }
        }
        for line in 0..7_u32 {
            for letter in 0..18_u32 {
                let mut seed = (person * 7919 + paper * 331 + line * 31 + letter).wrapping_mul(2_654_435_761);
                for part in 0..16 {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if seed >> 31 == 1 {
                        let (left, upper) =
                            (220 + letter * 20 + part % 4 * 4, top + 20 + line * 32 + part / 4 * 5);
                        fill(&mut page, left, upper);
                    }
                }
            }
        }
    }
    page
}

fn fill(page: &mut RgbImage, left: u32, top: u32) {
    for y in top..top + 5 {
        for x in left..left + 4 {
            page.put_pixel(x, y, Rgb([30; 3]));
        }
    }
}

fn shared_bands(one: &Fingerprint, other: &Fingerprint) -> usize {
    one.bands().iter().zip(other.bands()).filter(|(a, b)| **a == *b).count()
}

#[test]
fn a_picture_saved_again_smaller_and_darker_is_the_same() {
    let original = sheet(1);
    let mut again = imageops::thumbnail(&original, 600, 848);
    again.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|level| (f32::from(level) * 0.9) as u8));
    let jpeg = crate::encode_derivative(&again, 10_000, 40).unwrap();
    let again = image::load_from_memory(&jpeg).unwrap().into_rgb8();

    let (one, other) = (fingerprint(&original).unwrap(), fingerprint(&again).unwrap());

    assert!(one.is_same_picture(&other), "distance {}", one.distance(&other));
    assert!(shared_bands(&one, &other) > 0);
}

#[test]
fn a_picture_that_lies_elsewhere_on_the_glass_is_the_same() {
    let original = sheet(2);
    let mut moved = RgbImage::from_pixel(827, 1169, Rgb([248; 3]));
    imageops::overlay(&mut moved, &original, 60, 90);

    let (one, other) = (fingerprint(&original).unwrap(), fingerprint(&moved).unwrap());

    assert!(one.is_same_picture(&other), "distance {}", one.distance(&other));
    assert!(shared_bands(&one, &other) > 0);
}

#[test]
fn another_persons_papers_on_a_like_sheet_are_another_picture() {
    for person in 3..12 {
        let (one, other) = (fingerprint(&sheet(person)).unwrap(), fingerprint(&sheet(person + 1)).unwrap());

        assert!(!one.is_same_picture(&other), "distance {}", one.distance(&other));
    }
}

#[test]
fn a_blank_page_has_no_fingerprint() {
    assert_eq!(fingerprint(&RgbImage::from_pixel(500, 700, Rgb([250; 3]))), None);
    assert_eq!(fingerprint(&RgbImage::new(3, 3)), None);
}

#[test]
fn what_was_stored_comes_back() {
    let print = fingerprint(&sheet(5)).unwrap();

    assert_eq!(Fingerprint::from_bytes(&print.to_bytes()), Some(print.clone()));
    assert_eq!(print.to_bytes().len(), Fingerprint::SIZE_BYTES);
    assert_eq!(Fingerprint::from_bytes(&[0; 7]), None);
}

proptest! {
    #[test]
    fn any_picture_has_a_fingerprint_or_none(
        (width, height) in (0_u32..90, 0_u32..90),
        levels in proptest::collection::vec(proptest::num::u8::ANY, 1..20),
    ) {
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb([levels[(x * 7 + y * 3) as usize % levels.len()]; 3])
        });

        if let Some(print) = fingerprint(&picture) {
            prop_assert!(print.is_same_picture(&print), "distance {}", print.distance(&print));
        }
    }
}
