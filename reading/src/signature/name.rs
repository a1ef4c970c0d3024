//! Whose name a signature reads as.

use domain::{finding::Judgement, reading::Mark};

use crate::verification::{Alphabet, fold_lattice, fold_text, log_likelihood_of, n_best};

/// For each character: below this it reads as another name, between the two it is doubtful.
const ANOTHER_BELOW: f64 = -6.0;
const DOUBTFUL_BELOW: f64 = -2.0;
/// For each character: a legible name that explains the ink this much better than one that stands out.
const CLEARLY_ANOTHER_BELOW: f64 = -9.0;
/// A hand whose own best reading explains the ink worse than this, for each character, cannot be read.
const LEGIBLE_ABOVE: f64 = -1.6;
/// A cohort name that explains the ink better than the right one by this, for each character, is another name.
const COHORT_MARGIN: f64 = 2.0;
/// A name that explains the ink better than every name of a cohort by this, for each character, is the one written.
const STANDS_OUT_ABOVE: f64 = 0.5;
/// The same where the hand is not clearly legible: it is as good as the best of many others.
const AS_GOOD_AS_ABOVE: f64 = -0.1;
/// A hand whose own best reading explains the ink better than this, for each character, is clearly legible.
const CLEARLY_LEGIBLE_ABOVE: f64 = -0.3;
/// A name of the cohort is what is written only if it explains the ink as well as the free reading, less this.
const NEAR_FREE_READING: f64 = 2.0;
/// Of so many other names, chance alone seldom puts the wrong one first.
const LEAST_COHORT: usize = 20;
/// Free readings that compete with the name.
const FREE_READINGS: usize = 8;
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
    /// The name of the cohort that explains the ink better than all others, where it beats the given one.
    pub reads_as: Option<String>,
}

/// Weighs `name` against what is written; `cohort` holds names it might be instead (contact, agent, clerk, others).
pub fn weigh_name(mark: &Mark, name: &str, cohort: &[&str]) -> NameWeight {
    let wanted = fold_text(name, Alphabet::Words);
    let mut best: Option<Comparison> = None;
    for lattice in mark.lattices.iter().filter(|lattice| !lattice.steps.is_empty()) {
        let folded = fold_lattice(lattice, Alphabet::Words);
        let Some(comparison) = compare(&folded, &wanted, cohort) else { continue };
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
            reads_as: None,
        };
    };
    NameWeight {
        is_legible: comparison.is_legible(),
        judgement: judge(&comparison),
        per_character_log_ratio: comparison.ratio as f32,
        reads_as: comparison.rival_name,
    }
}

struct Comparison {
    /// Of the name against the best alternative, for each character.
    ratio: f64,
    /// Of the best free reading, for each character.
    legibility: f64,
    /// Whether the best free reading could be a name: two characters or more, and nothing but characters.
    reads_like_a_name: bool,
    /// Of the name less that of the best cohort name, for each character; `None` where the cohort is too small.
    above_cohort: Option<f64>,
    rival_name: Option<String>,
}

impl Comparison {
    fn is_legible(&self) -> bool {
        self.legibility > LEGIBLE_ABOVE && self.reads_like_a_name
    }
}

fn compare(lattice: &domain::reading::Lattice, wanted: &[char], cohort: &[&str]) -> Option<Comparison> {
    if wanted.is_empty() {
        return None;
    }
    let length = wanted.len() as f64;
    let likelihood = log_likelihood_of(lattice, wanted);
    let mut best_free = f64::NEG_INFINITY;
    let mut free_length = 1;
    let mut reads_like_a_name = false;
    for (text, _) in n_best(lattice, FREE_READINGS) {
        let chars: Vec<char> = text.chars().collect();
        let score = log_likelihood_of(lattice, &chars);
        if score > best_free && chars != wanted {
            best_free = score;
            free_length = chars.len().max(1);
            reads_like_a_name = chars.len() >= 2 && chars.iter().all(|character| is_han(*character));
        }
    }
    let mut rival: Option<(f64, &str)> = None;
    let mut weighed = 0;
    for &other in cohort {
        let chars = fold_text(other, Alphabet::Words);
        if chars.is_empty() || chars == wanted {
            continue;
        }
        let score = log_likelihood_of(lattice, &chars);
        weighed += 1;
        if rival.is_none_or(|(highest, _)| score > highest) {
            rival = Some((score, other));
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
    let above_cohort =
        rival.filter(|_| weighed >= LEAST_COHORT).map(|(score, _)| (likelihood - score) / length);
    let legibility = best_free.max(likelihood) / free_length as f64;
    Some(Comparison { ratio, legibility, reads_like_a_name, above_cohort, rival_name })
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

/// A cursive hand is read as something else, or in part, but still as nobody else's name: what decides is whether
/// the name stands out among many. Another name must be there to be read before the signature counts as another's.
fn judge(comparison: &Comparison) -> Judgement {
    let is_legible = comparison.is_legible();
    if comparison.ratio >= DOUBTFUL_BELOW {
        return Judgement::Agrees;
    }
    let is_clear = comparison.legibility > CLEARLY_LEGIBLE_ABOVE && comparison.reads_like_a_name;
    let least = if is_clear { STANDS_OUT_ABOVE } else { AS_GOOD_AS_ABOVE };
    let stands_out = comparison.above_cohort.is_some_and(|above| above > least);
    if stands_out && !(is_legible && comparison.ratio < CLEARLY_ANOTHER_BELOW) {
        return Judgement::Agrees;
    }
    let is_another = comparison.rival_name.is_some() || comparison.ratio < ANOTHER_BELOW;
    if is_another && is_legible && !stands_out { Judgement::Differs } else { Judgement::CannotTell }
}

#[cfg(test)]
mod tests {
    use domain::{
        field::Confidence,
        reading::{Lattice, Presence},
    };

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
    fn what_cannot_be_read_is_nobodys_name() {
        let mark = mark_of(vec![lattice_of("徐俊杰", 0.12)]);

        assert_eq!(weigh_name(&mark, "王涛", &[]).judgement, Judgement::CannotTell);
        assert!(!weigh_name(&mark, "王涛", &[]).is_legible);
        assert_eq!(weigh_name(&mark_of(Vec::new()), "王涛", &[]).judgement, Judgement::CannotTell);
        assert_eq!(weigh_name(&mark, "", &[]).judgement, Judgement::CannotTell);
    }
}
