//! Takes a round seal that has lost its colour (grey or black after copying) off the ink.
//!
//! A red seal is gone with its colour before; this one is known by its ring. Ink that is clearly darker than the
//! seal, and strokes that run out of it, stay.

use super::{ink::Darkness, mask::Mask};

/// Pixels to a millimetre at which rings are looked for.
const COARSE: f32 = 2.0;
/// Radii of seals in use, millimetres.
const RADII_MM: std::ops::RangeInclusive<f32> = 12.0..=24.0;
/// Places tried on a ring.
const SAMPLES: usize = 72;
/// The share of the visible ring that must be inked, and of the rings just outside and inside that may be.
///
/// Strict, for an arc laid over handwriting meets much of it; the words of a seal stand close inside its ring.
const LEAST_RING: f32 = 0.92;
const MOST_OUTSIDE: f32 = 0.3;
const MOST_INSIDE: f32 = 0.6;
/// How far beside the ring that is, in coarse pixels.
const BESIDE: f32 = 3.0;
/// The least share of the ring that must lie within the picture.
const LEAST_VISIBLE: f32 = 0.33;
/// Seals looked for.
const MOST_SEALS: usize = 2;
/// Ink darker than the ring by this much was written over the seal, or under it.
const DARKER_BY: f32 = 0.22;

/// A ring: centre and radius in pixels of the mask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ring {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
}

/// Takes seals off the mask and returns their rings.
pub(crate) fn take_away(mask: &mut Mask, darkness: &Darkness, px_per_mm: f32) -> Vec<Ring> {
    let mut rings = Vec::new();
    for _ in 0..MOST_SEALS {
        let Some(ring) = find(mask, px_per_mm) else { break };
        erase(mask, darkness, ring, px_per_mm);
        rings.push(ring);
    }
    rings
}

/// The clearest ring, if there is one.
fn find(mask: &Mask, px_per_mm: f32) -> Option<Ring> {
    let scale = px_per_mm / COARSE;
    let coarse = shrunk(mask, scale);
    let farthest = (RADII_MM.end() * COARSE) as usize;
    let plain = Field::of(&coarse, farthest);
    let near = Field::of(&coarse.dilated(1), farthest);
    let circles: Vec<Circle> = ((RADII_MM.start() * COARSE) as usize..=farthest)
        .map(|radius| Circle::of(radius as f32, plain.stride))
        .collect();
    let mut best: Option<(f32, Ring)> = None;
    for y in -(farthest as isize)..(coarse.height + farthest) as isize {
        for x in -(farthest as isize)..(coarse.width + farthest) as isize {
            let centre = plain.place(x, y);
            for circle in &circles {
                let Some(score) = score(&plain, &near, centre, circle) else { continue };
                if best.is_none_or(|(highest, _)| score > highest) {
                    best = Some((score, Ring { x: x as f32, y: y as f32, radius: circle.radius }));
                }
            }
        }
    }
    best.map(|(_, ring)| Ring { x: ring.x * scale, y: ring.y * scale, radius: ring.radius * scale })
}

/// How much clearer the ring is than what lies beside it; `None` when it is none.
fn score(plain: &Field, near: &Field, centre: usize, circle: &Circle) -> Option<f32> {
    // Nearly every ring ends here, at the third gap.
    let most_gaps = ((1.0 - LEAST_RING) * circle.half.len() as f32) as usize;
    let cover = near.cover(centre, &circle.half, most_gaps)?;
    if cover.share() < LEAST_RING || (cover.visible as f32) < LEAST_VISIBLE * circle.half.len() as f32 {
        return None;
    }
    let cover = near.cover(centre, &circle.whole, SAMPLES)?;
    let share = cover.share();
    if share < LEAST_RING || (cover.visible as f32) < LEAST_VISIBLE * circle.whole.len() as f32 {
        return None;
    }
    let outer = plain.cover(centre, &circle.outside, SAMPLES)?.share();
    let inner = plain.cover(centre, &circle.inside, SAMPLES)?.share();
    let is_alone = outer <= MOST_OUTSIDE && inner <= MOST_INSIDE;
    is_alone.then(|| share * (cover.visible as f32).sqrt() - outer - inner)
}

/// Places of a ring within the picture, and how many of them are inked.
struct Cover {
    visible: usize,
    inked: usize,
}

impl Cover {
    fn share(&self) -> f32 {
        self.inked as f32 / self.visible.max(1) as f32
    }
}

/// The places of a ring and of those beside it, as steps from its centre in a [`Field`].
struct Circle {
    radius: f32,
    /// Every second place, one far from the next, so that gaps are met early.
    half: Vec<isize>,
    whole: Vec<isize>,
    outside: Vec<isize>,
    inside: Vec<isize>,
}

impl Circle {
    fn of(radius: f32, stride: usize) -> Self {
        let step = |radius: f32, sample: usize| {
            let (sin, cos) = (sample as f32 / SAMPLES as f32 * std::f32::consts::TAU).sin_cos();
            (radius * sin).round() as isize * stride as isize + (radius * cos).round() as isize
        };
        let ring = |radius: f32| (0..SAMPLES).map(|sample| step(radius, sample)).collect();
        // 14 and 72 have no divisor in common but 2.
        let half = (0..SAMPLES / 2).map(|sample| step(radius, 14 * sample % SAMPLES)).collect();
        Self {
            radius,
            half,
            whole: ring(radius),
            outside: ring(radius + BESIDE),
            inside: ring(radius - BESIDE),
        }
    }
}

/// What a place of a [`Field`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    OffThePicture,
    Paper,
    Ink,
}

/// A mask with room around it for every ring that is tried, so that no step needs a check.
struct Field {
    places: Vec<Place>,
    stride: usize,
    margin: usize,
}

