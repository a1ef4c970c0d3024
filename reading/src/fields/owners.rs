//! Whose a value on a slip is: the label beside or above it, its own shape, or the value it goes on with.

use domain::validation;

use super::{
    labelled::{left_of, right_of},
    parse,
    segments::{Label, Segments, Value},
};
use crate::{
    forms::{Form, ValueKind},
    prepare::geometry::QuadMeasure,
};

/// Digits that numbers of permits and cards end in, and letters before them.
const LENGTHS_OF_PAPER_NUMBERS: std::ops::RangeInclusive<usize> = 8..=12;
const MOST_LETTERS: usize = 3;
/// A value below its label is at most this many line heights away.
const FARTHEST_BELOW: f32 = 2.6;
/// A value beside its label may stand this much higher or lower, in line heights.
const FARTHEST_BESIDE: f32 = 0.7;
/// Rows of one value begin at the same place, give or take so many heights: the end of a label is known badly.
pub(super) const LARGEST_INDENT: f32 = 2.2;
/// A number holds no more characters of Han than a date does.
const MOST_HAN_IN_NUMBER: usize = 3;
/// The most digits of a phone number, with country code and extension.
const MOST_DIGITS_IN_PHONE: usize = 14;
/// A choice printed on a form with several stops in it is no longer.
const MOST_IN_A_CHOICE: usize = 12;
/// No name of a person or organisation is longer.
const MOST_HAN_IN_NAME: usize = 24;

/// For each value the index of the field it belongs to.
pub(super) fn owners(form: &Form, segments: &Segments) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = vec![None; segments.values.len()];
    let mut named = vec![false; segments.values.len()];
    for (index, value) in segments.values.iter().enumerate() {
        // A number of known shape needs no label; the barcode it stands under has none.
        if let Some(field) = by_pattern(form, value) {
            owners[index] = Some(field);
            named[index] = true;
        } else if let Some(label) = label_of(form, value, segments) {
            owners[index] = label.field;
            named[index] = true;
        }
    }
    follow_left_neighbours(segments, &mut owners, &mut named);
    claim_orphans(form, segments, &mut owners, &mut named);
    // A row without a label of its own goes on with the value above it.
    for index in 0..segments.values.len() {
        if owners[index].is_none() && !named[index] {
            owners[index] = continued(form, &segments.values[index], segments, &owners);
        }
    }
    owners
}

/// A piece that begins where another ends on the same row is the rest of it, whatever stands above.
fn follow_left_neighbours(segments: &Segments, owners: &mut [Option<usize>], named: &mut [bool]) {
    let mut order: Vec<usize> = (0..segments.values.len()).collect();
    order.sort_by(|a, b| left_of(&segments.values[*a].quad).total_cmp(&left_of(&segments.values[*b].quad)));
    for &index in &order {
        let quad = &segments.values[index].quad;
        let height = quad.height();
        let neighbour = order.iter().copied().find(|&other| {
            let gap = (left_of(quad) - right_of(&segments.values[other].quad)) / height;
            other != index
                && named[other]
                && (-0.6..1.0).contains(&gap)
                && segments.same_row(&segments.values[other].quad, quad)
        });
        if let Some(other) = neighbour {
            owners[index] = owners[other];
            named[index] = true;
        }
    }
}

/// The label a value belongs to: one that ends left of it on its row or nearly so, or one above it that begins
/// where it begins; the nearest of all.
fn label_of<'a>(form: &Form, value: &Value, segments: &'a Segments) -> Option<&'a Label> {
    let cost = |label: &Label| {
        let plan = label.field.and_then(|field| form.fields.get(field));
        if plan.is_some_and(|plan| !suits(plan.kind, &value.text)) {
            return None;
        }
        beside(value, label, segments).into_iter().chain(below(value, label, segments)).reduce(f32::min)
    };
    segments
        .labels
        .iter()
        .filter_map(|label| cost(label).map(|cost| (cost, label)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, label)| label)
}

