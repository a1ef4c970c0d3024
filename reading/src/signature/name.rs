//! Whose name a signature reads as.

use std::collections::HashSet;

use domain::{
    finding::Judgement,
    reading::{Lattice, LatticeStep, Mark},
};

use super::cohort::{OTHER_NAMES, names_like};
use crate::verification::{Alphabet, fold_lattice, fold_text, log_likelihood_of, n_best};

/// For the whole name: a name that explains the ink worse than its best alternative by more than this is not what is
/// written; one character otherwise usually costs more.
const WRITTEN_ABOVE: f64 = -8.0;
/// Below this a legible hand has written another name; between the two a person is asked.
const ANOTHER_BELOW: f64 = -14.0;
/// The same where the hand cannot be read. The gap is narrow, for in such a hand nobody is asked within it.
const ANOTHER_BELOW_UNREAD: f64 = -9.0;
/// A hand whose own best reading explains the ink worse than this, for each character, cannot be read.
const LEGIBLE_ABOVE: f64 = -1.6;
/// A cohort name that explains the ink better than the right one by this, for each character, is another name.
const COHORT_MARGIN: f64 = 2.0;
/// A name of the cohort is what is written only if it explains the ink as well as the free reading, less this.
const NEAR_FREE_READING: f64 = 2.0;
/// The limits above are for names of at most so many characters; a longer one, as of a foreigner in letters, is misread
/// in more places and may fit that much worse.
const USUAL_LENGTH: f64 = 4.0;
/// Free readings that compete with the name.
const FREE_READINGS: usize = 8;
/// A name that explains the ink no better than this above a usual one, for each character, has nothing for it.
const NOTHING_SPEAKS_BELOW: f64 = 1.0;
/// A log ratio is cut here.
const LARGEST: f64 = 30.0;

/// How a name stands against the ink of a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct NameWeight {
    /// Whether the ink reads as any name at all; a cursive hand does not.
    pub is_legible: bool,
    /// Agrees; differs: it reads as another name; cannot tell: too cursive, or nothing to read.
    pub judgement: Judgement,
    /// Log likelihood of the name less that of the best alternative, for each character of the name.
    pub per_character_log_ratio: f32,
    /// The same less that of a usual name of as many characters: how much at all speaks for the name.
    pub above_usual: f32,
    /// Of the best free reading, for each character: near 0 in a clear hand.
    pub legibility: f32,
    /// The name of the cohort that explains the ink better than all others, where it beats the given one.
    pub reads_as: Option<String>,
}

/// Weighs `name` against what is written; `others` holds names it might be instead (contact, agent, clerk), besides
/// those of a cohort.
pub fn weigh_name(mark: &Mark, name: &str, others: &[&str]) -> NameWeight {
    let wanted = fold_text(name, Alphabet::Words);
    let cohort: Vec<(&str, Vec<char>)> = OTHER_NAMES
        .iter()
        .chain(others)
        .map(|other| (*other, fold_text(other, Alphabet::Words)))
        .filter(|(_, chars)| !chars.is_empty() && *chars != wanted)
        .collect();
    let usual = names_like(&wanted);
    let of_names: HashSet<char> =
        cohort.iter().map(|(_, chars)| chars).chain(&usual).flatten().chain(&wanted).copied().collect();
    let mut above_usual = f64::NEG_INFINITY;
    let mut best: Option<Comparison> = None;
    for lattice in mark.lattices.iter().filter(|lattice| !lattice.steps.is_empty()) {
        let folded = fold_lattice(lattice, Alphabet::Words);
        let names = only(&folded, &of_names);
        let Some(comparison) = compare(&folded, &names, &wanted, &cohort) else { continue };
        above_usual = above_usual.max(above(&names, &wanted, &usual));
        // The preparation that suits the name best speaks for it; any of them may have lost a stroke.
        if best.as_ref().is_none_or(|other| comparison.ratio > other.ratio) {
            best = Some(comparison);
        }
    }
    let Some(comparison) = best else {
        return NameWeight {
            is_legible: false,
            judgement: Judgement::CannotTell,
            per_character_log_ratio: 0.0,
            above_usual: 0.0,
            legibility: f32::NEG_INFINITY,
            reads_as: None,
        };
    };
    let judgement = judge(&comparison, above_usual);
    // A part of the name, or the words of a seal, are what was read of it and not what somebody else wrote.
    let read = fold_text(mark.text.as_deref().unwrap_or_default(), Alphabet::Words);
    let is_nobodys = judgement == Judgement::Differs && (is_part(&read, &wanted) || is_of_a_seal(&read));
    NameWeight {
        is_legible: is_nobodys || comparison.is_legible(),
        judgement: if is_nobodys { Judgement::CannotTell } else { judgement },
        per_character_log_ratio: comparison.ratio as f32,
        above_usual: above_usual as f32,
        legibility: comparison.legibility as f32,
        reads_as: comparison.rival_name,
    }
}