impl Field {
    fn of(mask: &Mask, farthest: usize) -> Self {
        // A centre lies as far off the picture as the largest radius, and its ring as far again.
        let margin = 2 * farthest + BESIDE as usize + 1;
        let stride = mask.width + 2 * margin;
        let mut places = vec![Place::OffThePicture; stride * (mask.height + 2 * margin)];
        for y in 0..mask.height {
            let row = &mask.bits[y * mask.width..(y + 1) * mask.width];
            let start = (y + margin) * stride + margin;
            for (place, &bit) in places[start..].iter_mut().zip(row) {
                *place = if bit { Place::Ink } else { Place::Paper };
            }
        }
        Self { places, stride, margin }
    }

    /// The index of a pixel of the mask, which may lie off it as far as the largest radius.
    fn place(&self, x: isize, y: isize) -> usize {
        let margin = self.margin as isize;
        ((y + margin) * self.stride as isize + x + margin) as usize
    }

    /// Looks at the places of a ring; `None` as soon as more than `most_gaps` are not inked.
    fn cover(&self, centre: usize, steps: &[isize], most_gaps: usize) -> Option<Cover> {
        let (mut visible, mut inked) = (0, 0);
        for &step in steps {
            match self.places[centre.wrapping_add_signed(step)] {
                Place::OffThePicture => {}
                Place::Paper => visible += 1,
                Place::Ink => {
                    visible += 1;
                    inked += 1;
                }
            }
            if visible - inked > most_gaps {
                return None;
            }
        }
        Some(Cover { visible, inked })
    }
}

fn shrunk(mask: &Mask, scale: f32) -> Mask {
    let mut coarse = Mask::empty(
        (mask.width as f32 / scale).ceil() as usize,
        (mask.height as f32 / scale).ceil() as usize,
    );
    for (index, _) in mask.bits.iter().enumerate().filter(|(_, bit)| **bit) {
        let (x, y) = ((index % mask.width) as f32 / scale, (index / mask.width) as f32 / scale);
        let place = y as usize * coarse.width + x as usize;
        coarse.bits[place] = true;
    }
    coarse
}

fn erase(mask: &mut Mask, darkness: &Darkness, ring: Ring, px_per_mm: f32) {
    let distance = |index: usize| {
        let (x, y) = ((index % mask.width) as f32, (index / mask.width) as f32);
        (x - ring.x).hypot(y - ring.y)
    };
    let band = 1.3 * px_per_mm;
    let mut ring_ink: Vec<f32> = Vec::new();
    for (index, _) in mask.bits.iter().enumerate().filter(|(_, bit)| **bit) {
        if (distance(index) - ring.radius).abs() <= band {
            ring_ink.push(darkness.ink[index]);
        }
    }
    let middle = ring_ink.len() / 2;
    let level =
        if ring_ink.is_empty() { 1.0 } else { *ring_ink.select_nth_unstable_by(middle, f32::total_cmp).1 };
    let mut cleared = mask.clone();
    for (index, bit) in cleared.bits.iter_mut().enumerate().filter(|(_, bit)| **bit) {
        if (distance(index) - ring.radius).abs() <= band && darkness.ink[index] <= level + DARKER_BY {
            *bit = false;
        }
    }
    let outer = ring.radius + band;
    for piece in cleared.pieces() {
        let inside = piece.pixels.iter().filter(|&&index| distance(index) < outer).count();
        let darker = piece.pixels.iter().filter(|&&index| darkness.ink[index] > level + DARKER_BY).count();
        let is_of_the_seal = inside == piece.pixels.len() && darker * 2 < piece.pixels.len();
        if is_of_the_seal {
            cleared.erase(&piece);
        }
    }
    *mask = cleared;
}

#[cfg(test)]
mod tests {
    use super::*;

    const PX_PER_MM: f32 = 8.0;

    fn page(with_stroke: bool) -> (Mask, Darkness) {
        let (width, height) = (640, 360);
        let mut ink = vec![0.0; width * height];
        for (index, darkness) in ink.iter_mut().enumerate() {
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let distance = (x - 300.0).hypot(y - 200.0);
            if (distance - 150.0).abs() < 4.0 || distance < 30.0 {
                *darkness = 0.5;
            }
            if with_stroke && (60.0..520.0).contains(&x) && (y - 0.2 * x - 100.0).abs() < 4.0 {
                *darkness = 0.6;
            }
        }
        let darkness = Darkness { width, height, ink, red: vec![0.0; width * height] };
        (darkness.darker_than(0.3), darkness)
    }

    #[test]
    fn a_seal_alone_leaves_nothing() {
        let (mut mask, darkness) = page(false);

        let rings = take_away(&mut mask, &darkness, PX_PER_MM);

        assert_eq!(rings.len(), 1);
        assert!((rings[0].radius - 150.0).abs() < 8.0);
        assert!(mask.area() < 50, "{}", mask.area());
    }

    #[test]
    fn a_stroke_that_runs_out_of_the_seal_stays() {
        let (mut mask, darkness) = page(true);

        take_away(&mut mask, &darkness, PX_PER_MM);

        let bounds = mask.bounds().unwrap();
        assert!(bounds[0] < 70 && bounds[2] > 510, "{bounds:?}");
    }

    #[test]
    fn writing_is_no_seal() {
        let mut mask = Mask::empty(400, 200);
        for x in 40..360 {
            let y = 100 + (x % 60);
            mask.bits[y * 400 + x] = true;
            mask.bits[(y + 1) * 400 + x] = true;
        }
        let darkness = Darkness { width: 400, height: 200, ink: vec![0.9; 80_000], red: vec![0.0; 80_000] };

        assert!(take_away(&mut mask, &darkness, PX_PER_MM).is_empty());
    }
}
