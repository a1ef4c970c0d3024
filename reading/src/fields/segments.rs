//! The lines of a slip cut into labels and values.

use domain::geometry::{Point, Quad};

use super::slope::Slope;
use crate::{
    forms::Form,
    lines::{Line, find_label},
    prepare::geometry::{QuadMeasure, least_rectangle},
    recognition::ctc,
};

/// A worn label is named when its ink is at least this likely, as a natural logarithm for each character.
const LEAST_LABEL: f64 = -4.5;
/// A label read with less confidence is read again.
const WORN: f32 = 0.6;
/// It must lead the next name by as much.
const LEAST_LEAD: f64 = 0.5;
/// Quads closer than this across their rows, in heights, are level.
const SAME_ROW: f32 = 0.55;
/// Pieces of one row overlap by no more than this share of the shorter one.
const MOST_OVERLAP: f32 = 0.35;
/// So many lone characters one below the other are words down the side of a table.
const COLUMN: usize = 3;

/// Words printed before a value.
#[derive(Debug, Clone)]
pub struct Label {
    /// Where they are.
    pub quad: Quad,
    /// Index of the field they belong to; `None` for values that are not read.
    pub field: Option<usize>,
    /// Characters that differ from the label.
    pub differences: usize,
    /// Whether it says where to sign.
    pub is_signature: bool,
}

/// Anything else.
#[derive(Debug, Clone)]
pub struct Value {
    /// Where it is.
    pub quad: Quad,
    /// What the quick reader made of it.
    pub text: String,
}

/// A slip's labels and values.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    /// In no order.
    pub labels: Vec<Label>,
    /// Top to bottom, left to right.
    pub values: Vec<Value>,
    /// How its rows run.
    slope: Slope,
}

/// One label of a form with the field it belongs to.
struct Word {
    text: Vec<char>,
    field: Option<usize>,
    is_signature: bool,
}

/// A label seen in a line: characters from and to, whose it is, and how many characters differ.
#[derive(Debug, Clone, Copy)]
struct Seen {
    from: usize,
    to: usize,
    field: Option<usize>,
    differences: usize,
    is_signature: bool,
}

impl Segments {
    /// Cuts every line at the labels in it.
    pub fn of(form: &Form, lines: &[Line]) -> Self {
        let words = words(form);
        let mut segments = Self { slope: Slope::of(lines), ..Self::default() };
        for line in lines {
            if is_value(form, line) {
                segments.push_value(line, 0, line.text.len());
            } else if !is_paragraph(form, line) && !is_title(form, line) {
                segments.cut(line, &words);
            }
        }
        segments.drop_words_down_the_side();
        segments.name_what_is_left(&words, lines);
        segments.values.sort_by(|a, b| a.quad.centre().y.total_cmp(&b.quad.centre().y));
        segments
    }

    /// Worn labels: a short line that nothing reads as a label, left of something else, takes the name that best
    /// explains its ink, if no other line has it and none comes close.
    fn name_what_is_left(&mut self, words: &[Word], lines: &[Line]) {
        let mut index = 0;
        while index < self.values.len() {
            let value = &self.values[index];
            let line = lines.iter().find(|line| line.quad == value.quad);
            let followed = self.values.iter().any(|other| {
                let gap = other.quad.0[0].x - value.quad.0[1].x;
                self.same_row(&value.quad, &other.quad)
                    && gap > -0.5 * value.quad.height()
                    && gap < 12.0 * value.quad.height()
            });
            let named = line
                .filter(|line| followed && (2..=9).contains(&line.text.len()))
                .and_then(|line| self.best_name(line, words));
            match named {
                Some(field) => {
                    let value = self.values.remove(index);
                    self.labels.push(Label {
                        quad: value.quad,
                        field: Some(field),
                        differences: 2,
                        is_signature: false,
                    });
                }
                None => index += 1,
            }
        }
    }

