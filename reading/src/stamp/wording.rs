//! How much of the stamp's words a line of text holds.

/// The words of the stamp.
pub(super) const WORDS: &str = "有效证件一次使用复印无效";
/// The lines into which stamps divide them.
pub(super) const LINES: [&str; 4] = ["有效证件一次使用", "复印无效", "有效证件一次", "使用复印无效"];
/// What the log ratio for each character of a line must be better by: chance explains fewer characters more easily.
pub(super) const PART_OF_THE_WORDS: f32 = 1.0;
/// Characters in order that make it the stamp: a third of the twelve.
const LEAST_CHARACTERS: usize = 4;
/// Characters that make it worth a look.
const DOUBTFUL_CHARACTERS: usize = 3;
/// What each character that does not belong costs.
const COST_OF_OTHERS: f32 = 0.5;
/// What must remain after that cost; another sentence about copies holds some of the same words.
const LEAST_STRENGTH: f32 = 3.0;

/// Log ratio for each character above which the words explain the ink, and above which they may.
const EXPLAINS_FROM: f32 = -3.0;
const MAY_EXPLAIN_FROM: f32 = -5.5;

/// Characters, or the log ratio, from which a quick reading of a line makes a good one worth its time.
const WORTH_CHARACTERS: usize = 2;
const WORTH_FROM: f32 = -9.0;
/// The log ratio from which a line is looked at in another way.
const HINTED_FROM: f32 = -11.0;

/// What a line of text has in common with the stamp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Match {
    /// Characters of the stamp, in order.
    characters: usize,
    /// Characters that do not belong.
    others: usize,
    /// Log ratio of the stamp's words against the free reading, for each character.
    explanation: f32,
}

impl Match {
    pub(super) fn of(text: &str) -> Self {
        let read: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).map(simplified).collect();
        let words: Vec<char> = WORDS.chars().collect();
        let characters = in_order(&read, &words);
        Self { characters, others: read.len() - characters, explanation: f32::NEG_INFINITY }
    }

    /// The same, with how well the words explain the ink.
    pub(super) fn explained(self, explanation: f32) -> Self {
        Self { explanation, ..self }
    }

    pub(super) fn strength(&self) -> f32 {
        let by_text = self.characters as f32 - COST_OF_OTHERS * self.others as f32;
        // Brought to the scale of characters, so that the better of the two ways of seeing counts.
        let by_ink = if self.explanation >= EXPLAINS_FROM {
            LEAST_STRENGTH + 1.0
        } else if self.explanation >= MAY_EXPLAIN_FROM {
            LEAST_STRENGTH / 2.0
        } else {
            f32::NEG_INFINITY
        };
        by_text.max(by_ink)
    }

    /// The share of the stamp's characters that was read.
    pub(super) fn share(&self) -> f32 {
        self.characters as f32 / WORDS.chars().count() as f32
    }

    pub(super) fn is_the_stamp(&self) -> bool {
        let by_text = self.characters >= LEAST_CHARACTERS && self.strength() >= LEAST_STRENGTH;
        by_text || self.explanation >= EXPLAINS_FROM
    }

    /// Whether a line that a quick reader read so may be the stamp when it is read well.
    pub(super) fn is_worth_reading(&self) -> bool {
        self.characters >= WORTH_CHARACTERS || self.explanation >= WORTH_FROM
    }

    /// Whether anything of the stamp is in what a quick reader read.
    pub(super) fn is_hinted(&self) -> bool {
        self.characters >= 1 || self.explanation >= HINTED_FROM
    }

    pub(super) fn may_be_the_stamp(&self) -> bool {
        let by_text = self.characters >= DOUBTFUL_CHARACTERS && self.strength() >= LEAST_STRENGTH / 2.0;
        by_text || self.explanation >= MAY_EXPLAIN_FROM
    }
}

/// Traditional forms a hand may write.
fn simplified(character: char) -> char {
    match character {
        '證' => '证',
        '複' | '復' => '复',
        '無' => '无',
        '壹' => '一',
        other => other,
    }
}

/// The most characters both have in the same order.
fn in_order(a: &[char], b: &[char]) -> usize {
    let mut best = vec![0; b.len() + 1];
    for &x in a {
        let mut diagonal = 0;
        for (place, &y) in b.iter().enumerate() {
            let above = best[place + 1];
            best[place + 1] = if x == y { diagonal + 1 } else { above.max(best[place]) };
            diagonal = above;
        }
    }
    best[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_stamp: bool, may_be: bool) {
        let matched = Match::of(text);

        assert_eq!((matched.is_the_stamp(), matched.may_be_the_stamp()), (is_stamp, may_be), "{text}");
    }

    #[test]
    fn a_third_of_the_words_in_order_is_the_stamp() {
        check("有效证件一次使用复印无效", true, true);
        check("有效證件 一次使用 複印無效", true, true);
        check("证件次使", true, true);
        check("有效件中华一次使用", true, true);
        check("证件次", false, true);
    }

    #[test]
    fn worn_words_that_explain_the_ink_are_the_stamp() {
        let worn = Match::of("石汇计");

        assert!(!worn.is_the_stamp() && !worn.may_be_the_stamp());
        assert!(worn.explained(-2.0).is_the_stamp());
        assert!(worn.explained(-4.5).may_be_the_stamp() && !worn.explained(-4.5).is_the_stamp());
        assert!(!worn.explained(-9.0).may_be_the_stamp());
    }

    #[test]
    fn other_words_are_not_the_stamp() {
        check("", false, false);
        check("示范通信有限公司业务受理专用章", false, false);
        check("有效期限2023.12.01-2043.12.01", false, false);
        check("中华人民共和国居民身份证", false, false);
        check("仅供办理移动业务使用复印件作废", false, false);
        check("效无印复用使次一件证效有", false, false);
    }
}
