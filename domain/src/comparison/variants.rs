//! Traditional and variant forms of one character.

use std::{collections::HashMap, sync::LazyLock};

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut forms = HashMap::new();
    for line in include_str!("../../rules/variants.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut characters = line.chars().filter(|character| !character.is_whitespace());
        if let Some(first) = characters.next() {
            forms.extend(characters.map(|form| (form, first)));
        }
    }
    forms
});

/// The simplified form of a character; itself when no other is known.
pub fn simplified(character: char) -> char {
    SIMPLIFIED.get(&character).copied().unwrap_or(character)
}

/// Whether two different characters are forms of the same one, as 国 and 國.
pub fn are_variants(one: char, other: char) -> bool {
    one != other && simplified(one) == simplified(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_character_are_variants_and_others_are_not() {
        for (one, other) in [('国', '國'), ('峰', '峯'), ('張', '张'), ('闫', '阎'), ('寳', '寶')] {
            assert!(are_variants(one, other), "{one} {other}");
        }
        for (one, other) in [('国', '国'), ('国', '图'), ('己', '已'), ('1', '7')] {
            assert!(!are_variants(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_simplified_form_is_its_own_simplified_form() {
        assert!(SIMPLIFIED.len() > 700);
        for first in SIMPLIFIED.values() {
            assert_eq!(simplified(*first), *first, "{first}");
        }
    }
}
