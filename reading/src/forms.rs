//! What the papers look like, as data: labels, places, kinds of value. An operator adds its own slip as a file.

mod check;

use std::{fs, io, path::Path};

use domain::{field::FieldName, reading::PaperKind, validation::IdentityPaper};
use serde::Deserialize;
use thiserror::Error;

pub use check::{Problem, check};

/// The forms that come with the program.
const EMBEDDED: [&str; 9] = [
    include_str!("../../forms/id_card_front.toml"),
    include_str!("../../forms/id_card_back.toml"),
    include_str!("../../forms/service_confirmation.toml"),
    include_str!("../../forms/passport.toml"),
    include_str!("../../forms/travel_permit.toml"),
    include_str!("../../forms/foreign_resident_front.toml"),
    include_str!("../../forms/foreign_resident_back.toml"),
    include_str!("../../forms/household_register.toml"),
    include_str!("../../forms/licence.toml"),
];

/// How the values of a form are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Everything stands in its place on a card of known size.
    Card,
    /// Values stand beside or below their labels, wherever those are.
    Labelled,
}

/// What a value may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Name of a person or organisation.
    Name,
    /// 男 or 女.
    Sex,
    /// One of the 56 nationalities.
    Nation,
    /// Birth date.
    Birth,
    /// Any other date.
    Date,
    /// First day of a term, as in `2016.01.09-2026.01.09`.
    ValidityStart,
    /// Last day of it.
    ValidityEnd,
    /// Number of a resident identity card.
    IdNumber,
    /// Number of another paper, of letters and digits, checked as its kinds of paper demand.
    PaperNumber,
    /// Machine-readable zone: two lines of 44 characters, or three of 30.
    Mrz,
    /// Mobile or fixed number.
    Phone,
    /// Address, possibly on several lines.
    Address,
    /// Office that issued a card.
    Authority,
    /// Number of an acceptance.
    SlipNumber,
    /// Code of an outlet, possibly in brackets behind its name.
    OutletCode,
    /// Letters and digits.
    Code,
    /// Anything.
    Text,
}

/// A text or pattern whose place on a card is known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The printed words.
    pub text: Option<String>,
    /// A kind of value that stands there.
    pub pattern: Option<Pattern>,
    /// Left, top, right, bottom as fractions of the card.
    pub at: [f32; 4],
    /// What finding it is worth.
    pub weight: f32,
}

/// A kind of value that can be told by its characters alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// About eighteen digits.
    IdNumber,
    /// Year, month and day.
    BirthRow,
    /// Two dates, or a date and 长期.
    Validity,
    /// Something that ends in 公安局 or 分局.
    Authority,
    /// 男 or 女 alone.
    Sex,
    /// Something that begins with a province, city or county.
    Address,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldPlan {
    /// Which field.
    pub field: FieldName,
    /// What its value looks like.
    pub kind: ValueKind,
    /// The words printed before it, any of them.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Where its value stands on a card: left, top, right, bottom as fractions.
    pub place: Option<[f32; 4]>,
    /// The most lines it takes.
    #[serde(default = "one")]
    pub lines: u8,
    /// Whether the paper is useless without it.
    #[serde(default)]
    pub required: bool,
    /// Texts that are values of it and never labels, however much they look like one.
    #[serde(default)]
    pub values: Vec<String>,
    /// Shapes it is known by without a label: `A` a letter, `9` a digit.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Kinds of paper whose numbers it can be; for the number of a paper.
    #[serde(default)]
    pub papers: Vec<IdentityPaper>,
}

impl FieldPlan {
    /// Whether two fields are the two ends of one term, printed behind one label.
    pub fn shares_its_ink_with(&self, other: &Self) -> bool {
        let is_end = |kind| matches!(kind, ValueKind::ValidityStart | ValueKind::ValidityEnd);
        is_end(self.kind) && is_end(other.kind) && !self.labels.is_empty() && self.labels == other.labels
    }
}

/// Labels of values that are not read; they end the value before them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherLabels {
    /// The words.
    pub texts: Vec<String>,
}

/// Where the customer signs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignaturePlan {
    /// The words printed before it, any of them.
    pub labels: Vec<String>,
}

/// One kind of paper.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Unique name.
    pub name: String,
    /// What it is in a case file.
    pub paper: PaperKind,
    /// How its values are found.
    pub layout: Layout,
    /// Width and height of a card.
    pub size_mm: Option<[f32; 2]>,
    /// Whether a photocopy of it must bear the copy stamp.
    #[serde(default)]
    pub copy_stamp: bool,
    /// Printed titles, any of them.
    #[serde(default)]
    pub titles: Vec<String>,
    /// Whether its labels stand on other papers too: it is recognised by a title or a machine-readable zone only.
    #[serde(default)]
    pub needs_title: bool,
    /// Lines that contain one of these are paragraphs nobody needs.
    #[serde(default)]
    pub not_read: Vec<String>,
    /// Words that never stand on it: a card that seems to hold one of them is another paper.
    #[serde(default)]
    pub never_on_it: Vec<String>,
    /// What the form is recognised and placed by.
    #[serde(default)]
    pub anchors: Vec<Anchor>,
    /// What is read.
    pub fields: Vec<FieldPlan>,
    /// Labels of what is not.
    #[serde(default)]
    pub other_labels: Vec<OtherLabels>,
    /// Where the customer signs.
    pub signature: Option<SignaturePlan>,
}

const fn one() -> u8 {
    1
}

/// All forms a reader knows.
#[derive(Debug, Clone, PartialEq)]
pub struct FormSet {
    forms: Vec<Form>,
}

/// Why forms could not be loaded.
#[derive(Debug, Error)]
pub enum FormError {
    /// The folder or a file in it cannot be read.
    #[error("forms folder cannot be read")]
    Unreadable(#[source] io::Error),
    /// A file is not a form.
    #[error("form file {file} is wrong: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Wrong {
        /// Its name.
        file: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
}

impl FormSet {
    /// The forms that come with the program.
    ///
    /// # Errors
    /// None in a released program; the embedded files are checked by a test.
    pub fn embedded() -> Result<Self, FormError> {
        let mut set = Self { forms: Vec::new() };
        for text in EMBEDDED {
            set.add("embedded", text)?;
        }
        Ok(set)
    }

    /// The embedded forms, with every `.toml` of `folder` added; one of the same name takes the place of ours.
    ///
    /// # Errors
    /// The folder cannot be read, or a file in it is not a form.
    pub fn with_folder(folder: &Path) -> Result<Self, FormError> {
        let mut set = Self::embedded()?;
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(FormError::Unreadable)? {
            paths.push(entry.map_err(FormError::Unreadable)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).map_err(FormError::Unreadable)?;
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            set.add(&file, &text)?;
        }
        Ok(set)
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), FormError> {
        let problems = check(text);
        if !problems.is_empty() {
            return Err(FormError::Wrong { file: file.to_owned(), problems });
        }
        let form: Form = toml::from_str(text).map_err(|error| FormError::Wrong {
            file: file.to_owned(),
            problems: vec![Problem::Unreadable { reason: error.to_string() }],
        })?;
        match self.forms.iter_mut().find(|known| known.name == form.name) {
            Some(known) => *known = form,
            None => self.forms.push(form),
        }
        Ok(())
    }

    /// Every form, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Form> {
        self.forms.iter()
    }

    /// The form of that name.
    pub fn get(&self, name: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.name == name)
    }
}
