//! Reading the ink of one value: a first look, and more looks only where it stays undecided.

use domain::{
    field::Confidence,
    geometry::Quad,
    reading::{FieldReading, Lattice},
};
use image::RgbImage;

use crate::{
    candidates::{self, Decision, Known},
    confidence,
    cpu::Stage,
    engines::Engines,
    forms::{FieldPlan, ValueKind},
    lines::Line,
    prepare::{
        geometry::{QuadMeasure, least_rectangle},
        ink::{self, Room},
        light, warp,
    },
    recognition::{LineReading, RecognitionError, ctc},
};

/// Height at which values are cut out.
const CROP_HEIGHT: u32 = 48;
/// A value with a smaller share than this is looked at again.
const DECIDED: f32 = 0.93;
/// A line read with more confidence than this is not.
const CLEAR_LINE: f32 = 0.97;
/// What is left of the doubt when an independent engine reads the same.
const DOUBT_LEFT: f32 = 0.15;
/// The same for a name.
const DOUBT_LEFT_IN_NAME: f32 = 0.7;
/// The share of a look that reads another text than the first is multiplied by this.
const TRUST_OF_CHANGE: f32 = 0.9;
/// Digits the quick reader reads with more confidence are not read again by the good one.
const PLAINLY_CLEAR: f32 = 0.98;
/// A line that was only guessed at is dropped below this.
const LEAST_GUESS: f32 = 0.25;

/// One line of a value: where, and how far it may be extended.
#[derive(Debug, Clone, Copy)]
pub struct InkLine {
    /// Where it was found.
    pub quad: Quad,
    /// How far the next thing is.
    pub room: Room,
    /// Nothing was found there; it is where a line would stand.
    pub guessed: bool,
}

/// A value's ink as read.
#[derive(Debug, Clone)]
pub struct Ink {
    /// Its lines, top to bottom.
    pub quads: Vec<Quad>,
    /// What they say.
    pub readings: Vec<LineReading>,
    /// Which look it was.
    pub decided_by: &'static str,
    /// Lines that were guessed at and could not be read.
    pub lost: u32,
    /// What the share is multiplied by, because of how this look was chosen.
    trust: f32,
    /// Whether an independent engine read the same.
    seconded: bool,
    crops: Vec<RgbImage>,
}

impl Ink {
    const fn unread() -> Self {
        Self {
            quads: Vec::new(),
            readings: Vec::new(),
            decided_by: "first",
            lost: 0,
            trust: 1.0,
            seconded: false,
            crops: Vec::new(),
        }
    }

    /// The same, said to be decided by something else, and trusted less.
    pub(super) fn trusted(self, decided_by: &'static str, trust: f32) -> Self {
        Self { decided_by, trust, ..self }
    }

    /// What the quick reader made of a line, taken as it is.
    pub fn read_quickly(line: &Line) -> Self {
        let reading = LineReading {
            text: line.string(),
            confidence: Confidence::new(line.confidence),
            lattice: line.lattice.clone(),
            spans: line.spans.clone(),
        };
        Self { quads: vec![line.quad], readings: vec![reading], decided_by: "quick", ..Self::unread() }
    }
}

/// Cuts the lines out and reads them.
///
/// # Errors
/// The engine failed.
pub fn read(
    page: &RgbImage,
    plan: &FieldPlan,
    lines: &[InkLine],
    known: &Known,
    engines: &mut Engines,
) -> Result<Ink, RecognitionError> {
    engines.during(Stage::Values, |engines| {
        let mut ink = Ink::unread();
        for line in lines {
            let quad = ink::extend(page, &line.quad, line.room);
            ink.crops.push(cut(page, &quad));
            ink.quads.push(quad);
        }
        let is_guessed = lines.iter().any(|line| line.guessed);
        if is_plain(plan.kind) && !is_guessed && read_plainly(plan, &mut ink, known, engines)? {
            return Ok(ink);
        }
        read_well(lines, ink, engines)
    })
}

/// Kinds of few characters, which the quick reader knows as well as the good one.
const fn is_plain(kind: ValueKind) -> bool {
    use ValueKind::{Birth, Date, IdNumber, Phone, SlipNumber, ValidityEnd, ValidityStart};
    matches!(kind, IdNumber | Phone | Birth | Date | ValidityStart | ValidityEnd | SlipNumber)
}