/// Whether the characters, two or more, stand in the name in their order, and the name has others besides.
fn is_part(read: &[char], name: &[char]) -> bool {
    let mut left = name.iter();
    (2..name.len()).contains(&read.len()) && read.iter().all(|character| left.any(|other| other == character))
}

/// Whether the words are those of a seal across the signature.
fn is_of_a_seal(read: &[char]) -> bool {
    let text: String = read.iter().collect();
    text.ends_with('章') || ["专用", "公司", "营业厅"].iter().any(|word| text.contains(word))
}

struct Comparison {
    /// Characters of the name.
    length: f64,
    /// Of the name against the best alternative, for each character.
    ratio: f64,
    /// Of the best free reading, for each character.
    legibility: f64,
    /// Whether the best free reading could be a name: two characters or more, and nothing but characters.
    reads_like_a_name: bool,
    rival_name: Option<String>,
}

impl Comparison {
    fn is_legible(&self) -> bool {
        self.legibility > LEGIBLE_ABOVE && self.reads_like_a_name
    }
}

/// The lattice with these characters alone, and the blank; names written with them are as likely as before.
fn only(lattice: &Lattice, characters: &HashSet<char>) -> Lattice {
    let kept = |step: &LatticeStep| LatticeStep {
        classes: step
            .classes
            .iter()
            .filter(|(class, _)| class.is_none_or(|character| characters.contains(&character)))
            .copied()
            .collect(),
        floor: step.floor,
    };
    Lattice { steps: lattice.steps.iter().map(kept).collect() }
}

/// Weighs a name on `names`, the lattice of the characters of names alone, against others and what `lattice` reads as.
fn compare(
    lattice: &Lattice,
    names: &Lattice,
    wanted: &[char],
    cohort: &[(&str, Vec<char>)],
) -> Option<Comparison> {
    if wanted.is_empty() {
        return None;
    }
    let length = wanted.len() as f64;
    let likelihood = log_likelihood_of(names, wanted);
    let mut best_free = f64::NEG_INFINITY;
    let mut free_length = 1;
    let mut reads_like_a_name = false;
    for (text, _) in n_best(lattice, FREE_READINGS) {
        let chars: Vec<char> = text.chars().collect();
        let score = log_likelihood_of(lattice, &chars);
        if score > best_free && chars != wanted {
            best_free = score;
            free_length = chars.len().max(1);
            let is_of_its_script = |character: &char| is_han(*character) == is_han(wanted[0]);
            reads_like_a_name =
                chars.len() >= 2 && chars.iter().all(|c| c.is_alphabetic() && is_of_its_script(c));
        }
    }
    let mut rival: Option<(f64, &str)> = None;
    for (other, chars) in cohort {
        let score = log_likelihood_of(names, chars);
        if rival.is_none_or(|(highest, _)| score > highest) {
            rival = Some((score, *other));
        }
    }
    let is_near = |score: f64, other: &str| {
        score >= best_free - NEAR_FREE_READING * other.chars().count().max(1) as f64
    };
    let rival_name = rival
        .filter(|(score, other)| score - likelihood > COHORT_MARGIN * length && is_near(*score, other))
        .map(|(_, other)| other.to_owned());
    let alternative = rival.map_or(best_free, |(score, _)| score.max(best_free));
    let ratio = ((likelihood - alternative) / length).clamp(-LARGEST, LARGEST);
    let legibility = best_free.max(likelihood) / free_length as f64;
    Some(Comparison { length, ratio, legibility, reads_like_a_name, rival_name })
}

