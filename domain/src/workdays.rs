//! Working days of the Chinese calendar, as far as the yearly notices reach; after that, estimates that say so.

use std::{collections::HashMap, sync::LazyLock};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// Nobody waits longer; a larger figure is a mistake in the configuration.
const MOST_DAYS: u32 = 3650;

/// A day that was counted, and whether the calendar was known all the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedDay {
    /// The day.
    pub on: NaiveDate,
    /// Whether part of the way was counted as plain Monday-to-Friday weeks.
    pub is_estimate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Off,
    Work,
}

struct Calendar {
    differing: HashMap<NaiveDate, Kind>,
    first_year: i32,
    last_year: i32,
}

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let differing: HashMap<NaiveDate, Kind> =
        include_str!("../rules/workdays.csv").lines().filter_map(parse_line).collect();
    let years = || differing.keys().map(Datelike::year);
    let (first_year, last_year) = (years().min().unwrap_or(0), years().max().unwrap_or(0));
    Calendar { differing, first_year, last_year }
});

fn parse_line(line: &str) -> Option<(NaiveDate, Kind)> {
    let (day, kind) = line.split_once(',')?;
    let kind = match kind.trim() {
        "off" => Kind::Off,
        "work" => Kind::Work,
        _ => return None,
    };
    Some((day.parse().ok()?, kind))
}

/// Whether a day is worked. Outside the known years only the weekday speaks: see [`is_known`].
pub fn is_workday(day: NaiveDate) -> bool {
    match CALENDAR.differing.get(&day) {
        Some(kind) => *kind == Kind::Work,
        None => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
    }
}

/// Whether the holidays of the day's year are known.
pub fn is_known(day: NaiveDate) -> bool {
    (CALENDAR.first_year..=CALENDAR.last_year).contains(&day.year())
}

/// The last day whose holidays are known.
pub fn horizon() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(CALENDAR.last_year, 12, 31)
}

/// Counts working days from the end of `from`; zero is `from` itself. `None` where the calendar ends.
pub fn add_working_days(from: NaiveDate, days: u32) -> Option<CountedDay> {
    if days > MOST_DAYS {
        return None;
    }
    let mut on = from;
    let mut left = days;
    let mut is_estimate = !is_known(from);
    while left > 0 {
        on = on.succ_opt()?;
        is_estimate |= !is_known(on);
        left -= u32::from(is_workday(on));
    }
    Some(CountedDay { on, is_estimate })
}

/// Counts calendar days from the end of `from`.
pub fn add_calendar_days(from: NaiveDate, days: u32) -> Option<CountedDay> {
    let on = from.checked_add_days(Days::new(days.into()))?;
    Some(CountedDay { on, is_estimate: false })
}

/// How many working days lie after `from` up to and with `to`; 0 when `to` is not later.
pub fn working_days_between(from: NaiveDate, to: NaiveDate) -> u32 {
    from.iter_days().skip(1).take_while(|day| *day <= to).map(|day| u32::from(is_workday(day))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_days_of_the_vectors_are_worked_or_off() {
        let all: serde_json::Value = serde_json::from_str(include_str!("../rules/vectors.json")).unwrap();
        for (list, expected) in [("work", true), ("off", false)] {
            for text in all["workday_2026"][list].as_array().unwrap() {
                assert_eq!(is_workday(day(text.as_str().unwrap())), expected, "{text}");
            }
        }
    }

    #[test]
    fn the_clock_starts_at_the_end_of_the_day_and_skips_holidays() {
        let check = |from, days, expected| {
            assert_eq!(
                add_working_days(day(from), days),
                Some(CountedDay { on: day(expected), is_estimate: false })
            );
        };
        check("2026-11-20", 0, "2026-11-20");
        check("2026-11-20", 1, "2026-11-23");
        check("2026-09-30", 1, "2026-10-08");
        check("2026-10-09", 1, "2026-10-10");
        assert_eq!(working_days_between(day("2026-09-30"), day("2026-10-08")), 1);
    }

    #[test]
    fn beyond_the_horizon_a_deadline_is_an_estimate_and_says_so() {
        assert_eq!(horizon(), Some(day("2026-12-31")));
        assert!(!add_working_days(day("2026-12-30"), 1).unwrap().is_estimate);
        assert!(add_working_days(day("2026-12-30"), 2).unwrap().is_estimate);
        assert!(add_working_days(day("2031-01-01"), 1).unwrap().is_estimate);
        assert_eq!(add_working_days(day("2026-12-30"), u32::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn counting_there_and_back_is_the_same(offset in 0_u64..8000, days in 0_u32..60) {
            let from = day("2004-01-01") + Days::new(offset);
            let counted = add_working_days(from, days).unwrap();

            proptest::prop_assert_eq!(working_days_between(from, counted.on), days);
            proptest::prop_assert!(days == 0 || is_workday(counted.on));
        }
    }
}
