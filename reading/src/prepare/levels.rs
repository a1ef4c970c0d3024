//! Print and grey ink told apart by how dark they are: a stamp that lost its colour on a copier is grey where print
//! is black.

use image::{Rgb, RgbImage};

use super::light;

/// The share of a picture that its print covers at least; its level is that of the darkest of so many pixels.
const PRINT: f32 = 0.003;
/// The share of a picture that is no lighter than its paper.
const PAPER: f32 = 0.7;
/// Ink is grey from here to there on the way from print to paper.
const GREY: std::ops::RangeInclusive<f32> = 0.2..=0.86;
/// Print ends here on that way when grey ink is taken off it; the edges of strokes are lighter than their middle.
const PRINT_ENDS: f32 = 0.25;
/// Print whose level is less than this below that of the paper is grey itself.
const LEAST_CONTRAST: f32 = 90.0;

/// Grey ink as black on white, without the print, which is darker; `None` where print is no darker than grey.
pub fn grey_ink_only(picture: &RgbImage) -> Option<RgbImage> {
    let levels = Levels::of(picture)?;
    let grey = RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        // The edge of print is grey as well.
        if levels.near(x, y).any(|way| way < *GREY.start()) {
            return Rgb([255; 3]);
        }
        let way = (levels.at(x, y) - GREY.start()) / (GREY.end() - GREY.start());
        Rgb([(way.clamp(0.0, 1.0) * 255.0) as u8; 3])
    });
    Some(grey)
}

/// Print as it is, and grey ink, with everything lighter that is not beside print, as paper; `None` where print is
/// no darker than grey.
pub fn print_only(picture: &RgbImage) -> Option<RgbImage> {
    let levels = Levels::of(picture)?;
    let print = RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let is_beside_print = levels.near(x, y).any(|way| way < PRINT_ENDS);
        let way = if is_beside_print { levels.at(x, y) } else { 1.0 };
        Rgb([(way.clamp(0.0, 1.0) * 255.0) as u8; 3])
    });
    Some(print)
}

/// How far each pixel is on the way from print, 0.0, to paper, 1.0.
struct Levels {
    width: usize,
    height: usize,
    ways: Vec<f32>,
}

impl Levels {
    fn of(picture: &RgbImage) -> Option<Self> {
        let levels: Vec<u8> = picture.pixels().map(|pixel| light::luminance(pixel.0)).collect();
        let (print, paper) = (level_at(&levels, PRINT), level_at(&levels, PAPER));
        if paper - print < LEAST_CONTRAST {
            return None;
        }
        let ways = levels.iter().map(|&level| (f32::from(level) - print) / (paper - print)).collect();
        Some(Self { width: picture.width() as usize, height: picture.height() as usize, ways })
    }

    fn at(&self, x: u32, y: u32) -> f32 {
        self.ways[y as usize * self.width + x as usize]
    }

    /// The pixel and those around it.
    fn near(&self, x: u32, y: u32) -> impl Iterator<Item = f32> {
        let (x, y) = (x as usize, y as usize);
        let columns = x.saturating_sub(1)..(x + 2).min(self.width);
        (y.saturating_sub(1)..(y + 2).min(self.height))
            .flat_map(move |row| self.ways[row * self.width..][columns.clone()].iter().copied())
    }
}

/// The level that a share of the pixels does not exceed.
fn level_at(levels: &[u8], share: f32) -> f32 {
    let mut counts = [0_usize; 256];
    for &level in levels {
        counts[usize::from(level)] += 1;
    }
    let wanted = (levels.len() as f32 * share) as usize;
    let mut seen = 0;
    let level = counts.iter().position(|count| {
        seen += count;
        seen > wanted
    });
    level.unwrap_or(255) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar of print and a bar of grey ink, which cross.
    fn sheet() -> RgbImage {
        RgbImage::from_fn(300, 200, |x, y| {
            let print = (40..160).contains(&x) && (50..60).contains(&y);
            let stamp = (100..110).contains(&x) && (30..190).contains(&y);
            Rgb([if print {
                15
            } else if stamp {
                110
            } else {
                250
            }; 3])
        })
    }

    #[test]
    fn grey_ink_is_kept_without_the_print() {
        let grey = grey_ink_only(&sheet()).unwrap();

        assert!(grey.get_pixel(80, 55)[0] > 250 && grey.get_pixel(80, 60)[0] > 250);
        assert!(grey.get_pixel(105, 120)[0] < 100);
        assert!(grey.get_pixel(20, 20)[0] > 250);
    }

    #[test]
    fn print_is_kept_without_the_grey_ink() {
        let print = print_only(&sheet()).unwrap();

        assert!(print.get_pixel(80, 55)[0] < 10 && print.get_pixel(105, 55)[0] < 10);
        assert!(print.get_pixel(105, 120)[0] > 250);
    }

    #[test]
    fn pale_and_empty_pictures_have_no_print() {
        assert_eq!(print_only(&RgbImage::from_pixel(20, 20, Rgb([200; 3]))), None);
        assert_eq!(grey_ink_only(&RgbImage::new(0, 0)), None);
    }
}
