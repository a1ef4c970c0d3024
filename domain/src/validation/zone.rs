//! Machine-readable zones (ICAO 9303): two lines of 44 characters in passports (TD3), three of 30 on cards (TD1).

use chrono::{Datelike, Months, NaiveDate};

use super::{Invalid, InvalidReason, Sex, all_digits, checks::mrz_check, folded};

/// Characters of a line of a passport's zone.
pub const PASSPORT_LINE: usize = 44;
/// Characters of a line of a card's zone.
pub const CARD_LINE: usize = 30;
/// Where the day of use is not known, no paper is taken to be valid beyond this year.
const LATEST_EXPIRY: i32 = 2089;
/// Where the day of use is not known, a paper is taken to have been issued so many years before its last day.
const SHORTEST_TERM_YEARS: u32 = 5;

/// What a machine-readable zone says; all its check digits hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineReadableZone {
    /// Number of the paper, fillers removed.
    pub number: String,
    /// Up to three letters.
    pub nationality: String,
    /// When the bearer was born.
    pub birth: NaiveDate,
    /// Sex; `None` where it is not stated.
    pub sex: Option<Sex>,
    /// Last day of validity.
    pub valid_to: NaiveDate,
    /// Surname and given names as written; empty when the line of names was not given.
    pub names: Vec<String>,
}

/// Checks the second line (44 characters) of a passport's zone. `on` decides the century of the birth date.
pub fn mrz_line(written: &str, on: NaiveDate) -> Result<MachineReadableZone, Invalid> {
    let line = folded(written)?;
    let fail = |reason| Invalid::new(written, reason);
    is_line(&line, PASSPORT_LINE).map_err(fail)?;
    let bytes = line.as_bytes();
    let composite = [&bytes[..10], &bytes[13..20], &bytes[21..43]].concat();
    let is_empty_personal = bytes[28..43].iter().all(|byte| *byte == b'<');
    let checked = [
        (&bytes[..9], bytes[9]),
        (&bytes[13..19], bytes[19]),
        (&bytes[21..27], bytes[27]),
        (&composite[..], bytes[43]),
    ];
    all_hold(&checked).map_err(fail)?;
    if !is_empty_personal {
        all_hold(&[(&bytes[28..42], bytes[42])]).map_err(fail)?;
    }
    let dates = Dates { birth: &line[13..19], valid_to: &line[21..27] };
    let (birth, valid_to) = dates.read(on).ok_or_else(|| fail(InvalidReason::Date))?;
    Ok(MachineReadableZone {
        number: line[..9].trim_end_matches('<').to_owned(),
        nationality: line[10..13].trim_end_matches('<').to_owned(),
        birth,
        sex: sex_of(bytes[20]),
        valid_to,
        names: Vec::new(),
    })
}

/// Checks all lines of a zone, divided by line feeds: two of a passport or three of a card.
pub fn machine_readable_zone(written: &str, on: NaiveDate) -> Result<MachineReadableZone, Invalid> {
    let lines: Vec<&str> = written.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines[..] {
        [first, second] => passport_zone(written, first, second, on),
        [first, second, third] => card_zone(written, [first, second, third], on),
        _ => Err(Invalid::new(written, InvalidReason::Length)),
    }
}

/// The same for a zone of which the day of use is not known: the expiry, whose century is plain, decides that of
/// the birth date. One line alone is taken for the second of a passport.
pub fn undated_zone(written: &str) -> Result<MachineReadableZone, Invalid> {
    let fail = |reason| Invalid::new(written, reason);
    let lines: Vec<String> = written.lines().map(folded).collect::<Result<_, _>>()?;
    let expiry = match &lines[..] {
        [second] | [_, second] => second.get(21..27),
        [_, second, _] => second.get(8..14),
        _ => None,
    };
    let expiry = expiry.ok_or_else(|| fail(InvalidReason::Length))?;
    let last_day = short_date(expiry, LATEST_EXPIRY).ok_or_else(|| fail(InvalidReason::Date))?;
    let on = last_day
        .checked_sub_months(Months::new(SHORTEST_TERM_YEARS * 12))
        .ok_or_else(|| fail(InvalidReason::Date))?;
    if lines.len() == 1 { mrz_line(written, on) } else { machine_readable_zone(written, on) }
}

fn passport_zone(
    written: &str,
    first: &str,
    second: &str,
    on: NaiveDate,
) -> Result<MachineReadableZone, Invalid> {
    let first = folded(first)?;
    if is_line(&first, PASSPORT_LINE).is_err() || !first.starts_with('P') {
        return Err(Invalid::new(written, InvalidReason::Prefix));
    }
    let zone = mrz_line(second, on)?;
    Ok(MachineReadableZone { names: names_in(&first[5..]), ..zone })
}

