//! Reading a card whose layout is known: values are looked for where they stand.

use domain::{
    geometry::{Point, Quad},
    reading::FieldReading,
};
use image::RgbImage;

use super::value::{self, Ink, InkLine};
use crate::{
    candidates::Known,
    engines::Engines,
    forms::{FieldPlan, Form, ValueKind},
    frame::Frame,
    lines::{Line, find_label, part},
    prepare::{
        geometry::{QuadMeasure, least_rectangle},
        ink::{self, Room},
    },
    recognition::RecognitionError,
};

/// A piece of a line that is no label.
#[derive(Debug, Clone)]
struct Piece {
    quad: Quad,
    /// Middle of its left end, as fractions of the card.
    start: Point,
    /// Middle of its right end.
    end: Point,
}

/// The fields of a card.
///
/// # Errors
/// An engine failed.
pub fn read(
    page: &RgbImage,
    form: &Form,
    frame: &Frame,
    lines: &[Line],
    engines: &mut Engines,
) -> Result<Vec<FieldReading>, RecognitionError> {
    let size = form.size_mm.unwrap_or([85.6, 54.0]);
    let pieces = pieces(form, frame, size, lines);
    let mut inks: Vec<(Option<[f32; 4]>, Ink)> = Vec::new();
    for plan in &form.fields {
        // Both ends of a term are one piece of ink.
        if inks.iter().any(|(place, _)| *place == plan.place) {
            continue;
        }
        let lines = lines_of(page, plan, frame, size, &pieces);
        inks.push((plan.place, value::read(page, &lines, engines)?));
    }
    let ink_of = |plan: &FieldPlan| inks.iter().find(|(place, _)| *place == plan.place).map(|(_, ink)| ink);
    let mut known = Known::default();
    if let Some((plan, ink)) = form
        .fields
        .iter()
        .find(|plan| plan.kind == ValueKind::IdNumber)
        .and_then(|plan| ink_of(plan).map(|ink| (plan, ink)))
    {
        known.id_number = value::field(plan, ink, &known).text;
    }
    Ok(form
        .fields
        .iter()
        .filter_map(|plan| ink_of(plan).filter(|ink| !ink.readings.is_empty()).map(|ink| value::field(plan, ink, &known)))
        .collect())
}

/// What is left of the lines inside the card when labels are taken out.
fn pieces(form: &Form, frame: &Frame, size: [f32; 2], lines: &[Line]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in lines {
        for (from, to) in without_labels(form, line) {
            let quad = line.part(from, to);
            let (start, end) = ends(&quad, frame, size);
            let inside = |point: Point| (-0.05..=1.05).contains(&point.x) && (-0.05..=1.05).contains(&point.y);
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
        let middle = Point { x: (p.x + q.x) / 2.0, y: (p.y + q.y) / 2.0 };
        let on_card = frame.to_card.apply(middle);
        Point { x: on_card.x / size[0], y: on_card.y / size[1] }
    };
    (place(a, d), place(b, c))
}

/// The stretches of a line between the labels in it, as fractions.
fn without_labels(form: &Form, line: &Line) -> Vec<(f32, f32)> {
    let mut taken = vec![false; line.text.len()];
    let labels = form.fields.iter().flat_map(|plan| &plan.labels).chain(form.anchors.iter().filter_map(|a| a.text.as_ref()));
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
                let from = if start == 0 { 0.0 } else { (line.spans[start - 1].1 + line.spans[start].0) / 2.0 };
                let to = if index == taken.len() { 1.0 } else { (line.spans[index - 1].1 + line.spans[index].0) / 2.0 };
                stretches.push((from, to));
            }
            start = index + 1;
        }
    }
    stretches
}

/// The ink of a field: the pieces in its place, or, when nothing was found there, what ink there is.
fn lines_of(page: &RgbImage, plan: &FieldPlan, frame: &Frame, size: [f32; 2], pieces: &[Piece]) -> Vec<InkLine> {
    let Some(place) = plan.place else { return Vec::new() };
    let [left, top, right, bottom] = place;
    let mut mine: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| {
            let row = (piece.start.y + piece.end.y) / 2.0;
            let middle = (piece.start.x + piece.end.x) / 2.0;
            (top..bottom).contains(&row) && middle > left && piece.start.x < right && piece.start.x > left - 0.15
        })
        .collect();
    mine.sort_by(|a, b| a.start.y.total_cmp(&b.start.y));
    let rows = rows(&mine);
    if rows.is_empty() {
        return fallback(page, place, frame, size).into_iter().collect();
    }
    let scale = frame.outline(size).width();
    rows.iter()
        .take(usize::from(plan.lines))
        .map(|(quad, start, end)| {
            // What begins left of its place has a label in it that was not recognised as one.
            let cut = ((left - 0.01 - start) / (end - start).max(0.01)).clamp(0.0, 0.9);
            let quad = if cut > 0.08 { part(quad, cut, 1.0) } else { *quad };
            let room = Room {
                left: ((start - left + 0.005).max(0.0)) * scale,
                right: ((right + 0.02 - end).max(0.0)) * scale,
            };
            InkLine { quad, room }
        })
        .collect()
}

/// Pieces side by side joined: quad, left end, right end.
fn rows(pieces: &[&Piece]) -> Vec<(Quad, f32, f32)> {
    let mut rows: Vec<Vec<&Piece>> = Vec::new();
    for piece in pieces {
        let middle = |p: &Piece| (p.start.y + p.end.y) / 2.0;
        match rows.iter_mut().find(|row| row.iter().any(|other| (middle(other) - middle(piece)).abs() < 0.04)) {
            Some(row) => row.push(piece),
            None => rows.push(vec![piece]),
        }
    }
    rows.iter()
        .filter_map(|row| {
            let corners: Vec<Point> = row.iter().flat_map(|piece| piece.quad.0).collect();
            let start = row.iter().map(|piece| piece.start.x).fold(f32::MAX, f32::min);
            let end = row.iter().map(|piece| piece.end.x).fold(f32::MIN, f32::max);
            let quad = if let [only] = row[..] { Some(only.quad) } else { least_rectangle(&corners) };
            quad.map(|quad| (quad, start, end))
        })
        .collect()
}

/// Ink in the middle row of a place, where the detector saw no line.
fn fallback(page: &RgbImage, place: [f32; 4], frame: &Frame, size: [f32; 2]) -> Option<InkLine> {
    let [left, top, right, bottom] = place;
    let middle = (top + bottom) / 2.0;
    let half = 0.055_f32.min((bottom - top) / 2.0);
    let box_on_card = Quad::rectangle(
        left * size[0],
        (middle - half) * size[1],
        (right - left) * size[0],
        2.0 * half * size[1],
    );
    let quad = ink::trim(page, &frame.to_page.apply_quad(&box_on_card))?;
    Some(InkLine { quad, room: Room { left: 0.0, right: 0.0 } })
}
