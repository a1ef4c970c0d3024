//! Readings: what one version of one engine, or one person, read on one page.
//!
//! A reading is kept as it is for ever. It holds the free reading only; what was typed at the counter never
//! enters it. The lattices inside let the entered value be weighed against the ink later, without the image.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    field::{Confidence, FieldName, Slot, UnknownTerm},
    geometry::Quad,
};

/// What kind of paper a piece of a page shows. Whose it is (customer or agent) is decided later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperKind {
    /// Portrait side of a resident identity card, temporary card or residence permit.
    IdCardFront,
    /// Emblem side of the same; back of a foreign permanent resident card.
    IdCardBack,
    /// Confirmation slip or activation form.
    Slip,
    /// Business licence.
    Licence,
    /// Data page of a passport.
    Passport,
    /// Travel permit of a Hong Kong, Macau or Taiwan resident, or foreign permanent resident card.
    Permit,
    /// Page of a household register.
    HouseholdRegister,
    /// Letter of authorisation.
    Authorisation,
    /// Something is there, but nothing this reader knows.
    Unknown,
}

/// How the paper came to be on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// The paper itself lay on a scanner.
    Flatbed,
    /// The paper itself was photographed.
    Photograph,
    /// A photocopy of the paper was scanned or photographed; only this needs the copy stamp.
    Photocopy,
    /// Cannot be told.
    Unknown,
}

/// A reason why a page or paper is hard to read, in the words an outlet can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityCause {
    /// Out of focus or moved.
    Blurred,
    /// Too few pixels for the print.
    TooSmall,
    /// The paper runs over the edge of the picture.
    CutOff,
    /// Something lies over the print.
    Covered,
    /// Light is mirrored.
    Glare,
    /// Too dark.
    UnderExposed,
    /// Washed out.
    OverExposed,
    /// A picture of a screen.
    Screen,
    /// Nothing is on it.
    Blank,
}

impl QualityCause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::Blurred,
        Self::TooSmall,
        Self::CutOff,
        Self::Covered,
        Self::Glare,
        Self::UnderExposed,
        Self::OverExposed,
        Self::Screen,
        Self::Blank,
    ];

    /// The name in API, exports and the reasons of findings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blurred => "blurred",
            Self::TooSmall => "too_small",
            Self::CutOff => "cut_off",
            Self::Covered => "covered",
            Self::Glare => "glare",
            Self::UnderExposed => "under_exposed",
            Self::OverExposed => "over_exposed",
            Self::Screen => "screen",
            Self::Blank => "blank",
        }
    }
}

impl FromStr for QualityCause {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|cause| cause.as_str() == text)
            .ok_or(UnknownTerm { what: "cause of poor quality" })
    }
}

/// What was measured of a picture; every cause rests on one of these. `None`: there was nothing to measure it on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QualityMeasures {
    /// Level of grey, 0 to 255, that all but one in a hundred pixels do not exceed.
    pub light_level: Option<f32>,
    /// The level that half of the pixels do not exceed.
    pub middle_level: Option<f32>,
    /// The level that one in a hundred pixels does not exceed.
    pub dark_level: Option<f32>,
    /// Share of the pixels that are neither grey nor nearly so.
    pub colour_share: Option<f32>,
    /// Height of the lines of print, in pixels of the page; the middle one of all.
    pub print_height_px: Option<f32>,
    /// How wide the way from paper to ink is at the edges of print, in pixels of the page.
    pub edge_width_px: Option<f32>,
    /// How much of the outline of a paper lies off the picture, as a share of its width.
    pub off_picture_share: Option<f32>,
    /// How much of a side of a photographed paper has no edge in the picture, where other sides have theirs.
    pub open_side_share: Option<f32>,
    /// Share of the paper in a spot brighter than everything around it.
    pub glare_share: Option<f32>,
    /// Of printed words that must stand on a card and were not read, the least print: what there is of it beside words
    /// that were read, as a ratio.
    pub least_print_ratio: Option<f32>,
    /// How far the strongest regular pattern of few pixels stands above the rest, as a ratio.
    pub pattern_ratio: Option<f32>,
}

/// Image quality of a page or a paper.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// 0.0 useless to 1.0 flawless.
    pub score: f32,
    /// Why it is not 1.0.
    pub causes: Vec<QualityCause>,
    /// What the causes rest on.
    #[serde(default)]
    pub measures: QualityMeasures,
}

/// One time step of a recogniser: the most probable classes with natural-log probabilities, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatticeStep {
    /// Characters (`None` is the CTC blank) with natural-log probability.
    pub classes: Vec<(Option<char>, f32)>,
    /// Natural-log probability given to any character that is not listed.
    pub floor: f32,
}