    /// Where to sign, when no line reads so: the line that none reads as a label and whose ink one of the words
    /// for it explains best.
    pub(super) fn worn_signature_label(&self, form: &Form, lines: &[Line]) -> Option<Quad> {
        let plan = form.signature.as_ref()?;
        let is_free = |line: &&Line| {
            (3..=12).contains(&line.text.len()) && self.labels.iter().all(|label| label.quad != line.quad)
        };
        let explained = |line: &Line| {
            let each = |label: &String| {
                let with_colon = format!("{label}:");
                let of = |text: &str| ctc::log_likelihood(&line.lattice, text) / text.chars().count() as f64;
                of(label).max(of(&with_colon))
            };
            let long = plan.labels.iter().filter(|label| label.chars().count() >= 3);
            long.map(each).fold(f64::MIN, f64::max)
        };
        let best = lines
            .iter()
            .filter(is_free)
            .map(|line| (explained(line), line))
            .max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 > LEAST_LABEL).then_some(best.1.quad)
    }

    fn best_name(&self, line: &Line, words: &[Word]) -> Option<usize> {
        let taken = |field: usize| self.labels.iter().any(|label| label.field == Some(field));
        let mut best: Option<(f64, usize)> = None;
        let mut second = f64::MIN;
        for word in words.iter().filter(|word| word.text.len() >= 3) {
            let text: String = word.text.iter().collect();
            let with_colon = format!("{text}:");
            let each = [text, with_colon]
                .iter()
                .map(|text| ctc::log_likelihood(&line.lattice, text) / text.chars().count() as f64)
                .fold(f64::MIN, f64::max);
            if best.is_none_or(|(known, _)| each > known) {
                if let Some((known, field)) = best
                    && Some(field) != word.field
                {
                    second = second.max(known);
                }
                best = word.field.map(|field| (each, field)).or(Some((each, usize::MAX)));
            } else if best.is_some_and(|(_, field)| Some(field) != word.field) {
                second = second.max(each);
            }
        }
        let (each, field) = best?;
        let clear = each > LEAST_LABEL && each - second > LEAST_LEAD;
        (clear && field != usize::MAX && !taken(field)).then_some(field)
    }

    fn cut(&mut self, line: &Line, words: &[Word]) {
        let found = labels_in(line, words);
        let mut start = 0;
        for Seen { from, to, field, differences, is_signature } in found {
            // One or two characters before a label are a part of it: 有效, an asterisk, a number.
            if from > start + 2 || start > 0 {
                self.push_value(line, start, from);
            }
            let quad = line.part(edge(line, from), edge(line, to));
            self.labels.push(Label { quad, field, differences, is_signature });
            start = to;
        }
        self.push_value(line, start, line.text.len());
    }

    fn push_value(&mut self, line: &Line, mut from: usize, to: usize) {
        while from < to && matches!(line.text[from], ':' | '：' | '.' | '·' | '|' | ',' | ';') {
            from += 1;
        }
        let lone_mark = to == from + 1 && !super::parse::is_han(line.text[from]) && line.text.len() == 1;
        if from < to && !lone_mark {
            let quad = if from == 0 && to == line.text.len() {
                line.quad
            } else {
                line.part(edge(line, from), edge(line, to))
            };
            self.values.push(Value { quad, text: line.text[from..to].iter().collect() });
        }
    }

    /// Whether two quads stand on one row of the page: level with each other, and beside each other.
    pub fn same_row(&self, a: &Quad, b: &Quad) -> bool {
        self.apart(a, b) < SAME_ROW && self.overlap(a, b) < MOST_OVERLAP
    }

    /// How much two quads overlap along their row, as a share of the shorter one.
    fn overlap(&self, a: &Quad, b: &Quad) -> f32 {
        let tilt = self.slope_of(if a.width() > b.width() { a } else { b });
        let along = |p: Point| p.x * tilt.cos() + p.y * tilt.sin();
        let ends = |quad: &Quad| {
            let [start, top, bottom, end] = [quad.0[0], quad.0[1], quad.0[2], quad.0[3]].map(along);
            (start.midpoint(end), top.midpoint(bottom))
        };
        let ((a0, a1), (b0, b1)) = (ends(a), ends(b));
        (a1.min(b1) - a0.max(b0)) / (a1 - a0).min(b1 - b0).max(1.0)
    }

    /// Characters one below the other beside a table name it; they are no values.
    fn drop_words_down_the_side(&mut self) {
        let is_lone =
            |value: &Value| value.text.chars().count() == 1 && value.text.chars().all(super::parse::is_han);
        let lone: Vec<Quad> =
            self.values.iter().filter(|value| is_lone(value)).map(|value| value.quad).collect();
        let below_another = |quad: &Quad| {
            let lean = self.slope_of(quad).tan();
            let in_column = |other: &&Quad| {
                let (here, there) = (quad.centre(), other.centre());
                (there.x - here.x + lean * (there.y - here.y)).abs() < quad.height()
            };
            lone.iter().filter(in_column).count() >= COLUMN
        };
        let dropped: Vec<bool> =
            self.values.iter().map(|value| is_lone(value) && below_another(&value.quad)).collect();
        let mut dropped = dropped.into_iter();
        self.values.retain(|_| dropped.next() != Some(true));
    }

    /// The field whose label a line read anew holds, the last of several.
    pub(super) fn label_read_in(form: &Form, line: &Line) -> Option<usize> {
        labels_in(line, &words(form)).into_iter().rev().find_map(|seen| seen.field)
    }

    /// How far the middles of two quads are apart across their rows, in heights of the higher one. The tilt is
    /// that of the longer one, or of its place: on a photograph it changes over the page.
    pub fn apart(&self, a: &Quad, b: &Quad) -> f32 {
        let longer = if a.width() > b.width() { a } else { b };
        let tilt = self.slope_of(longer);
        let (here, there) = (a.centre(), b.centre());
        let across = (there.y - here.y) * tilt.cos() - (there.x - here.x) * tilt.sin();
        across.abs() / a.height().max(b.height()).max(1.0)
    }

    /// Tilt of the row a quad stands in, radians.
    pub fn slope_of(&self, quad: &Quad) -> f32 {
        self.slope.of_quad(quad)
    }

    /// Two pieces of one row as one.
    pub fn joined(&self, a: &Quad, b: &Quad) -> Quad {
        let corners: Vec<Point> = a.0.iter().chain(&b.0).copied().collect();
        least_rectangle(&corners).unwrap_or(*a)
    }
}

