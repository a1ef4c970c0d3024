//! Takes away what is left of the form and of seals around a signature: dust, the colon of the label, the sides of a
//! box, the edges of red.

use super::{
    field::{MUCH_RED_MM2, PRINT_SHARE},
    ink::Darkness,
    mask::Mask,
};

/// Pieces smaller than this, millimetres, are dust.
const DUST_MM: f32 = 0.45;
/// Colour runs so far beyond the edge of a red mark, millimetres.
const EDGE_MM: f32 = 0.3;
/// A piece belongs to a red mark with more than this share of it there, and ink fainter than this share of the print.
const MOSTLY: f32 = 0.7;
const FAINT: f32 = 0.65;
/// The share of all ink that is fainter than what was written with a strong pen.
const STRONG_SHARE: f32 = 0.85;
/// The side of a box is at least so long, millimetres, and so many times as high as wide.
const SIDE_MM: f32 = 7.0;
const SIDE_RATIO: usize = 8;

/// Takes specks away.
pub(super) fn take_dust_away(ink: &mut Mask, scale: f32) {
    let dust = (DUST_MM * scale).max(2.0) as usize;
    for piece in ink.pieces() {
        if piece.width().max(piece.height()) <= dust {
            ink.erase(&piece);
        }
    }
}

/// The dots of a colon behind the label, which is often not counted to it.
pub(super) fn take_colon_away(ink: &mut Mask, label: [usize; 4]) {
    let height = label[3] - label[1];
    let farthest = label[2] + height;
    for piece in ink.pieces() {
        let [_, top, right, bottom] = piece.bounds;
        let is_dot = piece.width() * 3 <= height && piece.height() * 3 <= height;
        if is_dot && right <= farthest && top >= label[1] && bottom <= label[3] {
            ink.erase(&piece);
        }
    }
}

/// The sides of a box too low for its sides to be found as ruled lines.
pub(super) fn take_sides_away(ink: &mut Mask, scale: f32) {
    for piece in ink.pieces() {
        let is_straight = piece.height() >= SIDE_RATIO * piece.width();
        if is_straight && piece.height() as f32 >= SIDE_MM * scale {
            ink.erase(&piece);
        }
    }
}

/// What is left of a red mark is fainter than ink, and lies within it.
pub(super) fn take_edges_of_red_away(ink: &mut Mask, darkness: &Darkness, label: [usize; 4], scale: f32) {
    let red = darkness.red_marks();
    if red.area() as f32 <= MUCH_RED_MM2 * scale * scale {
        return;
    }
    let near_red = red.dilated((EDGE_MM * scale).max(1.0) as usize);
    let faint = FAINT * darkness.quantile(label, PRINT_SHARE).max(darkness.level_of(ink, STRONG_SHARE));
    for piece in ink.pieces() {
        let count = piece.pixels.len() as f32;
        let within = piece.pixels.iter().filter(|&&pixel| near_red.bits[pixel]).count() as f32;
        let mean = piece.pixels.iter().map(|&pixel| darkness.ink[pixel]).sum::<f32>() / count;
        if within > MOSTLY * count && mean < faint {
            ink.erase(&piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    const PX_PER_MM: f32 = 8.0;

    #[test]
    fn the_sides_of_a_box_vanish_and_strokes_stay() {
        let mut ink = Mask::empty(300, 120);
        for y in 10..90 {
            ink.bits[y * 300 + 20] = true;
        }
        for (x, y) in (100..106).flat_map(|x| (30..70).map(move |y| (x, y))) {
            ink.bits[y * 300 + x] = true;
        }

        take_sides_away(&mut ink, PX_PER_MM);

        assert_eq!(ink.area(), 6 * 40);
    }

    #[test]
    fn the_faint_edge_of_a_seal_vanishes_and_a_stroke_over_it_stays() {
        let image = RgbImage::from_fn(300, 160, |x, y| {
            let in_seal = (100..220).contains(&x) && (40..110).contains(&y) && y % 20 < 10;
            match (x, y) {
                (150..154, 10..150) => Rgb([25, 25, 30]),
                (180..220, 40..43) => Rgb([150, 60, 60]),
                _ if in_seal => Rgb([205, 60, 60]),
                _ => Rgb([250; 3]),
            }
        });
        let darkness = Darkness::of(&image, PX_PER_MM);
        let mut ink = darkness.darker_than(0.14);
        let before = ink.area();

        take_edges_of_red_away(&mut ink, &darkness, [0, 0, 60, 30], PX_PER_MM);

        assert_eq!((before, ink.area()), (4 * 140 + 40 * 3, 4 * 140));
    }
}
