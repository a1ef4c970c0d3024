//! Addresses, compared by their parts: what may be left out, and what may never differ.

use serde::{Deserialize, Serialize};

use crate::{
    folding::fold,
    validation::{is_region_name, province_by_short_name},
};

/// A part of an address below the district.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressPart {
    /// Road, street, lane, village.
    Road,
    /// Number in the road.
    RoadNumber,
    /// Housing estate or compound.
    Compound,
    /// Building (号楼, 栋, 幢, 座).
    Building,
    /// Entrance (门, 单元).
    Door,
    /// Room (室, 号).
    Room,
}

/// One part and its text without what may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPiece {
    /// Which part.
    pub part: AddressPart,
    /// Its text, folded.
    pub text: String,
}

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedAddress {
    /// Province, city, district, as far as they are written, in full.
    pub regions: Vec<String>,
    /// What stands below them.
    pub pieces: Vec<AddressPiece>,
}

impl ParsedAddress {
    /// Whether both are the same place: one may leave out province and city, nothing else may differ.
    pub fn is_same_place_as(&self, other: &Self) -> bool {
        self.rest() == other.rest() && same_regions(&self.regions, &other.regions)
    }

    fn rest(&self) -> String {
        self.pieces.iter().flat_map(|piece| [piece.text.as_str(), mark(piece.part)]).collect()
    }
}

/// Building and entrance keep a mark, so that 1栋23 is not 12栋3; the others are divided by their words.
const fn mark(part: AddressPart) -> &'static str {
    match part {
        AddressPart::Building => "栋",
        AddressPart::Door => "门",
        AddressPart::RoadNumber => "号",
        AddressPart::Road | AddressPart::Compound | AddressPart::Room => "",
    }
}

/// The shorter list must end the longer one, and what it leaves out must be province or city.
fn same_regions(one: &[String], other: &[String]) -> bool {
    let (shorter, longer) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let Some(left_out) = without_ending(longer, shorter) else {
        return only_middle_left_out(shorter, longer);
    };
    left_out.iter().all(|name| may_be_left_out(name))
}

/// 河北省长安区 and 河北省石家庄市长安区: the city between province and district is left out.
fn only_middle_left_out(shorter: &[String], longer: &[String]) -> bool {
    let head = shorter.iter().zip(longer).take_while(|(one, other)| one == other).count();
    let tail = &shorter[head..];
    longer.get(head..).is_some_and(|rest| {
        without_ending(rest, tail).is_some_and(|left_out| left_out.iter().all(|name| may_be_left_out(name)))
    })
}

fn may_be_left_out(name: &str) -> bool {
    ["省", "市", "自治区", "自治州", "地区", "盟", "特别行政区"].iter().any(|ending| name.ends_with(ending))
}

fn without_ending<'a>(list: &'a [String], ending: &[String]) -> Option<&'a [String]> {
    list.ends_with(ending).then(|| &list[..list.len() - ending.len()])
}

/// Takes an address apart.
pub fn parse_address(text: &str) -> ParsedAddress {
    let folded: Vec<char> = fold(text).chars().filter(|character| !is_punctuation(*character)).collect();
    let (regions, used) = leading_regions(&folded);
    ParsedAddress { regions, pieces: pieces(&folded[used..]) }
}

fn is_punctuation(character: char) -> bool {
    matches!(
        character,
        ',' | '.' | '、' | '。' | ';' | ':' | '(' | ')' | '\u{B7}' | '#' | '【' | '】' | '[' | ']'
    )
}

/// Reads province, city and district from the front; says how many characters they took.
pub(crate) fn leading_regions(characters: &[char]) -> (Vec<String>, usize) {
    let mut regions: Vec<String> = Vec::new();
    let mut used = 0;
    while regions.len() < 4 {
        let rest = &characters[used..];
        if let Some(length) = nameless_region(rest) {
            used += length;
            continue;
        }
        let Some((name, length)) = full_region(rest).or_else(|| short_region(rest)) else {
            break;
        };
        used += length;
        if regions.last() != Some(&name) {
            regions.push(name);
        }
    }
    (regions, used)
}

/// 市辖区 stands in code tables and on some forms and says nothing.
fn nameless_region(rest: &[char]) -> Option<usize> {
    rest.starts_with(&['市', '辖', '区']).then_some(3)
}

/// The longest full name of a region at the front.
fn full_region(rest: &[char]) -> Option<(String, usize)> {
    (2..=rest.len().min(15)).rev().find_map(|length| {
        let name: String = rest[..length].iter().collect();
        is_region_name(&name).then_some((name, length))
    })
}

/// A name without its ending (河北, 石家庄), only where a full name follows: 天津路 is a road.
fn short_region(rest: &[char]) -> Option<(String, usize)> {
    (2..=rest.len().min(5)).rev().find_map(|length| {
        let short: String = rest[..length].iter().collect();
        let with_city = format!("{short}市");
        let name = province_by_short_name(&short)
            .map(str::to_owned)
            .or_else(|| is_region_name(&with_city).then_some(with_city))?;
        full_region(&rest[length..]).map(|_| (name, length))
    })
}

/// Divides what stands below the district at its numbers.
fn pieces(rest: &[char]) -> Vec<AddressPiece> {
    let mut pieces = Vec::new();
    let mut position = 0;
    while position < rest.len() {
        let start = position;
        let is_number = is_number_character(rest[position]);
        while position < rest.len() && is_number_character(rest[position]) == is_number {
            position += 1;
        }
        let text: String = rest[start..position].iter().collect();
        if is_number {
            let (part, length) = number_part(&rest[position..], &pieces);
            position += length;
            pieces.push(AddressPiece { part, text });
        } else {
            pieces.extend(named_parts(&text));
        }
    }
    pieces
}

fn is_number_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

/// What a number is, by the word behind it, and how many characters that word has.
fn number_part(behind: &[char], before: &[AddressPiece]) -> (AddressPart, usize) {
    const WORDS: [(&str, AddressPart); 7] = [
        ("号楼", AddressPart::Building),
        ("栋", AddressPart::Building),
        ("幢", AddressPart::Building),
        ("座", AddressPart::Building),
        ("单元", AddressPart::Door),
        ("门", AddressPart::Door),
        ("室", AddressPart::Room),
    ];
    for (word, part) in WORDS {
        if behind.starts_with(&word.chars().collect::<Vec<_>>()) {
            return (part, word.chars().count());
        }
    }
    let is_inside =
        before.iter().any(|piece| matches!(piece.part, AddressPart::Building | AddressPart::Door));
    let ending =
        if behind.starts_with(&['号', '室']) { 2 } else { usize::from(behind.first() == Some(&'号')) };
    if is_inside && behind.len() == ending {
        return (AddressPart::Room, ending);
    }
    match ending {
        0 => (AddressPart::Room, 0),
        _ => (AddressPart::RoadNumber, ending),
    }
}

/// Divides words into the road and what stands in it.
fn named_parts(text: &str) -> Vec<AddressPiece> {
    const ENDINGS: [char; 6] = ['路', '街', '道', '巷', '村', '镇'];
    let (road, compound) = match text.rfind(ENDINGS) {
        Some(at) => text.split_at(at + text[at..].chars().next().map_or(0, char::len_utf8)),
        None => ("", text),
    };
    [(AddressPart::Road, road), (AddressPart::Compound, compound)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(part, text)| AddressPiece { part, text: text.to_owned() })
        .collect()
}
