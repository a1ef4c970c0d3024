//! Resident identity numbers (GB 11643), 18 digits and the 15 digits of before 2000.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{Invalid, InvalidReason, Normalised, Warning, all_digits, folded, region_existed_by};

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";
const OLDEST_AGE: i32 = 130;

/// Sex as an identity number or card says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男.
    Male,
    /// 女.
    Female,
}

impl Sex {
    /// Reads the character printed on a card.
    pub fn from_printed(text: &str) -> Option<Self> {
        match text.trim() {
            "男" => Some(Self::Male),
            "女" => Some(Self::Female),
            _ => None,
        }
    }
}

/// A resident identity number and what it says about its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentNumber {
    /// The number; `value` always has 18 characters.
    pub number: Normalised,
    /// Where it was first given out.
    pub region: u32,
    /// When its bearer was born.
    pub birth: NaiveDate,
    /// The sex of its bearer.
    pub sex: Sex,
}

/// Computes the eighteenth character from the first seventeen digits; `None` if they are not digits.
pub fn check_character(first_seventeen: &str) -> Option<char> {
    if first_seventeen.len() != 17 || !all_digits(first_seventeen) {
        return None;
    }
    let sum: u32 =
        first_seventeen.bytes().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    Some(char::from(CHECKS[(sum % 11) as usize]))
}

/// Turns a 15-digit number into the 18-digit one of the same person; the date is not judged here.
pub fn from_fifteen(fifteen: &str) -> Option<String> {
    if fifteen.len() != 15 || !all_digits(fifteen) {
        return None;
    }
    let seventeen = format!("{}19{}", &fifteen[..6], &fifteen[6..]);
    let check = check_character(&seventeen)?;
    Some(format!("{seventeen}{check}"))
}

/// Checks a resident identity number as it stood on day `on`: form, date, check digit, region.
pub fn resident_number(written: &str, on: NaiveDate) -> Result<ResidentNumber, Invalid> {
    let fail = |reason| Invalid::new(written, reason);
    let folded = folded(written)?;
    let (value, is_old) = match folded.chars().count() {
        18 => (folded, false),
        15 => (from_fifteen(&folded).ok_or_else(|| fail(InvalidReason::Character))?, true),
        _ => return Err(fail(InvalidReason::Length)),
    };
    let parsed = parse_eighteen(&value, on).map_err(fail)?;
    if !region_existed_by(parsed.region, on.year()) {
        return Err(fail(InvalidReason::Region));
    }
    let number = Normalised::new(written, value);
    let number = if is_old { number.with_warning(Warning::OldNumber) } else { number };
    Ok(ResidentNumber { number, region: parsed.region, birth: parsed.birth, sex: parsed.sex })
}

/// What stands inside any number built like GB 11643, the region not yet judged.
pub(super) struct Eighteen {
    pub(super) region: u32,
    pub(super) birth: NaiveDate,
    pub(super) sex: Sex,
}

/// Checks form, check digit and birth date of 18 characters built like GB 11643.
pub(super) fn parse_eighteen(value: &str, on: NaiveDate) -> Result<Eighteen, InvalidReason> {
    let (Some(first), Some(last)) = (value.get(..17), value.get(17..)) else {
        return Err(InvalidReason::Character);
    };
    if !all_digits(first) || !(all_digits(last) || last == "X") {
        return Err(InvalidReason::Character);
    }
    let birth = birth_date(&value[6..14], on)?;
    let check = check_character(first).ok_or(InvalidReason::Character)?;
    if !last.starts_with(check) {
        return Err(InvalidReason::CheckDigit);
    }
    let region = value[..6].parse().map_err(|_| InvalidReason::Character)?;
    let is_odd = value.as_bytes()[16] % 2 == 1;
    Ok(Eighteen { region, birth, sex: if is_odd { Sex::Male } else { Sex::Female } })
}

fn birth_date(eight: &str, on: NaiveDate) -> Result<NaiveDate, InvalidReason> {
    let birth = NaiveDate::parse_from_str(eight, "%Y%m%d").map_err(|_| InvalidReason::Date)?;
    if birth > on {
        return Err(InvalidReason::FutureDate);
    }
    match on.years_since(birth) {
        Some(age) if age as i32 > OLDEST_AGE => Err(InvalidReason::Age),
        _ => Ok(birth),
    }
}
