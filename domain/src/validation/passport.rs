//! Passports: the Chinese number and the machine-readable zone of any (ICAO 9303, TD3).

use chrono::{Datelike, NaiveDate};

use super::{
    Invalid, InvalidReason, Normalised, Sex, Warning, all_digits, checks::mrz_check, folded, folded_of_length,
};

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

/// What the second line of a passport's machine-readable zone says; all its check digits hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineReadableZone {
    /// Number of the passport, fillers removed.
    pub number: String,
    /// Three letters.
    pub nationality: String,
    /// When the bearer was born.
    pub birth: NaiveDate,
    /// Sex; `None` where it is not stated.
    pub sex: Option<Sex>,
    /// Last day of validity.
    pub valid_to: NaiveDate,
    /// Surname and given names as written in the first line; empty when only the second was given.
    pub names: Vec<String>,
}

/// Checks the second line (44 characters) of a TD3 zone. `on` decides the century of the birth date.
pub fn mrz_line(written: &str, on: NaiveDate) -> Result<MachineReadableZone, Invalid> {
    let line = folded(written)?;
    let fail = |reason| Invalid::new(written, reason);
    if line.chars().count() != 44 {
        return Err(fail(InvalidReason::Length));
    }
    if !line.is_ascii() {
        return Err(fail(InvalidReason::Character));
    }
    let bytes = line.as_bytes();
    let composite = [&bytes[..10], &bytes[13..20], &bytes[21..43]].concat();
    let is_empty_personal = bytes[28..42].iter().all(|byte| *byte == b'<') && bytes[42] == b'<';
    let holds = |part: &[u8], check: u8| mrz_check(part).map(|expected| check == b'0' + expected as u8);
    let parts = [
        holds(&bytes[..9], bytes[9]),
        holds(&bytes[13..19], bytes[19]),
        holds(&bytes[21..27], bytes[27]),
        if is_empty_personal { Some(true) } else { holds(&bytes[28..42], bytes[42]) },
        holds(&composite, bytes[43]),
    ];
    if parts.contains(&None) {
        return Err(fail(InvalidReason::Character));
    }
    if parts.contains(&Some(false)) {
        return Err(fail(InvalidReason::CheckDigit));
    }
    let birth = short_date(&line[13..19], on.year()).ok_or_else(|| fail(InvalidReason::Date))?;
    // A passport outlives its issue by ten years at most; fifty leaves room and never meets a birth date.
    let valid_to = short_date(&line[21..27], on.year() + 50).ok_or_else(|| fail(InvalidReason::Date))?;
    Ok(MachineReadableZone {
        number: line[..9].trim_end_matches('<').to_owned(),
        nationality: line[10..13].trim_end_matches('<').to_owned(),
        birth,
        sex: match bytes[20] {
            b'M' => Some(Sex::Male),
            b'F' => Some(Sex::Female),
            _ => None,
        },
        valid_to,
        names: Vec::new(),
    })
}

/// Checks both lines of a TD3 zone, divided by a line feed.
pub fn machine_readable_zone(written: &str, on: NaiveDate) -> Result<MachineReadableZone, Invalid> {
    let mut lines = written.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), Some(second), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(Invalid::new(written, InvalidReason::Length));
    };
    let first = folded(first)?;
    if !first.is_ascii() || first.len() != 44 || !first.starts_with('P') {
        return Err(Invalid::new(written, InvalidReason::Prefix));
    }
    let zone = mrz_line(second, on)?;
    let names = first[5..].split('<').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    Ok(MachineReadableZone { names, ..zone })
}

/// Reads `YYMMDD` as the latest such day whose year is not after `latest_year`.
fn short_date(six: &str, latest_year: i32) -> Option<NaiveDate> {
    if !all_digits(six) {
        return None;
    }
    let short_year: i32 = six[..2].parse().ok()?;
    let year = latest_year - (latest_year - short_year).rem_euclid(100);
    NaiveDate::from_ymd_opt(year, six[2..4].parse().ok()?, six[4..6].parse().ok()?)
}
