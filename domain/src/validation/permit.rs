//! Papers of residents of Hong Kong, Macau and Taiwan and of foreigners.

use chrono::NaiveDate;

use super::{
    Invalid, InvalidReason, Normalised, all_digits,
    checks::mrz_check,
    folded, folded_of_length,
    region::region_of,
    resident::{Sex, parse_eighteen},
};

/// Checks a residence permit (港澳台居民居住证): 810000, 820000 or 830000, then as GB 11643.
pub fn residence_permit(written: &str, on: NaiveDate) -> Result<(Normalised, NaiveDate, Sex), Invalid> {
    let value = folded_of_length(written, &[18])?;
    let parsed = parse_eighteen(&value, on).map_err(|reason| Invalid::new(written, reason))?;
    if !matches!(parsed.region, 810_000 | 820_000 | 830_000) {
        return Err(Invalid::new(written, InvalidReason::Region));
    }
    Ok((Normalised::new(written, value), parsed.birth, parsed.sex))
}

/// Checks a travel permit of a Hong Kong or Macau resident (港澳居民来往内地通行证).
pub fn mainland_travel_permit(written: &str) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[9, 11])?;
    match value.split_at_checked(1) {
        Some(("H" | "M", digits)) if all_digits(digits) => Ok(Normalised::new(written, value)),
        Some(("H" | "M", _)) => Err(Invalid::new(written, InvalidReason::Character)),
        _ => Err(Invalid::new(written, InvalidReason::Prefix)),
    }
}

/// Checks a travel permit of a Taiwan resident (台湾居民来往大陆通行证); a bracketed letter loses its brackets.
pub fn taiwan_travel_permit(written: &str) -> Result<Normalised, Invalid> {
    let value: String =
        folded(written)?.chars().filter(|character| !matches!(character, '(' | ')')).collect();
    let fail = |reason| Err(Invalid::new(written, reason));
    match value.len() {
        8 if all_digits(&value) => Ok(Normalised::new(written, value)),
        11 => match value.split_at_checked(10) {
            Some((digits, letter))
                if all_digits(digits) && letter.bytes().all(|byte| byte.is_ascii_uppercase()) =>
            {
                Ok(Normalised::new(written, value))
            }
            _ => fail(InvalidReason::Character),
        },
        8 => fail(InvalidReason::Character),
        _ => fail(InvalidReason::Length),
    }
}

/// Checks a foreign permanent resident card: three letters and 12 digits, or 18 digits from December 2023.
pub fn foreign_permanent_resident(written: &str, on: NaiveDate) -> Result<Normalised, Invalid> {
    let value = folded_of_length(written, &[15, 18])?;
    let judged = if value.len() == 15 { old_foreign_card(&value) } else { new_foreign_card(&value, on) };
    match judged {
        Ok(()) => Ok(Normalised::new(written, value)),
        Err(reason) => Err(Invalid::new(written, reason)),
    }
}

/// Birth and sex in the number of a foreign permanent resident card of 18 digits; `None` where it fails or has 15.
pub fn foreign_resident_bearer(written: &str, on: NaiveDate) -> Option<(NaiveDate, Sex)> {
    let number = foreign_permanent_resident(written, on).ok()?;
    let parsed = parse_eighteen(&number.value, on).ok()?;
    Some((parsed.birth, parsed.sex))
}

fn old_foreign_card(value: &str) -> Result<(), InvalidReason> {
    let (Some(letters), Some(digits)) = (value.get(..3), value.get(3..)) else {
        return Err(InvalidReason::Character);
    };
    if !letters.bytes().all(|byte| byte.is_ascii_uppercase()) || !all_digits(digits) {
        return Err(InvalidReason::Character);
    }
    let check = mrz_check(&value.as_bytes()[..14]).ok_or(InvalidReason::Character)?;
    if value.as_bytes()[14] == b'0' + check as u8 { Ok(()) } else { Err(InvalidReason::CheckDigit) }
}

fn new_foreign_card(value: &str, on: NaiveDate) -> Result<(), InvalidReason> {
    if !value.starts_with('9') {
        return Err(InvalidReason::Prefix);
    }
    parse_eighteen(value, on)?;
    let province: u32 = value[1..3].parse().map_err(|_| InvalidReason::Character)?;
    if region_of(province * 10_000).is_some() { Ok(()) } else { Err(InvalidReason::Region) }
}

/// Checks a Hong Kong identity card number, as in `G123456(A)`; stored without brackets.
pub fn hong_kong_identity(written: &str) -> Result<Normalised, Invalid> {
    let value: String =
        folded(written)?.chars().filter(|character| !matches!(character, '(' | ')')).collect();
    let fail = |reason| Err(Invalid::new(written, reason));
    if !matches!(value.chars().count(), 8 | 9) {
        return fail(InvalidReason::Length);
    }
    let (letters, rest) = value.split_at(value.bytes().take_while(u8::is_ascii_uppercase).count().min(2));
    let is_formed = !letters.is_empty() && rest.is_ascii() && rest.len() == 7 && all_digits(&rest[..6]);
    if !is_formed || !rest[6..].bytes().all(|byte| byte.is_ascii_digit() || byte == b'A') {
        return fail(InvalidReason::Character);
    }
    // A single letter stands behind a blank, which counts 36.
    let blank = (letters.len() == 1).then_some(36);
    let values = letters.bytes().map(|byte| u32::from(byte - b'A') + 10);
    let digits = rest[..6].bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 =
        blank.into_iter().chain(values).chain(digits).zip((2..=9).rev()).map(|(v, weight)| v * weight).sum();
    let expected = match (11 - sum % 11) % 11 {
        10 => b'A',
        digit => b'0' + digit as u8,
    };
    if rest.as_bytes()[6] == expected {
        Ok(Normalised::new(written, value))
    } else {
        fail(InvalidReason::CheckDigit)
    }
}

/// Checks a Taiwan identity number: a letter, 1 or 2, seven digits and a check digit.
pub fn taiwan_identity(written: &str) -> Result<Normalised, Invalid> {
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let value = folded_of_length(written, &[10])?;
    let fail = |reason| Err(Invalid::new(written, reason));
    let bytes = value.as_bytes();
    let Some(position) = LETTERS.iter().position(|letter| *letter == bytes[0]) else {
        return fail(InvalidReason::Prefix);
    };
    if !value.is_ascii() || !all_digits(&value[1..]) || !matches!(bytes[1], b'1' | b'2' | b'8' | b'9') {
        return fail(InvalidReason::Character);
    }
    let code = position as u32 + 10;
    let digits = bytes[1..].iter().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits.zip([8, 7, 6, 5, 4, 3, 2, 1, 1]).map(|(digit, weight)| digit * weight).sum();
    if (code / 10 + code % 10 * 9 + sum).is_multiple_of(10) {
        Ok(Normalised::new(written, value))
    } else {
        fail(InvalidReason::CheckDigit)
    }
}
