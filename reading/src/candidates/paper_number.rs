//! Numbers of passports, permits and licences: letters and digits, judged by what their kind of paper demands.

use chrono::NaiveDate;
use domain::validation::{self, IdentityPaper};

use super::beliefs::{Belief, is_valid_number, is_wordy};
use crate::fields::parse;

/// Of printed numbers nearly all pass; of chance ones with a check character 1 in 10 to 31, and far fewer have a region
/// and a birth date.
pub(super) const CHECKED: f64 = 350.0;
/// A form alone passes more chance numbers.
const FORMED: f64 = 50.0;
/// Numbers have at least so many characters.
const LEAST: usize = 6;
/// No kind of paper has a longer number.
const MOST: usize = 20;
/// No number begins with more letters.
const MOST_LETTERS: usize = 3;
/// Nothing is known of the day of use: no number is judged to lie in the future.
const LATEST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2099, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// Papers whose numbers can be told by their form; a form that is filled in may name any of them.
const ON_FORMS: [IdentityPaper; 5] = [
    IdentityPaper::ForeignPermanentResident,
    IdentityPaper::Licence,
    IdentityPaper::MainlandTravelPermit,
    IdentityPaper::TaiwanTravelPermit,
    IdentityPaper::Passport,
];
/// A number of no known form begins with no more letters than this; what looks like one behind them is a digit.
const FOREIGN_LETTERS: usize = 2;

/// The number that a form names, of whatever paper was shown.
pub(super) fn believe_number_on_form(text: &str) -> Option<Belief> {
    let code: String = parse::code(&text.replace('×', "X"))?.chars().filter(|c| *c != '-').collect();
    if !(LEAST..=MOST).contains(&code.len()) || is_wordy(text) {
        return None;
    }
    let digits = digits_behind(0, &code);
    if is_valid_number(&digits) {
        return Some(Belief::of(digits, CHECKED, "check_digit"));
    }
    // A whole number of a resident that fails its check is none of a paper with letters in it.
    let is_foreign = code.len() < 18 || code.chars().filter(char::is_ascii_alphabetic).count() > 1;
    let of_a_paper = believe_paper_number(text, &ON_FORMS).filter(|belief| is_foreign && belief.weight > 1.0);
    if let Some(belief) = of_a_paper {
        return Some(belief);
    }
    let letters = code.chars().take(FOREIGN_LETTERS).take_while(char::is_ascii_alphabetic).count();
    let number = digits_behind(letters, &code);
    // Of foreign passports nothing else is known than that few letters stand before the digits.
    let is_plain = number.chars().skip(letters).all(|c| c.is_ascii_digit());
    let weight =
        if is_plain && (1..=FOREIGN_LETTERS).contains(&letters) && number.len() <= 10 { FORMED } else { 1.0 };
    // No paper has a number of another length: something was lost or is too many.
    let is_whole = matches!(number.len(), 8..=11 | 15 | 18);
    Some(Belief::of(number, weight, "paper_number").whole_if(is_whole))
}

/// The number a text means, believed most when one of the kinds of paper can have it.
pub(super) fn believe_paper_number(text: &str, papers: &[IdentityPaper]) -> Option<Belief> {
    let code: String = parse::code(text)?.chars().filter(|c| *c != '-').collect();
    if !(LEAST..=MOST).contains(&code.len()) {
        return None;
    }
    let mut spellings = vec![code.clone(), without_look_alikes(&code)];
    spellings.extend((0..=MOST_LETTERS).rev().map(|letters| digits_behind(letters, &code)));
    for paper in papers {
        let passing = spellings.iter().find_map(|code| value_of(*paper, code));
        if let Some(number) = passing {
            let weight = if has_check(*paper) { CHECKED } else { FORMED };
            return Some(Belief::of(number, weight, "paper_number"));
        }
    }
    Some(Belief::of(code, 1.0, "likelihood").whole_if(false))
}

fn value_of(paper: IdentityPaper, code: &str) -> Option<String> {
    let number = match paper {
        // Of a foreign passport the form says nothing; only a Chinese one can be told from a misreading.
        IdentityPaper::Passport => validation::chinese_passport(code),
        paper => validation::paper_number(paper, code, LATEST_DAY),
    };
    number.ok().map(|number| number.value)
}

const fn has_check(paper: IdentityPaper) -> bool {
    matches!(
        paper,
        IdentityPaper::ForeignPermanentResident | IdentityPaper::Licence | IdentityPaper::OrganisationCode
    )
}

/// Letters that look like digits, taken for these behind so many letters that a number begins with.
fn digits_behind(letters: usize, code: &str) -> String {
    let digit = |c| match c {
        'O' | 'Q' | 'D' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    };
    code.chars().enumerate().map(|(at, c)| if at < letters { c } else { digit(c) }).collect()
}

/// The letters that no credit code holds, because they look like digits.
fn without_look_alikes(code: &str) -> String {
    let plain = |c| match c {
        'O' => '0',
        'I' => '1',
        'Z' => '2',
        'S' => '5',
        other => other,
    };
    code.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(text: &str, papers: &[IdentityPaper]) -> Option<(String, bool)> {
        believe_paper_number(text, papers).map(|belief| (belief.text, belief.is_whole))
    }

    #[test]
    fn a_form_may_name_the_number_of_any_paper() {
        let believed = |text: &str| believe_number_on_form(text).map(|belief| (belief.text, belief.is_whole));
        let whole = |number: &str| Some((number.to_owned(), true));

        for number in
            ["11010519491231002X", "L70354819", "EE9831461", "ITA312907205066", "08803925", "H12345678"]
        {
            assert_eq!(believed(number), whole(number));
        }
        assert_eq!(believed("1101O519491231OO2×"), whole("11010519491231002X"));
        assert_eq!(believed("110105194912310O3X"), whole("11010519491231003X"));
        assert_eq!(believed("20111199409013388"), Some(("20111199409013388".to_owned(), false)));
        assert_eq!(believed("请在此处填写号码12345678"), None);
    }

    #[test]
    fn numbers_are_believed_as_their_papers_demand() {
        let whole = |number: &str| Some((number.to_owned(), true));
        let permits = [IdentityPaper::MainlandTravelPermit, IdentityPaper::TaiwanTravelPermit];

        assert_eq!(believed("H12345678", &permits), whole("H12345678"));
        assert_eq!(believed("HI2345678", &permits), whole("H12345678"));
        assert_eq!(believed("0123 4567", &permits), whole("01234567"));
        assert_eq!(believed("A1234567", &permits), Some(("A1234567".to_owned(), false)));
        assert_eq!(believed("E12345678", &[IdentityPaper::Passport]), whole("E12345678"));
        assert_eq!(
            believed("MEX33OO7606271 8", &[IdentityPaper::ForeignPermanentResident]),
            whole("MEX330076062718")
        );
        assert_eq!(believed("9144O3OOMA5DA0BCOA", &[IdentityPaper::Licence]), whole("91440300MA5DA0BC0A"));
        assert_eq!(believed("H1", &permits), None);
    }
}
