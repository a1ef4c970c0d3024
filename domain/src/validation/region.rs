//! Region codes (GB/T 2260) with the years each was in force; an abolished region is not a false one.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// One region code and the years it stood in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Six digits as a number.
    pub code: u32,
    /// Its name, as in 河西区.
    pub name: &'static str,
    /// First year; 0 when it was there from the beginning.
    pub start_year: i32,
    /// Last year; `None` while in force.
    pub end_year: Option<i32>,
}

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut regions: Vec<Region> =
        include_str!("../../rules/regions.csv").lines().filter_map(parse_line).collect();
    regions.sort_by_key(|region| (region.code, region.start_year));
    regions
});

static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let is_proper = |name: &&str| !matches!(*name, "市辖区" | "县");
    REGIONS.iter().map(|region| region.name).filter(is_proper).collect()
});

fn parse_line(line: &'static str) -> Option<Region> {
    let mut cells = line.split(',');
    let code = cells.next()?.parse().ok()?;
    let name = cells.next()?;
    let start_year = cells.next().and_then(|cell| cell.parse().ok()).unwrap_or(0);
    let end_year = cells.next().and_then(|cell| cell.trim().parse().ok());
    Some(Region { code, name, start_year, end_year })
}

/// Finds the newest entry of a code, abolished or not.
pub fn region_of(code: u32) -> Option<Region> {
    let end = REGIONS.partition_point(|region| region.code <= code);
    end.checked_sub(1).and_then(|last| REGIONS.get(last)).filter(|region| region.code == code).copied()
}

/// Says whether a region had come into force by `year`, even if it was abolished since.
pub fn region_existed_by(code: u32, year: i32) -> bool {
    let end = REGIONS.partition_point(|region| region.code < code);
    REGIONS[end..].iter().take_while(|region| region.code == code).any(|region| region.start_year <= year)
}

/// Says whether a text is the full name of a province, city, district or county, present or past.
pub fn is_region_name(name: &str) -> bool {
    NAMES.contains(name)
}

static WITHIN: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut within: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
    for inner in REGIONS.iter().filter(|region| NAMES.contains(region.name)) {
        let province = inner.code / 10_000 * 10_000;
        let city = inner.code / 100 * 100;
        for code in [province, city] {
            let outer = region_of(code).filter(|_| code != inner.code);
            if let Some(outer) = outer {
                within.entry(outer.name).or_default().push(inner.name);
            }
        }
    }
    within
});

/// The names of all regions, present or past, within the region of that name.
pub fn regions_within(name: &str) -> &'static [&'static str] {
    WITHIN.get(name).map_or(&[], Vec::as_slice)
}

static PROVINCES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    const ENDINGS: [&str; 6] = ["省", "市", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区"];
    let names = REGIONS.iter().filter(|region| region.code % 10_000 == 0).map(|region| region.name);
    names
        .filter_map(|name| ENDINGS.iter().find_map(|ending| Some((name.strip_suffix(ending)?, name))))
        .collect()
});

/// The full name of a province by its short one, as 河北 for 河北省.
pub(crate) fn province_by_short_name(short: &str) -> Option<&'static str> {
    PROVINCES.get(short).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abolished_region_is_known_and_a_future_one_is_not_yet() {
        assert_eq!(region_of(110_103).map(|region| region.name), Some("崇文区"));
        assert!(region_existed_by(110_103, 2026));
        assert!(!region_existed_by(110_112, 1990));
        assert!(region_existed_by(110_112, 1997));
        assert!(!region_existed_by(999_999, 2026));
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let lines = include_str!("../../rules/regions.csv")
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));

        assert_eq!(REGIONS.len(), lines.count());
        assert!(regions_within("韶关市").contains(&"浈江区") && regions_within("广东省").contains(&"韶关市"));
        assert!(regions_within("天津市").contains(&"河西区") && regions_within("河西区").is_empty());
        assert!(is_region_name("河西区") && !is_region_name("市辖区") && !is_region_name("小区"));
    }
}
