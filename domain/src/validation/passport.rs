//! Passports: the Chinese number.

use super::{Invalid, InvalidReason, Normalised, Warning, all_digits, folded_of_length};

/// Checks the number of a Chinese passport: `E` and 8 digits, `E` with a letter and 7 digits, older ones.
pub fn chinese_passport(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[9])?;
    if !value.is_ascii() {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    let (second, digits) = (value.as_bytes()[1], &value[2..]);
    let is_second_letter = second.is_ascii_uppercase() && !matches!(second, b'I' | b'O');
    let fits = match value.as_bytes()[0] {
        b'E' => second.is_ascii_digit() || is_second_letter,
        b'G' | b'D' | b'S' | b'P' | b'H' => {
            second.is_ascii_digit() || (value.starts_with('P') && is_second_letter)
        }
        _ => return Err(Invalid::new(written, InvalidReason::Prefix)),
    };
    if !fits || !all_digits(digits) {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    let number = Normalised::new(written, value.clone());
    Ok(if value.starts_with(['E', 'G']) { number } else { number.with_warning(Warning::UnusualForm) })
}