fn card_zone(written: &str, lines: [&str; 3], on: NaiveDate) -> Result<MachineReadableZone, Invalid> {
    let fail = |reason| Invalid::new(written, reason);
    let [first, second, third] = lines;
    let (first, second, third) = (folded(first)?, folded(second)?, folded(third)?);
    for line in [&first, &second, &third] {
        is_line(line, CARD_LINE).map_err(fail)?;
    }
    let (top, middle) = (first.as_bytes(), second.as_bytes());
    let composite = [&top[5..], &middle[..7], &middle[8..15], &middle[18..29]].concat();
    let checked = [(&middle[..6], middle[6]), (&middle[8..14], middle[14]), (&composite[..], middle[29])];
    all_hold(&checked).map_err(fail)?;
    let number = card_number(&first).map_err(fail)?;
    let dates = Dates { birth: &second[..6], valid_to: &second[8..14] };
    let (birth, valid_to) = dates.read(on).ok_or_else(|| fail(InvalidReason::Date))?;
    Ok(MachineReadableZone {
        number,
        nationality: second[15..18].trim_end_matches('<').to_owned(),
        birth,
        sex: sex_of(middle[7]),
        valid_to,
        names: names_in(&third),
    })
}

/// The number in the first line of a card; one of more than nine characters goes on where optional data stand, its
/// check digit behind it.
fn card_number(first: &str) -> Result<String, InvalidReason> {
    let bytes = first.as_bytes();
    if bytes[14] != b'<' {
        all_hold(&[(&bytes[5..14], bytes[14])])?;
        return Ok(first[5..14].trim_end_matches('<').to_owned());
    }
    let rest = first[15..].split('<').next().unwrap_or_default();
    let Some((more, check)) = rest.split_at_checked(rest.len().saturating_sub(1)) else {
        return Err(InvalidReason::CheckDigit);
    };
    let number = format!("{}{more}", &first[5..14]);
    let check = check.bytes().next().ok_or(InvalidReason::CheckDigit)?;
    all_hold(&[(number.as_bytes(), check)])?;
    Ok(number)
}

fn is_line(line: &str, length: usize) -> Result<(), InvalidReason> {
    if line.chars().count() != length {
        Err(InvalidReason::Length)
    } else if line.is_ascii() {
        Ok(())
    } else {
        Err(InvalidReason::Character)
    }
}

/// Whether each part has the check digit behind it.
fn all_hold(parts: &[(&[u8], u8)]) -> Result<(), InvalidReason> {
    for (part, check) in parts {
        let expected = mrz_check(part).ok_or(InvalidReason::Character)?;
        if *check != b'0' + expected as u8 {
            return Err(InvalidReason::CheckDigit);
        }
    }
    Ok(())
}

const fn sex_of(letter: u8) -> Option<Sex> {
    match letter {
        b'M' => Some(Sex::Male),
        b'F' => Some(Sex::Female),
        _ => None,
    }
}

fn names_in(line: &str) -> Vec<String> {
    line.split('<').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The two dates of a zone as written, `YYMMDD`.
struct Dates<'a> {
    birth: &'a str,
    valid_to: &'a str,
}

impl Dates<'_> {
    fn read(&self, on: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        // A passport outlives its issue by ten years at most; fifty leaves room and never meets a birth date.
        Some((short_date(self.birth, on.year())?, short_date(self.valid_to, on.year() + 50)?))
    }
}

/// Reads `YYMMDD` as the latest such day whose year is not after `latest_year`.
fn short_date(six: &str, latest_year: i32) -> Option<NaiveDate> {
    if six.len() != 6 || !all_digits(six) {
        return None;
    }
    let short_year: i32 = six[..2].parse().ok()?;
    let year = latest_year - (latest_year - short_year).rem_euclid(100);
    NaiveDate::from_ymd_opt(year, six[2..4].parse().ok()?, six[4..6].parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPORT: &str =
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    /// The example of ICAO 9303 part 5.
    const CARD: &str =
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_three_lines_of_a_card_are_checked_as_one() {
        let zone = machine_readable_zone(CARD, day("2026-01-01")).unwrap();

        assert_eq!((zone.number.as_str(), zone.nationality.as_str()), ("D23145890", "UTO"));
        assert_eq!((zone.birth, zone.valid_to), (day("1974-08-12"), day("2012-04-15")));
        assert_eq!(zone.names, ["ERIKSSON", "ANNA", "MARIA"]);
        let altered = CARD.replacen("7408122", "7408132", 1);
        let reason = machine_readable_zone(&altered, day("2026-01-01")).unwrap_err().reason;
        assert_eq!(reason, InvalidReason::CheckDigit);
    }

    #[test]
    fn a_long_number_goes_on_behind_its_filler() {
        // ICAO 9303 part 5, note j: the ten characters of D23145890734 and a check digit of 9.
        assert_eq!(card_number("I<UTOD23145890<7349<<<<<<<<<<<").as_deref(), Ok("D23145890734"));
        assert_eq!(card_number("I<UTOD23145890<7348<<<<<<<<<<<"), Err(InvalidReason::CheckDigit));
        assert_eq!(card_number("I<UTOD23145890<<<<<<<<<<<<<<<<"), Err(InvalidReason::CheckDigit));
    }

    #[test]
    fn without_a_day_of_use_the_expiry_decides_the_century() {
        let births = |text: &str| undated_zone(text).map(|zone| zone.birth);

        assert_eq!(births(PASSPORT), Ok(day("1974-08-12")));
        assert_eq!(births(PASSPORT.lines().last().unwrap()), Ok(day("1974-08-12")));
        assert_eq!(births(CARD), Ok(day("1974-08-12")));
        assert_eq!(births("").unwrap_err().reason, InvalidReason::Length);
    }
}
