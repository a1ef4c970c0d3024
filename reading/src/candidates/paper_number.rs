//! Numbers of passports, permits and licences: letters and digits, judged by what their kind of paper demands.

use chrono::NaiveDate;
use domain::validation::{self, IdentityPaper};

use super::beliefs::Belief;
use crate::fields::parse;

/// Of printed numbers nearly all pass; of chance ones with a check character 1 in 10 to 31.
const CHECKED: f64 = 350.0;
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
