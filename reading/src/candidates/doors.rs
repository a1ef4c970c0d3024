//! 门 between the numbers of a building and a room: worn, its two posts are read as brackets, strokes and ones, none
//! of which stand in an address.

use crate::{
    fields::parse,
    recognition::{LineReading, ctc},
};

/// What 门 is read as when it is worn, the longer ones first.
const WORN: [&str; 13] = ["]1", "]]", "]l", "]I", "[]", "[1", "i1", "il", "l1", "|1", "||", "I]", "i]"];
/// Characters that never stand in an address, each so much rarer than what it is a misreading of.
const NEVER: f64 = 0.003;
/// The share of what was not weighed that may be as good as the best.
const UNSEEN: f64 = 0.1;

/// How much less an address is to be believed for the characters in it that stand in none.
pub(super) fn belief(address: &str) -> f64 {
    NEVER.powi(odd_characters(address).min(4) as i32)
}

/// Characters that stand in no address.
pub(super) fn odd_characters(address: &str) -> usize {
    address
        .chars()
        .filter(|c| matches!(c, '[' | ']' | '|' | '{' | '}' | '!' | '"' | '\'' | ';' | 'i' | 'l'))
        .count()
}

/// The address with 门 in each place where it may be worn.
pub(super) fn variants(address: &str) -> Vec<String> {
    if odd_characters(address) == 0 {
        return Vec::new();
    }
    let mut found: Vec<String> = WORN
        .iter()
        .filter(|worn| address.contains(**worn))
        .map(|worn| address.replacen(worn, "门", 1))
        .collect();
    found.dedup();
    found
}

/// A line of an address behind the first one, with 门 where that explains its ink better, and its share.
pub(super) fn settled(line: &LineReading) -> (String, f32) {
    let bare = parse::folded(&line.text);
    let share = line.confidence.value();
    if odd_characters(&bare) == 0 || line.lattice.steps.is_empty() {
        return (bare, share);
    }
    let mut rivals = vec![(bare.clone(), f64::from(share))];
    rivals.extend(variants(&bare).into_iter().map(|text| {
        let likelihood = ctc::log_likelihood(&line.lattice, &text).exp();
        (text, likelihood)
    }));
    let seen: f64 = rivals.iter().map(|(_, likelihood)| likelihood).sum();
    let weighed = rivals.into_iter().map(|(text, likelihood)| {
        let weight = likelihood * belief(&text);
        (text, weight)
    });
    let weighed: Vec<(String, f64)> = weighed.collect();
    let total: f64 = weighed.iter().map(|(_, weight)| weight).sum::<f64>() + (1.0 - seen).max(0.0) * UNSEEN;
    let best = weighed.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or((bare, share), |(text, weight)| (text, (weight / total.max(1e-12)) as f32))
}

#[cfg(test)]
mod tests {
    use domain::reading::{Lattice, LatticeStep};

    use super::*;

    /// A line that says `]1` where it says 门 with a probability of `door`.
    fn line(door: f32) -> LineReading {
        let mut steps = Vec::new();
        let certain =
            |class: Option<char>| LatticeStep { classes: vec![(class, 0.999_f32.ln())], floor: -18.0 };
        for character in "5".chars() {
            steps.extend([certain(Some(character)), certain(None)]);
        }
        let bracket = vec![(Some(']'), (1.0 - door).ln()), (Some('门'), door.ln())];
        steps.push(LatticeStep { classes: bracket, floor: -18.0 });
        steps.push(LatticeStep {
            classes: vec![(Some('1'), 0.6_f32.ln()), (None, 0.4_f32.ln())],
            floor: -18.0,
        });
        for character in "2404".chars() {
            steps.extend([certain(None), certain(Some(character))]);
        }
        ctc::read(Lattice { steps }, 100.0)
    }

    #[test]
    fn a_worn_door_is_read_where_the_ink_allows_it() {
        let (text, share) = settled(&line(0.05));
        assert_eq!(text, "5门2404");
        assert!(share > 0.2, "{share}");

        assert_eq!(settled(&line(1e-6)).0, "5]12404");
    }

    #[test]
    fn an_address_without_odd_characters_stays() {
        assert_eq!(variants("解放路11号楼5门1104号"), Vec::<String>::new());
        assert_eq!(variants("5]12404号")[0], "5门2404号");
        assert!(belief("5]12404") < belief("5门2404"));
    }
}
