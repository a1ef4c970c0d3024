//! Slip numbers (业务流水号) in the one form in which they are compared.

/// Longest slip number that is taken.
const MAX_CHARACTERS: usize = 64;

/// Half width, capital letters, no blanks at the ends; `None` for what cannot be one.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let folded: String = text.trim().chars().map(half_width).flat_map(char::to_uppercase).collect();
    let is_one = !folded.is_empty()
        && folded.chars().count() <= MAX_CHARACTERS
        && folded.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'));
    is_one.then_some(folded)
}

fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn a_slip_number_has_one_form() {
        assert_eq!(normalised(" ｔｊ2026 ").as_deref(), Some("TJ2026"));
        assert_eq!(normalised("TJ-1/2"), Some("TJ-1/2".to_owned()));
        assert_eq!(normalised(""), None);
        assert_eq!(normalised("a b"), None);
        assert_eq!(normalised(&"9".repeat(65)), None);
    }
}