/// How far a value is from a label to its left.
fn beside(value: &Value, label: &Label, segments: &Segments) -> Option<f32> {
    let height = value.quad.height();
    let apart = segments.apart(&label.quad, &value.quad);
    let gap = (left_of(&value.quad) - right_of(&label.quad)) / height;
    (apart < FARTHEST_BESIDE && gap > -0.6).then(|| 3.0 * apart + 0.25 * gap.max(0.0))
}

/// How far a value is from a label above it.
fn below(value: &Value, label: &Label, segments: &Segments) -> Option<f32> {
    let height = value.quad.height();
    let slope = segments.slope_of(&value.quad).tan();
    let (here, there) = (value.quad.centre(), label.quad.centre());
    let gap = (here.y - there.y - slope * (here.x - there.x)) / height;
    if value.text.chars().count() == 1 && value.text.chars().all(parse::is_han) {
        return None;
    }
    let lean = slope * (there.y - here.y);
    let indent = (left_of(&label.quad) - left_of(&value.quad) + lean).abs() / height;
    ((0.5..FARTHEST_BELOW).contains(&gap) && indent < 1.2).then_some(0.8 * gap + 0.5 * indent)
}

fn by_pattern(form: &Form, value: &Value) -> Option<usize> {
    if value.text.chars().any(super::parse::is_han) {
        return None;
    }
    let code = super::parse::code(&value.text)?;
    form.fields.iter().position(|plan| plan.patterns.iter().any(|pattern| alike(&code, pattern)))
}

/// Whether a code read quickly, and perhaps with an error or two, has the shape of a pattern.
fn alike(code: &str, pattern: &str) -> bool {
    let (length, expected) = (code.chars().count(), pattern.chars().count());
    let letters = code.chars().take(2).filter(char::is_ascii_alphabetic).count();
    length.abs_diff(expected) <= 2 && length >= 12 && letters >= 1
}

/// The field of the value above, if it takes several lines, begins at the same place, and nothing stands to the left.
fn continued(form: &Form, value: &Value, segments: &Segments, owners: &[Option<usize>]) -> Option<usize> {
    let height = value.quad.height();
    let alone = !segments.values.iter().any(|other| {
        segments.same_row(&other.quad, &value.quad) && right_of(&other.quad) < left_of(&value.quad)
    });
    segments.values.iter().zip(owners).find_map(|(other, owner)| {
        let field = (*owner)?;
        let gap = (value.quad.centre().y - other.quad.centre().y) / height;
        let lean = segments.slope_of(&value.quad).tan() * (other.quad.centre().y - value.quad.centre().y);
        let aligned = (left_of(&other.quad) - left_of(&value.quad) + lean).abs() < LARGEST_INDENT * height;
        ((0.6..2.0).contains(&gap) && aligned && alone && form.fields[field].lines > 1).then_some(field)
    })
}

/// Whether what the quick reader made of a piece can be a value of this kind at all; terms in small print cannot.
fn suits(kind: ValueKind, text: &str) -> bool {
    let han = text.chars().filter(|c| parse::is_han(*c)).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let stops = text.chars().filter(|c| matches!(c, ',' | '，' | '。' | ';' | '；')).count();
    match kind {
        // Longer ones are numbers of identity papers.
        ValueKind::Phone if digits > MOST_DIGITS_IN_PHONE => false,
        ValueKind::IdNumber
        | ValueKind::PaperNumber
        | ValueKind::Phone
        | ValueKind::SlipNumber
        | ValueKind::Date => han <= MOST_HAN_IN_NUMBER || digits > han,
        ValueKind::Name => han <= MOST_HAN_IN_NAME && (stops == 0 || han + stops < 8),
        ValueKind::Address => stops < 2,
        ValueKind::Text => !is_of_the_terms(text),
        _ => true,
    }
}

/// Whether a text is a part of numbered terms, as no choice on a form is.
fn is_of_the_terms(text: &str) -> bool {
    let stops = text.chars().filter(|c| matches!(c, ',' | '，' | '。' | ';' | '；' | '、')).count();
    let mut chars = text.chars();
    let is_numbered = chars.next().is_some_and(|c| c.is_ascii_digit()) && chars.next() == Some('、');
    is_numbered || stops >= 2 && text.chars().count() > MOST_IN_A_CHOICE
}

