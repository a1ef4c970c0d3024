//! Labels of two characters printed far apart, as 住　所 on a licence: detectors see two lines of one character.

use domain::geometry::Point;

use crate::{
    forms::Form,
    lines::{Line, same_row},
    prepare::geometry::{QuadMeasure, least_rectangle},
};

/// The two characters stand no farther apart than so many of their heights.
const FARTHEST: f32 = 5.0;

/// The lines, with both halves of each spaced label as one.
pub fn joined(form: &Form, lines: &[Line]) -> Vec<Line> {
    let mut lines = lines.to_vec();
    let others = form.other_labels.iter().flat_map(|other| &other.texts);
    for label in form.fields.iter().flat_map(|plan| &plan.labels).chain(others) {
        let characters: Vec<char> = label.chars().collect();
        let [first, second] = characters[..] else { continue };
        let Some((left, right)) = halves(first, second, &lines) else { continue };
        let Some(whole) = both(&lines[left], &lines[right]) else { continue };
        lines[left] = whole;
        lines.remove(right);
    }
    lines
}

/// The line of the first character, and the nearest one right of it that is the second.
fn halves(first: char, second: char, lines: &[Line]) -> Option<(usize, usize)> {
    let is_alone = |index: &usize, character: char| lines[*index].text == [character];
    let starts = (0..lines.len()).filter(|index| is_alone(index, first));
    let pairs = starts.flat_map(|left| (0..lines.len()).map(move |right| (left, right)));
    let gap = |left: usize, right: usize| lines[right].quad.0[0].x - lines[left].quad.0[1].x;
    pairs
        .filter(|(left, right)| left != right && is_alone(right, second))
        .filter(|(left, right)| same_row(&lines[*left].quad, &lines[*right].quad))
        .map(|(left, right)| (gap(left, right), left, right))
        .filter(|(gap, left, _)| (-1.0..FARTHEST * lines[*left].quad.height()).contains(gap))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, left, right)| (left, right))
}

fn both(left: &Line, right: &Line) -> Option<Line> {
    let corners: Vec<Point> = left.quad.0.iter().chain(&right.quad.0).copied().collect();
    let quad = least_rectangle(&corners)?;
    let share = |line: &Line| (line.quad.width() / quad.width().max(1.0)).clamp(0.0, 1.0);
    Some(Line {
        quad,
        text: [&left.text[..], &right.text].concat(),
        spans: vec![(0.0, share(left)), (1.0 - share(right), 1.0)],
        confidence: left.confidence.min(right.confidence),
        lattice: left.lattice.clone(),
    })
}

#[cfg(test)]
mod tests {
    use domain::{geometry::Quad, reading::Lattice};

    use super::*;
    use crate::forms::FormSet;

    fn line(text: &str, left: f32, top: f32) -> Line {
        let count = text.chars().count() as f32;
        Line {
            quad: Quad::rectangle(left, top, 30.0 * count, 30.0),
            text: text.chars().collect(),
            spans: (0..text.chars().count()).map(|i| (i as f32 / count, (i + 1) as f32 / count)).collect(),
            confidence: 0.9,
            lattice: Lattice::default(),
        }
    }

    #[test]
    fn two_characters_of_a_label_are_made_one_line() {
        let forms = FormSet::embedded().unwrap();
        let licence = forms.get("licence").unwrap();
        let lines = [
            line("住", 0.0, 0.0),
            line("所", 110.0, 2.0),
            line("天津市", 200.0, 0.0),
            line("所", 900.0, 0.0),
        ];

        let texts: Vec<String> = joined(licence, &lines).iter().map(Line::string).collect();

        assert_eq!(texts, ["住所", "天津市", "所"]);
        assert_eq!(joined(licence, &lines[2..]).len(), 2);
    }
}
