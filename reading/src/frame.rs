//! Where a card of known layout lies on the page: anchors found in the text, and the map that takes the card to
//! the page.

use domain::geometry::{Point, Quad};

use crate::{
    forms::{Anchor, Form, Pattern},
    lines::{Line, find_label},
    prepare::geometry::{Projection, QuadMeasure, distance},
};

/// Anchors farther from where they should be than this share of the card's width do not support a frame.
const TOLERANCE: f32 = 0.06;

/// An anchor of a form seen in a line.
#[derive(Debug, Clone, Copy)]
pub struct Sighting {
    /// Index of the anchor.
    pub anchor: usize,
    /// Index of the line.
    pub line: usize,
    /// Middle of its left and of its right end on the page.
    pub ends: (Point, Point),
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
                let quad = line.part(from, to);
                let [a, b, c, d] = quad.0;
                let middle = |p: Point, q: Point| Point { x: (p.x + q.x) / 2.0, y: (p.y + q.y) / 2.0 };
                found.push(Sighting { anchor: anchor_index, line: line_index, ends: (middle(a, d), middle(b, c)) });
            }
        }
    }
    found
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
            let long = text.ends_with(&['长', '期']) || text.iter().filter(|c| c.is_ascii_digit()).count() >= 14;
            let dates = text[first.0..].iter().filter(|c| c.is_ascii_digit()).count() >= 8;
            let plain = text[first.0..].iter().all(|c| c.is_ascii_digit() || ".-至长期一~ ,年月日".contains(*c));
            (long && dates && plain && first.0 <= 5).then_some((first.0, text.len()))
        }
        Pattern::Sex => {
            let alone = text.len() <= 2 && text.iter().any(|c| matches!(c, '男' | '女'));
            alone.then_some((0, text.len()))
        }
        Pattern::Address => {
            let begins = text.iter().skip(1).take(7).any(|c| matches!(c, '省' | '市' | '区' | '县' | '州' | '旗'));
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

/// The best frame that at least two anchors (or one worth as much) agree on.
pub fn best(form: &Form, seen: &[Sighting]) -> Option<Frame> {
    let size = form.size_mm?;
    let mut best: Option<Frame> = None;
    for sighting in seen {
        let Some(similarity) = similarity_of(form, size, sighting) else { continue };
        let frame = supported(form, size, seen, &similarity);
        if best.as_ref().is_none_or(|known| frame.weight > known.weight) {
            best = Some(frame);
        }
    }
    let mut frame = best?;
    for _ in 0..2 {
        let refined = refine(form, size, &frame);
        let next = supported(form, size, seen, &refined);
        if next.weight < frame.weight {
            break;
        }
        frame = next;
    }
    Some(frame)
}

/// The ends of an anchor in millimetres.
fn ends_on_card(anchor: &Anchor, size: [f32; 2]) -> (Point, Point) {
    let [left, top, right, bottom] = anchor.at;
    let y = (top + bottom) / 2.0 * size[1];
    (Point { x: left * size[0], y }, Point { x: right * size[0], y })
}

/// The frame that one anchor's two ends imply: same scale both ways, upright within the lines' tilt.
fn similarity_of(form: &Form, size: [f32; 2], sighting: &Sighting) -> Option<Projection> {
    let (from, to) = ends_on_card(form.anchors.get(sighting.anchor)?, size);
    let (a, b) = sighting.ends;
    let (length, length_mm) = (distance(a, b), distance(from, to));
    if length < 2.0 || length_mm < 1.0 {
        return None;
    }
    let scale = length / length_mm;
    let along = ((b.x - a.x) / length * scale, (b.y - a.y) / length * scale);
    let place = |x: f32, y: f32| Point {
        x: a.x + (x - from.x) * along.0 - (y - from.y) * along.1,
        y: a.y + (x - from.x) * along.1 + (y - from.y) * along.0,
    };
    let outline = Quad([place(0.0, 0.0), place(size[0], 0.0), place(size[0], size[1]), place(0.0, size[1])]);
    Some(Projection::onto(&outline, size[0], size[1]))
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
    let weight = chosen.iter().map(|(far, sighting)| form.anchors[sighting.anchor].weight * closeness(*far)).sum();
    let sightings = chosen.into_iter().map(|(_, sighting)| sighting).collect();
    Frame { to_page: *to_page, to_card, weight, sightings }
}

/// An affine frame through the anchors' ends, held near the old one where they say nothing.
fn refine(form: &Form, size: [f32; 2], frame: &Frame) -> Projection {
    let mut pairs: Vec<(Point, Point, f64)> = Vec::new();
    for sighting in &frame.sightings {
        let anchor = &form.anchors[sighting.anchor];
        let (from, to) = ends_on_card(anchor, size);
        pairs.push((from, sighting.ends.0, 1.0));
        if anchor.pattern.is_none_or(|pattern| pattern == Pattern::IdNumber) {
            pairs.push((to, sighting.ends.1, 1.0));
        }
    }
    for (x, y) in [(0.0, 0.0), (size[0], 0.0), (size[0], size[1]), (0.0, size[1])] {
        let corner = Point { x, y };
        pairs.push((corner, frame.to_page.apply(corner), 0.05));
    }
    let Some((row_x, row_y)) = affine(&pairs) else { return frame.to_page };
    let place = |x: f32, y: f32| Point {
        x: (row_x[0] * f64::from(x) + row_x[1] * f64::from(y) + row_x[2]) as f32,
        y: (row_y[0] * f64::from(x) + row_y[1] * f64::from(y) + row_y[2]) as f32,
    };
    let outline = Quad([place(0.0, 0.0), place(size[0], 0.0), place(size[0], size[1]), place(0.0, size[1])]);
    if outline.width() < 4.0 || outline.height() < 4.0 {
        return frame.to_page;
    }
    Projection::onto(&outline, size[0], size[1])
}

type Row = [f64; 3];

/// Weighted least squares of an affine map.
fn affine(pairs: &[(Point, Point, f64)]) -> Option<(Row, Row)> {
    let mut normal = [[0.0_f64; 3]; 3];
    let (mut right_x, mut right_y) = ([0.0_f64; 3], [0.0_f64; 3]);
    for (from, to, weight) in pairs {
        let basis = [f64::from(from.x), f64::from(from.y), 1.0];
        for i in 0..3 {
            for j in 0..3 {
                normal[i][j] += weight * basis[i] * basis[j];
            }
            right_x[i] += weight * basis[i] * f64::from(to.x);
            right_y[i] += weight * basis[i] * f64::from(to.y);
        }
    }
    Some((solve(normal, right_x)?, solve(normal, right_y)?))
}

fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> Option<Row> {
    for column in 0..3 {
        let pivot = (column..3).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-9 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in 0..3 {
            if row != column {
                let factor = matrix[row][column] / matrix[column][column];
                for k in 0..3 {
                    matrix[row][k] -= factor * matrix[column][k];
                }
                right[row] -= factor * right[column];
            }
        }
    }
    Some([right[0] / matrix[0][0], right[1] / matrix[1][1], right[2] / matrix[2][2]])
}
