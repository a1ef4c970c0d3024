//! Pages that are only black and white, as faxes are: their steps made soft, for recognisers know print in grey.

use image::{Rgb, RgbImage};

/// Levels this close to black or white are black or white.
const NEAR: u8 = 12;
/// At most so many pixels in a thousand are anything else.
const MOST_GREY: usize = 2;
/// Every so many pixels are looked at.
const STRIDE: usize = 13;

/// The page with each pixel the mean of those around it, near ones counting more; `None` where it has grey already.
pub fn softened(page: &RgbImage) -> Option<RgbImage> {
    is_bilevel(page).then(|| {
        let (width, height) = page.dimensions();
        let across = RgbImage::from_fn(width, height, |x, y| {
            mean(page, (x.saturating_sub(1), y), (x, y), ((x + 1).min(width - 1), y))
        });
        RgbImage::from_fn(width, height, |x, y| {
            mean(&across, (x, y.saturating_sub(1)), (x, y), (x, (y + 1).min(height - 1)))
        })
    })
}

/// The mean of three neighbours, the one in the middle counted twice.
fn mean(picture: &RgbImage, before: (u32, u32), here: (u32, u32), after: (u32, u32)) -> Rgb<u8> {
    let level = |(x, y): (u32, u32)| u16::from(picture.get_pixel(x, y).0[0]);
    let sum = level(before) + 2 * level(here) + level(after);
    Rgb([(sum / 4) as u8; 3])
}

fn is_bilevel(page: &RgbImage) -> bool {
    let is_grey = |pixel: &&Rgb<u8>| pixel.0.iter().any(|level| (NEAR..=255 - NEAR).contains(level));
    let looked_at: Vec<&Rgb<u8>> = page.pixels().step_by(STRIDE).collect();
    let grey = looked_at.iter().copied().filter(is_grey).count();
    !looked_at.is_empty() && grey * 1000 <= looked_at.len() * MOST_GREY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_become_slopes_on_black_and_white_pages_only() {
        let page = |paper: u8| RgbImage::from_fn(60, 40, |x, _| Rgb([if x < 30 { 0 } else { paper }; 3]));

        let soft = softened(&page(255)).unwrap();

        let row: Vec<u8> = (28..32).map(|x| soft.get_pixel(x, 20)[0]).collect();
        assert_eq!(row, [0, 63, 191, 255]);
        assert_eq!(softened(&page(200)), None);
        assert_eq!(softened(&RgbImage::new(0, 0)), None);
    }
}