/// Reads with the quick reader; whether what it reads is clear and can be true without repair.
fn read_plainly(
    plan: &FieldPlan,
    ink: &mut Ink,
    known: &Known,
    engines: &mut Engines,
) -> Result<bool, RecognitionError> {
    if ink.crops.is_empty() {
        return Ok(false);
    }
    let readings = engines.read_labels(&ink.crops)?;
    let decision = candidates::decide(plan.kind, &readings, known);
    let is_clear = readings.iter().all(|reading| reading.confidence.value() > PLAINLY_CLEAR);
    if !is_clear || decision.text.is_none() || decision.repair.is_some() || decision.share < PLAINLY_CLEAR {
        return Ok(false);
    }
    ink.readings = readings;
    ink.decided_by = "quick";
    Ok(true)
}

/// Reads with the good reader; a line that was only guessed at must say something.
fn read_well(lines: &[InkLine], cut_out: Ink, engines: &mut Engines) -> Result<Ink, RecognitionError> {
    let mut ink = Ink::unread();
    for (line, (quad, crop)) in lines.iter().zip(cut_out.quads.into_iter().zip(cut_out.crops)) {
        let reading = engines.read_value(&crop)?;
        if line.guessed && reading.confidence.value() < LEAST_GUESS {
            ink.lost += u32::from(!reading.text.is_empty());
            continue;
        }
        ink.readings.push(reading);
        ink.quads.push(quad);
        ink.crops.push(crop);
    }
    Ok(ink)
}

fn cut(page: &RgbImage, quad: &Quad) -> RgbImage {
    let crop = warp::cut_line(page, quad, CROP_HEIGHT);
    light::without_colour(&crop).unwrap_or(crop)
}

/// Looks at an undecided value again: other light, darker ink, thicker strokes, their mean, a taller cut.
///
/// # Errors
/// The engine failed.
pub fn look_again(
    page: &RgbImage,
    plan: &FieldPlan,
    ink: Ink,
    known: &Known,
    engines: &mut Engines,
) -> Result<Ink, RecognitionError> {
    let first = decide(plan, &ink, known);
    if first.share >= DECIDED || ink.readings.is_empty() || engines.is_out_of_time() {
        return Ok(ink);
    }
    engines.cost.second_looks += 1;
    engines.during(Stage::SecondLooks, |engines| look_closer(page, plan, &ink, (&first, known), engines))
}

/// What is read with the most confidence in a few more ways.
fn look_closer(
    page: &RgbImage,
    plan: &FieldPlan,
    ink: &Ink,
    (first, known): (&Decision, &Known),
    engines: &mut Engines,
) -> Result<Ink, RecognitionError> {
    let mut best = (first.share, ink.clone());
    for looks in [EVENED, TALLER, LOCALLY] {
        let mut other = ink.clone();
        other.decided_by = looks.name;
        for index in 0..ink.readings.len() {
            if ink.readings[index].confidence.value() < CLEAR_LINE {
                other.readings[index] = (looks.read)(page, ink, index, engines)?;
            }
        }
        let second = decide(plan, &other, known);
        other.trust = trust(first, &second);
        let share = decide(plan, &other, known).share;
        if share > best.0 {
            best = (share, other);
        }
        if best.0 >= DECIDED || engines.is_out_of_time() {
            break;
        }
    }
    if best.0 < DECIDED && !engines.is_out_of_time() {
        ask_second_engine(plan, &mut best.1, known, engines)?;
    }
    Ok(best.1)
}

/// How far the share of a second look is to be trusted: the looks err together, and the best of several is kept.
fn trust(first: &Decision, second: &Decision) -> f32 {
    if first.text == second.text {
        (first.share / second.share.max(1e-6)).sqrt().min(1.0)
    } else {
        TRUST_OF_CHANGE
    }
}

