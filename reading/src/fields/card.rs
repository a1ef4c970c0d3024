//! Reading a card whose layout is known: values are looked for where they stand.

use domain::{
    geometry::{Point, Quad},
    reading::{FieldReading, PaperKind},
};
use image::RgbImage;

use super::{
    number_row,
    rows::{self, Piece, Row},
    value::{self, Ink, InkLine},
};
use crate::{
    candidates::{Bearer, Known},
    engines::Engines,
    forms::{FieldPlan, Form, ValueKind},
    frame::Frame,
    lines::{Line, find_label, part},
    prepare::{
        geometry::QuadMeasure,
        ink::{self, Room},
    },
    recognition::RecognitionError,
};

/// Where the first row of a value of several lines stands below the top of its place.
const FIRST_ROW: f32 = 0.07;
/// Height of the print on a card, with the margin a detector leaves.
const PRINT_HEIGHT_MM: f32 = 3.6;
/// Distance of two rows of it.
const ROW_PITCH: f32 = 0.087;

/// The fields of a card that are not `settled`.
///
/// # Errors
/// An engine failed.
pub fn read(
    page: &RgbImage,
    form: &Form,
    frame: &Frame,
    lines: &[Line],
    settled: &[FieldReading],
    engines: &mut Engines,
) -> Result<Vec<FieldReading>, RecognitionError> {
    let size = form.size_mm.unwrap_or([85.6, 54.0]);
    let pieces = pieces(form, frame, size, lines);
    let mut inks: Vec<(Option<[f32; 4]>, Ink)> = Vec::new();
    for plan in &form.fields {
        // Both ends of a term are one piece of ink.
        if is_settled(form, plan, settled) || inks.iter().any(|(place, _)| *place == plan.place) {
            continue;
        }
        let lines = lines_of(page, plan, frame, size, &pieces);
        let mut ink = value::read(page, plan, &lines, &on_card(form), engines)?;
        if plan.kind == ValueKind::IdNumber && !engines.is_out_of_time() {
            ink = number_row::read(page, plan, (frame, size), ink, &on_card(form), engines)?;
        }
        inks.push((plan.place, ink));
    }
    decide(page, form, inks, settled, engines)
}

/// Whether everything that stands in the place of a field is known already.
fn is_settled(form: &Form, plan: &FieldPlan, settled: &[FieldReading]) -> bool {
    let mut here = form.fields.iter().filter(|other| other.place == plan.place);
    here.all(|other| settled.iter().any(|field| field.field == other.field))
}

/// What the values of a card are known to stand on.
fn on_card(form: &Form) -> Known {
    let is_resident = matches!(form.paper, PaperKind::IdCardFront | PaperKind::IdCardBack);
    Known { bearer: if is_resident { Bearer::ResidentCard } else { Bearer::Form }, ..Known::default() }
}

/// The number first, for it tells sex and birth.
fn decide(
    page: &RgbImage,
    form: &Form,
    mut inks: Vec<(Option<[f32; 4]>, Ink)>,
    settled: &[FieldReading],
    engines: &mut Engines,
) -> Result<Vec<FieldReading>, RecognitionError> {
    let is_number = |plan: &FieldPlan| plan.kind == ValueKind::IdNumber;
    let number = form.fields.iter().find(|plan| is_number(plan));
    let number = settled.iter().find(|field| number.is_some_and(|plan| plan.field == field.field));
    let mut known = Known { id_number: number.and_then(|field| field.text.clone()), ..on_card(form) };
    let mut fields: Vec<Option<FieldReading>> = vec![None; form.fields.len()];
    for number_first in [true, false] {
        for (index, plan) in
            form.fields.iter().enumerate().filter(|(_, plan)| is_number(plan) == number_first)
        {
            let Some((_, ink)) = inks.iter_mut().find(|(place, _)| *place == plan.place) else { continue };
            if ink.readings.is_empty() {
                continue;
            }
            *ink = value::look_again(page, plan, ink.clone(), &known, engines)?;
            let field = value::field(plan, ink, &known);
            if number_first {
                known.id_number.clone_from(&field.text);
            }
            fields[index] = Some(field);
        }
    }
    Ok(fields.into_iter().flatten().collect())
}

/// What is left of the lines inside the card when labels are taken out.
fn pieces(form: &Form, frame: &Frame, size: [f32; 2], lines: &[Line]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in lines.iter().filter(|line| !super::marks::is_stamp(line)) {
        for (from, to) in without_labels(form, line) {
            let quad = line.part(from, to);
            let (start, end) = ends(&quad, frame, size);
            let inside =
                |point: Point| (-0.05..=1.05).contains(&point.x) && (-0.05..=1.05).contains(&point.y);
            if inside(start) && inside(end) {
                pieces.push(Piece { quad, start, end });
            }
        }
    }
    pieces
}

