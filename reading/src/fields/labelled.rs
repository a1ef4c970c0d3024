//! Reading a slip: labels wherever they stand, values beside or below them.

use domain::{field::Confidence, geometry::Quad, reading::FieldReading};
use image::RgbImage;

use super::{
    owners, parse,
    segments::{Segments, Value},
    value::{self, Ink, InkLine},
    worn_labels,
};
use crate::{
    candidates::{self, Known},
    engines::Engines,
    forms::{FieldPlan, Form, ValueKind},
    lines::Line,
    prepare::{
        geometry::QuadMeasure,
        ink::{self, Room},
    },
    recognition::RecognitionError,
};

/// A minor value read by the quick reader with more confidence is not read again.
const CLEAR: f32 = 0.95;
/// Where nothing else stands to the right of a value, this many line heights are looked at.
const OPEN_ROOM: f32 = 4.0;
/// The same to the left, where a first character may be too faint for the detector.
const OPEN_ROOM_LEFT: f32 = 2.0;

/// The fields of a slip.
///
/// # Errors
/// An engine failed.
pub fn read(
    page: &RgbImage,
    form: &Form,
    lines: &[Line],
    known: &Known,
    engines: &mut Engines,
) -> Result<Vec<FieldReading>, RecognitionError> {
    let mut segments = Segments::of(form, lines);
    let mut owners = owners::owners(form, &segments);
    if worn_labels::find(page, form, &mut segments, &owners, engines)? {
        owners = owners::owners(form, &segments);
    }
    let mut fields = Vec::new();
    for (index, plan) in form.fields.iter().enumerate() {
        if plan.kind == ValueKind::Mrz {
            continue;
        }
        // Both ends of a term are one piece of ink, which belongs to the first of them.
        let owner = form.fields.iter().position(|other| plan.shares_its_ink_with(other)).unwrap_or(index);
        let ink_lines = lines_of(page, plan, owner, &segments, &owners);
        if ink_lines.is_empty() {
            continue;
        }
        let (patterns, papers) = (plan.patterns.clone(), plan.papers.clone());
        let known = Known { patterns, papers, ..known.clone() };
        if let Some(field) = read_already(plan, &ink_lines, lines, &known) {
            fields.push(field);
            continue;
        }
        let ink: Ink = value::read(page, plan, &ink_lines, &known, engines)?;
        let ink = value::look_again(page, plan, ink, &known, engines)?;
        let mut field = value::field(plan, &ink, &known);
        if field.text.as_deref().is_some_and(|text| is_label(form, text)) {
            // What was taken for a value is a label that the quick reader could not read.
            field.text = None;
            field.confidence = Confidence::NONE;
        }
        fields.push(field);
    }
    Ok(fields)
}

/// What the quick reader is good enough for: fields nobody is blamed for, on a line of their own, clearly read.
fn read_already(plan: &FieldPlan, ink: &[InkLine], lines: &[Line], known: &Known) -> Option<FieldReading> {
    let minor = matches!(plan.kind, ValueKind::Text | ValueKind::Code | ValueKind::Date) && !plan.required;
    let [only] = ink else { return None };
    let line = lines.iter().find(|line| line.quad == only.quad)?;
    (minor && line.confidence > CLEAR).then(|| value::field(plan, &Ink::read_quickly(line), known))
}

fn is_label(form: &Form, text: &str) -> bool {
    let text = text.trim_matches(':');
    let others = form.other_labels.iter().flat_map(|other| &other.texts);
    form.fields.iter().flat_map(|plan| &plan.labels).chain(others).any(|label| label == text)
}

/// The ink of a field, row by row.
fn lines_of(
    page: &RgbImage,
    plan: &FieldPlan,
    field: usize,
    segments: &Segments,
    owners: &[Option<usize>],
) -> Vec<InkLine> {
    let mut mine: Vec<&Value> = segments
        .values
        .iter()
        .zip(owners)
        .filter(|(_, owner)| **owner == Some(field))
        .map(|(value, _)| value)
        .collect();
    sort_by_row(&mut mine, segments);
    let mut rows: Vec<Quad> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    for value in mine {
        if let Some(at) = rows.iter().position(|row| segments.same_row(row, &value.quad)) {
            rows[at] = segments.joined(&rows[at], &value.quad);
            texts[at].push_str(&value.text);
        } else {
            rows.push(value.quad);
            texts.push(value.text.clone());
        }
    }
    if plan.kind == ValueKind::Address {
        rows.truncate(rows_of_one_address(&texts));
    }
    keep_aligned(&mut rows, segments);
    rows.truncate(usize::from(plan.lines));
    if rows.is_empty() {
        return unseen(page, plan, field, segments).into_iter().collect();
    }
    rows.iter().map(|row| InkLine { quad: *row, room: room(row, segments), guessed: false }).collect()
}

/// How many rows belong to the address that begins on the first: behind a door's number a name or another region is a
/// value whose own label was lost.
fn rows_of_one_address(rows: &[String]) -> usize {
    let is_ended = |row: &String| row.chars().last().is_some_and(|c| "号室户".contains(c));
    let is_name = |row: &String| {
        NAME_LENGTHS.contains(&row.chars().count())
            && row.chars().all(|c| parse::is_han(c) && !OF_ADDRESSES.contains(c))
    };
    let is_new = |row: &String| is_name(row) || candidates::begins_with_region(row);
    let next = rows.windows(2).position(|pair| is_ended(&pair[0]) && is_new(&pair[1]));
    next.map_or(rows.len(), |last| last + 1)
}

/// Characters of a name in Han.
const NAME_LENGTHS: std::ops::RangeInclusive<usize> = 2..=4;
/// What addresses hold and names hardly do.
const OF_ADDRESSES: &str = "号楼栋幢室户门层院村组路街巷弄道园区苑城里坊屯社队元";