/// An engine of another make that reads the same is worth more than another look of the same one.
fn ask_second_engine(
    plan: &FieldPlan,
    ink: &mut Ink,
    known: &Known,
    engines: &mut Engines,
) -> Result<(), RecognitionError> {
    let Some(second) = engines.second.as_mut() else { return Ok(()) };
    engines.cost.recognitions += ink.crops.len() as u32;
    let texts = second.recognize(&ink.crops)?;
    let theirs = candidates::decide(plan.kind, &texts, known);
    let ours = candidates::decide(plan.kind, &ink.readings, known);
    if theirs.text.is_some() && theirs.text == ours.text {
        ink.seconded = true;
        ink.decided_by = "second_engine";
    }
    Ok(())
}

type Look = fn(&RgbImage, &Ink, usize, &mut Engines) -> Result<LineReading, RecognitionError>;

/// A way to look at a line again.
struct Looks {
    name: &'static str,
    read: Look,
}

/// The mean over the line as it is and three preparations of it.
const EVENED: Looks = Looks { name: "averaged", read: evened };
/// A cut that leaves more room above and below.
const TALLER: Looks = Looks { name: "taller", read: taller };

/// The contrast stretched by what is near: under a spot of light, beside a shadow.
const LOCALLY: Looks = Looks { name: "locally", read: locally };

fn locally(
    _page: &RgbImage,
    ink: &Ink,
    index: usize,
    engines: &mut Engines,
) -> Result<LineReading, RecognitionError> {
    let crop = &ink.crops[index];
    let local = light::stretched_locally(crop);
    let mut lattices = Vec::new();
    for other in [light::thickened(&local), local] {
        lattices.push(engines.read_value(&other)?.lattice);
    }
    Ok(ctc::read(ctc::average(&lattices), crop.width() as f32))
}

fn evened(
    _page: &RgbImage,
    ink: &Ink,
    index: usize,
    engines: &mut Engines,
) -> Result<LineReading, RecognitionError> {
    let crop = &ink.crops[index];
    let mut lattices: Vec<Lattice> = vec![ink.readings[index].lattice.clone()];
    for other in
        [light::flattened(crop), light::dark_ink_only(crop), light::thickened(&light::flattened(crop))]
    {
        lattices.push(engines.read_value(&other)?.lattice);
    }
    Ok(ctc::read(ctc::average(&lattices), crop.width() as f32))
}

fn taller(
    page: &RgbImage,
    ink: &Ink,
    index: usize,
    engines: &mut Engines,
) -> Result<LineReading, RecognitionError> {
    let quad = ink.quads[index];
    let grown = quad.grown(0.1 * quad.height(), 0.1 * quad.height(), 0.08 * quad.height());
    let crop = cut(page, &grown);
    let plain = engines.read_value(&crop)?;
    let flat = engines.read_value(&light::flattened(&crop))?;
    Ok(ctc::read(ctc::average(&[plain.lattice, flat.lattice]), crop.width() as f32))
}

/// The value the ink stands for.
pub fn decide(plan: &FieldPlan, ink: &Ink, known: &Known) -> Decision {
    let mut decision = candidates::decide(plan.kind, &ink.readings, known);
    decision.share *= ink.trust;
    // That two engines read the same part does not make it the whole.
    if ink.seconded && decision.is_whole {
        // Look-alikes in names mislead both engines alike.
        let left = if plan.kind == ValueKind::Name { DOUBT_LEFT_IN_NAME } else { DOUBT_LEFT };
        decision.share = 1.0 - (1.0 - decision.share) * left;
    }
    if ink.lost > 0 {
        decision.share *= 0.3;
    }
    decision
}

/// The field a value's ink stands for.
pub fn field(plan: &FieldPlan, ink: &Ink, known: &Known) -> FieldReading {
    let decision = decide(plan, ink, known);
    let confidence = confidence::calibrated(plan.kind, &decision);
    let corners: Vec<_> = ink.quads.iter().flat_map(|quad| quad.0).collect();
    FieldReading {
        field: plan.field,
        confidence: if decision.text.is_some() { Confidence::new(confidence) } else { Confidence::NONE },
        text: decision.text,
        region: least_rectangle(&corners).unwrap_or(Quad::rectangle(0.0, 0.0, 0.0, 0.0)),
        repair: decision.repair,
        lattices: candidates::lattices(&ink.readings),
        decided_by: ink.decided_by.to_owned(),
    }
}
