//! Thins strokes to a line one pixel wide (Zhang and Suen), so that pen and scanner no longer matter.

use super::mask::Mask;

/// The skeleton of the ink.
pub(crate) fn thinned(mask: &Mask) -> Mask {
    let mut skeleton = mask.clone();
    if mask.width < 3 || mask.height < 3 {
        return skeleton;
    }
    clear_frame(&mut skeleton);
    loop {
        let first = peel(&mut skeleton, Pass::SouthEast);
        let second = peel(&mut skeleton, Pass::NorthWest);
        if !first && !second {
            return skeleton;
        }
    }
}

/// Length of a skeleton in pixels, diagonal steps counted as such.
pub(crate) fn length(skeleton: &Mask) -> f32 {
    let mut length = 0.0;
    for (index, _) in skeleton.bits.iter().enumerate().filter(|(_, bit)| **bit) {
        let (x, y) = ((index % skeleton.width) as isize, (index / skeleton.width) as isize);
        let east = skeleton.at(x + 1, y);
        let south = skeleton.at(x, y + 1);
        length += f32::from(u8::from(east)) + f32::from(u8::from(south));
        if skeleton.at(x + 1, y + 1) && !east && !south {
            length += std::f32::consts::SQRT_2;
        }
        if skeleton.at(x - 1, y + 1) && !skeleton.at(x - 1, y) && !south {
            length += std::f32::consts::SQRT_2;
        }
    }
    length
}

#[derive(Clone, Copy)]
enum Pass {
    SouthEast,
    NorthWest,
}

fn clear_frame(mask: &mut Mask) {
    let (width, height) = (mask.width, mask.height);
    mask.bits[..width].fill(false);
    mask.bits[(height - 1) * width..].fill(false);
    for y in 0..height {
        mask.bits[y * width] = false;
        mask.bits[y * width + width - 1] = false;
    }
}

/// Takes one layer off; whether anything was taken.
fn peel(mask: &mut Mask, pass: Pass) -> bool {
    let width = mask.width;
    let mut taken = Vec::new();
    for y in 1..mask.height - 1 {
        for x in 1..width - 1 {
            let index = y * width + x;
            if mask.bits[index] && may_go(&neighbours(mask, index), pass) {
                taken.push(index);
            }
        }
    }
    for &index in &taken {
        mask.bits[index] = false;
    }
    !taken.is_empty()
}

/// The eight neighbours, clockwise from the one above.
pub(crate) fn neighbours(mask: &Mask, index: usize) -> [bool; 8] {
    let width = mask.width;
    [
        index - width,
        index - width + 1,
        index + 1,
        index + width + 1,
        index + width,
        index + width - 1,
        index - 1,
        index - width - 1,
    ]
    .map(|place| mask.bits[place])
}

fn may_go(ring: &[bool; 8], pass: Pass) -> bool {
    let inked = ring.iter().filter(|&&bit| bit).count();
    let [north, _, east, _, south, _, west, _] = *ring;
    let on_this_side = match pass {
        Pass::SouthEast => !(east && south && (north || west)),
        Pass::NorthWest => !(north && west && (east || south)),
    };
    (2..=6).contains(&inked) && crossings(ring) == 1 && on_this_side
}

/// How often the ring changes from paper to ink.
pub(crate) fn crossings(ring: &[bool; 8]) -> usize {
    (0..8).filter(|&i| !ring[i] && ring[(i + 1) % 8]).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::signature::mask::drawn;

    #[test]
    fn a_bar_becomes_a_line() {
        let mut mask = Mask::empty(60, 20);
        for y in 6..13 {
            mask.bits[y * 60 + 5..y * 60 + 55].fill(true);
        }

        let skeleton = thinned(&mask);

        let bounds = skeleton.bounds().unwrap();
        assert!(bounds[3] - bounds[1] <= 2, "{bounds:?}");
        assert!((length(&skeleton) - 45.0).abs() < 8.0, "{}", length(&skeleton));
    }

    #[test]
    fn length_counts_diagonals() {
        let skeleton = drawn(&[".....", ".#...", "..#..", "...#.", "....."]);

        assert!((length(&skeleton) - 2.0 * std::f32::consts::SQRT_2).abs() < 1e-5);
    }

    proptest! {
        #[test]
        fn thinning_takes_away_and_never_adds(bits in proptest::collection::vec(any::<bool>(), 12 * 9)) {
            let mask = Mask { width: 12, height: 9, bits };

            let skeleton = thinned(&mask);

            prop_assert!(skeleton.bits.iter().zip(&mask.bits).all(|(thin, thick)| !thin || *thick));
        }
    }
}
