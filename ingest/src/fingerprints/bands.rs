//! Keys under which a picture is found again: signs of projections on fixed random directions.

use super::view::{CELLS, View, blurred};

/// Keys of each view.
pub const PER_VIEW: usize = 8;
/// Bits of a key. More bits find fewer strangers, and miss more pictures that were changed.
const BITS: u32 = 24;

/// The keys of one view; `first_index` keeps those of different views apart.
pub fn of(view: &View, first_index: u32) -> Vec<u32> {
    // Fine grain is what saving again changes first, so it has no say.
    let smooth = blurred(&view.values(), 1.0);
    let mean = smooth.iter().sum::<f32>() / CELLS as f32;
    (0..PER_VIEW as u32)
        .map(|index| {
            (0..BITS)
                .fold(0, |key, bit| (key << 1) | side_of(&smooth, mean, (first_index + index) * BITS + bit))
        })
        .collect()
}

/// On which side of the plane number `number` the picture lies.
fn side_of(cells: &[f32], mean: f32, number: u32) -> u32 {
    let mut random = SplitMix(u64::from(number) << 32);
    let mut sum = 0.0;
    for chunk in cells.chunks(64) {
        let mut signs = random.next();
        for cell in chunk {
            let value = cell - mean;
            sum += if signs & 1 == 1 { value } else { -value };
            signs >>= 1;
        }
    }
    u32::from(sum > 0.0)
}

/// Random bits that are the same in every build, because keys are kept for years.
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}