/// The recogniser's output over one line of ink, cut down to its probable classes; input to CTC forward.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lattice {
    /// From left to right; empty when the engine gives no probabilities.
    pub steps: Vec<LatticeStep>,
}

/// Why a value differs from the bare output of the recogniser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    /// The bare output.
    pub from: String,
    /// The rule that made the value certain, as in `check_digit`, `barcode`, `region`, `second_engine`.
    pub rule: String,
}

/// One field as read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldReading {
    /// Which field.
    pub field: FieldName,
    /// The value in the field's own form (dates as `YYYY-MM-DD`); `None`: it is there but cannot be read.
    pub text: Option<String>,
    /// The share of values like this one that are right.
    pub confidence: Confidence,
    /// Where the ink is.
    pub region: Quad,
    /// Set when the value was chosen by what must be true.
    pub repair: Option<Repair>,
    /// One lattice for each line of ink, top to bottom.
    pub lattices: Vec<Lattice>,
    /// Which look decided it, as in `first`, `second_model`, `other_channel`, `second_engine`.
    pub decided_by: String,
}

/// Whether something is there: a stamp, a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// Cannot tell; a person must look.
    Unclear,
}

/// A stamp or signature looked for on a paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Whether it is there.
    pub presence: Presence,
    /// How sure of `presence`.
    pub confidence: Confidence,
    /// Where it is, or where it should be.
    pub region: Option<Quad>,
    /// What was read in it, if anything.
    pub text: Option<String>,
    /// The ink, for weighing names against it.
    pub lattices: Vec<Lattice>,
    /// Extent of the ink, millimetres wide and high, where the scale is known.
    pub extent_mm: Option<[f32; 2]>,
    /// Numbers that describe the shape, for likeness with other signatures; empty when not computed.
    pub shape: Vec<f32>,
}

/// One paper found on a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperReading {
    /// What it is.
    pub kind: PaperKind,
    /// The form it was read with, as in `id_card_front` or the name of an operator's form file.
    pub form: String,
    /// How sure of `kind`.
    pub confidence: Confidence,
    /// Its outline on the page.
    pub region: Quad,
    /// How it was captured.
    pub capture: Capture,
    /// Its image quality.
    pub quality: Quality,
    /// Its fields, in the order of the form; a field that is printed but was not found is absent.
    pub fields: Vec<FieldReading>,
    /// The copy stamp 有效证件一次使用复印无效, where one was looked for.
    pub copy_stamp: Option<Mark>,
    /// The customer's signature, where one was looked for.
    pub signature: Option<Mark>,
    /// Required fields of the form that cannot be read, with nothing guessed.
    pub illegible: Vec<FieldName>,
    /// A description of the picture that survives re-saving, for `duplicate_scan`; empty when not computed.
    pub fingerprint: Vec<u8>,
}

impl PaperReading {
    /// The field's reading, if the paper has it.
    pub fn field(&self, name: FieldName) -> Option<&FieldReading> {
        self.fields.iter().find(|field| field.field == name)
    }
}

/// What reading a page cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReadingCost {
    /// CPU time of the thread that read, milliseconds.
    pub cpu_ms: f32,
    /// Calls of the detector.
    pub detections: u32,
    /// Lines given to a recogniser.
    pub recognitions: u32,
    /// Fields that needed a second look.
    pub second_looks: u32,
}

/// Everything one engine read on one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageReading {
    /// Quarter turns clockwise that bring the page upright, 0 to 3.
    pub quarter_turns: u8,
    /// Image quality of the page.
    pub quality: Quality,
    /// The papers on it, top to bottom; empty on a blank page.
    pub papers: Vec<PaperReading>,
    /// What it cost.
    pub cost: ReadingCost,
}

/// Says which version of which engine made a reading.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineVersion {
    /// As in `ppocr-v6-ort`, `tesseract`, or `person` for a correction.
    pub engine: String,
    /// Version of engine, models and forms together; changes whenever the output may change.
    pub version: String,
}

/// The slots a paper of this kind fills for the customer; `None` for what is not recognised.
pub const fn slot_of(kind: PaperKind) -> Option<Slot> {
    match kind {
        PaperKind::IdCardFront | PaperKind::Passport | PaperKind::Permit | PaperKind::HouseholdRegister => {
            Some(Slot::IdFront)
        }
        PaperKind::IdCardBack => Some(Slot::IdBack),
        PaperKind::Slip => Some(Slot::Slip),
        PaperKind::Licence => Some(Slot::Licence),
        PaperKind::Authorisation => Some(Slot::Authorisation),
        PaperKind::Unknown => None,
    }
}
