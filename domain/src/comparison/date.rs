//! Days as they are written on papers and forms.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::folding::fold;

/// A day, or the words that stand in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateValue {
    /// A calendar day.
    Day(NaiveDate),
    /// 长期.
    LongTerm,
}

/// Reads `2016.01.09`, `2016年1月9日`, `2016-1-9`, `20160109` and 长期.
pub fn parse_date(text: &str) -> Option<DateValue> {
    let folded = fold(text);
    if matches!(folded.as_str(), "长期" | "長期" | "长期有效") {
        return Some(DateValue::LongTerm);
    }
    let groups: Vec<&str> = folded
        .split(|character: char| !character.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let is_known = |character: char| {
        character.is_ascii_digit() || matches!(character, '.' | '-' | '/' | '年' | '月' | '日')
    };
    if !folded.chars().all(is_known) {
        return None;
    }
    let day = match groups.as_slice() {
        [eight] if eight.len() == 8 => NaiveDate::parse_from_str(eight, "%Y%m%d").ok(),
        [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        }
        _ => None,
    };
    day.map(DateValue::Day)
}
