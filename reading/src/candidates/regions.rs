//! The names of regions an address or an authority begins with, one within the other.

use domain::validation::{is_region_name, regions_within};

use crate::lines::edit_distance;

/// A name stands within so many characters.
const LONGEST: usize = 12;
/// Names one within the other.
const DEEPEST: usize = 4;
/// Stands between the regions of an authority.
const OFFICE: [char; 3] = ['公', '安', '局'];

/// What names of regions a text begins with, and where they end.
struct Chain {
    count: usize,
    innermost: String,
    end: usize,
}

/// How many names of regions the text begins with, one after the other.
pub(super) fn count(text: &str) -> i32 {
    chain(&text.chars().collect::<Vec<_>>()).count as i32
}

/// Whether the text begins with a region that needs no other before it, as no district or county does.
pub(super) fn begins_with_one(text: &str) -> bool {
    let name = first(&text.chars().collect::<Vec<_>>());
    let needs_another = |name: &String| {
        let is_wide = ["自治区", "特别行政区", "地区"].iter().any(|end| name.ends_with(end));
        !is_wide && ["区", "县", "旗"].iter().any(|end| name.ends_with(end))
    };
    name.is_some_and(|name| !needs_another(&name))
}

/// The name of a region that the text begins with.
fn first(text: &[char]) -> Option<String> {
    let length = (2..=text.len().min(LONGEST)).find(|length| is_region(&text[..*length]))?;
    Some(text[..length].iter().collect())
}

/// The text with the first name that is no region replaced by each region within the last one that resembles it.
pub(super) fn variants(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let chain = chain(&characters);
    let rest = &characters[chain.end..];
    let mut found: Vec<String> = Vec::new();
    for name in regions_within(&chain.innermost) {
        let name: Vec<char> = name.chars().collect();
        let resembles = |length: &usize| {
            rest.get(..*length)
                .is_some_and(|window| window.last() == name.last() && edit_distance(window, &name) == 1)
        };
        let Some(length) = (2..=name.len() + 1).find(resembles) else { continue };
        let variant: String =
            [&characters[..chain.end], &name, &rest[length..]].concat().into_iter().collect();
        if !found.contains(&variant) {
            found.push(variant);
        }
    }
    found
}

fn chain(text: &[char]) -> Chain {
    let mut chain = Chain { count: 0, innermost: String::new(), end: 0 };
    while chain.count < DEEPEST {
        if chain.count > 0 && text[chain.end..].starts_with(&OFFICE) {
            chain.end += OFFICE.len();
        }
        let rest = &text[chain.end..];
        let Some(length) = (2..=rest.len().min(LONGEST)).find(|length| is_region(&rest[..*length])) else {
            break;
        };
        chain.innermost = rest[..length].iter().collect();
        chain.end += length;
        chain.count += 1;
    }
    chain
}

fn is_region(name: &[char]) -> bool {
    let ends = name.last().is_some_and(|c| matches!(c, '省' | '市' | '区' | '县' | '州' | '盟' | '旗'));
    ends && is_region_name(&name.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_regions_are_counted_one_within_the_other() {
        assert_eq!(count("广东省韶关市浈江区民族巷"), 3);
        assert_eq!(count("韶关市公安局浈江区分局"), 2);
        assert_eq!(count("民族巷绿洲花园"), 0);
        assert_eq!(count(""), 0);
    }

    #[test]
    fn no_address_begins_with_a_district() {
        assert!(
            ["天津市河西区津塘公路", "新疆维吾尔自治区阿克苏地区", "沈阳市和平区"]
                .into_iter()
                .all(begins_with_one)
        );
        assert!(
            ["河西区津塘公路", "鹤庆县学府街", "津塘公路41号", ""]
                .into_iter()
                .all(|text| !begins_with_one(text))
        );
    }

    #[test]
    fn a_name_that_is_no_region_is_tried_as_those_it_resembles() {
        let tries = |text: &str, variant: &str| variants(text).iter().any(|tried| tried == variant);

        assert!(tries("广东省韶关市淡江区民族巷", "广东省韶关市浈江区民族巷"));
        assert!(tries("韶关市公安局江区分局", "韶关市公安局浈江区分局"));
        assert!(!tries("广东省韶关市淡江区民族巷", "广东省韶关市南岸区民族巷"));
        assert!(variants("民族巷绿洲花园二期").is_empty());
        assert!(variants("广东省韶关市浈江区民族巷小区").is_empty());
    }
}
