//! What the characters of a value mean: names, dates, numbers brought to their own form, or refused.

use chrono::{Datelike, NaiveDate};

use crate::lines::fold;

/// The 56 nationalities, and what a card prints for those without one.
pub const NATIONS: [&str; 58] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
    "穿青人",
    "其他",
];

/// Folds width and drops spaces.
pub fn folded(text: &str) -> String {
    text.chars().map(fold).filter(|c| !c.is_whitespace()).collect()
}

/// What follows the end of a label that was cut out with a value.
fn behind_label(text: &str) -> &str {
    match text.char_indices().take(6).filter(|(_, c)| *c == ':').last() {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
}

/// A person's or organisation's name, without what is printed around it.
pub fn name(text: &str) -> Option<String> {
    let trimmed: String = behind_label(&folded(text))
        .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | ')'))
        .chars()
        .map(|c| if matches!(c, '•' | '・' | '.' | '∙' | '⋅') { '·' } else { c })
        .collect();
    let letters = trimmed.chars().filter(|c| is_han(*c) || c.is_ascii_alphabetic()).count();
    (letters >= 1).then_some(trimmed)
}

/// Whether it looks like the name of a person: two to four characters of Han, or parts joined by a dot.
pub fn is_plausible_name(name: &str) -> bool {
    let count = name.chars().count();
    name.chars().all(|c| is_han(c) || c == '·') && (2..=12).contains(&count)
        || name.chars().filter(|c| is_han(*c)).count() >= 4
}

/// An address, in one line.
pub fn address(text: &str) -> Option<String> {
    let trimmed: String =
        behind_label(&folded(text)).trim_matches(|c: char| ":：;,，。、|_'\"`".contains(c)).to_owned();
    (trimmed.chars().filter(|c| is_han(*c)).count() >= 2).then_some(trimmed)
}

/// Digits and a closing X, as on identity papers.
pub fn number(text: &str) -> String {
    folded(text)
        .chars()
        .filter_map(|c| match c {
            'x' | '×' => Some('X'),
            'O' | 'o' | '〇' => Some('0'),
            'l' | 'I' | '|' => Some('1'),
            c if c.is_ascii_alphanumeric() => Some(c.to_ascii_uppercase()),
            _ => None,
        })
        .collect()
}

/// Digits only, with the separators of a phone number dropped.
pub fn digits(text: &str) -> String {
    number(text).chars().filter(char::is_ascii_digit).collect()
}

