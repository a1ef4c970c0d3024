//! What is not seen of a number, borne out by what the number must fulfil.
//!
//! A stamp hides some digits, a worn copy loses them. The check digit of a resident number leaves one choice for one
//! lost digit, and the day of birth stands on the card a second time. A mistyped number does not get this far: one
//! wrong digit and two neighbours in the wrong order both fail the check.

use chrono::NaiveDate;

use crate::{
    comparison::{Change, ValueKind, compare, number_key},
    validation::resident_number,
};

/// Digits that the check bears out where nothing else does; for more of them other numbers pass as well.
const MOST_UNSEEN: usize = 2;
/// So many characters must have been seen as typed.
const LEAST_SEEN: usize = 10;
/// Where the day of birth stands in a number.
const BIRTH: std::ops::Range<usize> = 6..14;

/// Whether the typed number is the one that stands on the paper, though it was read with mistakes: it passes its
/// check where what was read does not, and what was not read as typed is borne out by the check and by the day of
/// birth printed beside it.
pub(super) fn is_borne_out(typed: &str, read: &str, on: NaiveDate, printed_birth: Option<NaiveDate>) -> bool {
    let Ok(number) = resident_number(typed, on) else { return false };
    if resident_number(read, on).is_ok() {
        return false;
    }
    let (typed, read) = (number_key(typed), number_key(read));
    let spans = compare(ValueKind::Number, &typed, &read).spans;
    let (mut seen, mut unseen, mut too_many) = (0, 0, 0);
    for span in spans {
        match span.change {
            Change::Same => seen += span.entered.len(),
            Change::OnlyRead => too_many += span.read.len(),
            _ => {
                let is_known = |place: &usize| printed_birth == Some(number.birth) && BIRTH.contains(place);
                unseen += span.entered.filter(|place| !is_known(place)).count();
            }
        }
    }
    seen >= LEAST_SEEN && unseen <= MOST_UNSEEN && too_many <= MOST_UNSEEN
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPED: &str = "11010519491231002X";

    fn check(typed: &str, read: &str, birth: Option<&str>, expected: bool) {
        let on = NaiveDate::from_ymd_opt(2026, 9, 1).unwrap();
        let birth = birth.map(|day| day.parse().unwrap());

        assert_eq!(is_borne_out(typed, read, on, birth), expected, "{typed} {read}");
    }

    #[test]
    fn the_check_digit_bears_out_a_lost_or_misread_digit() {
        check(TYPED, "11010519491231082X", None, true);
        check(TYPED, "1101051949123102X", None, true);
        check(TYPED, "11010519491231", None, false);
    }

    #[test]
    fn the_printed_birth_bears_out_what_is_hidden_of_it() {
        check(TYPED, "110105888888881002X", None, false);
        check(TYPED, "11010577777777002X", Some("1949-12-31"), true);
        check(TYPED, "11010577777777002X", Some("1949-12-30"), false);
    }

    #[test]
    fn a_mistyped_number_is_never_borne_out() {
        check("11010519491231003X", TYPED, Some("1949-12-31"), false);
        check("11010519491213002X", "1101051949123100ZX", None, false);
        // Both pass: two numbers.
        check("110105194912310038", TYPED, Some("1949-12-31"), false);
    }
}
