//! Reading a slip: labels wherever they stand, values beside or below them.

use domain::{field::Confidence, geometry::Quad, reading::FieldReading};
use image::RgbImage;

use super::{
    segments::{Label, Segments, Value},
    value::{self, Ink, InkLine},
};
use crate::{
    candidates::Known,
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
/// A value below its label is at most this many line heights away.
const FARTHEST_BELOW: f32 = 2.6;
/// A value beside its label may stand this much higher or lower, in line heights.
const FARTHEST_BESIDE: f32 = 0.7;
/// Where nothing else stands to the right of a value, this many line heights are looked at.
const OPEN_ROOM: f32 = 4.0;

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
    let segments = Segments::of(form, lines);
    let owners = owners(form, &segments);
    let mut fields = Vec::new();
    for (index, plan) in form.fields.iter().enumerate() {
        let ink_lines = lines_of(page, form, plan, index, &segments, &owners);
        if ink_lines.is_empty() {
            continue;
        }
        let known = Known { patterns: plan.patterns.clone(), ..known.clone() };
        if let Some(field) = read_already(plan, &ink_lines, lines, &known) {
            fields.push(field);
            continue;
        }
        let ink: Ink = value::read(page, &ink_lines, engines)?;
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

/// For each value the index of the field it belongs to.
fn owners(form: &Form, segments: &Segments) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = vec![None; segments.values.len()];
    let mut named = vec![false; segments.values.len()];
    for (index, value) in segments.values.iter().enumerate() {
        // A number of known shape needs no label; the barcode it stands under has none.
        if let Some(field) = by_pattern(form, value) {
            owners[index] = Some(field);
            named[index] = true;
        } else if let Some(label) = label_of(value, segments) {
            owners[index] = label.field;
            named[index] = true;
        }
    }
    follow_left_neighbours(segments, &mut owners, &mut named);
    // A row without a label of its own goes on with the value above it.
    for index in 0..segments.values.len() {
        if owners[index].is_none() && !named[index] {
            owners[index] = continued(form, &segments.values[index], segments, &owners);
        }
    }
    owners
}

/// A piece that begins where another ends on the same row is the rest of it, whatever stands above.
fn follow_left_neighbours(segments: &Segments, owners: &mut [Option<usize>], named: &mut [bool]) {
    let mut order: Vec<usize> = (0..segments.values.len()).collect();
    order.sort_by(|a, b| left_of(&segments.values[*a].quad).total_cmp(&left_of(&segments.values[*b].quad)));
    for &index in &order {
        let quad = &segments.values[index].quad;
        let height = quad.height();
        let neighbour = order.iter().copied().find(|&other| {
            let gap = (left_of(quad) - right_of(&segments.values[other].quad)) / height;
            other != index
                && named[other]
                && (-0.6..1.0).contains(&gap)
                && segments.same_row(&segments.values[other].quad, quad)
        });
        if let Some(other) = neighbour {
            owners[index] = owners[other];
            named[index] = true;
        }
    }
}

/// The label a value belongs to: one that ends left of it on its row or nearly so, or one above it that begins
/// where it begins; the nearest of all.
fn label_of<'a>(value: &Value, segments: &'a Segments) -> Option<&'a Label> {
    let cost = |label: &Label| {
        beside(value, label, segments).into_iter().chain(below(value, label)).reduce(f32::min)
    };
    segments
        .labels
        .iter()
        .filter_map(|label| cost(label).map(|cost| (cost, label)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, label)| label)
}

/// How far a value is from a label to its left.
fn beside(value: &Value, label: &Label, segments: &Segments) -> Option<f32> {
    let height = value.quad.height();
    let apart = segments.apart(&label.quad, &value.quad);
    let gap = (left_of(&value.quad) - right_of(&label.quad)) / height;
    (apart < FARTHEST_BESIDE && gap > -0.6).then(|| 3.0 * apart + 0.25 * gap.max(0.0))
}

