//! Labels the detector did not see: looked for beside and above the values that belong to nothing.

use domain::geometry::Quad;
use image::RgbImage;

use super::{
    labelled::{left_of, right_of},
    segments::{Label, Segments, Value},
};
use crate::{
    engines::Engines,
    forms::Form,
    lines::Line,
    prepare::{geometry::QuadMeasure, ink, warp},
    recognition::RecognitionError,
};

/// Values looked at on one page.
const MOST_ORPHANS: usize = 6;
/// A label ends at most this many line heights left of its value.
const FARTHEST: f32 = 14.0;
/// A label above a value is read this many line heights wide.
const ABOVE_WIDTH: f32 = 8.0;
/// Space narrower than this many line heights holds no label.
const NARROWEST: f32 = 1.5;

/// Adds the labels that are found for values without one, while required fields have no value. Says whether any
/// was.
///
/// # Errors
/// An engine failed.
pub(super) fn find(
    page: &RgbImage,
    form: &Form,
    segments: &mut Segments,
    owners: &[Option<usize>],
    engines: &mut Engines,
) -> Result<bool, RecognitionError> {
    let lacking: Vec<usize> = (0..form.fields.len())
        .filter(|field| form.fields[*field].required && !owners.contains(&Some(*field)))
        .collect();
    if lacking.is_empty() {
        return Ok(false);
    }
    let is_orphan =
        |(value, owner): &(&Value, &Option<usize>)| owner.is_none() && value.text.chars().count() > 1;
    let orphans: Vec<Quad> = segments
        .values
        .iter()
        .zip(owners)
        .filter(is_orphan)
        .take(MOST_ORPHANS)
        .map(|(value, _)| value.quad)
        .collect();
    let mut found = Vec::new();
    for orphan in orphans {
        for place in [beside(&orphan, segments), Some(above(&orphan))].into_iter().flatten() {
            if engines.is_out_of_time() {
                break;
            }
            let label = read_label(page, form, &place, engines)?;
            if let Some(label) =
                label.filter(|label| label.field.is_some_and(|field| lacking.contains(&field)))
            {
                found.push(label);
                break;
            }
        }
    }
    let any = !found.is_empty();
    segments.labels.extend(found);
    Ok(any)
}

/// From the last thing on the row to the value.
fn beside(value: &Quad, segments: &Segments) -> Option<Quad> {
    let height = value.height();
    let others =
        segments.labels.iter().map(|label| &label.quad).chain(segments.values.iter().map(|v| &v.quad));
    let gap = others
        .filter(|other| segments.same_row(other, value) && right_of(other) < left_of(value))
        .map(|other| left_of(value) - right_of(other))
        .fold(FARTHEST * height, f32::min)
        .min(left_of(value));
    (gap > NARROWEST * height).then(|| {
        let wide = value.grown(gap, 0.0, 0.0);
        crate::lines::part(&wide, 0.0, gap / wide.width().max(1.0))
    })
}

/// The row above the value.
fn above(value: &Quad) -> Quad {
    let height = value.height();
    let part = crate::lines::part(value, 0.0, (ABOVE_WIDTH * height / value.width().max(1.0)).min(1.0));
    let [a, b, c, d] = part.0;
    let up = |p: domain::geometry::Point, q: domain::geometry::Point| domain::geometry::Point {
        x: p.x + (p.x - q.x),
        y: p.y + (p.y - q.y),
    };
    Quad([up(a, d), up(b, c), b, a])
}

fn read_label(
    page: &RgbImage,
    form: &Form,
    place: &Quad,
    engines: &mut Engines,
) -> Result<Option<Label>, RecognitionError> {
    let Some(quad) = ink::trim(page, place) else { return Ok(None) };
    let crop = warp::cut_line(page, &quad, 48);
    let reading = engines.read_value(&crop)?;
    let line = Line::new(quad, &reading, crop.width() as f32);
    let field = Segments::label_read_in(form, &line);
    Ok(field.map(|field| Label { quad, field: Some(field), differences: 1, is_signature: false }))
}
