//! A machine-readable zone read, and what it proves about the values printed on the same paper.

use domain::{
    field::{Confidence, FieldName},
    geometry::Quad,
    reading::{FieldReading, Repair},
    validation::{MachineReadableZone, Sex},
};
use image::RgbImage;

use super::parse;
use crate::{
    cpu::Stage,
    engines::Engines,
    forms::{FieldPlan, Form, ValueKind},
    lines::Line,
    mrz::{self, ProvedZone, ReadLine, Size},
    prepare::{
        geometry::{QuadMeasure, least_rectangle},
        ink::{self, Room},
        light, warp,
    },
    recognition::RecognitionError,
};

/// A zone whose digits all hold as read.
const PROVED: f32 = 0.99;
/// One that holds after a change: another change might have been the right one.
const CHANGED: f32 = 0.85;
/// A printed value this sure is not overruled; that it differs is for the cross-check to say.
const SURE: f32 = 0.98;
/// Height at which lines of a zone are cut out.
const CROP_HEIGHT: u32 = 48;

/// The zone of the form and the lines that are not part of it; the field is without text where nothing is proved.
///
/// # Errors
/// An engine failed.
pub fn read(
    page: &RgbImage,
    form: &Form,
    lines: &[Line],
    engines: &mut Engines,
) -> Result<Option<(FieldReading, Option<ProvedZone>)>, RecognitionError> {
    let Some(plan) = form.fields.iter().find(|plan| plan.kind == ValueKind::Mrz) else { return Ok(None) };
    let size = Size::of_lines(plan.lines);
    let quads = mrz::find(size, lines);
    if quads.is_empty() {
        return Ok(None);
    }
    engines.during(Stage::Values, |engines| {
        let mut proved: Option<(&str, ProvedZone)> = None;
        let (mut lattices, mut wide) = (Vec::new(), Vec::new());
        for quad in &quads {
            let room = Room { left: 2.0 * quad.height(), right: 4.0 * quad.height() };
            wide.push(ink::extend(page, quad, room));
        }
        for (name, look) in LOOKS {
            lattices.clear();
            let mut read = Vec::new();
            for quad in &wide {
                let reading = engines.read_value(&look(&warp::cut_line(page, quad, CROP_HEIGHT)))?;
                read.push(ReadLine::of(&reading.text, &reading.spans));
                lattices.push(reading.lattice);
            }
            let found = mrz::prove(size, &read).map(|zone| (name, zone));
            let is_plain = found.as_ref().is_some_and(|(_, zone)| zone.changed_from.is_none());
            proved = if is_plain { found } else { proved.or(found) };
            if is_plain || engines.is_out_of_time() {
                break;
            }
        }
        let (decided_by, zone) = proved.map_or(("first", None), |(name, zone)| (name, Some(zone)));
        let field = FieldReading { lattices, ..field_of(plan, &wide, zone.as_ref(), decided_by) };
        Ok(Some((field, zone)))
    })
}

type Look = fn(&RgbImage) -> RgbImage;

/// Ways to look at a line, the next only where the one before proves nothing.
const LOOKS: [(&str, Look); 2] = [
    ("first", |crop| light::without_colour(crop).unwrap_or_else(|| crop.clone())),
    ("flattened", light::flattened),
];

fn field_of(plan: &FieldPlan, quads: &[Quad], zone: Option<&ProvedZone>, decided_by: &str) -> FieldReading {
    let corners: Vec<_> = quads.iter().flat_map(|quad| quad.0).collect();
    let repair = zone.and_then(|zone| zone.changed_from.clone());
    FieldReading {
        field: plan.field,
        text: zone.map(|zone| zone.text.clone()),
        confidence: zone.map_or(Confidence::NONE, confidence_of),
        region: least_rectangle(&corners).unwrap_or(Quad::rectangle(0.0, 0.0, 0.0, 0.0)),
        repair: repair.map(|from| Repair { from, rule: "check_digit".to_owned() }),
        lattices: Vec::new(),
        decided_by: decided_by.to_owned(),
    }
}

fn confidence_of(zone: &ProvedZone) -> Confidence {
    Confidence::new(if zone.changed_from.is_none() { PROVED } else { CHANGED })
}

/// Lets the zone bear out what was printed, and stand for what could not be read.
pub fn bear_out(form: &Form, fields: &mut Vec<FieldReading>, region: Quad, proved: &ProvedZone) {
    let confidence = confidence_of(proved);
    for plan in &form.fields {
        let Some(said) = said_of(plan.field, &proved.zone) else { continue };
        let printed = fields.iter_mut().find(|field| field.field == plan.field);
        let known = printed.as_ref().and_then(|field| field.text.clone());
        match (printed, known) {
            (Some(field), Some(text)) if is_same(plan.field, &text, &said) => {
                field.confidence = if field.confidence < confidence { confidence } else { field.confidence };
            }
            (Some(_), Some(text)) if plan.field == FieldName::Name && text.chars().any(parse::is_han) => {}
            // A passport prints surname and given names apart; the zone has both.
            (Some(field), Some(text)) if plan.field == FieldName::Name && is_part(&text, &said) => {
                *field = of_zone(plan, said, field.region, Some(text), confidence);
            }
            (Some(field), _) if field.confidence.value() >= SURE => {}
            (Some(field), known) => *field = of_zone(plan, said, field.region, known, confidence),
            (None, _) => fields.push(of_zone(plan, said, region, None, confidence)),
        }
    }
}