/// A value whose label cannot be read belongs to the one required field of its kind that has none, where only
/// one value can be it.
fn claim_orphans(form: &Form, segments: &Segments, owners: &mut [Option<usize>], named: &mut [bool]) {
    for kind in [ValueKind::Address, ValueKind::IdNumber, ValueKind::PaperNumber, ValueKind::Phone] {
        let lacking: Vec<usize> = (0..form.fields.len())
            .filter(|field| form.fields[*field].required && form.fields[*field].kind == kind)
            .filter(|field| !owners.contains(&Some(*field)))
            .collect();
        let orphans: Vec<usize> = (0..segments.values.len())
            .filter(|index| !named[*index] && is_plainly(kind, &segments.values[*index].text))
            .collect();
        if let ([field], [orphan]) = (&lacking[..], &orphans[..]) {
            owners[*orphan] = Some(*field);
            named[*orphan] = true;
        }
    }
}

/// Whether a text is of a kind by its characters alone.
fn is_plainly(kind: ValueKind, text: &str) -> bool {
    match kind {
        ValueKind::IdNumber => {
            let number = parse::number(text);
            (15..=19).contains(&number.len()) && parse::digits(text).len() + 1 >= number.len()
        }
        // Its label is small and often one piece with it.
        ValueKind::PaperNumber => {
            let code = parse::code(text).unwrap_or_default();
            let digits = code.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            code.chars().count() == parse::folded(text).chars().count()
                && digits.bytes().all(|c| c.is_ascii_digit())
                && LENGTHS_OF_PAPER_NUMBERS.contains(&digits.len())
                && code.len() - digits.len() <= MOST_LETTERS
        }
        ValueKind::Phone => {
            let digits = parse::digits(text);
            digits.len() == text.chars().count() && validation::mobile(&digits).is_ok()
        }
        ValueKind::Address => begins_with_region(text),
        _ => false,
    }
}

fn begins_with_region(text: &str) -> bool {
    let folded: Vec<char> = parse::folded(text).chars().take(12).collect();
    folded.len() >= 8
        && (2..folded.len())
            .any(|length| validation::is_region_name(&folded[..length].iter().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_no_values() {
        assert!(!suits(ValueKind::Phone, "应妥善保管服务密码，因保管不善造"));
        assert!(!suits(ValueKind::IdNumber, "1、套餐自次月一日零时生效，"));
        assert!(!suits(ValueKind::Name, "应妥善保管服务密码，因保管不善造"));
        assert!(!suits(ValueKind::Text, "使用,否则自行承担法律责任。3、根据电"));
        assert!(!suits(ValueKind::Text, "1、如需变更或注销,请携带有效证件"));
        assert!(suits(ValueKind::Text, "5G畅享套餐129元、含宽带"));
        for (kind, text) in [
            (ValueKind::Phone, "17752884300"),
            (ValueKind::Date, "2026年9月5日"),
            (ValueKind::IdNumber, "52011219480608163O"),
            (ValueKind::Name, "天津长风联合电信有限公司"),
            (ValueKind::Address, "贵州省贵阳市乌当区育才里242号,香榭丽都"),
        ] {
            assert!(suits(kind, text), "{text}");
        }
    }

    #[test]
    fn kinds_are_told_from_characters_alone() {
        assert!(is_plainly(ValueKind::Address, "贵州省贵阳市乌当区育才里242号"));
        assert!(is_plainly(ValueKind::IdNumber, "520112194806081630"));
        assert!(is_plainly(ValueKind::Phone, "17752884300"));
        assert!(is_plainly(ValueKind::PaperNumber, "n08803925"));
        assert!(is_plainly(ValueKind::PaperNumber, "ITA312907205066"));
        assert!(!is_plainly(ValueKind::PaperNumber, "2024.07.04"));
        assert!(!is_plainly(ValueKind::PaperNumber, "样本2024070"));
        assert!(!is_plainly(ValueKind::Address, "居民身份证居民身份证"));
        assert!(!is_plainly(ValueKind::Phone, "电话17752884300"));
    }
}