fn ends(quad: &Quad, frame: &Frame, size: [f32; 2]) -> (Point, Point) {
    let [a, b, c, d] = quad.0;
    let place = |p: Point, q: Point| {
        let middle = Point { x: p.x.midpoint(q.x), y: p.y.midpoint(q.y) };
        let on_card = frame.to_card.apply(middle);
        Point { x: on_card.x / size[0], y: on_card.y / size[1] }
    };
    (place(a, d), place(b, c))
}

/// The stretches of a line between the labels in it, as fractions.
fn without_labels(form: &Form, line: &Line) -> Vec<(f32, f32)> {
    let mut taken = vec![false; line.text.len()];
    let labels = form
        .fields
        .iter()
        .flat_map(|plan| &plan.labels)
        .chain(form.anchors.iter().filter_map(|a| a.text.as_ref()));
    for label in labels {
        let label: Vec<char> = label.chars().collect();
        if let Some((start, end, _)) = find_label(&line.text, &label, 0) {
            taken[start..end].fill(true);
        }
    }
    if !taken.contains(&true) {
        return vec![(0.0, 1.0)];
    }
    let mut stretches = Vec::new();
    let mut start = 0;
    for index in 0..=taken.len() {
        if taken.get(index).copied().unwrap_or(true) {
            if index > start {
                let from =
                    if start == 0 { 0.0 } else { line.spans[start - 1].1.midpoint(line.spans[start].0) };
                let to = if index == taken.len() {
                    1.0
                } else {
                    line.spans[index - 1].1.midpoint(line.spans[index].0)
                };
                stretches.push((from, to));
            }
            start = index + 1;
        }
    }
    stretches
}

/// The ink of a field: the rows in its place, and what ink there is where a row must be but none was found.
fn lines_of(
    page: &RgbImage,
    plan: &FieldPlan,
    frame: &Frame,
    size: [f32; 2],
    pieces: &[Piece],
) -> Vec<InkLine> {
    let Some(place) = plan.place else { return Vec::new() };
    let [left, top, right, bottom] = place;
    let mine: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| {
            let middle = piece.start.x.midpoint(piece.end.x);
            let begins = (left - 0.15..right).contains(&piece.start.x);
            (top..bottom).contains(&piece.level()) && middle > left && begins
        })
        .collect();
    let outline = frame.outline(size);
    let mine = rows::level_pieces(&mine, outline.angle(), PRINT_HEIGHT_MM * outline.width() / size[0]);
    let mut found = rows::rows(&mine, 0.045);
    if plan.lines > 1 {
        found.retain(|row| row.start < left + 0.08);
    }
    found.truncate(usize::from(plan.lines));
    let levels = if plan.lines > 1 {
        rows::missing_levels(&found, top + FIRST_ROW, ROW_PITCH, right, usize::from(plan.lines))
    } else if found.is_empty() {
        vec![top.midpoint(bottom)]
    } else {
        Vec::new()
    };
    let scale = outline.width();
    let mut lines: Vec<(f32, InkLine)> =
        found.iter().map(|row| (row.level, line_of_row(row, left, right, scale))).collect();
    for level in levels {
        let half = if plan.lines > 1 { 0.45 * ROW_PITCH } else { 0.055_f32.min((bottom - top) / 2.0) };
        if let Some(line) = unseen(page, [left, level - half, right, level + half], frame, size) {
            lines.push((level, line));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line_of_row(row: &Row, left: f32, right: f32, scale: f32) -> InkLine {
    // What begins left of its place has a label in it that was not recognised as one.
    let cut = ((left - 0.01 - row.start) / (row.end - row.start).max(0.01)).clamp(0.0, 0.9);
    let quad = if cut > 0.08 { part(&row.quad, cut, 1.0) } else { row.quad };
    let room = Room {
        left: ((row.start - left + 0.005).max(0.0)) * scale,
        right: ((right + 0.02 - row.end).max(0.0)) * scale,
    };
    InkLine { quad, room, guessed: false }
}

/// Ink in a part of the card where the detector saw no line.
fn unseen(page: &RgbImage, place: [f32; 4], frame: &Frame, size: [f32; 2]) -> Option<InkLine> {
    let [left, top, right, bottom] = place;
    let on_card =
        Quad::rectangle(left * size[0], top * size[1], (right - left) * size[0], (bottom - top) * size[1]);
    let quad = ink::trim(page, &frame.to_page.apply_quad(&on_card))?;
    Some(InkLine { quad, room: Room { left: 0.0, right: 0.0 }, guessed: true })
}
