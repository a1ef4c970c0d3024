//! The grid of a screen: a regular pattern of a few pixels, whatever else is on the picture.

use std::{f32::consts::TAU, sync::LazyLock};

use image::RgbImage;

/// Side of the patches that are looked at.
const SIDE: usize = 128;
/// Every so many rows of a patch are taken.
const EVERY: usize = 4;
/// Patches along each side of the picture.
const PATCHES: u32 = 3;
/// Patterns of this many waves in a patch and more, as fine as two and as coarse as ten pixels.
const LEAST_WAVES: usize = 13;
/// Waves beside one that it is compared with.
const AROUND: usize = 5;
/// JPEG leaves patterns of eight pixels and their parts.
const OF_JPEG: usize = SIDE / 8;

/// Sine and cosine of each wave at each pixel, narrowed towards the ends.
static WAVES: LazyLock<Vec<Vec<(f32, f32)>>> = LazyLock::new(|| {
    let window = |at: usize| 0.5 - 0.5 * (TAU * at as f32 / SIDE as f32).cos();
    let wave = |waves: usize| {
        let turn = move |at: usize| TAU * waves as f32 * at as f32 / SIDE as f32;
        (0..SIDE).map(|at| (window(at) * turn(at).sin(), window(at) * turn(at).cos())).collect()
    };
    (0..SIDE / 2).map(wave).collect()
});

/// How far the strongest regular pattern stands above what is around it; `None` for pictures too small to tell.
pub(super) fn ratio(page: &RgbImage) -> Option<f32> {
    let room = |length: u32| length.checked_sub(SIDE as u32);
    let (across, down) = (room(page.width())?, room(page.height())?);
    let mut ratios = Vec::new();
    for row in 0..PATCHES {
        for column in 0..PATCHES {
            let place = |room: u32, at: u32| room * (2 * at + 1) / (2 * PATCHES);
            let patch = Patch::of(page, place(across, column), place(down, row));
            ratios.push(patch.along_rows().max(patch.along_columns()));
        }
    }
    let at = ratios.len() / 2;
    Some(*ratios.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// A square of the picture, green only: the channels of a screen lie beside each other.
struct Patch(Vec<f32>);

impl Patch {
    fn of(page: &RgbImage, left: u32, top: u32) -> Self {
        let pixels = (0..SIDE * SIDE).map(|index| {
            let (x, y) = (left + (index % SIDE) as u32, top + (index / SIDE) as u32);
            f32::from(page.get_pixel_checked(x, y).map_or(0, |pixel| pixel.0[1]))
        });
        Self(pixels.collect())
    }

    fn along_rows(&self) -> f32 {
        peak(|row, at| self.0[row * SIDE + at])
    }

    fn along_columns(&self) -> f32 {
        peak(|column, at| self.0[at * SIDE + column])
    }
}

/// The strongest wave in lines of pixels beside the middle one of its neighbours.
fn peak(pixel: impl Fn(usize, usize) -> f32) -> f32 {
    let mut power = vec![0.0_f32; SIDE / 2];
    for line in (0..SIDE).step_by(EVERY) {
        let mean = (0..SIDE).map(|at| pixel(line, at)).sum::<f32>() / SIDE as f32;
        let level: Vec<f32> = (0..SIDE).map(|at| pixel(line, at) - mean).collect();
        for (sum, wave) in power.iter_mut().zip(WAVES.iter()).skip(LEAST_WAVES - AROUND) {
            let (sine, cosine) = level
                .iter()
                .zip(wave)
                .fold((0.0, 0.0), |(s, c), (value, (sin, cos))| (s + value * sin, c + value * cos));
            *sum += sine * sine + cosine * cosine;
        }
    }
    // Grain of less than one level of grey is none.
    let least = (SIDE / EVERY) as f32 * SIDE as f32 * 0.1;
    let is_of_jpeg = |waves: usize| {
        let beside = waves % OF_JPEG;
        beside <= 1 || beside >= OF_JPEG - 1
    };
    let heights = (LEAST_WAVES..SIDE / 2).filter(|waves| !is_of_jpeg(*waves)).map(|waves| {
        let last = (waves + AROUND).min(SIDE / 2 - 1);
        let mut around: Vec<f32> =
            (waves - AROUND..=last).filter(|at| !is_of_jpeg(*at)).map(|at| power[at]).collect();
        let middle = around.len() / 2;
        power[waves] / around.select_nth_unstable_by(middle, f32::total_cmp).1.max(least)
    });
    heights.fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Grain, and a grid of 2.4 pixels on it.
    fn picture(grid: f32) -> RgbImage {
        let chance = |x: u32, y: u32| {
            let mixed = x.wrapping_mul(374_761_393).wrapping_add(y.wrapping_mul(668_265_263));
            let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177);
            mixed ^ (mixed >> 16)
        };
        RgbImage::from_fn(500, 400, |x, y| {
            let grain = 180.0 + (chance(x, y) % 40) as f32;
            let wave = grid * (TAU * (x as f32 + 0.03 * y as f32) / 2.4).sin();
            Rgb([(grain + wave) as u8; 3])
        })
    }

    #[test]
    fn the_grid_of_a_screen_stands_out() {
        let (paper, screen) = (ratio(&picture(0.0)).unwrap(), ratio(&picture(15.0)).unwrap());

        assert!(screen > 2.0 * paper, "{screen} {paper}");
    }

    #[test]
    fn of_the_smallest_pictures_nothing_is_said() {
        assert_eq!(ratio(&RgbImage::new(90, 500)), None);
        assert!(ratio(&RgbImage::from_pixel(128, 128, Rgb([250; 3]))).is_some_and(|ratio| ratio < 1.0));
    }
}
