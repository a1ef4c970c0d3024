//! Where a card of known layout lies on the page: anchors found in the text, and the map that takes the card to
//! the page.

use domain::geometry::{Point, Quad};

use crate::{
    forms::{Anchor, Form, Pattern},
    lines::{Line, find_label, same_row},
    prepare::geometry::{Projection, QuadMeasure, distance},
};

/// Anchors farther from where they should be than this share of the card's width do not support a frame.
const TOLERANCE: f32 = 0.06;

/// Month and day stand no farther from what is before them, in heights of it.
const FARTHEST_PIECE: f32 = 4.0;

/// An anchor of a form seen in a line.
#[derive(Debug, Clone, Copy)]
pub struct Sighting {
    /// Index of the anchor.
    pub anchor: usize,
    /// Index of the line.
    pub line: usize,
    /// Middle of its left and of its right end on the page.
    pub ends: (Point, Point),
    /// Tilt and length of the line it stands in.
    pub run: (f32, f32),
}

/// A card found on the page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// From millimetres on the card to pixels on the page.
    pub to_page: Projection,
    /// Back.
    pub to_card: Projection,
    /// Sum of the weights of the anchors that agree.
    pub weight: f32,
    /// The anchors that agree.
    pub sightings: Vec<Sighting>,
}

impl Frame {
    /// Outline of a card of `size_mm` on the page.
    pub fn outline(&self, size_mm: [f32; 2]) -> Quad {
        self.to_page.apply_quad(&Quad::rectangle(0.0, 0.0, size_mm[0], size_mm[1]))
    }
}

/// Every anchor of the form in every line.
pub fn sightings(form: &Form, lines: &[Line]) -> Vec<Sighting> {
    let mut found = Vec::new();
    for (line_index, line) in lines.iter().enumerate() {
        for (anchor_index, anchor) in form.anchors.iter().enumerate() {
            if let Some((from, to)) = sight(anchor, line) {
                found.push(Sighting {
                    anchor: anchor_index,
                    line: line_index,
                    ends: ends_of(&line.part(from, to)),
                    run: (line.quad.angle(), line.quad.width()),
                });
            } else if anchor.pattern == Some(Pattern::BirthRow)
                && let Some(day) = day_of_birth_in_pieces(lines, line)
            {
                let (start, end) = (ends_of(&line.quad).0, ends_of(&day.quad).1);
                let angle = (end.y - start.y).atan2(end.x - start.x);
                found.push(Sighting {
                    anchor: anchor_index,
                    line: line_index,
                    ends: (start, end),
                    run: (angle, distance(start, end)),
                });
            }
        }
    }
    found
}

/// Middle of the left and of the right end.
fn ends_of(quad: &Quad) -> (Point, Point) {
    let [a, b, c, d] = quad.0;
    let middle = |p: Point, q: Point| Point { x: p.x.midpoint(q.x), y: p.y.midpoint(q.y) };
    (middle(a, d), middle(b, c))
}

/// Where 年 and 月 are worn off, year, month and day are lines of their own: the day, if `year` is a year and the
/// others stand on its row.
fn day_of_birth_in_pieces<'a>(lines: &'a [Line], year: &Line) -> Option<&'a Line> {
    let digits = |line: &Line| line.text.iter().all(char::is_ascii_digit).then_some(line.text.len());
    let is_year = digits(year) == Some(4) && matches!(year.text[..2], ['1', '9'] | ['2', '0']);
    if !is_year {
        return None;
    }
    let next = |before: &Line| {
        let end = ends_of(&before.quad).1;
        let reach = FARTHEST_PIECE * before.quad.height();
        let gap = |line: &Line| ends_of(&line.quad).0.x - end.x;
        lines
            .iter()
            .filter(|line| matches!(digits(line), Some(1 | 2)) && same_row(&year.quad, &line.quad))
            .filter(|line| (0.0..reach).contains(&gap(line)))
            .min_by(|a, b| gap(a).total_cmp(&gap(b)))
    };
    next(next(year)?)
}

