//! The surroundings of the cards seen closer: once with nothing but the grey between paper and print, in which a
//! copied stamp stands, once with all strokes thickened, in which a worn one holds together.

use domain::geometry::Quad;
use image::{RgbImage, imageops};

use crate::prepare::{
    geometry::{Projection, QuadMeasure},
    levels, light, warp,
};

/// The longest side of the picture.
pub(super) const SIDE: u32 = 1280;
/// What is seen around the cards, as a share of the width of one.
const AROUND: f32 = 0.35;
/// A part of a sheet, and where it lies.
pub(super) struct Part {
    picture: RgbImage,
    /// From the sheet to the picture.
    pub(super) onto: Projection,
}

impl Part {
    /// The cards with what is around them; the whole sheet where no card is known.
    pub(super) fn around(sheet: &RgbImage, cards: &[Quad]) -> Self {
        let whole = [0.0, 0.0, sheet.width() as f32, sheet.height() as f32];
        let seen = |card: &Quad| {
            let margin = AROUND * card.width();
            let [left, top, right, bottom] = card.bounds();
            [left - margin, top - margin, right + margin, bottom + margin]
        };
        let joined = cards
            .iter()
            .map(seen)
            .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
        let [left, top, right, bottom] = joined.unwrap_or(whole);
        let x = |value: f32| value.clamp(0.0, whole[2]) as u32;
        let y = |value: f32| value.clamp(0.0, whole[3]) as u32;
        let (left, top) = (x(left), y(top));
        let (width, height) =
            ((x(right) - left.min(x(right))).max(1), (y(bottom) - top.min(y(bottom))).max(1));
        let part = imageops::crop_imm(sheet, left, top, width, height).to_image();
        let picture = warp::shrink(&part, SIDE);
        let scale = picture.width() as f32 / part.width().max(1) as f32;
        let away = Projection::shift(-(left as f32), -(top as f32));
        Self { picture, onto: away.then(&Projection::scaling(scale, scale)) }
    }

    /// The ways to look at it, one after the other.
    pub(super) fn pictures(&self) -> impl Iterator<Item = RgbImage> {
        let ways: [fn(&RgbImage) -> Option<RgbImage>; 2] =
            [levels::grey_ink_only, |picture| Some(light::thickened(picture))];
        ways.into_iter().filter_map(|way| way(&self.picture))
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn the_part_shows_the_cards_and_places_on_it_lead_back() {
        let sheet = RgbImage::from_pixel(2000, 2800, Rgb([250; 3]));
        let card = Quad::rectangle(300.0, 400.0, 1000.0, 630.0);

        let part = Part::around(&sheet, &[card]);

        assert!(part.picture.width().max(part.picture.height()) <= SIDE);
        let back = part.onto.inverse().apply_quad(&part.onto.apply_quad(&card));
        assert!((back.centre().x - card.centre().x).abs() < 1.0);
        let [left, top, ..] = part.onto.apply_quad(&card).bounds();
        assert!(left > 0.0 && top > 0.0);
    }

    #[test]
    fn nothing_at_all_is_survived() {
        for cards in [vec![], vec![Quad::rectangle(f32::NAN, -1e9, 1e9, f32::INFINITY)]] {
            let part = Part::around(&RgbImage::new(1, 1), &cards);

            assert_eq!(part.pictures().count(), 1);
        }
    }
}
