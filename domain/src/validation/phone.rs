//! Phone numbers and postcodes.

use super::{Invalid, InvalidReason, Normalised, Warning, all_digits, folded, folded_of_length};
use crate::folding::fold_number;

/// Checks a mobile number; a country code is dropped, a prefix nobody was allotted is a warning.
pub fn mobile(written: &str) -> Result<Normalised, Invalid> {
    let folded = folded(written)?;
    let value = without_country_code(&folded);
    if value.chars().count() != 11 {
        return Err(Invalid::new(written, InvalidReason::Length));
    }
    if !all_digits(value) {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    if !value.starts_with('1') || matches!(value.as_bytes()[1], b'0'..=b'2') {
        return Err(Invalid::new(written, InvalidReason::Prefix));
    }
    let number = Normalised::new(written, value.to_owned());
    Ok(if is_allotted(&value[..3]) { number } else { number.with_warning(Warning::PrefixNotAllotted) })
}

fn is_allotted(prefix: &str) -> bool {
    matches!(
        prefix.parse::<u16>(),
        Ok(130..=141 | 144..=153 | 155..=159 | 162 | 165..=167 | 170..=178 | 180..=193 | 195..=199)
    )
}

/// Drops +86 or 0086 from what was folded.
pub(crate) fn without_country_code(folded: &str) -> &str {
    folded
        .strip_prefix("+86")
        .or_else(|| folded.strip_prefix("0086"))
        .or_else(|| folded.strip_prefix("86").filter(|rest| rest.len() == 11 && rest.starts_with('1')))
        .unwrap_or(folded)
}

/// The number as it is dialled at home: folded, and without +86 or 0086, in whose place a landline gets its 0 back. What
/// is no number, such as a star for the rest of one, stays as it stands.
pub fn national_phone(written: &str) -> String {
    let folded: String = fold_number(written).chars().filter(|c| !matches!(c, '(' | ')')).collect();
    let rest = without_country_code(&folded);
    if rest.is_empty() || rest.len() == folded.len() {
        return folded;
    }
    let is_landline = !rest.starts_with('0') && !is_mobile_beginning(rest);
    if is_landline && rest.starts_with(|first: char| first.is_ascii_digit()) {
        format!("0{rest}")
    } else {
        rest.to_owned()
    }
}

fn is_mobile_beginning(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// Checks a landline number with its area code: 010 and 02x with 8 digits, others with 7 or 8.
pub fn landline(written: &str) -> Result<Normalised, Invalid> {
    let value: String =
        folded(written)?.chars().filter(|character| !matches!(character, '(' | ')')).collect();
    let fail = |reason| Err(Invalid::new(written, reason));
    if !all_digits(&value) {
        return fail(InvalidReason::Character);
    }
    if !value.starts_with('0') || value.starts_with("00") {
        return fail(InvalidReason::Prefix);
    }
    let area_length = area_code_length(&value);
    let Some(local) = value.get(area_length..) else {
        return fail(InvalidReason::Length);
    };
    let fits = if area_length == 3 { local.len() == 8 } else { matches!(local.len(), 7 | 8) };
    if !fits {
        return fail(InvalidReason::Length);
    }
    if local.starts_with(['0', '1']) {
        return fail(InvalidReason::Prefix);
    }
    Ok(Normalised::new(written, value))
}

/// How many digits of a landline number are its area code, the leading 0 included.
pub(crate) fn area_code_length(digits: &str) -> usize {
    if digits.starts_with("010") || digits.starts_with("02") { 3 } else { 4 }
}

/// Checks a contact number, mobile or landline, whichever its beginning says.
pub fn phone(written: &str) -> Result<Normalised, Invalid> {
    let folded = folded(written)?;
    let value = without_country_code(&folded);
    if value.starts_with(['0', '(']) { landline(written) } else { mobile(written) }
}

/// Checks a postcode: six digits.
pub fn postcode(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[6])?;
    if all_digits(&value) {
        Ok(Normalised::new(written, value))
    } else {
        Err(Invalid::new(written, InvalidReason::Character))
    }
}