/// From where to where, as fractions, the anchor stands in the line.
fn sight(anchor: &Anchor, line: &Line) -> Option<(f32, f32)> {
    let (start, end) = match (&anchor.text, anchor.pattern) {
        (Some(text), _) => {
            let label: Vec<char> = text.chars().collect();
            find_label(&line.text, &label, 0).map(|(start, end, _)| (start, end))?
        }
        (None, Some(pattern)) => find_pattern(&line.text, pattern)?,
        (None, None) => return None,
    };
    let whole = start == 0 && end == line.text.len();
    if whole {
        return Some((0.0, 1.0));
    }
    let from = if start == 0 { 0.0 } else { line.spans.get(start)?.0 };
    let to = if end == line.text.len() { 1.0 } else { line.spans.get(end.checked_sub(1)?)?.1 };
    Some((from, to))
}

/// Where in the text something of the pattern stands.
pub fn find_pattern(text: &[char], pattern: Pattern) -> Option<(usize, usize)> {
    match pattern {
        Pattern::IdNumber => {
            let run = longest_run(text, |c| c.is_ascii_digit() || matches!(c, 'X' | 'x' | 'O' | 'I' | 'l'))?;
            (15..=20).contains(&(run.1 - run.0)).then_some(run)
        }
        Pattern::BirthRow => {
            let groups = digit_groups(text);
            let first = groups.first()?;
            let year: String = text[first.0..first.1].iter().collect();
            let plausible = year.len() == 4 && (year.starts_with("19") || year.starts_with("20"));
            let short = text.len() <= 11 && groups.iter().skip(1).all(|group| group.1 - group.0 <= 2);
            let has_marks = text.contains(&'年') || groups.len() >= 3;
            (plausible && short && has_marks && first.0 == 0).then_some((0, text.len()))
        }
        Pattern::Validity => {
            let groups = digit_groups(text);
            let first = groups.first()?;
            let long =
                text.ends_with(&['长', '期']) || text.iter().filter(|c| c.is_ascii_digit()).count() >= 14;
            let dates = text[first.0..].iter().filter(|c| c.is_ascii_digit()).count() >= 8;
            let plain =
                text[first.0..].iter().all(|c| c.is_ascii_digit() || ".-至长期一~ ,年月日".contains(*c));
            (long && dates && plain && first.0 <= 5).then_some((first.0, text.len()))
        }
        Pattern::Sex => {
            let alone = text.len() <= 2 && text.iter().any(|c| matches!(c, '男' | '女'));
            alone.then_some((0, text.len()))
        }
        Pattern::Address => {
            let begins =
                text.iter().skip(1).take(7).any(|c| matches!(c, '省' | '市' | '区' | '县' | '州' | '旗'));
            (begins && text.len() >= 6 && !text.contains(&'局')).then_some((0, text.len()))
        }
        Pattern::Authority => {
            let string: String = text.iter().collect();
            let ends = string.ends_with("分局") || string.ends_with("公安局");
            let start = text.windows(4).position(|w| w == ['签', '发', '机', '关']).map_or(0, |at| at + 4);
            (ends && text.len() >= start + 5).then_some((start, text.len()))
        }
    }
}

fn longest_run(text: &[char], member: impl Fn(char) -> bool) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut start = None;
    for index in 0..=text.len() {
        let inside = text.get(index).is_some_and(|c| member(*c));
        match (inside, start) {
            (true, None) => start = Some(index),
            (false, Some(from)) => {
                if best.is_none_or(|(a, b)| index - from > b - a) {
                    best = Some((from, index));
                }
                start = None;
            }
            _ => {}
        }
    }
    best
}

fn digit_groups(text: &[char]) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (index, character) in text.iter().enumerate() {
        if !character.is_ascii_digit() {
            continue;
        }
        match groups.last_mut() {
            Some(group) if group.1 == index => group.1 = index + 1,
            _ => groups.push((index, index + 1)),
        }
    }
    groups
}