/// Every label of the form, longest first, so that 代办人证件号码 is not taken for 证件号码.
fn words(form: &Form) -> Vec<Word> {
    let mut words = Vec::new();
    for (index, plan) in form.fields.iter().enumerate() {
        words.extend(plan.labels.iter().map(|label| Word {
            text: label.chars().collect(),
            field: Some(index),
            is_signature: false,
        }));
    }
    let others = form.other_labels.iter().flat_map(|other| &other.texts).map(|label| (label, false));
    let signature = form.signature.iter().flat_map(|plan| &plan.labels).map(|label| (label, true));
    words.extend(others.chain(signature).map(|(label, is_signature)| Word {
        text: label.chars().collect(),
        field: None,
        is_signature,
    }));
    words.sort_by_key(|word| std::cmp::Reverse(word.text.len()));
    words
}

/// Whether a line is a value that looks like a label, as 居民身份证 like 居民身份证号.
fn is_value(form: &Form, line: &Line) -> bool {
    let text = line.string();
    form.fields.iter().any(|plan| plan.values.contains(&text))
}

/// Whether a line is one of terms that nobody needs.
pub(super) fn is_paragraph(form: &Form, line: &Line) -> bool {
    let text = line.string();
    if line.text.len() < 12 || says_where_to_sign(form, &text) {
        return false;
    }
    let stops = line.text.iter().filter(|c| matches!(c, '。' | ',' | '，' | ';' | '、')).count();
    let numbered = line.text[0].is_ascii_digit() && line.text[1] == '、';
    stops >= 2
        || text.contains('。')
        || numbered
        || form.not_read.iter().any(|mark| text.contains(mark.as_str()))
}

/// Whether a line begins with a label of the signature and its colon; a long name may stand behind it.
fn says_where_to_sign(form: &Form, text: &str) -> bool {
    let labels = form.signature.iter().flat_map(|plan| &plan.labels);
    labels.filter_map(|label| text.strip_prefix(label.as_str())).any(|rest| rest.starts_with([':', '：']))
}

/// Whether a line may be a label the quick reader could not read.
pub fn is_worn_label(form: &Form, line: &Line) -> bool {
    let short = (2..=10).contains(&line.text.len()) && line.quad.width() > 1.5 * line.quad.height();
    short && line.confidence < WORN && labels_in(line, &words(form)).is_empty()
}

fn is_title(form: &Form, line: &Line) -> bool {
    form.titles.iter().any(|title| {
        let title: Vec<char> = title.chars().collect();
        line.text.len() <= title.len() + 2 && find_label(&line.text, &title, 0).is_some()
    })
}

/// The labels in a line, left to right. Of overlapping ones the longest with the fewest differences is taken.
fn labels_in(line: &Line, words: &[Word]) -> Vec<Seen> {
    let mut seen: Vec<(f32, Seen)> = Vec::new();
    for word in words {
        let mut start = 0;
        while let Some((from, to, differences)) = find_label(&line.text, &word.text, start) {
            start = to.max(from + 1);
            if stands_alone(line, from, to) {
                let worth = (to - from) as f32 - 1.2 * differences as f32;
                seen.push((
                    worth,
                    Seen { from, to, field: word.field, differences, is_signature: word.is_signature },
                ));
            }
        }
    }
    seen.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut found: Vec<Seen> = Vec::new();
    for (_, label) in seen {
        if found.iter().all(|other| label.to <= other.from || label.from >= other.to) {
            found.push(label);
        }
    }
    found.sort_by_key(|label| label.from);
    found
}

