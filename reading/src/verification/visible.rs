//! Which characters of a value the ink shows, which it hides, and which it contradicts.
//!
//! Under a stamp or a spot of light the recogniser sees something, and nothing clearly. A value that agrees wherever
//! the ink is clear is not doubted for what is hidden of it, as long as little is and no digit: house numbers are
//! what is mistyped, and what cannot be seen of them cannot be told.

use domain::reading::{Lattice, LatticeStep};

use super::likelihood::{align, best_split};

/// A character at least this probable at some step of its place is seen.
const SEEN: f32 = 0.5;
/// Another one at least this probable there contradicts it.
const CLEAR: f32 = 0.9;
/// Of so many characters one may be hidden.
const SEEN_TO_ONE_HIDDEN: usize = 5;
/// So many characters must be seen.
const LEAST_SEEN: usize = 6;
/// A hidden character takes at least this share of the usual room of one.
const LEAST_ROOM: f32 = 0.6;

/// What the ink does to one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Seen,
    Hidden,
    Contradicted,
}

/// Whether the ink bears a text out as far as it can be seen: nothing contradicts it, and only a few characters that
/// are no digits are hidden.
pub(super) fn agrees_as_far_as_visible(lines: &[Lattice], text: &[char]) -> bool {
    let Some(sights) = sights(lines, text) else { return false };
    let count = |wanted: Sight| sights.iter().filter(|sight| **sight == wanted).count();
    let (seen, hidden) = (count(Sight::Seen), count(Sight::Hidden));
    let hides_digit =
        sights.iter().zip(text).any(|(sight, character)| *sight == Sight::Hidden && is_of_number(*character));
    count(Sight::Contradicted) == 0
        && !hides_digit
        && seen >= LEAST_SEEN
        && hidden * SEEN_TO_ONE_HIDDEN <= seen
}

/// Digits, and the letters and numerals that stand for them in addresses.
fn is_of_number(character: char) -> bool {
    character.is_ascii_alphanumeric() || "一二三四五六七八九十〇零百甲乙丙丁-".contains(character)
}

fn sights(lines: &[Lattice], text: &[char]) -> Option<Vec<Sight>> {
    let mut sights = Vec::with_capacity(text.len());
    for (line, (start, end)) in lines.iter().zip(best_split(lines, text)) {
        let part = text.get(start..end)?;
        sights.extend(sights_in_line(line, part)?);
    }
    (sights.len() == text.len()).then_some(sights)
}

fn sights_in_line(line: &Lattice, text: &[char]) -> Option<Vec<Sight>> {
    let spans = align(line, text)?;
    // Each character's place ends halfway to the next one.
    let border = |before: &(usize, usize), after: &(usize, usize)| before.1.midpoint(after.0);
    let mut borders = vec![0];
    borders.extend(spans.windows(2).map(|pair| border(&pair[0], &pair[1])));
    borders.push(line.steps.len());
    let usual = usual_room(&spans);
    let places = borders.windows(2).zip(text).enumerate();
    let sights = places.map(|(index, (place, character))| {
        let steps = line.steps.get(place[0]..place[1]).unwrap_or_default();
        let is_at_end = index == 0 || index + 1 == text.len();
        match sight(steps, *character) {
            Sight::Hidden if !is_at_end && (steps.len() as f32) < LEAST_ROOM * usual => Sight::Contradicted,
            other => other,
        }
    });
    Some(sights.collect())
}

/// The middle distance between neighbours.
fn usual_room(spans: &[(usize, usize)]) -> f32 {
    let mut distances: Vec<usize> =
        spans.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or_default() as f32
}

fn sight(steps: &[LatticeStep], character: char) -> Sight {
    let best = |is_wanted: &dyn Fn(char) -> bool| {
        let classes = steps.iter().flat_map(|step| &step.classes);
        let wanted = classes.filter(|(class, _)| class.is_some_and(is_wanted));
        wanted.map(|(_, log)| log.exp()).fold(0.0, f32::max)
    };
    let (own, other) = (best(&|c| c == character), best(&|c| c != character));
    match (own >= SEEN, other >= CLEAR) {
        (_, true) => Sight::Contradicted,
        (true, false) => Sight::Seen,
        (false, false) => Sight::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::lattices::lattice_of;

    const ADDRESS: &str = "天津市河西区友谊路9号楼2门302号";

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// The ink of the address with nothing clear in the place of some of its characters.
    fn hiding(places: &[usize]) -> Vec<Lattice> {
        let mut lattice = lattice_of(ADDRESS, 0.97);
        for place in places {
            lattice.steps[1 + 2 * place].classes = vec![(Some('口'), 0.4_f32.ln()), (None, 0.3_f32.ln())];
        }
        vec![lattice]
    }

    #[test]
    fn a_hidden_character_is_no_doubt_and_a_hidden_digit_is() {
        assert!(agrees_as_far_as_visible(&hiding(&[]), &chars(ADDRESS)));
        assert!(agrees_as_far_as_visible(&hiding(&[4, 6]), &chars(ADDRESS)));
        assert!(!agrees_as_far_as_visible(&hiding(&[9]), &chars(ADDRESS)));
        assert!(!agrees_as_far_as_visible(&hiding(&[3, 4, 5, 6, 7]), &chars(ADDRESS)));
    }

    #[test]
    fn what_is_clear_and_different_contradicts() {
        for other in [
            "天津市河西区友谊路8号楼2门302号",
            "天津市河东区友谊路9号楼2门302号",
            "天津市河西区友谊北路9号楼2门302号",
            "天津市河西区友谊路9号楼2门30号",
            "天津市河西区友谊路9号2门302号",
        ] {
            assert!(!agrees_as_far_as_visible(&hiding(&[6]), &chars(other)), "{other}");
        }
    }

    #[test]
    fn no_ink_shows_nothing() {
        assert!(!agrees_as_far_as_visible(&[], &chars(ADDRESS)));
        assert!(!agrees_as_far_as_visible(&[Lattice::default()], &chars(ADDRESS)));
    }
}