/// The frame most anchors agree on.
pub fn best(form: &Form, seen: &[Sighting]) -> Option<Frame> {
    let size = form.size_mm?;
    let mut best: Option<Frame> = None;
    for (index, first) in seen.iter().enumerate() {
        let pairs = seen[index + 1..].iter().filter_map(|second| of_two(form, size, first, second));
        for guess in of_one(form, size, first).into_iter().chain(pairs) {
            let frame = supported(form, size, seen, &guess);
            if best.as_ref().is_none_or(|known| frame.weight > known.weight) {
                best = Some(frame);
            }
        }
    }
    let mut frame = best?;
    for _ in 0..2 {
        let next = supported(form, size, seen, &refine(form, size, &frame));
        if next.weight < frame.weight * 0.97 {
            break;
        }
        frame = next;
    }
    Some(frame)
}

/// The frame of a card whose outline is known, with the anchors seen that support it.
pub fn at(form: &Form, outline: &Quad, seen: &[Sighting]) -> Option<Frame> {
    let size = form.size_mm?;
    Some(supported(form, size, seen, &Projection::onto(outline, size[0], size[1])))
}

/// The ends of an anchor in millimetres.
fn ends_on_card(anchor: &Anchor, size: [f32; 2]) -> (Point, Point) {
    let [left, top, right, bottom] = anchor.at;
    let y = top.midpoint(bottom) * size[1];
    (Point { x: left * size[0], y }, Point { x: right * size[0], y })
}

/// The frame that one anchor's two ends imply.
fn of_one(form: &Form, size: [f32; 2], sighting: &Sighting) -> Option<Projection> {
    let (from, to) = ends_on_card(form.anchors.get(sighting.anchor)?, size);
    similarity(size, (from, to), sighting.ends)
}

/// The frame that the left ends of two anchors imply, unless it is tilted otherwise than their lines.
fn of_two(form: &Form, size: [f32; 2], first: &Sighting, second: &Sighting) -> Option<Projection> {
    if first.anchor == second.anchor {
        return None;
    }
    let from = ends_on_card(form.anchors.get(first.anchor)?, size).0;
    let to = ends_on_card(form.anchors.get(second.anchor)?, size).0;
    if distance(from, to) < 0.2 * size[0] {
        return None;
    }
    let turn = |a: Point, b: Point| (b.y - a.y).atan2(b.x - a.x);
    let tilt = turn(first.ends.0, second.ends.0) - turn(from, to);
    let lines =
        (first.run.0 * first.run.1 + second.run.0 * second.run.1) / (first.run.1 + second.run.1).max(1.0);
    let off = (tilt - lines).sin().abs();
    if off > 0.12 {
        return None;
    }
    similarity(size, (from, to), (first.ends.0, second.ends.0))
}

/// The map of equal scale both ways that takes two places on the card to two on the page.
fn similarity(size: [f32; 2], card: (Point, Point), page: (Point, Point)) -> Option<Projection> {
    let ((from, to), (a, b)) = (card, page);
    let (length, length_mm) = (distance(a, b), distance(from, to));
    if length < 2.0 || length_mm < 1.0 {
        return None;
    }
    // Complex division: (b - a) / (to - from).
    let (dx, dy, ex, ey) = (b.x - a.x, b.y - a.y, to.x - from.x, to.y - from.y);
    let square = length_mm * length_mm;
    let along = ((dx * ex + dy * ey) / square, (dy * ex - dx * ey) / square);
    let place = |x: f32, y: f32| Point {
        x: a.x + (x - from.x) * along.0 - (y - from.y) * along.1,
        y: a.y + (x - from.x) * along.1 + (y - from.y) * along.0,
    };
    Some(outlined(size, place))
}

fn outlined(size: [f32; 2], place: impl Fn(f32, f32) -> Point) -> Projection {
    let outline = Quad([place(0.0, 0.0), place(size[0], 0.0), place(size[0], size[1]), place(0.0, size[1])]);
    Projection::onto(&outline, size[0], size[1])
}

