//! Folding: the one place that says which characters are written differently but mean the same.

use unicode_normalization::UnicodeNormalization;

/// Folds one character: full width to half width, compatibility forms, capital letters.
pub(crate) fn fold_char(character: char) -> impl Iterator<Item = char> {
    std::iter::once(character).nfkc().flat_map(char::to_uppercase).map(unify)
}

/// Brings characters that print alike to one form.
const fn unify(character: char) -> char {
    match character {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => '-',
        '\u{2022}' | '\u{30FB}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{FF65}' | '\u{0387}' => {
            MIDDLE_DOT
        }
        other => other,
    }
}

/// The form every middle dot (· • ・ .) of a name is brought to.
pub(crate) const MIDDLE_DOT: char = '\u{00B7}';

/// Whether a character carries nothing: white space and marks that do not print.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Folds a text and drops white space; what remains is compared character by character.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(fold_char).filter(|character| !is_blank(*character)).collect()
}

/// Folds a number: as [`fold`], and hyphens are dropped too.
pub(crate) fn fold_number(text: &str) -> String {
    text.chars().flat_map(fold_char).filter(|character| !is_blank(*character) && *character != '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_spaces_and_hyphens_are_folded() {
        assert_eq!(fold_number(" 1101－0519 491231 00２ｘ"), "11010519491231002X");
        assert_eq!(fold("阿依古丽・买买提"), "阿依古丽·买买提");
        assert_eq!(fold("\u{202E}王\u{200B}明"), "王明");
    }
}