fn of_zone(
    plan: &FieldPlan,
    said: String,
    region: Quad,
    printed: Option<String>,
    confidence: Confidence,
) -> FieldReading {
    FieldReading {
        field: plan.field,
        text: Some(said),
        confidence,
        region,
        repair: Some(Repair { from: printed.unwrap_or_default(), rule: "machine_readable_zone".to_owned() }),
        lattices: Vec::new(),
        decided_by: "machine_readable_zone".to_owned(),
    }
}

/// What a zone says of a field, in the field's own form.
fn said_of(field: FieldName, zone: &MachineReadableZone) -> Option<String> {
    match field {
        FieldName::IdNumber => Some(zone.number.clone()),
        FieldName::Name => (!zone.names.is_empty()).then(|| zone.names.join(" ")),
        FieldName::Birth => Some(zone.birth.to_string()),
        FieldName::ValidTo => Some(zone.valid_to.to_string()),
        FieldName::Sex => zone.sex.map(|sex| if sex == Sex::Male { "男" } else { "女" }.to_owned()),
        _ => None,
    }
}

/// A zone writes names without blanks, marks and small letters.
fn is_same(field: FieldName, printed: &str, said: &str) -> bool {
    if field == FieldName::Name { letters(printed) == letters(said) } else { printed == said }
}

/// Whether a printed name is one of the names the zone has.
fn is_part(printed: &str, said: &str) -> bool {
    said.split(' ').any(|name| name == letters(printed)) || letters(said).starts_with(&letters(printed))
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use domain::validation::undated_zone;

    use super::*;
    use crate::forms::FormSet;

    const TEXT: &str =
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn printed(field: FieldName, text: Option<&str>, confidence: f32) -> FieldReading {
        FieldReading {
            field,
            text: text.map(str::to_owned),
            confidence: Confidence::new(confidence),
            region: Quad::rectangle(1.0, 2.0, 3.0, 4.0),
            repair: None,
            lattices: Vec::new(),
            decided_by: "first".to_owned(),
        }
    }

    fn borne_out(mut fields: Vec<FieldReading>) -> Vec<(FieldName, Option<String>, f32)> {
        let forms = FormSet::embedded().unwrap();
        let proved =
            ProvedZone { text: TEXT.to_owned(), zone: undated_zone(TEXT).unwrap(), changed_from: None };
        let region = Quad::rectangle(0.0, 0.0, 9.0, 9.0);
        bear_out(forms.get("passport").unwrap(), &mut fields, region, &proved);
        fields.into_iter().map(|field| (field.field, field.text, field.confidence.value())).collect()
    }

    fn of(field: FieldName, fields: &[(FieldName, Option<String>, f32)]) -> (Option<&str>, f32) {
        let found = fields.iter().find(|(name, _, _)| *name == field).unwrap();
        (found.1.as_deref(), found.2)
    }

    #[test]
    fn what_was_not_read_is_taken_from_the_zone() {
        let fields = borne_out(vec![printed(FieldName::IdNumber, None, 0.0)]);

        assert_eq!(of(FieldName::IdNumber, &fields), (Some("L898902C3"), PROVED));
        assert_eq!(of(FieldName::Name, &fields), (Some("ERIKSSON ANNA MARIA"), PROVED));
        assert_eq!(of(FieldName::Sex, &fields), (Some("女"), PROVED));
    }

    #[test]
    fn a_surname_alone_is_made_the_whole_name() {
        let fields = borne_out(vec![printed(FieldName::Name, Some("Eriksson"), 0.985)]);

        assert_eq!(of(FieldName::Name, &fields), (Some("ERIKSSON ANNA MARIA"), PROVED));
    }

    #[test]
    fn a_printed_value_is_borne_out_corrected_or_left_to_contradict() {
        let fields = borne_out(vec![
            printed(FieldName::Birth, Some("1974-08-12"), 0.7),
            printed(FieldName::IdNumber, Some("L893902C3"), 0.6),
            printed(FieldName::ValidTo, Some("2013-04-15"), 0.985),
            printed(FieldName::Name, Some("王安娜"), 0.5),
        ]);

        assert_eq!(of(FieldName::Birth, &fields), (Some("1974-08-12"), PROVED));
        assert_eq!(of(FieldName::IdNumber, &fields), (Some("L898902C3"), PROVED));
        assert_eq!(of(FieldName::ValidTo, &fields), (Some("2013-04-15"), 0.985));
        assert_eq!(of(FieldName::Name, &fields), (Some("王安娜"), 0.5));
    }
}
