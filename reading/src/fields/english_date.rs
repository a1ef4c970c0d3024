//! Dates as passports print them: `12 JAN 2015`, `12 1月/JAN 2015`.

use chrono::NaiveDate;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// Between a day and its year stand no more characters than `12月/DEC`.
const FARTHEST: usize = 10;

/// The date in a text: the day before the name of its month, the year behind it.
pub(super) fn english_date(text: &str) -> Option<NaiveDate> {
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let (at, month) = MONTHS.iter().zip(1..).find_map(|(name, month)| Some((upper.find(name)?, month)))?;
    let (before, after) = (upper.get(..at)?, upper.get(at + 3..)?);
    let first: String = before.trim_start().chars().take_while(char::is_ascii_digit).collect();
    if before.chars().count() > FARTHEST {
        return None;
    }
    // A month in Chinese between them may have run into the day, as in 121月/JAN for the 12th.
    let chinese = format!("{month}月");
    let day = match first.strip_suffix(&month.to_string()) {
        Some(day) if before.contains(&chinese) && !day.is_empty() => day.to_owned(),
        _ => first,
    };
    let year: String = after.chars().filter(char::is_ascii_digit).take(4).collect();
    let is_year = year.len() == 4 && (year.starts_with("19") || year.starts_with("20"));
    NaiveDate::from_ymd_opt(year.parse().ok().filter(|_| is_year)?, month, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_stand_before_the_name_of_the_month() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(english_date(text).map(|date| date.to_string()).as_deref(), expected, "{text}");
        };

        check("12JAN2015", Some("2015-01-12"));
        check("12JAN/JAN2015", Some("2015-01-12"));
        check("1212月/DEC1990", Some("1990-12-12"));
        check("051月/JAN2031", Some("2031-01-05"));
        check("1 1月/JAN 2031", Some("2031-01-01"));
        check("31FEB2015", None);
        check("JANUARY", None);
        check("中华人民共和国12JAN2015", None);
    }
}
