//! The number of a card where nothing whole was found of it: its row is where it must be, whatever lies over it.

use domain::geometry::Quad;
use image::RgbImage;

use super::value::{self, Ink, InkLine};
use crate::{
    candidates::Known, engines::Engines, forms::FieldPlan, frame::Frame, prepare::ink::Room,
    recognition::RecognitionError,
};

/// Half the height that is cut out, as a share of that of the card.
const HALF_HEIGHT: f32 = 0.042;
/// The row may stand so much higher or lower than it should.
const OFF: [f32; 3] = [0.0, -0.015, 0.015];
/// What is left of the share of a number that was looked for like this: it may be half stamp.
const TRUST: f32 = 0.85;
/// The characters of a number.
const WHOLE: usize = 18;

/// The number as its row says it, where `ink` holds no whole one.
///
/// # Errors
/// The engine failed.
pub(super) fn read(
    page: &RgbImage,
    plan: &FieldPlan,
    (frame, size): (&Frame, [f32; 2]),
    ink: Ink,
    known: &Known,
    engines: &mut Engines,
) -> Result<Ink, RecognitionError> {
    let Some([left, top, right, bottom]) = plan.place else { return Ok(ink) };
    if is_whole(plan, &ink, known) {
        return Ok(ink);
    }
    engines.cost.second_looks += 1;
    let mut best: Option<(f32, Ink)> = None;
    for off in OFF {
        let middle = top.midpoint(bottom) + off;
        let height = 2.0 * HALF_HEIGHT * size[1];
        let place = Quad::rectangle(
            left * size[0],
            (middle - HALF_HEIGHT) * size[1],
            (right - left) * size[0],
            height,
        );
        let quad = frame.to_page.apply_quad(&place);
        let line = InkLine { quad, room: Room { left: 0.0, right: 0.0 }, guessed: false };
        let row = value::read(page, plan, &[line], known, engines)?.trusted("row", TRUST);
        let share = value::decide(plan, &row, known).share;
        if is_whole(plan, &row, known) && best.as_ref().is_none_or(|(most, _)| share > *most) {
            best = Some((share, row));
        }
    }
    Ok(best.map_or(ink, |(_, row)| row))
}

fn is_whole(plan: &FieldPlan, ink: &Ink, known: &Known) -> bool {
    value::decide(plan, ink, known).text.is_some_and(|text| text.chars().count() == WHOLE)
}
