//! A number that a barcode says, where its print beside the bars cannot be read.

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{FieldReading, PaperReading},
};

use crate::{
    candidates::fits,
    forms::{FieldPlan, Form},
    reader::BarcodeHint,
};

/// Printed numbers read with more confidence are left alone.
const DECIDED: f32 = 0.9;
/// A barcode proves itself by its own check; which barcode on the page it is may be mistaken.
const OF_A_BARCODE: f32 = 0.99;

/// Takes the fields of known shape that could not be read from the one barcode of that shape. Places are those of
/// the page as decoded.
pub fn fill(paper: &mut PaperReading, form: &Form, barcodes: &[BarcodeHint]) {
    for plan in form.fields.iter().filter(|plan| !plan.patterns.is_empty()) {
        let known = paper.fields.iter().find(|field| field.field == plan.field);
        let is_decided =
            known.is_some_and(|field| field.text.is_some() && field.confidence.value() >= DECIDED);
        let Some(barcode) = only_one(plan, barcodes).filter(|_| !is_decided) else { continue };
        let printed = known.map(|field| field.region).filter(|region| region.bounds() != [0.0; 4]);
        let region = printed.or(barcode.region).unwrap_or(Quad::rectangle(0.0, 0.0, 0.0, 0.0));
        paper.fields.retain(|field| field.field != plan.field);
        paper.illegible.retain(|field| *field != plan.field);
        paper.fields.push(FieldReading {
            field: plan.field,
            text: Some(barcode.text.clone()),
            confidence: Confidence::new(OF_A_BARCODE),
            region,
            repair: None,
            lattices: Vec::new(),
            decided_by: "barcode".to_owned(),
        });
    }
}

fn only_one<'a>(plan: &FieldPlan, barcodes: &'a [BarcodeHint]) -> Option<&'a BarcodeHint> {
    let is_of_shape =
        |barcode: &&BarcodeHint| plan.patterns.iter().any(|pattern| fits(&barcode.text, pattern));
    let mut fitting = barcodes.iter().filter(is_of_shape);
    let first = fitting.next()?;
    fitting.all(|other| other.text == first.text).then_some(first)
}

#[cfg(test)]
mod tests {
    use domain::{field::FieldName, reading::Capture};

    use super::*;
    use crate::forms::FormSet;

    fn slip(fields: Vec<FieldReading>) -> PaperReading {
        PaperReading {
            kind: domain::reading::PaperKind::Slip,
            form: "service_confirmation".to_owned(),
            confidence: Confidence::FULL,
            region: Quad::rectangle(0.0, 0.0, 100.0, 100.0),
            capture: Capture::Flatbed,
            quality: domain::reading::Quality { score: 1.0, ..Default::default() },
            fields,
            illegible: vec![FieldName::SlipNumber],
            copy_stamp: None,
            signature: None,
            fingerprint: Vec::new(),
        }
    }

    fn filled(barcodes: &[&str]) -> PaperReading {
        let forms = FormSet::embedded().unwrap();
        let hint = |text: &&str| BarcodeHint { text: (*text).to_owned(), region: None };
        let mut paper = slip(Vec::new());
        let hints: Vec<BarcodeHint> = barcodes.iter().map(hint).collect();
        fill(&mut paper, forms.get("service_confirmation").unwrap(), &hints);
        paper
    }

    #[test]
    fn a_number_in_bars_stands_for_one_that_cannot_be_read() {
        let paper = filled(&["https://example.org", "TJ20260902DX000100020"]);

        assert_eq!(
            paper.field(FieldName::SlipNumber).and_then(|field| field.text.as_deref()),
            Some("TJ20260902DX000100020")
        );
        assert!(paper.illegible.is_empty());
    }

    #[test]
    fn two_different_barcodes_say_nothing() {
        assert!(filled(&["TJ20260902DX000100020", "TJ20260902DX000100021"]).fields.is_empty());
        assert!(filled(&["6901234567892"]).fields.is_empty());
    }
}
