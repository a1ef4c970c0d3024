//! How long an identity card is valid: the term follows from the age on the day of issue.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// The last day of validity of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// Valid to the end of this day.
    Through(NaiveDate),
    /// 长期: for life.
    LongTerm,
}

impl Expiry {
    /// Whether the paper was no longer valid on `day`.
    pub fn is_over_on(self, day: NaiveDate) -> bool {
        match self {
            Self::Through(last) => last < day,
            Self::LongTerm => false,
        }
    }
}

/// The term in years of a card issued at `age`; `None` is 长期.
const fn term_at_age(age: u32) -> Option<u32> {
    match age {
        0..=15 => Some(5),
        16..=25 => Some(10),
        26..=45 => Some(20),
        _ => None,
    }
}

/// The expiry of a card issued on `issued_on` to somebody born on `birth`.
pub fn expiry_of(birth: NaiveDate, issued_on: NaiveDate) -> Option<Expiry> {
    let age = issued_on.years_since(birth)?;
    match term_at_age(age) {
        Some(years) => expiry_after(issued_on, years).map(Expiry::Through),
        None => Some(Expiry::LongTerm),
    }
}

/// The day `years` after `issued_on`; 29 February becomes 28 where there is none.
pub fn expiry_after(issued_on: NaiveDate, years: u32) -> Option<NaiveDate> {
    issued_on.checked_add_months(Months::new(years * 12))
}

/// The last day of a temporary card: three months.
pub fn temporary_expiry(issued_on: NaiveDate) -> Option<NaiveDate> {
    issued_on.checked_add_months(Months::new(3))
}

/// The terms that are possible for a card issued at this age, with a year's grace at each limit:
/// the day of application decides, and the printed day is a little later.
pub fn card_terms_at(birth: NaiveDate, issued_on: NaiveDate) -> Vec<Option<u32>> {
    let Some(age) = issued_on.years_since(birth) else {
        return Vec::new();
    };
    let mut terms: Vec<_> = [age.saturating_sub(1), age, age + 1].into_iter().map(term_at_age).collect();
    terms.dedup();
    terms
}

/// Whether the two printed dates fit the age of the bearer; `false` is a reason to look.
pub fn term_fits_age(birth: NaiveDate, issued_on: NaiveDate, expiry: Expiry) -> bool {
    card_terms_at(birth, issued_on).into_iter().any(|term| match (term, expiry) {
        (None, Expiry::LongTerm) => true,
        (Some(years), Expiry::Through(last)) => {
            expiry_after(issued_on, years).is_some_and(|expected| (expected - last).num_days().abs() <= 1)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_term_follows_from_the_age_on_the_day_of_issue() {
        let check = |birth: &str, issued: &str, expected: Expiry| {
            assert_eq!(expiry_of(day(birth), day(issued)), Some(expected), "{birth} {issued}");
        };
        let through = |text| Expiry::Through(day(text));

        check("2010-05-01", "2020-06-01", through("2025-06-01"));
        check("2010-05-01", "2026-05-01", through("2036-05-01"));
        check("1990-05-01", "2016-05-01", through("2036-05-01"));
        check("1990-05-01", "2036-04-30", through("2056-04-30"));
        check("1960-05-01", "2006-05-01", Expiry::LongTerm);
    }

    #[test]
    fn a_card_is_valid_on_its_last_day_and_not_on_the_next() {
        let expiry = Expiry::Through(day("2026-09-10"));

        assert!(!expiry.is_over_on(day("2026-09-10")));
        assert!(expiry.is_over_on(day("2026-09-11")));
        assert!(!Expiry::LongTerm.is_over_on(day("2999-01-01")));
    }

    #[test]
    fn twenty_years_for_a_sixteen_year_old_do_not_fit() {
        assert!(!term_fits_age(day("2005-01-01"), day("2023-01-01"), Expiry::Through(day("2043-01-01"))));
        assert!(term_fits_age(day("2005-01-01"), day("2023-01-01"), Expiry::Through(day("2033-01-01"))));
        assert!(!term_fits_age(day("2005-01-01"), day("2023-01-01"), Expiry::LongTerm));
    }
}
