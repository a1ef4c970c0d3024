//! One spelling for what paper and keyboard write differently: widths, spaces, dots, letters and dates.
//!
//! The lattice itself is folded, so probability given to `（` counts for `(`. Only copies are folded; what is
//! shown as read stays as it is.

use domain::{
    field::FieldName,
    reading::{Lattice, LatticeStep},
};

use super::likelihood::log_add;

/// What a field is written with; decides which differences mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Names, addresses and other words: punctuation means nothing, except a hyphen between numbers.
    Words,
    /// Numbers with letters: only letters and digits count, small ones as capitals.
    Number,
    /// Dates: digits, and one separator for 年, 月, 日, full stop, stroke and hyphen; or 长期.
    Date,
}

impl Alphabet {
    /// The alphabet of a field.
    pub(crate) const fn of(field: FieldName) -> Self {
        match field {
            FieldName::Birth | FieldName::ValidFrom | FieldName::ValidTo | FieldName::AcceptedOn => {
                Self::Date
            }
            FieldName::IdNumber
            | FieldName::SlipNumber
            | FieldName::OutletCode
            | FieldName::ServiceNumber
            | FieldName::ContactPhone
            | FieldName::AgentIdNumber
            | FieldName::StaffNumber
            | FieldName::CreditCode => Self::Number,
            _ => Self::Words,
        }
    }

    /// The one spelling of a character; `None` when it means nothing in this field.
    fn fold(self, character: char) -> Option<char> {
        let narrow = to_half_width(character);
        match self {
            Self::Words => fold_in_words(narrow),
            Self::Number => narrow.is_alphanumeric().then(|| narrow.to_ascii_uppercase()),
            Self::Date => fold_in_date(narrow),
        }
    }
}

fn fold_in_words(narrow: char) -> Option<char> {
    match narrow {
        '-' | '‐' | '‑' | '–' | '—' | '―' | '−' | '－' => Some('-'),
        '〇' | '○' | '◯' => Some('〇'),
        other if other.is_alphanumeric() => Some(other.to_ascii_uppercase()),
        _ => None,
    }
}

fn fold_in_date(narrow: char) -> Option<char> {
    match narrow {
        '年' | '月' | '日' | '.' | '。' | '/' | '-' | '‐' | '–' | '—' | '―' | '−' | '~' | '至' | ':'
        | '·' => Some('-'),
        other if other.is_alphanumeric() => Some(other),
        _ => None,
    }
}

/// Full-width Latin, digits and signs as their usual forms.
fn to_half_width(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// The text in one spelling.
pub(crate) fn fold_text(text: &str, alphabet: Alphabet) -> Vec<char> {
    let mut folded: Vec<char> = Vec::new();
    for character in text.chars().filter_map(|c| alphabet.fold(c)) {
        let doubled_separator = alphabet == Alphabet::Date && character == '-' && folded.last() == Some(&'-');
        if !doubled_separator {
            folded.push(character);
        }
    }
    folded
}

/// The lattice in one spelling: classes that mean the same are added up, those that mean nothing are blank.
pub(crate) fn fold_lattice(lattice: &Lattice, alphabet: Alphabet) -> Lattice {
    let steps = lattice.steps.iter().map(|step| fold_step(step, alphabet)).collect();
    Lattice { steps }
}

fn fold_step(step: &LatticeStep, alphabet: Alphabet) -> LatticeStep {
    let mut classes: Vec<(Option<char>, f32)> = Vec::with_capacity(step.classes.len());
    for &(class, log_probability) in &step.classes {
        let folded = class.and_then(|c| alphabet.fold(c));
        match classes.iter_mut().find(|(known, _)| *known == folded) {
            Some((_, sum)) => *sum = log_add(f64::from(*sum), f64::from(log_probability)) as f32,
            None => classes.push((folded, log_probability)),
        }
    }
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    LatticeStep { classes, floor: step.floor }
}

/// The ways a value may be printed in this field, each in one spelling, the commonest first.
///
/// Only dates have several: with and without leading zeros and the closing 日.
pub(crate) fn printed_forms(value: &str, alphabet: Alphabet) -> Vec<Vec<char>> {
    if alphabet == Alphabet::Date
        && let Some((year, month, day)) = date_parts(value)
    {
        let texts = [
            format!("{year:04}-{month:02}-{day:02}"),
            format!("{year:04}-{month}-{day}-"),
            format!("{year:04}-{month:02}-{day:02}-"),
            format!("{year:04}-{month}-{day}"),
            format!("{year:04}{month:02}{day:02}"),
        ];
        let mut forms: Vec<Vec<char>> = Vec::new();
        for text in texts {
            let form: Vec<char> = text.chars().collect();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        return forms;
    }
    vec![fold_text(value, alphabet)]
}

/// Year, month and day of a date typed in any usual form; whether the day exists is not asked here.
fn date_parts(value: &str) -> Option<(u32, u32, u32)> {
    let folded: String = fold_text(value, Alphabet::Date).into_iter().collect();
    let parts: Vec<&str> = folded.split('-').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [year, month, day] => Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)),
        [whole] if whole.len() == 8 && whole.is_ascii() => {
            Some((whole[..4].parse().ok()?, whole[4..6].parse().ok()?, whole[6..].parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{best_path, lattices::lattice_of};

    fn check(text: &str, alphabet: Alphabet, expected: &str) {
        assert_eq!(fold_text(text, alphabet).into_iter().collect::<String>(), expected, "{text}");
    }

    #[test]
    fn widths_spaces_and_dots_mean_nothing() {
        check("阿卜杜拉·买买提", Alphabet::Words, "阿卜杜拉买买提");
        check("１２号楼（２门） 903", Alphabet::Words, "12号楼2门903");
        check("12－3", Alphabet::Words, "12-3");
        check("１１０１０１ 19900101 123x", Alphabet::Number, "11010119900101123X");
        check("2023年 9月7日", Alphabet::Date, "2023-9-7-");
        check("2023.09.07—长期", Alphabet::Date, "2023-09-07-长期");
    }

    #[test]
    fn a_date_is_tried_as_it_may_be_printed() {
        let forms = printed_forms("1995-09-07", Alphabet::Date);

        let texts: Vec<String> = forms.into_iter().map(|form| form.into_iter().collect()).collect();
        assert!(texts.contains(&"1995-9-7-".to_owned()));
        assert!(texts.contains(&"1995-09-07".to_owned()));
        assert!(texts.contains(&"19950907".to_owned()));
    }

    #[test]
    fn a_validity_without_end_is_a_word() {
        assert_eq!(printed_forms("长期", Alphabet::Date), [vec!['长', '期']]);
    }

    #[test]
    fn a_folded_lattice_adds_up_what_means_the_same() {
        let step = LatticeStep {
            classes: vec![(Some('（'), 0.4_f32.ln()), (Some('１'), 0.3_f32.ln()), (Some('1'), 0.3_f32.ln())],
            floor: -9.0,
        };

        let folded = fold_step(&step, Alphabet::Words);

        assert_eq!(folded.classes[0].0, Some('1'));
        assert!((folded.classes[0].1 - 0.6_f32.ln()).abs() < 1e-5);
        assert_eq!(folded.classes[1].0, None);
    }

    #[test]
    fn a_folded_lattice_reads_as_the_folded_text() {
        let folded = fold_lattice(&lattice_of("（１）王·五", 0.9), Alphabet::Words);

        assert_eq!(best_path(&folded), "1王五");
    }
}
