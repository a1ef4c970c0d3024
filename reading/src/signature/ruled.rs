//! Takes ruled, dashed and dotted lines and the sides of boxes away, leaving strokes that cross them.

use super::mask::Mask;

/// Steepest slope of a line that was meant to be level; photographs are straightened only roughly.
const STEEPEST: f32 = 0.1;
const SLOPE_STEP: f32 = 0.0025;
/// Lines taken away at most, in each direction.
const MOST_LINES: usize = 10;
/// Shortest ruled line, millimetres; longer than the level stroke of a large character.
const SHORTEST_MM: f32 = 17.0;
/// Widest gap within a dashed or dotted line, millimetres.
const WIDEST_GAP_MM: f32 = 2.2;
/// Thickest ruled line, millimetres.
const THICKEST_MM: f32 = 1.1;
/// The least share of a line's length that is inked; dots cover about a third.
const LEAST_COVER: f32 = 0.25;

/// Takes lines away in both directions and tells how many millimetres of level line were found.
pub(crate) fn take_away(mask: &mut Mask, px_per_mm: f32) -> f32 {
    let level = take_away_level(mask, px_per_mm);
    let mut turned = mask.transposed();
    let upright = take_away_level(&mut turned, px_per_mm);
    if upright > 0.0 {
        *mask = turned.transposed();
    }
    level
}

fn take_away_level(mask: &mut Mask, px_per_mm: f32) -> f32 {
    let mut length_mm = 0.0;
    for _ in 0..MOST_LINES {
        let Some(line) = find(mask, px_per_mm) else { break };
        length_mm += (line.to - line.from) as f32 / px_per_mm;
        erase(mask, &line);
    }
    length_mm
}

struct Line {
    slope: f32,
    /// Row at column 0.
    start: f32,
    from: usize,
    to: usize,
    /// Pixels above and below the middle.
    thickness: f32,
}

impl Line {
    fn row(&self, x: usize) -> f32 {
        self.start + self.slope * x as f32
    }
}

/// The straight run that holds most thin ink, if it is long and covered enough.
fn find(mask: &Mask, px_per_mm: f32) -> Option<Line> {
    if mask.width == 0 || mask.height == 0 {
        return None;
    }
    let most_thick = (THICKEST_MM * px_per_mm).max(3.0) as usize;
    let thin = thin_places(mask, most_thick);
    let steps = (STEEPEST / SLOPE_STEP) as i32;
    let margin = (STEEPEST * mask.width as f32) as usize + 2;
    let mut best: Option<(u32, f32, usize)> = None;
    let mut counts = vec![0_u32; mask.height + 2 * margin];
    for step in -steps..=steps {
        let slope = step as f32 * SLOPE_STEP;
        counts.fill(0);
        for &(x, middle, _) in &thin {
            let row = middle - slope * x as f32 + margin as f32;
            counts[(row as usize).min(mask.height + 2 * margin - 1)] += 1;
        }
        for row in 1..counts.len() {
            // Two rows together, for a line that falls between them.
            let count = counts[row - 1] + counts[row];
            if best.is_none_or(|(most, ..)| count > most) {
                best = Some((count, slope, row));
            }
        }
    }
    let (_, slope, row) = best?;
    let start = row as f32 - margin as f32;
    measure(&thin, mask.width, slope, start, px_per_mm)
}

/// Columns, middles and heights of the upright runs of ink no taller than a line is thick.
fn thin_places(mask: &Mask, most_thick: usize) -> Vec<(usize, f32, usize)> {
    let mut places = Vec::new();
    for x in 0..mask.width {
        let mut y = 0;
        while y < mask.height {
            if !mask.bits[y * mask.width + x] {
                y += 1;
                continue;
            }
            let top = y;
            while y < mask.height && mask.bits[y * mask.width + x] {
                y += 1;
            }
            if y - top <= most_thick {
                places.push((x, (top + y - 1) as f32 / 2.0, y - top));
            }
        }
    }
    places
}