/// Log likelihood of a name less that of the middle one of other names of its length, for each character.
fn above(lattice: &Lattice, wanted: &[char], usual: &[Vec<char>]) -> f64 {
    let mut scores: Vec<f64> = usual.iter().map(|other| log_likelihood_of(lattice, other)).collect();
    let middle = scores.len() / 2;
    if scores.is_empty() {
        return 0.0;
    }
    let usual = *scores.select_nth_unstable_by(middle, f64::total_cmp).1;
    let above = (log_likelihood_of(lattice, wanted) - usual) / wanted.len().max(1) as f64;
    if above.is_finite() { above.clamp(-LARGEST, LARGEST) } else { 0.0 }
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

/// A cursive hand is read as something else, but the right name is never far from what the recogniser would accept,
/// and a name of which one character is otherwise is.
///
/// Where nothing at all speaks for the name, the signature counts as another's though nobody can say whose.
fn judge(comparison: &Comparison, above_usual: f64) -> Judgement {
    let whole = comparison.ratio * comparison.length / (comparison.length / USUAL_LENGTH).max(1.0);
    if whole >= WRITTEN_ABOVE {
        return Judgement::Agrees;
    }
    let another_below = if comparison.is_legible() { ANOTHER_BELOW } else { ANOTHER_BELOW_UNREAD };
    let is_another = whole < another_below || above_usual < NOTHING_SPEAKS_BELOW;
    if is_another { Judgement::Differs } else { Judgement::CannotTell }
}

#[cfg(test)]
mod tests {
    use domain::{field::Confidence, reading::Presence};

    use super::*;
    use crate::verification::lattices::lattice_of;

    fn mark_of(lattices: Vec<Lattice>) -> Mark {
        Mark {
            presence: Presence::Present,
            confidence: Confidence::FULL,
            region: None,
            text: None,
            lattices,
            extent_mm: None,
            shape: Vec::new(),
        }
    }

    #[test]
    fn the_written_name_agrees_and_another_differs() {
        let mark = mark_of(vec![lattice_of("徐俊杰", 0.9)]);

        assert_eq!(weigh_name(&mark, "徐俊杰", &["王涛", "李浩然"]).judgement, Judgement::Agrees);
        let other = weigh_name(&mark, "王涛", &["徐俊杰"]);
        assert_eq!(other.judgement, Judgement::Differs);
        assert_eq!(other.reads_as.as_deref(), Some("徐俊杰"));
        assert!(other.per_character_log_ratio < -6.0);
    }

    #[test]
    fn one_preparation_that_reads_the_name_is_enough() {
        let mark = mark_of(vec![lattice_of("徐俊", 0.6), lattice_of("徐俊杰", 0.9)]);

        assert_eq!(weigh_name(&mark, "徐俊杰", &[]).judgement, Judgement::Agrees);
    }

    #[test]
    fn one_character_that_reads_otherwise_is_not_passed_in_a_legible_hand() {
        let mark = mark_of(vec![lattice_of("徐俊杰", 0.95)]);

        assert_ne!(weigh_name(&mark, "徐俊花", &[]).judgement, Judgement::Agrees);
    }

    #[test]
    fn a_name_that_nothing_speaks_for_differs_in_any_hand() {
        let mark = mark_of(vec![lattice_of("徐俊杰", 0.12)]);

        assert_eq!(weigh_name(&mark, "王涛", &[]).judgement, Judgement::Differs);
        assert_eq!(weigh_name(&mark, "徐俊杰", &[]).judgement, Judgement::Agrees);
    }

    #[test]
    fn a_long_name_in_letters_may_lose_some_of_them_and_is_not_another() {
        let mark = mark_of(vec![lattice_of("GARCIACHOI", 0.9)]);

        assert_ne!(weigh_name(&mark, "GARCIA CHIDI", &[]).judgement, Judgement::Differs);
        assert_eq!(weigh_name(&mark, "OKAFOR YUKI", &[]).judgement, Judgement::Differs);
    }

    #[test]
    fn a_part_of_the_name_and_a_seal_are_no_other_name() {
        for (read, expected) in [
            ("徐杰", Judgement::CannotTell),
            ("合同专用章", Judgement::CannotTell),
            ("王丽花", Judgement::Differs),
        ] {
            let mark = Mark { text: Some(read.to_owned()), ..mark_of(vec![lattice_of(read, 0.95)]) };

            let weight = weigh_name(&mark, "徐俊杰", &[]);

            assert_eq!(weight.judgement, expected, "{read}");
            assert!(weight.judgement == Judgement::Differs || weight.is_legible, "{read}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_name() {
        let mark = mark_of(vec![lattice_of("徐俊杰", 0.12)]);

        assert!(!weigh_name(&mark, "王涛", &[]).is_legible);
        assert_eq!(weigh_name(&mark_of(Vec::new()), "王涛", &[]).judgement, Judgement::CannotTell);
        assert_eq!(weigh_name(&mark, "", &[]).judgement, Judgement::CannotTell);
    }
}