/// Runs of digits.
pub fn digit_groups(text: &str) -> Vec<String> {
    let mut groups = vec![String::new()];
    for character in folded(text).chars() {
        if character.is_ascii_digit() {
            if let Some(group) = groups.last_mut() {
                group.push(character);
            }
        } else if groups.last().is_some_and(|group| !group.is_empty()) {
            groups.push(String::new());
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// One date, however it is written.
pub fn date(text: &str) -> Option<NaiveDate> {
    if let Some(date) = super::english_date::english_date(text) {
        return Some(date);
    }
    let groups = digit_groups(text);
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    match lengths[..] {
        [8, ..] => date_of(&groups[0][..4], &groups[0][4..6], &groups[0][6..]),
        [4, 1..=2, 1..=2, ..] => date_of(&groups[0], &groups[1], &groups[2]),
        // A separator that was not read: 2016.0109, 201601.09.
        [4, 3..=4] => {
            date_of(&groups[0], &groups[1][..groups[1].len() - 2], &groups[1][groups[1].len() - 2..])
        }
        [6, 1..=2] => date_of(&groups[0][..4], &groups[0][4..], &groups[1]),
        _ => None,
    }
}

/// Whether a text is the digits of `date` with every separator lost, as `1956424` for 24 April 1956.
pub fn is_date_run_together(text: &str, date: NaiveDate) -> bool {
    let digits: String = digit_groups(text).concat();
    digits == format!("{}{}{}", date.year(), date.month(), date.day())
}

fn date_of(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (1900..=2100).contains(&date.year()).then_some(date)
}

/// The end of a term of validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermEnd {
    /// Last day.
    On(NaiveDate),
    /// 长期.
    Never,
}

/// A term of validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// First day.
    pub start: NaiveDate,
    /// Its end.
    pub end: TermEnd,
}

impl Term {
    /// Whether it is one that identity cards have: same month and day, 5, 10 or 20 years later, or without end.
    pub fn is_usual(&self) -> bool {
        match self.end {
            TermEnd::Never => true,
            TermEnd::On(end) => {
                let years = end.year() - self.start.year();
                let same_day = end.month() == self.start.month() && end.day() == self.start.day();
                let leap = self.start.month() == 2 && self.start.day() == 29;
                matches!(years, 5 | 10 | 20) && (same_day || leap)
            }
        }
    }

    /// First day as shown.
    pub fn start_text(&self) -> String {
        self.start.to_string()
    }

    /// Last day as shown.
    pub fn end_text(&self) -> String {
        match self.end {
            TermEnd::On(end) => end.to_string(),
            TermEnd::Never => "长期".to_owned(),
        }
    }
}

/// Both ends of a term, as in `2016.01.09-2026.01.09` or `2016.01.09-长期`.
pub fn term(text: &str) -> Option<Term> {
    let text = folded(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let start = date(digits.get(..8)?)?;
    let end = match digits.get(8..)? {
        rest if rest.len() >= 8 => TermEnd::On(date(&rest[..8])?),
        "" if text.contains('长') || text.contains('期') => TermEnd::Never,
        _ => return None,
    };
    Some(Term { start, end })
}

/// The code of an outlet: letters and digits, often in brackets behind the name.
pub fn outlet_code(text: &str) -> Option<String> {
    let text = folded(text);
    let is_code = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut codes: Vec<String> = text.split(|c: char| !is_code(c)).map(str::to_owned).collect();
    codes.retain(|code| code.len() >= 4 && code.chars().any(|c| c.is_ascii_digit()));
    codes.pop().map(|code| code.to_ascii_uppercase())
}

/// Letters and digits.
pub fn code(text: &str) -> Option<String> {
    let code: String = folded(text)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect::<String>()
        .to_uppercase();
    (!code.is_empty()).then_some(code)
}

/// Whether a character is of the Han script.
pub fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{3134f}' | '〇')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn dates_are_understood_however_they_are_written() {
        for text in
            ["2016.01.09", "2016年1月9日", "20160109", "２０１６ 年 1 月 9 日", "2016.0109", "201601.09"]
        {
            assert_eq!(date(text), Some(day(2016, 1, 9)), "{text}");
        }
        for text in ["", "2016", "2016.13.01", "1800.01.01", "3月2日", "2016.02.30"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_without_separators_is_known_again() {
        assert!(is_date_run_together("1956424", day(1956, 4, 24)));
        assert!(is_date_run_together("1956 424", day(1956, 4, 24)));
        assert!(!is_date_run_together("1956425", day(1956, 4, 24)));
    }

    #[test]
    fn terms_are_understood_with_or_without_an_end() {
        let ends = |text: &str| term(text).map(|term| (term.start_text(), term.end_text(), term.is_usual()));

        let usual = |a: &str, b: &str| Some((a.to_owned(), b.to_owned(), true));
        assert_eq!(ends("2016.01.09-2026.01.09"), usual("2016-01-09", "2026-01-09"));
        assert_eq!(ends("2016.01.09一长期"), usual("2016-01-09", "长期"));
        assert_eq!(ends("2016.01.092026.01.09"), usual("2016-01-09", "2026-01-09"));
        assert_eq!(ends("2016.01.09-2026.01"), None);
        assert_eq!(ends("2016.01.09-2027.01.09").map(|ends| ends.2), Some(false));
    }

    #[test]
    fn an_outlet_code_stands_in_brackets_or_alone() {
        assert_eq!(outlet_code("直销一部（TJDX0001）").as_deref(), Some("TJDX0001"));
        assert_eq!(outlet_code("TJDX0001").as_deref(), Some("TJDX0001"));
        assert_eq!(outlet_code("直销一部"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in "\\PC{0,60}") {
            let _ = (name(&text), address(&text), date(&text), term(&text), outlet_code(&text), code(&text));
            let _ = (number(&text), digit_groups(&text));
        }
    }
}
