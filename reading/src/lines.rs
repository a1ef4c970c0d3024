//! Lines of ink with what the quick reader made of them, and labels found in them.

use domain::{
    geometry::{Point, Quad},
    reading::Lattice,
};

use crate::{prepare::geometry::QuadMeasure, recognition::LineReading};

/// A line on the upright page.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Where it is.
    pub quad: Quad,
    /// Its characters, folded, without spaces.
    pub text: Vec<char>,
    /// From where to where each character goes, as fractions of the line.
    pub spans: Vec<(f32, f32)>,
    /// How sure the quick reader was.
    pub confidence: f32,
    /// What else it may say.
    pub lattice: Lattice,
}

impl Line {
    /// Joins a place with what was read there; `width` is that of the picture the reader saw.
    pub fn new(quad: Quad, reading: &LineReading, width: f32) -> Self {
        let mut text = Vec::new();
        let mut spans = Vec::new();
        for (index, character) in reading.text.chars().enumerate() {
            let folded = fold(character);
            if folded.is_whitespace() {
                continue;
            }
            text.push(folded);
            let span = reading.spans.get(index).copied().unwrap_or((0.0, width));
            spans.push((span.0 / width.max(1.0), span.1 / width.max(1.0)));
        }
        Self { quad, text, spans, confidence: reading.confidence.value(), lattice: reading.lattice.clone() }
    }

    /// Everything it says.
    pub fn string(&self) -> String {
        self.text.iter().collect()
    }

    /// The part of its quad between two fractions of its length.
    pub fn part(&self, from: f32, to: f32) -> Quad {
        part(&self.quad, from, to)
    }
}

/// Lines set so close and wide that they are a paragraph: terms in small print, which hold no value.
pub fn paragraphs(quads: &[Quad]) -> Vec<bool> {
    let widest = quads.iter().map(QuadMeasure::width).fold(0.0, f32::max);
    let wide = |quad: &Quad| quad.width() > 0.6 * widest && quad.width() > 18.0 * quad.height();
    quads
        .iter()
        .map(|quad| {
            let close = |other: &Quad| {
                let gap = (other.centre().y - quad.centre().y).abs();
                gap > 0.3 * quad.height() && gap < 0.92 * quad.height()
            };
            wide(quad) && quads.iter().any(|other| wide(other) && close(other))
        })
        .collect()
}

/// The part of a quad between two fractions of its length.
pub fn part(quad: &Quad, from: f32, to: f32) -> Quad {
    let [a, b, c, d] = quad.0;
    let between = |p: Point, q: Point, t: f32| Point { x: p.x + (q.x - p.x) * t, y: p.y + (q.y - p.y) * t };
    Quad([between(a, b, from), between(a, b, to), between(d, c, to), between(d, c, from)])
}

/// Full-width forms become half-width, brackets and colons their plain forms.
pub fn fold(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0).unwrap_or(character),
        '\u{3000}' => ' ',
        '【' | '〔' => '(',
        '】' | '〕' => ')',
        _ => character,
    }
}

/// Where `label` stands in `text`, as indices of its first and behind its last character, with the number of
/// characters that differ; the best place at or behind `from`.
pub fn find_label(text: &[char], label: &[char], from: usize) -> Option<(usize, usize, usize)> {
    let allowed = allowed_differences(label.len());
    let mut best: Option<(usize, usize, usize)> = None;
    for start in from..text.len() {
        for length in label.len().saturating_sub(1).max(1)..=label.len() + 1 {
            let Some(window) = text.get(start..start + length) else { continue };
            // A short label with a character too few or too many is more often another word.
            if length != label.len() && label.len() < 6 {
                continue;
            }
            let differences = edit_distance(window, label);
            let whole = length == label.len();
            let better = best.is_none_or(|(from, to, least)| {
                differences < least
                    || (differences == least && whole && start == from && to - from != label.len())
            });
            if differences <= allowed && better {
                best = Some((start, start + length, differences));
            }
        }
    }
    best
}

const fn allowed_differences(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    }
}

/// The least number of inserted, left out and changed characters between two texts.
pub fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let changed = previous[column] + usize::from(x != y);
            current.push(changed.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous[b.len()]
}

/// Whether two lines stand on the same row: their middles are less than half a line apart, seen along the first.
pub fn same_row(a: &Quad, b: &Quad) -> bool {
    let (here, there) = (a.centre(), b.centre());
    let angle = a.angle();
    let across = (there.y - here.y) * angle.cos() - (there.x - here.x) * angle.sin();
    across.abs() < 0.5 * a.height().min(b.height()).max(4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, label: &str) -> Option<(usize, usize, usize)> {
        let (text, label): (Vec<char>, Vec<char>) = (text.chars().collect(), label.chars().collect());
        find_label(&text, &label, 0)
    }

    #[test]
    fn labels_are_found_with_as_many_errors_as_their_length_bears() {
        assert_eq!(found("姓名汪浩宏", "姓名"), Some((0, 2, 0)));
        assert_eq!(found("性名汪浩宏", "姓名"), None);
        assert_eq!(found("公民身份号玛3701", "公民身份号码"), Some((0, 6, 1)));
        assert_eq!(found("受理目期:2026", "受理日期"), Some((0, 4, 1)));
        assert_eq!(found("", "姓名"), None);
    }

    #[test]
    fn wide_lines_set_close_are_a_paragraph() {
        let row = |top: f32, width: f32| Quad::rectangle(100.0, top, width, 40.0);
        let quads =
            [row(0.0, 900.0), row(33.0, 890.0), row(200.0, 900.0), row(242.0, 880.0), row(310.0, 200.0)];

        assert_eq!(paragraphs(&quads), vec![true, true, false, false, false]);
    }

    #[test]
    fn edit_distance_counts_changes() {
        let distance =
            |a: &str, b: &str| edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());

        assert_eq!((distance("", "甲乙"), distance("甲乙", "甲丙"), distance("甲乙丙", "甲丙")), (2, 1, 1));
    }
}
