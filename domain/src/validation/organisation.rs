//! Codes of organisations: unified social credit code, organisation code, licence number.

use super::{
    Invalid, InvalidReason, Normalised, Warning, all_digits, checks::mod_11_10_holds, folded_of_length,
};

const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Checks a unified social credit code (GB 32100), the organisation code inside it included.
pub fn credit_code(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[18])?;
    let fail = |reason| Invalid::new(written, reason);
    let mut sum = 0;
    let mut weight = 1;
    for byte in value.bytes().take(17) {
        sum += credit_value(byte).ok_or_else(|| fail(InvalidReason::Character))? * weight;
        weight = weight * 3 % 31;
    }
    let last = value
        .as_bytes()
        .get(17)
        .copied()
        .and_then(credit_value)
        .ok_or_else(|| fail(InvalidReason::Character))?;
    if !value.is_ascii() {
        return Err(fail(InvalidReason::Character));
    }
    if (31 - sum % 31) % 31 != last {
        return Err(fail(InvalidReason::CheckDigit));
    }
    organisation_check(&value[8..17]).map_err(fail)?;
    Ok(Normalised::new(written, value))
}

fn credit_value(byte: u8) -> Option<u32> {
    CREDIT_ALPHABET.iter().position(|letter| *letter == byte).map(|position| position as u32)
}

/// Checks an organisation code (GB 11714): eight characters and a check.
pub fn organisation_code(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[9])?;
    match organisation_check(&value) {
        Ok(()) => Ok(Normalised::new(written, value)),
        Err(reason) => Err(Invalid::new(written, reason)),
    }
}

fn organisation_check(nine: &str) -> Result<(), InvalidReason> {
    let mut sum = 0;
    for (byte, weight) in nine.bytes().zip(ORGANISATION_WEIGHTS) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' => u32::from(byte - b'A') + 10,
            _ => return Err(InvalidReason::Character),
        };
        sum += value * weight;
    }
    let expected = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from(b'0' + digit as u8),
    };
    if nine.ends_with(expected) { Ok(()) } else { Err(InvalidReason::CheckDigit) }
}

/// Checks the 15-digit number of a business licence; the 13 digits of before 2007 pass with a warning.
pub fn business_licence(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[13, 15])?;
    if !all_digits(&value) {
        return Err(Invalid::new(written, InvalidReason::Character));
    }
    if value.len() == 13 {
        return Ok(Normalised::new(written, value).with_warning(Warning::UnusualForm));
    }
    if mod_11_10_holds(value.as_bytes()) {
        Ok(Normalised::new(written, value))
    } else {
        Err(Invalid::new(written, InvalidReason::CheckDigit))
    }
}
