//! Check digits shared by several kinds of number.

use super::{Invalid, InvalidReason, Normalised, all_digits, folded};

/// The value of a character in a machine-readable zone: digits, A = 10 … Z = 35, filler 0.
pub(super) const fn mrz_value(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some((byte - b'0') as u32),
        b'A'..=b'Z' => Some((byte - b'A') as u32 + 10),
        b'<' => Some(0),
        _ => None,
    }
}

/// The check digit of ICAO 9303: weights 7 3 1, modulo 10.
pub(super) fn mrz_check(bytes: &[u8]) -> Option<u32> {
    let mut sum = 0;
    for (byte, weight) in bytes.iter().zip([7, 3, 1].into_iter().cycle()) {
        sum += mrz_value(*byte)? * weight;
    }
    Some(sum % 10)
}

/// ISO 7064 mod 11,10: whether the last digit is the check of those before it.
pub(super) fn mod_11_10_holds(digits: &[u8]) -> bool {
    let Some((check, rest)) = digits.split_last() else {
        return false;
    };
    let mut remainder = 10;
    for digit in rest {
        let sum = (remainder + u32::from(digit - b'0')) % 10;
        remainder = (if sum == 0 { 10 } else { sum } * 2) % 11;
    }
    (remainder + u32::from(check - b'0')) % 10 == 1
}

/// Checks the number of a bank card by Luhn's formula (12 to 19 digits).
pub fn luhn(written: &str) -> Result<Normalised, Invalid> {
    let value = folded(written)?;
    if !all_digits(&value) {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    if !(12..=19).contains(&value.len()) {
        return Err(Invalid::new(written, InvalidReason::Length));
    }
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = value
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| (index, u32::from(byte - b'0')))
        .map(|(index, digit)| if index % 2 == 1 { doubled(digit) } else { digit })
        .sum();
    if sum.is_multiple_of(10) {
        Ok(Normalised::new(written, value))
    } else {
        Err(Invalid::new(written, InvalidReason::CheckDigit))
    }
}
