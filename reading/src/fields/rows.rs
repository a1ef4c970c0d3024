//! Pieces of ink on a card put into rows, and rows that must be there though nothing was found in them.

use domain::geometry::{Point, Quad};

use crate::prepare::geometry::{QuadMeasure, least_rectangle};

/// A piece of a line that is no label.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Where it is on the page.
    pub quad: Quad,
    /// Middle of its left end, as fractions of the card.
    pub start: Point,
    /// Middle of its right end.
    pub end: Point,
}

impl Piece {
    /// Height of its middle on the card.
    pub fn level(&self) -> f32 {
        self.start.y.midpoint(self.end.y)
    }
}

/// Pieces side by side.
#[derive(Debug, Clone)]
pub struct Row {
    /// Around all of them.
    pub quad: Quad,
    /// Left end, as a fraction of the card.
    pub start: f32,
    /// Right end.
    pub end: f32,
    /// Height on the card.
    pub level: f32,
}

/// Rows of the pieces, top to bottom; pieces less than `apart` from each other in height share one.
pub fn rows(pieces: &[&Piece], apart: f32) -> Vec<Row> {
    let mut groups: Vec<Vec<&Piece>> = Vec::new();
    for piece in pieces {
        match groups.iter_mut().find(|group| (group[0].level() - piece.level()).abs() < apart) {
            Some(group) => group.push(piece),
            None => groups.push(vec![piece]),
        }
    }
    let mut rows: Vec<Row> = groups.iter().filter_map(|group| row_of(group)).collect();
    rows.sort_by(|a, b| a.level.total_cmp(&b.level));
    rows
}

fn row_of(group: &[&Piece]) -> Option<Row> {
    let corners: Vec<Point> = group.iter().flat_map(|piece| piece.quad.0).collect();
    let quad = if let [only] = group { Some(only.quad) } else { least_rectangle(&corners) };
    Some(Row {
        quad: quad?,
        start: group.iter().map(|piece| piece.start.x).fold(f32::MAX, f32::min),
        end: group.iter().map(|piece| piece.end.x).fold(f32::MIN, f32::max),
        level: group.iter().map(|piece| piece.level()).sum::<f32>() / group.len() as f32,
    })
}

/// Pieces that lie along the rows of the card and are no higher than most: a stamp across them is neither.
/// `usual` is the height of print on the card, in pixels; specks are left out.
pub fn level_pieces<'a>(pieces: &[&'a Piece], row_angle: f32, usual: f32) -> Vec<&'a Piece> {
    let print = |piece: &&'a Piece| piece.quad.height() > 0.5 * usual && piece.quad.width() > 0.4 * usual;
    let mut heights: Vec<f32> =
        pieces.iter().copied().filter(print).map(|piece| piece.quad.height()).collect();
    heights.sort_by(f32::total_cmp);
    let usual = heights.get(heights.len() / 3).copied().unwrap_or(usual).max(usual);
    pieces
        .iter()
        .copied()
        .filter(print)
        .filter(|piece| {
            let long = piece.quad.width() > 2.5 * piece.quad.height();
            let tilted = (piece.quad.angle() - row_angle).abs() > 0.07;
            !(long && tilted) && piece.quad.height() < 1.7 * usual
        })
        .collect()
}

/// Heights at which a value of several lines must have rows though none were found: in gaps between rows, above
/// the first, and below a last row that is full.
pub fn missing_levels(rows: &[Row], first: f32, pitch: f32, right: f32, most: usize) -> Vec<f32> {
    let pitch = usual_pitch(rows).unwrap_or(pitch);
    let mut missing = Vec::new();
    let Some(top) = rows.first() else {
        return (0..most.min(3)).map(|index| first + index as f32 * pitch).collect();
    };
    let mut level = top.level - pitch;
    while level > first - 0.4 * pitch {
        missing.push(level);
        level -= pitch;
    }
    for pair in rows.windows(2) {
        let steps = ((pair[1].level - pair[0].level) / pitch).round() as usize;
        missing.extend((1..steps).map(|step| pair[0].level + step as f32 * pitch));
    }
    if let Some(last) = rows.last()
        && last.end > right - 0.11
        && rows.len() + missing.len() < most
    {
        missing.push(last.level + pitch);
    }
    missing.truncate(most.saturating_sub(rows.len()));
    missing
}

fn usual_pitch(rows: &[Row]) -> Option<f32> {
    let steps: Vec<f32> = rows.windows(2).map(|pair| pair[1].level - pair[0].level).collect();
    steps.into_iter().filter(|step| (0.06..0.12).contains(step)).reduce(f32::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(level: f32, end: f32) -> Row {
        Row { quad: Quad::rectangle(0.0, 0.0, 10.0, 5.0), start: 0.18, end, level }
    }

    #[test]
    fn a_gap_between_rows_and_a_full_last_row_ask_for_more() {
        let check = |rows: &[Row], expected: &[f32]| {
            let found = missing_levels(rows, 0.53, 0.087, 0.64, 4);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{found:?}");
        };

        check(&[row(0.53, 0.60), row(0.704, 0.25)], &[0.617]);
        check(&[row(0.53, 0.60)], &[0.617]);
        check(&[row(0.53, 0.40)], &[]);
        check(&[row(0.617, 0.30)], &[0.53]);
        check(&[], &[0.53, 0.617, 0.704]);
    }
}
