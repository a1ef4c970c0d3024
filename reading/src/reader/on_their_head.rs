//! Papers that stand on their head: a second card laid the other way round, a page whose lines misled.

use domain::{
    geometry::Quad,
    reading::{PaperKind, PaperReading},
};
use image::imageops;

use super::{PageReader, Sheet, to_page};
use crate::{
    forms::FormSet,
    prepare::geometry::{Projection, QuadMeasure, start_horizontally},
    recognition::RecognitionError,
};

/// So many lines that belong to no paper ask for a look at them the other way up.
const LEAST_LEFT: usize = 3;
/// Only lines this many times as long as high count.
const LONG: f32 = 2.0;

impl PageReader {
    /// The papers made of lines that belong to none of `papers`, read the other way up.
    ///
    /// # Errors
    /// An engine failed.
    pub(super) fn papers_on_their_head(
        &mut self,
        sheet: &Sheet<'_>,
        forms: &FormSet,
        papers: &[PaperReading],
    ) -> Result<Vec<PaperReading>, RecognitionError> {
        let left = left_over(sheet.quads, papers);
        let is_slip = |paper: &PaperReading| paper.kind == PaperKind::Slip;
        if papers.iter().any(is_slip) || left.iter().filter(|quad| is_long(quad)).count() < LEAST_LEFT {
            return Ok(Vec::new());
        }
        let image = imageops::rotate180(sheet.image);
        let back = Projection::unturn(2, image.width(), image.height());
        let there = back.inverse();
        let turned: Vec<Quad> = left.iter().map(|quad| start_horizontally(&there.apply_quad(quad))).collect();
        let lines = self.read_lines(&image, &turned)?;
        let mut found =
            self.read_papers(&Sheet { image: &image, quads: &turned, ..*sheet }, forms, &lines)?;
        for paper in &mut found {
            to_page(paper, &back);
        }
        Ok(found)
    }
}

fn is_long(quad: &Quad) -> bool {
    quad.width() > LONG * quad.height()
}

/// Lines whose middle is in no paper.
fn left_over(quads: &[Quad], papers: &[PaperReading]) -> Vec<Quad> {
    let inside = |quad: &Quad, paper: &PaperReading| {
        let ([left, top, right, bottom], middle) = (paper.region.bounds(), quad.centre());
        (left..right).contains(&middle.x) && (top..bottom).contains(&middle.y)
    };
    quads.iter().filter(|quad| !papers.iter().any(|paper| inside(quad, paper))).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_inside_a_paper_are_not_left_over() {
        let quads = [Quad::rectangle(10.0, 10.0, 100.0, 20.0), Quad::rectangle(10.0, 400.0, 100.0, 20.0)];

        assert_eq!(left_over(&quads, &[]).len(), 2);
        assert!(is_long(&quads[0]) && !is_long(&Quad::rectangle(0.0, 0.0, 20.0, 18.0)));
    }
}
