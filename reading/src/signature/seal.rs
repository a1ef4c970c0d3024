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
    let near = coarse.dilated(1);
    let (from, to) = ((RADII_MM.start() * COARSE) as i32, (RADII_MM.end() * COARSE) as i32);
    let circle: Vec<(f32, f32)> = (0..SAMPLES)
        .map(|i| (i as f32 / SAMPLES as f32 * std::f32::consts::TAU).sin_cos())
        .map(|(sin, cos)| (cos, sin))
        .collect();
    let mut best: Option<(f32, Ring)> = None;
    for centre_y in -to..coarse.height as i32 + to {
        for centre_x in -to..coarse.width as i32 + to {
            for radius in from..=to {
                let ring = Ring { x: centre_x as f32, y: centre_y as f32, radius: radius as f32 };
                let Some(score) = score(&coarse, &near, ring, &circle) else { continue };
                if best.is_none_or(|(highest, _)| score > highest) {
                    best = Some((score, ring));
                }
            }
        }
    }
    best.map(|(_, ring)| Ring { x: ring.x * scale, y: ring.y * scale, radius: ring.radius * scale })
}

/// How much clearer the ring is than what lies beside it; `None` when it is none.
fn score(coarse: &Mask, near: &Mask, ring: Ring, circle: &[(f32, f32)]) -> Option<f32> {
    let (visible, inked) = cover(near, ring, 0.0, circle, 2);
    if (visible as f32) < LEAST_VISIBLE * circle.len() as f32 / 2.0
        || (inked as f32) < LEAST_RING * visible as f32
    {
        return None;
    }
    let (visible, inked) = cover(near, ring, 0.0, circle, 1);
    let share = inked as f32 / visible.max(1) as f32;
    if share < LEAST_RING || (visible as f32) < LEAST_VISIBLE * circle.len() as f32 {
        return None;
    }
    let (outside, outer) = cover(coarse, ring, 3.0, circle, 1);
    let (inside, inner) = cover(coarse, ring, -3.0, circle, 1);
    let beside_share = |inked: usize, places: usize| inked as f32 / places.max(1) as f32;
    let (outer, inner) = (beside_share(outer, outside), beside_share(inner, inside));
    (outer <= MOST_OUTSIDE && inner <= MOST_INSIDE).then(|| share * (visible as f32).sqrt() - outer - inner)
}

/// Places of the ring (moved outwards by `offset`) within the picture, and how many are inked.
fn cover(mask: &Mask, ring: Ring, offset: f32, circle: &[(f32, f32)], every: usize) -> (usize, usize) {
    let radius = ring.radius + offset;
    let (mut visible, mut inked) = (0, 0);
    for &(cos, sin) in circle.iter().step_by(every) {
        let (x, y) = ((ring.x + radius * cos).round(), (ring.y + radius * sin).round());
        if x >= 0.0 && y >= 0.0 && (x as usize) < mask.width && (y as usize) < mask.height {
            visible += 1;
            inked += usize::from(mask.bits[y as usize * mask.width + x as usize]);
        }
    }
    (visible, inked)
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
