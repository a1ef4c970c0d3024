//! What a born-digital page says of itself in its text layer.
//!
//! The ink decides: a text layer may be wrong, or may not be what the page shows. It offers texts to be weighed, and
//! makes those it holds likelier where the ink is in doubt.

use std::{collections::HashSet, sync::Arc};

use super::beliefs::Belief;
use crate::{fields::parse, lines::edit_distance};

/// Pieces kept of one page, and the most characters of one.
const MOST_PIECES: usize = 1_000;
const LONGEST_PIECE: usize = 120;
/// How much likelier a text is that the text layer holds.
const HELD: f64 = 1_000.0;
/// The largest share of characters in which a piece may differ from what was read.
const MOST_DIFFERENT: f32 = 0.34;

/// The lines of a page's text layer, whole and divided at spaces and colons. Personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextLayer {
    pieces: Arc<HashSet<String>>,
}

impl TextLayer {
    /// Takes what the file holds as the text of a page; what goes beyond a page's worth is left out.
    pub fn of(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let pieces = lines.flat_map(|line| {
            let divided = line.split(|c: char| c.is_whitespace() || matches!(c, ':' | '：'));
            divided.chain([line]).map(parse::folded)
        });
        let kept = pieces.filter(|piece| !piece.is_empty() && piece.chars().count() <= LONGEST_PIECE);
        Self { pieces: Arc::new(kept.take(MOST_PIECES).collect()) }
    }

    /// Pieces that may be what was read as `text`.
    pub(super) fn like(&self, text: &str) -> Vec<String> {
        let read: Vec<char> = parse::folded(text).chars().collect();
        let is_like = |piece: &&String| {
            let piece: Vec<char> = piece.chars().collect();
            let most = (read.len() as f32 * MOST_DIFFERENT) as usize;
            piece.len().abs_diff(read.len()) <= most && edit_distance(&piece, &read) <= most
        };
        let mut alike: Vec<String> = self.pieces.iter().filter(is_like).cloned().collect();
        alike.sort_unstable();
        alike
    }

    /// The belief in a text, larger when the text layer holds it.
    pub(super) fn supports(&self, text: &str, belief: Belief) -> Belief {
        if self.pieces.contains(&parse::folded(text)) {
            Belief { weight: belief.weight * HELD, rule: "text_layer", ..belief }
        } else {
            belief
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::reading::{Lattice, LatticeStep};

    use super::*;
    use crate::{
        candidates::{Known, decide},
        forms::ValueKind,
        recognition::{LineReading, ctc},
    };

    /// Each step says the first character with this probability, else the second.
    fn read_as(steps: &[(char, f32, char)]) -> LineReading {
        let step = |classes: Vec<(Option<char>, f32)>| LatticeStep { classes, floor: -20.0 };
        let steps = steps.iter().flat_map(|(likely, share, other)| {
            let classes = vec![(Some(*likely), share.ln()), (Some(*other), (1.0 - share).ln())];
            [step(classes), step(vec![(None, 0.0)])]
        });
        ctc::read(Lattice { steps: steps.collect() }, 100.0)
    }

    fn decided(line: LineReading, text: &str) -> (Option<String>, Option<String>) {
        let known = Known { text_layer: TextLayer::of(text), ..Known::default() };
        let decision = decide(ValueKind::Name, &[line], &known);
        (decision.text, decision.repair.map(|repair| repair.rule))
    }

    #[test]
    fn it_decides_where_the_ink_is_in_doubt_and_says_so() {
        let line = read_as(&[('王', 0.999, '玉'), ('己', 0.6, '已')]);

        let found = decided(line, "客户姓名：王已\n性别：男");

        assert_eq!(found, (Some("王已".to_owned()), Some("text_layer".to_owned())));
    }

    #[test]
    fn it_does_not_overrule_clear_ink() {
        let line = read_as(&[('王', 0.999, '玉'), ('强', 0.9999, '刚')]);

        let found = decided(line, "客户姓名: 王刚");

        assert_eq!(found, (Some("王强".to_owned()), None));
    }

    #[test]
    fn a_text_layer_of_other_things_changes_nothing() {
        let line = || read_as(&[('王', 0.999, '玉'), ('己', 0.6, '已')]);

        assert_eq!(decided(line(), "业务确认单 第1页"), decided(line(), ""));
    }
}
