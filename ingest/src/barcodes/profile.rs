//! Bars as one line of light, averaged along them, and what that line says.

use domain::geometry::Quad;
use image::GrayImage;
use rxing::{BarcodeFormat, DecodeHints, RXingResult, helpers};

use super::{Barcode, Symbology, corner, stripes::Stripes};

/// Samples for each pixel across the bars.
const SAMPLES_PER_PIXEL: f32 = 3.0;
/// Rows that are averaged at most.
const MOST_ROWS: usize = 48;
/// Rows at most while the direction is looked for.
const MOST_ROWS_AT_A_GLANCE: usize = 16;
/// Rows of the picture that is given to the decoder; all alike.
const ROWS: usize = 8;
/// Paper that is added at both ends, in samples.
const QUIET: usize = 90;
/// How far the direction is looked for on both sides, in steps of a quarter of a degree.
const ANGLE_STEPS: i32 = 8;

/// Reads the bars at a place, in several ways until one gives a text whose check character agrees.
pub fn read(grey: &GrayImage, place: &Stripes) -> Option<Barcode> {
    let place = Stripes { angle: best_angle(grey, place), ..*place };
    // Height of the strip that is averaged and its middle, as shares of the height of the bars.
    let strips = [(0.6, 0.0), (0.25, -0.3), (0.25, 0.0), (0.25, 0.3), (0.1, -0.15), (0.1, 0.15), (0.9, 0.0)];
    for (share, middle) in strips {
        let line = light(grey, &place, (share, middle), &CLOSE);
        for threshold in [Threshold::Local, Threshold::Middle, Threshold::Sharpened] {
            if let Some((text, is_reversed)) = decode(&threshold.apply(&line)) {
                let region = region(&place, is_reversed);
                return Some(Barcode { symbology: Symbology::Code128, text, region });
            }
        }
    }
    None
}

/// The direction in which averaging along the bars leaves the most contrast.
fn best_angle(grey: &GrayImage, place: &Stripes) -> f32 {
    let contrast = |angle: f32| {
        let line = light(grey, &Stripes { angle, ..*place }, (0.8, 0.0), &AT_A_GLANCE);
        line.windows(2).map(|near| (near[1] - near[0]).powi(2)).sum::<f32>()
    };
    let angles = (-ANGLE_STEPS..=ANGLE_STEPS).map(|step| place.angle + (step as f32 * 0.25).to_radians());
    angles
        .map(|angle| (contrast(angle), angle))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(place.angle, |best| best.1)
}

/// How closely the light is looked at.
struct Look {
    samples_per_pixel: f32,
    most_rows: usize,
}

const CLOSE: Look = Look { samples_per_pixel: SAMPLES_PER_PIXEL, most_rows: MOST_ROWS };
const AT_A_GLANCE: Look = Look { samples_per_pixel: 1.0, most_rows: MOST_ROWS_AT_A_GLANCE };

/// The light across the bars, averaged over a strip, whose height and middle are shares of the height of the bars.
fn light(grey: &GrayImage, place: &Stripes, (share, middle): (f32, f32), look: &Look) -> Vec<f32> {
    let (sine, cosine) = place.angle.sin_cos();
    let reach = place.half_length + 24.0;
    let count = (reach * 2.0 * look.samples_per_pixel) as usize;
    let rows = ((place.half_height * 2.0 * share) as usize).clamp(1, look.most_rows);
    let mut line = vec![0.0; count];
    for row in 0..rows {
        let v = place.half_height * 2.0 * (middle + share * ((row as f32 + 0.5) / rows as f32 - 0.5));
        for (at, sum) in line.iter_mut().enumerate() {
            let u = at as f32 / look.samples_per_pixel - reach;
            let x = place.middle.0 + u * cosine - v * sine;
            let y = place.middle.1 + u * sine + v * cosine;
            *sum += sample(grey, x, y);
        }
    }
    for sum in &mut line {
        *sum /= rows as f32;
    }
    line
}