/// How far a value is from a label above it.
fn below(value: &Value, label: &Label) -> Option<f32> {
    let height = value.quad.height();
    let slope = value.quad.angle().tan();
    let (here, there) = (value.quad.centre(), label.quad.centre());
    let gap = (here.y - there.y - slope * (here.x - there.x)) / height;
    let indent = (left_of(&label.quad) - left_of(&value.quad)).abs() / height;
    ((0.5..FARTHEST_BELOW).contains(&gap) && indent < 1.2).then_some(0.8 * gap + 0.5 * indent)
}

fn by_pattern(form: &Form, value: &Value) -> Option<usize> {
    if value.text.chars().any(super::parse::is_han) {
        return None;
    }
    let code = super::parse::code(&value.text)?;
    form.fields.iter().position(|plan| plan.patterns.iter().any(|pattern| alike(&code, pattern)))
}

/// Whether a code read quickly, and perhaps with an error or two, has the shape of a pattern.
fn alike(code: &str, pattern: &str) -> bool {
    let (length, expected) = (code.chars().count(), pattern.chars().count());
    let letters = code.chars().take(2).filter(char::is_ascii_alphabetic).count();
    length.abs_diff(expected) <= 2 && length >= 12 && letters >= 1
}

/// The field of the value above, if it takes several lines, begins at the same place, and nothing stands to the left.
fn continued(form: &Form, value: &Value, segments: &Segments, owners: &[Option<usize>]) -> Option<usize> {
    let height = value.quad.height();
    let alone = !segments.values.iter().any(|other| {
        segments.same_row(&other.quad, &value.quad) && right_of(&other.quad) < left_of(&value.quad)
    });
    segments.values.iter().zip(owners).find_map(|(other, owner)| {
        let field = (*owner)?;
        let gap = (value.quad.centre().y - other.quad.centre().y) / height;
        let aligned = (left_of(&other.quad) - left_of(&value.quad)).abs() < 1.2 * height;
        ((0.6..2.0).contains(&gap) && aligned && alone && form.fields[field].lines > 1).then_some(field)
    })
}

/// The ink of a field, row by row.
fn lines_of(
    page: &RgbImage,
    form: &Form,
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
    mine.sort_by(|a, b| a.quad.centre().y.total_cmp(&b.quad.centre().y));
    let mut rows: Vec<Quad> = Vec::new();
    for value in mine {
        match rows.iter_mut().find(|row| segments.same_row(row, &value.quad)) {
            Some(row) => *row = segments.joined(row, &value.quad),
            None => rows.push(value.quad),
        }
    }
    keep_aligned(&mut rows);
    rows.truncate(usize::from(plan.lines));
    if rows.is_empty() {
        return unseen(page, form, plan, field, segments).into_iter().collect();
    }
    rows.iter().map(|row| InkLine { quad: *row, room: room(row, segments), guessed: false }).collect()
}

/// Rows of one value begin at the same place; what does not belongs to something beside it.
fn keep_aligned(rows: &mut Vec<Quad>) {
    let Some(widest) = rows.iter().max_by(|a, b| a.width().total_cmp(&b.width())).copied() else { return };
    let slope = widest.angle().tan();
    rows.retain(|row| {
        let drift = slope * (row.centre().y - widest.centre().y);
        (left_of(row) + drift - left_of(&widest)).abs() < 1.5 * widest.height()
    });
}

/// Space up to the next thing on the row.
fn room(quad: &Quad, segments: &Segments) -> Room {
    let height = quad.height();
    let mut room = Room { left: height, right: OPEN_ROOM * height };
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
fn unseen(
    page: &RgbImage,
    _form: &Form,
    plan: &FieldPlan,
    field: usize,
    segments: &Segments,
) -> Option<InkLine> {
    let label = segments.labels.iter().find(|label| label.field == Some(field))?;
    if !plan.required || plan.kind == ValueKind::SlipNumber {
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
fn left_of(quad: &Quad) -> f32 {
    quad.0[0].x.midpoint(quad.0[3].x)
}

/// Rightmost place of it.
fn right_of(quad: &Quad) -> f32 {
    quad.0[1].x.midpoint(quad.0[2].x)
}