/// The longest stretch of the line without a wide gap; `None` when it is too short or too sparse.
fn measure(
    thin: &[(usize, f32, usize)],
    width: usize,
    slope: f32,
    start: f32,
    px_per_mm: f32,
) -> Option<Line> {
    let mut covered = vec![false; width];
    let mut heights: Vec<usize> = Vec::new();
    for &(x, middle, height) in thin {
        if (middle - slope * x as f32 - start).abs() <= 1.5 {
            covered[x] = true;
            heights.push(height);
        }
    }
    let widest_gap = (WIDEST_GAP_MM * px_per_mm) as usize;
    let (mut from, mut last, mut longest) = (None, 0, (0, 0));
    for x in (0..width).filter(|&x| covered[x]) {
        if from.is_none() || x - last > widest_gap {
            from = Some(x);
        }
        last = x;
        let first = from.unwrap_or(x);
        if x + 1 - first > longest.1 - longest.0 {
            longest = (first, x + 1);
        }
    }
    let length = longest.1 - longest.0;
    let cover = covered[longest.0..longest.1].iter().filter(|&&on| on).count();
    let is_line = length as f32 >= SHORTEST_MM * px_per_mm && cover as f32 >= LEAST_COVER * length as f32;
    if !is_line {
        return None;
    }
    let middle = heights.len() / 2;
    let thickness = *heights.select_nth_unstable(middle).1 as f32;
    Some(Line { slope, start, from: longest.0, to: longest.1, thickness })
}

/// Takes the line's ink away where nothing crosses it.
fn erase(mask: &mut Mask, line: &Line) {
    let reach = line.thickness / 2.0 + 1.6;
    let most = line.thickness as usize + 2;
    for x in line.from..line.to {
        let middle = line.row(x);
        let top = (middle - reach).floor().max(0.0) as usize;
        let bottom = ((middle + reach).ceil().max(0.0) as usize + 1).min(mask.height);
        let mut y = top;
        while y < bottom {
            if !mask.bits[y * mask.width + x] {
                y += 1;
                continue;
            }
            let (first, last) = run_around(mask, x, y);
            if last - first <= most {
                for row in first..last {
                    mask.bits[row * mask.width + x] = false;
                }
            }
            y = last.max(y + 1);
        }
    }
}

fn run_around(mask: &Mask, x: usize, y: usize) -> (usize, usize) {
    let (mut first, mut last) = (y, y);
    while first > 0 && mask.bits[(first - 1) * mask.width + x] {
        first -= 1;
    }
    while last < mask.height && mask.bits[last * mask.width + x] {
        last += 1;
    }
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PX_PER_MM: f32 = 8.0;

    fn with_line(every: usize, dash: usize, slope: f32) -> Mask {
        let mut mask = Mask::empty(400, 120);
        for x in (20..380).filter(|x| x % every < dash) {
            let y = (80.0 + slope * x as f32) as usize;
            for row in y..y + 3 {
                mask.bits[row * 400 + x] = true;
            }
        }
        mask
    }

    #[test]
    fn ruled_dashed_and_dotted_lines_vanish() {
        for (every, dash) in [(1, 1), (20, 12), (10, 4)] {
            for slope in [0.0, 0.02, -0.035, 0.08] {
                let mut mask = with_line(every, dash, slope);

                take_away(&mut mask, PX_PER_MM);

                assert_eq!(mask.area(), 0, "{every} {dash} {slope}");
            }
        }
    }

    #[test]
    fn a_stroke_across_the_line_stays() {
        let mut mask = with_line(1, 1, 0.01);
        for y in 40..110 {
            for x in 200..204 {
                mask.bits[y * 400 + x] = true;
            }
        }

        take_away(&mut mask, PX_PER_MM);

        assert_eq!(mask.area(), 70 * 4);
    }

    #[test]
    fn a_short_level_stroke_is_no_ruled_line() {
        let mut mask = Mask::empty(400, 120);
        for x in 100..200 {
            mask.bits[50 * 400 + x] = true;
        }

        assert!(take_away(&mut mask, PX_PER_MM).abs() < f32::EPSILON);
        assert_eq!(mask.area(), 100);
    }
}