/// The level between four pixels; paper beyond the page.
fn sample(grey: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let (x, y) = (x - 0.5, y - 0.5);
    if x < 0.0 || y < 0.0 || x >= (width - 1) as f32 || y >= (height - 1) as f32 {
        return 255.0;
    }
    let (left, top) = (x as usize, y as usize);
    let (right_share, bottom_share) = (x - left as f32, y - top as f32);
    let at = top * width + left;
    let levels = grey.as_raw();
    let level = |at: usize| f32::from(levels[at]);
    let upper = level(at) * (1.0 - right_share) + level(at + 1) * right_share;
    let lower = level(at + width) * (1.0 - right_share) + level(at + width + 1) * right_share;
    upper * (1.0 - bottom_share) + lower * bottom_share
}

/// How light and dark are told apart.
#[derive(Debug, Clone, Copy)]
enum Threshold {
    /// Half way between the lightest and the darkest nearby.
    Local,
    /// Half way between the lightest and the darkest of the whole line.
    Middle,
    /// Local, after undoing some of the blur.
    Sharpened,
}

impl Threshold {
    fn apply(self, line: &[f32]) -> Vec<u8> {
        let sharpened: Vec<f32>;
        let line = if matches!(self, Self::Sharpened) {
            sharpened = sharpen(line);
            &sharpened
        } else {
            line
        };
        let (darkest, lightest) = ends(line);
        let least = (lightest - darkest) * 0.25;
        let window = (SAMPLES_PER_PIXEL * 14.0) as usize;
        let is_ink = |at: usize| {
            let (low, high) = match self {
                Self::Middle => (darkest, lightest),
                _ => ends(&line[at.saturating_sub(window)..(at + window).min(line.len())]),
            };
            // Where nothing stands out there is paper, or the inside of nothing.
            high - low > least && line[at] < f32::midpoint(low, high)
        };
        let bits = (0..line.len()).map(|at| if is_ink(at) { 0 } else { 255 });
        let quiet = || std::iter::repeat_n(255, QUIET);
        quiet().chain(bits).chain(quiet()).collect()
    }
}

fn ends(values: &[f32]) -> (f32, f32) {
    values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

fn sharpen(line: &[f32]) -> Vec<f32> {
    let reach = (SAMPLES_PER_PIXEL * 1.5) as usize;
    let near = |at: usize| {
        let window = &line[at.saturating_sub(reach)..(at + reach + 1).min(line.len())];
        window.iter().sum::<f32>() / window.len() as f32
    };
    line.iter().enumerate().map(|(at, level)| (level + 1.5 * (level - near(at))).clamp(0.0, 255.0)).collect()
}

/// The text, and whether the bars run from right to left.
fn decode(bits: &[u8]) -> Option<(String, bool)> {
    let picture = bits.repeat(ROWS);
    let mut hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    let result = helpers::detect_in_luma_slice_with_hints(
        &picture,
        bits.len() as u32,
        ROWS as u32,
        Some(BarcodeFormat::CODE_128),
        &mut hints,
    )
    .ok()?;
    let text = result.getText().to_owned();
    (!text.trim().is_empty()).then(|| (text, is_reversed(&result)))
}

fn is_reversed(result: &RXingResult) -> bool {
    match result.getPoints() {
        [start, .., end] => start.x > end.x,
        _ => false,
    }
}

fn region(place: &Stripes, is_reversed: bool) -> Quad {
    let turn = if is_reversed { -1.0 } else { 1.0 };
    let (sine, cosine) = place.angle.sin_cos();
    let at = |u: f32, v: f32| {
        let (u, v) = (u * turn * place.half_length, v * turn * place.half_height);
        corner(place.middle.0 + u * cosine - v * sine, place.middle.1 + u * sine + v * cosine)
    };
    Quad([at(-1.0, -1.0), at(1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0)])
}
