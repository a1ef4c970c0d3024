//! How far a text is to be believed as a value of its kind, before its ink is looked at.

use std::{collections::HashSet, sync::LazyLock};

use chrono::{Datelike, NaiveDate};
use domain::validation;

use super::{
    Bearer, Known, doors,
    paper_number::{CHECKED, believe_number_on_form, believe_paper_number},
    regions,
};
use crate::{fields::parse, forms::ValueKind};

static TRADITIONAL_CHARACTERS: LazyLock<HashSet<char>> = LazyLock::new(|| {
    let lines = include_str!("../../../forms/traditional.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::chars).collect()
});

/// How much rarer a traditional character is than its simplified form.
const TRADITIONAL: f64 = 0.005;
/// How much likelier the name of a region is where one must stand than any other text.
const OF_A_REGION: f64 = 30.0;
/// A number with more characters of Han around it is none.
const MOST_HAN_IN_NUMBER: usize = 4;
/// Names of persons are no longer unless a dot divides them.
const LONGEST_PLAIN_NAME: usize = 4;
/// What the name of an organisation ends in.
const ORGANISATIONS_END: &str = "司厂店部心局院校会社所处站行队馆场坊厅室团府园铺库委学";
/// Phone numbers with fewer digits may have lost some.
const LEAST_DIGITS: usize = 10;
/// How much rarer a surname is in a given name than its look-alikes.
const SURNAME_BEHIND: f64 = 0.1;
/// Surnames that seldom stand in given names and look like characters that often do.
const SURNAMES_ONLY: &str = "吴于赵陈孙郑郭徐冯蒋吕";

/// How much likelier than an impossible value one is that passes, before looking at the ink.
pub(super) struct Belief {
    pub(super) text: String,
    pub(super) weight: f64,
    pub(super) rule: &'static str,
    /// Whether it looks like all of a value; ink outside the cut is not seen by any recogniser.
    pub(super) is_whole: bool,
}

impl Belief {
    pub(super) fn of(text: String, weight: f64, rule: &'static str) -> Self {
        Self { text, weight, rule, is_whole: true }
    }

    pub(super) fn whole_if(mut self, is_whole: bool) -> Self {
        self.is_whole = is_whole;
        self
    }
}

/// The value a text means and how far it is to be believed; `None` when it means nothing.
pub(super) fn believe(kind: ValueKind, text: &str, known: &Known) -> Option<Belief> {
    match kind {
        ValueKind::IdNumber if known.bearer == Bearer::Form => believe_number_on_form(text),
        ValueKind::IdNumber => believe_number_on_card(text),
        ValueKind::PaperNumber => believe_paper_number(text, &known.papers),
        // A zone is read as a whole, by its own check digits.
        ValueKind::Mrz => None,
        ValueKind::Phone => believe_phone(text),
        ValueKind::Sex => believe_sex(text, known),
        ValueKind::Nation => believe_nation(text),
        ValueKind::Birth => believe_birth(text, known),
        ValueKind::Date => parse::date(text).map(|date| Belief::of(date.to_string(), 100.0, "real_date")),
        ValueKind::ValidityStart | ValueKind::ValidityEnd => believe_term(kind, text),
        ValueKind::Name => parse::name(text).map(|name| {
            let weight = if parse::is_plausible_name(&name) { 20.0 } else { 1.0 };
            let weight = weight * usual_spelling(&name) * usual_given_name(&name);
            let is_whole = is_one_name(&name);
            Belief::of(name, weight, "name").whole_if(is_whole)
        }),
        ValueKind::Address => parse::address(text).map(believe_address),
        ValueKind::Authority => parse::address(text).map(|text| {
            let weight = if text.ends_with('局') { 20.0 } else { 1.0 };
            let weight = weight * OF_A_REGION.powi(regions::count(&text));
            Belief::of(text, weight, "authority")
        }),
        ValueKind::SlipNumber => believe_slip_number(text, known),
        ValueKind::OutletCode => parse::outlet_code(text).map(plain),
        ValueKind::Code => parse::code(text).map(plain),
        ValueKind::Text => {
            let text = parse::folded(text).trim_matches([':', '|', '_']).to_owned();
            (!text.is_empty()).then(|| plain(text))
        }
    }
}

fn plain(text: String) -> Belief {
    Belief::of(text, 1.0, "likelihood")
}

/// Each part of the address that is the name of a region makes it much likelier.
fn believe_address(text: String) -> Belief {
    let weight = OF_A_REGION.powi(regions::count(&text)) * usual_spelling(&text) * doors::belief(&text);
    let is_whole = is_whole_address(&text) && doors::odd_characters(&text) == 0;
    Belief::of(text, weight, "region").whole_if(is_whole)
}

/// Papers are printed in simplified characters; a traditional one is far more often a worn simplified one.
fn usual_spelling(text: &str) -> f64 {
    let odd = text.chars().filter(|c| TRADITIONAL_CHARACTERS.contains(c)).count();
    TRADITIONAL.powi(odd.min(8) as i32)
}

/// Whether it can be one name: no digits, and none so long that it is neither a person's nor an organisation's.
fn is_one_name(name: &str) -> bool {
    let count = name.chars().count();
    let is_plain = count <= LONGEST_PLAIN_NAME || !name.chars().all(parse::is_han);
    let is_organisation = name.chars().last().is_some_and(|c| ORGANISATIONS_END.contains(c));
    !name.chars().any(|c| c.is_ascii_digit()) && (is_plain || is_organisation)
}

/// An address begins with a region, and has a number or ends in a house, group or village. One that was written without
/// its region is taken for a part: whether it is what was typed is seen all the same.
fn is_whole_address(address: &str) -> bool {
    let begins = regions::begins_with_one(address);
    let has_number = address.chars().any(|c| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    let ends = address.chars().last().is_some_and(|c| "号室户组村楼屯社队栋幢院园层".contains(c));
    begins && (has_number || ends)
}

/// Characters that are surnames and seldom stand in given names.
fn usual_given_name(name: &str) -> f64 {
    let odd = name.chars().skip(1).take(3).filter(|c| SURNAMES_ONLY.contains(*c)).count();
    if name.chars().count() <= 4 { SURNAME_BEHIND.powi(odd as i32) } else { 1.0 }
}

/// Whether a text holds so many characters of Han that it is no number.
pub(super) fn is_wordy(text: &str) -> bool {
    text.chars().filter(|c| parse::is_han(*c)).count() > MOST_HAN_IN_NUMBER
}

fn believe_number_on_card(text: &str) -> Option<Belief> {
    let number = parse::number(text);
    if !(6..=20).contains(&number.len()) || is_wordy(text) {
        return None;
    }
    let weight = if is_valid_number(&number) { CHECKED } else { 1.0 };
    // Cards with 15 digits are void since 2013: far more often the end of a longer number was not seen.
    let is_whole = number.len() == 18;
    Some(Belief::of(number, weight, "check_digit").whole_if(is_whole))
}

/// Whether an 18-digit number has a region, a birth date and the right check character.
pub fn is_valid_number(number: &str) -> bool {
    let Some(first) = number.get(..17).filter(|_| number.len() == 18) else { return false };
    let region = number.get(..6).and_then(|code| code.parse().ok());
    validation::check_character(first) == number.chars().last()
        && birth_of(number).is_some()
        && region.is_some_and(|code: u32| code / 10_000 >= 81 || validation::region_of(code).is_some())
}

/// The birth date in an 18-digit number.
pub fn birth_of(number: &str) -> Option<NaiveDate> {
    let date = number.get(6..14).filter(|_| number.len() == 18).and_then(parse::date)?;
    (1900..=2100).contains(&date.year()).then_some(date)
}

fn is_male(number: &str) -> Option<bool> {
    number.get(16..17).filter(|_| is_valid_number(number))?.parse::<u8>().ok().map(|digit| digit % 2 == 1)
}

fn believe_phone(text: &str) -> Option<Belief> {
    let digits = parse::digits(text);
    if digits.len() < 5 {
        return None;
    }
    let weight = if validation::mobile(&digits).is_ok() {
        100.0
    } else if validation::landline(&digits).is_ok() {
        10.0
    } else {
        1.0
    };
    // Seven and eight digits may be a fixed number, and as well the rest of a mobile one.
    let is_whole = weight > 1.0 && digits.len() >= LEAST_DIGITS;
    Some(Belief::of(digits, weight, "phone").whole_if(is_whole))
}

fn believe_sex(text: &str, known: &Known) -> Option<Belief> {
    let folded = parse::folded(text);
    let sex = folded.chars().find(|c| matches!(c, '男' | '女'))?;
    let agrees = known.id_number.as_deref().and_then(is_male).map(|male| male == (sex == '男'));
    let weight = match agrees {
        Some(true) => 1000.0,
        Some(false) => 1.0,
        None => 20.0,
    };
    Some(Belief::of(sex.to_string(), weight, "id_number"))
}

fn believe_nation(text: &str) -> Option<Belief> {
    let folded = parse::folded(text);
    let trimmed = folded.trim_end_matches('族');
    let weight = match trimmed {
        "汉" => 300.0,
        _ if parse::NATIONS.contains(&trimmed) => 100.0,
        _ if trimmed.is_empty() || trimmed.chars().count() > 6 => return None,
        _ => 0.2,
    };
    Some(Belief::of(trimmed.to_owned(), weight, "nation"))
}

fn believe_birth(text: &str, known: &Known) -> Option<Belief> {
    let in_number = known.id_number.as_deref().filter(|number| is_valid_number(number)).and_then(birth_of);
    let date =
        parse::date(text).or_else(|| in_number.filter(|birth| parse::is_date_run_together(text, *birth)))?;
    let weight = match in_number {
        Some(birth) if birth == date => 1000.0,
        Some(_) => 1.0,
        None => 20.0,
    };
    Some(Belief::of(date.to_string(), weight, "id_number"))
}

fn believe_term(kind: ValueKind, text: &str) -> Option<Belief> {
    let term = parse::term(text)?;
    let weight = if term.is_usual() { 200.0 } else { 2.0 };
    let text = if kind == ValueKind::ValidityStart { term.start_text() } else { term.end_text() };
    Some(Belief::of(text, weight, "validity_term"))
}

fn believe_slip_number(text: &str, known: &Known) -> Option<Belief> {
    let code = parse::code(text)?;
    if known.barcodes.contains(&code) {
        return Some(Belief::of(code, 1e6, "barcode"));
    }
    let fits = known.patterns.iter().any(|pattern| fits(&code, pattern));
    if code.len() < 6 {
        return None;
    }
    // A number much shorter than those of the form is a part of one, or another's.
    let shortest = known.patterns.iter().map(|pattern| pattern.chars().count()).min().unwrap_or_default();
    let is_whole = fits || 2 * code.len() >= shortest;
    Some(Belief::of(code, if fits { 100.0 } else { 1.0 }, "pattern").whole_if(is_whole))
}

/// Whether a code has the shape of a pattern: `A` a letter, `9` a digit, anything else itself.
pub fn fits(code: &str, pattern: &str) -> bool {
    let same = |(c, p): (char, char)| match p {
        'A' => c.is_ascii_uppercase(),
        '9' => c.is_ascii_digit(),
        other => c == other,
    };
    code.chars().count() == pattern.chars().count() && code.chars().zip(pattern.chars()).all(same)
}

/// The text with its traditional characters simplified; `None` when it has none.
pub(super) fn simplified(text: &str) -> Option<String> {
    let simple = |c: char| {
        if TRADITIONAL_CHARACTERS.contains(&c) { domain::comparison::simplified(c) } else { c }
    };
    let variant: String = text.chars().map(simple).collect();
    (variant != text).then_some(variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_parts_or_more_than_one_are_known() {
        let is_whole =
            |kind, text: &str| believe(kind, text, &Known::default()).map(|belief| belief.is_whole);
        let check =
            |kind, text: &str, expected: bool| assert_eq!(is_whole(kind, text), Some(expected), "{text}");

        check(ValueKind::Name, "宇文淇杰", true);
        check(ValueKind::Name, "宇文淇杰公众", false);
        check(ValueKind::Name, "姜磊17610793520", false);
        check(ValueKind::Name, "阿依古丽·哈不都", true);
        check(ValueKind::Name, "天津长风联合电信有限公司", true);
        check(ValueKind::Phone, "15593395479", true);
        check(ValueKind::Phone, "5593395479", false);
        check(ValueKind::Phone, "61144228", false);
        check(ValueKind::IdNumber, "20111199409013388", false);
        check(ValueKind::Address, "青海省黄南藏族自治州尖扎县文昌西路41栋6门2104室", true);
        check(ValueKind::Address, "青海省黄南藏族自治州尖扎县文", false);
        check(ValueKind::Address, "省大连市甘井子区泰山路5号", false);
    }

    #[test]
    fn a_card_bears_no_number_but_its_own() {
        let card = Known { bearer: Bearer::ResidentCard, ..Known::default() };
        let is_whole = |text: &str| believe(ValueKind::IdNumber, text, &card).map(|belief| belief.is_whole);

        assert_eq!(is_whole("306028379"), Some(false));
        assert_eq!(is_whole("360681200607170"), Some(false));
        assert_eq!(is_whole("11010519491231002X"), Some(true));
    }

    #[test]
    fn the_usual_spelling_and_given_names_are_believed_more() {
        let weight =
            |text: &str| believe(ValueKind::Name, text, &Known::default()).map(|belief| belief.weight);

        assert!(weight("易文强") > weight("易文強"));
        assert!(weight("孙伟昊") > weight("孙伟吴"));
        assert_eq!(weight("吴伟"), weight("李伟"));
        assert_eq!(simplified("易文強").as_deref(), Some("易文强"));
        assert_eq!(simplified("闫於"), None);
    }
}