/// Whether what stands there is a label and not a part of a value: it begins its line or stands off from what is
/// before it, and a colon, space or the end of the line follows.
fn stands_alone(line: &Line, start: usize, end: usize) -> bool {
    let size = line.quad.height() / line.quad.width().max(1.0);
    let gap_before = start > 0 && line.spans[start].0 - line.spans[start - 1].1 > 0.5 * size;
    // One character before a long label is of words that run down the side of the table.
    let beside_column = start == 1 && end - start >= 4 && super::parse::is_han(line.text[0]);
    let opened =
        start == 0 || beside_column || gap_before || matches!(line.text[start - 1], ' ' | '|' | ';' | ')');
    let colon = line.text.get(end).is_some_and(|c| *c == ':');
    let gap_after = end < line.text.len() && line.spans[end].0 - line.spans[end - 1].1 > 0.3 * size;
    let bracket = line.text.get(end).is_some_and(|c| *c == '(');
    if end - start < 3 && !colon && end < line.text.len() && !gap_after {
        return false;
    }
    let closed = end == line.text.len() || colon || gap_after || bracket;
    (opened && (closed || start == 0 || beside_column)) || colon
}

/// Fraction of the line where the character `index` begins: halfway from the end of the one before it.
fn edge(line: &Line, index: usize) -> f32 {
    if index == 0 {
        return 0.0;
    }
    let before = line.spans[index - 1].1;
    match line.spans.get(index) {
        Some(span) => before.midpoint(span.0),
        None => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use domain::reading::Lattice;

    use super::*;
    use crate::forms::FormSet;

    fn line(text: &str, left: f32, top: f32) -> Line {
        let count = text.chars().count() as f32;
        let spans = (0..text.chars().count()).map(|i| (i as f32 / count, (i + 1) as f32 / count)).collect();
        Line {
            quad: Quad::rectangle(left, top, 30.0 * count, 30.0),
            text: text.chars().collect(),
            spans,
            confidence: 1.0,
            lattice: Lattice::default(),
        }
    }

    fn cut(lines: &[Line]) -> (Vec<String>, usize) {
        let forms = FormSet::embedded().unwrap();
        let segments = Segments::of(forms.get("service_confirmation").unwrap(), lines);
        (segments.values.iter().map(|value| value.text.clone()).collect(), segments.labels.len())
    }

    #[test]
    fn a_paper_is_a_value_though_it_looks_like_the_label_of_its_number() {
        let (values, labels) = cut(&[line("证件类型:", 0.0, 0.0), line("居民身份证", 200.0, 0.0)]);

        assert_eq!((values, labels), (vec!["居民身份证".to_owned()], 1));
    }

    #[test]
    fn a_long_name_behind_the_label_of_the_signature_is_no_paragraph() {
        let (values, labels) = cut(&[line("乙方签字:NGUYENTHILAN", 0.0, 0.0)]);
        assert_eq!((values, labels), (vec!["NGUYENTHILAN".to_owned()], 1));

        let (values, labels) = cut(&[line("乙方签字确认本人已阅读各项条款", 0.0, 0.0)]);
        assert_eq!((values.len(), labels), (0, 0));
    }

    #[test]
    fn words_down_the_side_of_a_table_are_no_values() {
        let side = ["用", "户", "信", "息"];
        let mut lines: Vec<Line> =
            side.iter().enumerate().map(|(row, text)| line(text, 0.0, 60.0 * row as f32)).collect();
        lines.push(line("汉", 400.0, 0.0));

        assert_eq!(cut(&lines).0, ["汉"]);
    }

    #[test]
    fn a_word_down_the_side_does_not_hide_the_label_behind_it() {
        let (values, labels) = cut(&[line("信联系地址贵州省贵阳市乌当区育才里242号", 0.0, 0.0)]);

        assert_eq!((values, labels), (vec!["贵州省贵阳市乌当区育才里242号".to_owned()], 1));
    }

    #[test]
    fn rows_that_lie_one_above_the_other_are_not_one() {
        let segments = Segments::default();
        let first = Quad::rectangle(0.0, 0.0, 300.0, 40.0);

        assert!(!segments.same_row(&first, &Quad::rectangle(10.0, 18.0, 200.0, 40.0)));
        assert!(segments.same_row(&first, &Quad::rectangle(320.0, 10.0, 200.0, 40.0)));
    }
}