/// The anchors that stand where the frame says, each anchor once.
fn supported(form: &Form, size: [f32; 2], seen: &[Sighting], to_page: &Projection) -> Frame {
    let to_card = to_page.inverse();
    let mut chosen: Vec<(f32, Sighting)> = Vec::new();
    for sighting in seen {
        let Some(anchor) = form.anchors.get(sighting.anchor) else { continue };
        let (from, to) = ends_on_card(anchor, size);
        let (a, b) = (to_card.apply(sighting.ends.0), to_card.apply(sighting.ends.1));
        // The right end of a value depends on its text; its left end and its row do not.
        let far = match anchor.pattern {
            None | Some(Pattern::IdNumber) => distance(a, from).max(distance(b, to)),
            Some(_) => distance(a, from),
        };
        if far > TOLERANCE * size[0] {
            continue;
        }
        match chosen.iter_mut().find(|(_, other)| other.anchor == sighting.anchor) {
            Some(known) if known.0 > far => *known = (far, *sighting),
            Some(_) => {}
            None => chosen.push((far, *sighting)),
        }
    }
    let closeness = |far: f32| 1.0 - 0.5 * far / (TOLERANCE * size[0]);
    let weight =
        chosen.iter().map(|(far, sighting)| form.anchors[sighting.anchor].weight * closeness(*far)).sum();
    let sightings = chosen.into_iter().map(|(_, sighting)| sighting).collect();
    Frame { to_page: *to_page, to_card, weight, sightings }
}

/// A frame tilted as its lines are, with a scale along them and one across them fitted to the anchors.
fn refine(form: &Form, size: [f32; 2], frame: &Frame) -> Projection {
    let length: f32 = frame.sightings.iter().map(|sighting| sighting.run.1).sum();
    let tilt: f32 =
        frame.sightings.iter().map(|sighting| sighting.run.0 * sighting.run.1).sum::<f32>() / length.max(1.0);
    let (cos, sin) = (tilt.cos(), tilt.sin());
    let level = |p: Point| Point { x: p.x * cos + p.y * sin, y: p.y * cos - p.x * sin };
    let (mut along, mut across) = (Vec::new(), Vec::new());
    for sighting in &frame.sightings {
        let anchor = &form.anchors[sighting.anchor];
        let (from, to) = ends_on_card(anchor, size);
        let (a, b) = (level(sighting.ends.0), level(sighting.ends.1));
        let exact = if anchor.pattern.is_some() { 0.4 } else { 1.0 };
        along.push((from.x, a.x, exact));
        if anchor.pattern.is_none_or(|pattern| pattern == Pattern::IdNumber) {
            along.push((to.x, b.x, 0.6 * exact));
        }
        across.push((from.y, a.y.midpoint(b.y), 1.0));
    }
    let outline = frame.outline(size);
    let scale = outline.width() / size[0];
    let Some((scale_x, shift_x)) = fit(&along, scale, 0.05) else { return frame.to_page };
    let Some((scale_y, shift_y)) = fit(&across, scale_x, 0.3) else { return frame.to_page };
    if !(0.5..2.0).contains(&(scale_x / scale)) || !(0.6..1.7).contains(&(scale_y / scale_x)) {
        return frame.to_page;
    }
    outlined(size, |x, y| {
        let (u, v) = (scale_x * x + shift_x, scale_y * y + shift_y);
        Point { x: u * cos - v * sin, y: u * sin + v * cos }
    })
}