/// Sorts from top to bottom of the paper: where it slants, the end of a row may stand below the next one.
fn sort_by_row(values: &mut [&Value], segments: &Segments) {
    let Some(widest) = values.iter().max_by(|a, b| a.quad.width().total_cmp(&b.quad.width())) else { return };
    let slope = segments.slope_of(&widest.quad).tan();
    let down = |value: &Value| {
        let [start, .., end] = value.quad.0;
        start.y.midpoint(end.y) - slope * left_of(&value.quad)
    };
    values.sort_by(|a, b| down(a).total_cmp(&down(b)));
}

/// Rows of one value begin at the same place; what does not belongs to something beside it.
fn keep_aligned(rows: &mut Vec<Quad>, segments: &Segments) {
    let Some(widest) = rows.iter().max_by(|a, b| a.width().total_cmp(&b.width())).copied() else { return };
    let slope = segments.slope_of(&widest).tan();
    rows.retain(|row| {
        let drift = slope * (row.centre().y - widest.centre().y);
        (left_of(row) + drift - left_of(&widest)).abs() < owners::LARGEST_INDENT * widest.height()
    });
}

/// Space up to the next thing on the row.
fn room(quad: &Quad, segments: &Segments) -> Room {
    let height = quad.height();
    let mut room = Room { left: OPEN_ROOM_LEFT * height, right: OPEN_ROOM * height };
    let others = segments
        .labels
        .iter()
        .map(|label| &label.quad)
        .chain(segments.values.iter().map(|value| &value.quad));
    for other in others.filter(|other| segments.same_row(other, quad)) {
        if left_of(other) >= right_of(quad) - 0.3 * height {
            room.right = room.right.min((left_of(other) - right_of(quad) - 0.1 * height).max(0.0));
        }
        if right_of(other) <= left_of(quad) + 0.3 * height {
            // The end of a label is known to half a character only.
            room.left = room.left.min((left_of(quad) - right_of(other) - 0.1 * height).max(0.5 * height));
        }
    }
    room
}

/// Ink right of a label whose value the detector did not see: a lone character, faint print.
fn unseen(page: &RgbImage, plan: &FieldPlan, field: usize, segments: &Segments) -> Option<InkLine> {
    let label = segments.labels.iter().find(|label| label.field == Some(field))?;
    // A lone 男 or 女 is what detectors miss most.
    let is_wanted = plan.required || plan.kind == ValueKind::Sex;
    if !is_wanted || plan.kind == ValueKind::SlipNumber {
        return None;
    }
    let height = label.quad.height();
    let space = room(&label.quad, segments).right.max(OPEN_ROOM * height);
    let from = label.quad.grown(-label.quad.width() - 0.1 * height, space, 0.0);
    let quad = ink::trim(page, &from)?;
    (quad.width() > 0.5 * height).then_some(InkLine {
        quad,
        room: Room { left: 0.0, right: 3.0 * height },
        guessed: true,
    })
}

/// Leftmost place of the first side.
pub(super) fn left_of(quad: &Quad) -> f32 {
    quad.0[0].x.midpoint(quad.0[3].x)
}

/// Rightmost place of it.
pub(super) fn right_of(quad: &Quad) -> f32 {
    quad.0[1].x.midpoint(quad.0[2].x)
}

#[cfg(test)]
mod tests {
    use domain::{geometry::Point, reading::Lattice};

    use super::*;
    use crate::forms::FormSet;

    /// A line that begins at a place and runs `length` to the right on a page that slants.
    fn line(text: &str, left: f32, top: f32, length: f32) -> Line {
        let count = text.chars().count() as f32;
        let corner = |along: f32, down: f32| Point { x: left + along, y: top + down + 0.15 * along };
        Line {
            quad: Quad([corner(0.0, 0.0), corner(length, 0.0), corner(length, 30.0), corner(0.0, 30.0)]),
            text: text.chars().collect(),
            spans: (0..text.chars().count()).map(|at| (at as f32 / count, (at + 1) as f32 / count)).collect(),
            confidence: 1.0,
            lattice: Lattice::default(),
        }
    }

    #[test]
    fn a_name_or_a_region_behind_a_door_is_another_value() {
        let count = |rows: &[&str]| {
            rows_of_one_address(&rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>())
        };

        assert_eq!(count(&["河北省邢台市南和区银杏大街489号", "云锦东方44号楼2门206号", "李浩然"]), 2);
        assert_eq!(count(&["福建省福州市台江区民族巷777号", "福建省福州"]), 1);
        assert_eq!(count(&["四川省成都市金堂县丹桂街1", "0幢6门2804室"]), 2);
        assert_eq!(count(&["四川省成都市金堂县丹桂街10号", "丽水园"]), 2);
        assert_eq!(count(&[]), 0);
    }

    #[test]
    fn rows_of_a_slanting_page_stay_in_order() {
        let forms = FormSet::embedded().unwrap();
        let lines = [
            line("四川省成都市金堂县丹桂街", 100.0, 100.0, 600.0),
            line("0幢6门2804室", 96.0, 136.0, 100.0),
            line("四川省成都市金堂县丹桂街", 94.0, 300.0, 600.0),
        ];
        let segments = Segments::of(forms.get("service_confirmation").unwrap(), &lines);
        let mut values: Vec<&Value> =
            segments.values.iter().filter(|value| value.quad.0[0].y < 200.0).collect();

        sort_by_row(&mut values, &segments);

        let texts: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
        assert_eq!(texts, ["四川省成都市金堂县丹桂街", "0幢6门2804室"]);
    }
}