/// Scale and shift of least squares, the scale held near `expected` as if by points 30 mm apart of weight `hold`.
fn fit(pairs: &[(f32, f32, f32)], expected: f32, hold: f32) -> Option<(f32, f32)> {
    let total: f32 = pairs.iter().map(|(_, _, weight)| weight).sum();
    if total <= 0.0 {
        return None;
    }
    let mean_from = pairs.iter().map(|(from, _, weight)| from * weight).sum::<f32>() / total;
    let mean_to = pairs.iter().map(|(_, to, weight)| to * weight).sum::<f32>() / total;
    let held = hold * 900.0;
    let (mut above, mut below) = (held * expected, held);
    for (from, to, weight) in pairs {
        above += weight * (from - mean_from) * (to - mean_to);
        below += weight * (from - mean_from) * (from - mean_from);
    }
    let scale = above / below;
    Some((scale, mean_to - scale * mean_from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::FormSet;

    fn line_at(text: &str, place: [f32; 4], to_page: &Projection) -> Line {
        let [left, top, right, bottom] = place;
        let on_card = Quad::rectangle(
            left * 85.6,
            top * 54.0 - 1.5,
            (right - left) * 85.6,
            (bottom - top) * 54.0 + 3.0,
        );
        let count = text.chars().count() as f32;
        let spans = (0..text.chars().count()).map(|i| (i as f32 / count, (i + 1) as f32 / count)).collect();
        Line {
            quad: to_page.apply_quad(&on_card),
            text: text.chars().collect(),
            spans,
            confidence: 1.0,
            lattice: domain::reading::Lattice::default(),
        }
    }

    #[test]
    fn a_tilted_card_is_found_by_its_anchors() {
        let forms = FormSet::embedded().unwrap();
        let form = forms.get("id_card_back").unwrap();
        let outline = Quad([
            Point { x: 100.0, y: 200.0 },
            Point { x: 780.0, y: 260.0 },
            Point { x: 742.0, y: 689.0 },
            Point { x: 62.0, y: 629.0 },
        ]);
        let to_page = Projection::onto(&outline, 85.6, 54.0);
        let texts =
            form.anchors.iter().filter_map(|anchor| anchor.text.as_deref().map(|text| (text, anchor.at)));
        let lines: Vec<Line> = texts.map(|(text, at)| line_at(text, at, &to_page)).collect();

        let frame = best(form, &sightings(form, &lines)).unwrap();

        let found = frame.outline([85.6, 54.0]);
        for (corner, expected) in found.0.iter().zip(outline.0) {
            assert!(distance(*corner, expected) < 12.0, "{found:?}");
        }
        assert_eq!(frame.sightings.len(), 4);
    }

    #[test]
    fn a_card_without_labels_is_found_by_a_date_in_pieces() {
        let forms = FormSet::embedded().unwrap();
        let form = forms.get("id_card_front").unwrap();
        let to_page = Projection::onto(&Quad::rectangle(100.0, 100.0, 856.0, 540.0), 85.6, 54.0);
        let lines = [
            line_at("女", [0.175, 0.27, 0.215, 0.27], &to_page),
            line_at("1998", [0.175, 0.395, 0.26, 0.395], &to_page),
            line_at("5", [0.33, 0.395, 0.35, 0.395], &to_page),
            line_at("21", [0.42, 0.395, 0.46, 0.395], &to_page),
            line_at("天津市津南区勤俭道", [0.175, 0.53, 0.6, 0.53], &to_page),
        ];

        let frame = best(form, &sightings(form, &lines)).unwrap();

        assert_eq!(frame.sightings.len(), 3);
        assert!(distance(frame.outline([85.6, 54.0]).0[0], Point { x: 100.0, y: 100.0 }) < 30.0);
        assert!(sightings(form, &lines[2..4]).is_empty());
    }

    #[test]
    fn patterns_are_told_from_their_characters() {
        let check = |text: &str, pattern, expected: bool| {
            let text: Vec<char> = text.chars().collect();
            assert_eq!(find_pattern(&text, pattern).is_some(), expected, "{text:?} {pattern:?}");
        };

        check("37010219950907177X", Pattern::IdNumber, true);
        check("13133803187", Pattern::IdNumber, false);
        check("1995年9月7日", Pattern::BirthRow, true);
        check("2023.12.01-2043.12.01", Pattern::Validity, true);
        check("2024.12.28-长期", Pattern::Validity, true);
        check("2023.12.01", Pattern::Validity, false);
        check("天津市公安局南开分局", Pattern::Authority, true);
        check("男", Pattern::Sex, true);
        check("天津市南开区津塘公路格", Pattern::Address, true);
        check("天津市公安局南开分局", Pattern::Address, false);
    }
}
