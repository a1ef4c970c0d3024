//! Aligning two texts character by character.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::variants::are_variants;
use crate::finding::Difference;

/// Larger tables are not computed: such texts are no values of a form, and the middle counts as replaced.
const LARGEST_TABLE: usize = 250_000;

/// A character that counts and where it stands in its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) character: char,
    pub(super) index: usize,
}

/// What happened to a stretch of characters between what was typed and what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The same on both sides.
    Same,
    /// Another character.
    Replaced,
    /// Another form of the same character.
    Variant,
    /// Two neighbours changed places.
    Swapped,
    /// Only typed.
    OnlyEntered,
    /// Only read.
    OnlyRead,
}

/// A stretch of both texts, in characters from 0, that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceSpan {
    /// What happened to it.
    pub change: Change,
    /// Its characters in what was typed.
    pub entered: Range<usize>,
    /// Its characters in what was read.
    pub read: Range<usize>,
}

/// The shortest way from one text to the other.
pub(super) struct Alignment {
    steps: Vec<Step>,
    longer: usize,
    is_one_empty: bool,
}

/// One step: what changed, and the characters it used up, by their place in the texts.
struct Step {
    change: Change,
    entered: Option<Range<usize>>,
    read: Option<Range<usize>>,
}

impl Alignment {
    pub(super) fn of(entered: &[Token], read: &[Token]) -> Self {
        let longer = entered.len().max(read.len());
        let is_one_empty = entered.is_empty() != read.is_empty();
        let same = |pair: &(&Token, &Token)| pair.0.character == pair.1.character;
        let head = entered.iter().zip(read).take_while(same).count();
        let (entered_rest, read_rest) = (&entered[head..], &read[head..]);
        let tail = entered_rest.iter().rev().zip(read_rest.iter().rev()).take_while(same).count();
        let (entered_middle, entered_tail) = entered_rest.split_at(entered_rest.len() - tail);
        let (read_middle, read_tail) = read_rest.split_at(read_rest.len() - tail);

        let mut steps: Vec<Step> = entered[..head].iter().zip(&read[..head]).map(Step::same).collect();
        steps.extend(middle_steps(entered_middle, read_middle));
        steps.extend(entered_tail.iter().zip(read_tail).map(Step::same));
        Self { steps, longer, is_one_empty }
    }

    /// How the texts differ; `None` when every character is the same.
    pub(super) fn difference(&self) -> Option<Difference> {
        let changes: Vec<Change> =
            self.steps.iter().map(|step| step.change).filter(|c| *c != Change::Same).collect();
        match changes.as_slice() {
            [] => None,
            _ if self.is_one_empty => Some(Difference::Missing),
            all if all.iter().all(|change| *change == Change::Variant) => Some(Difference::Variant),
            [Change::Swapped] => Some(Difference::Swapped),
            [_] => Some(Difference::OneCharacter),
            _ => Some(Difference::Conflicting),
        }
    }

    /// The share of the longer text that is the same in both.
    pub(super) fn similarity(&self) -> f32 {
        let same = self.steps.iter().filter(|step| step.change == Change::Same).count();
        if self.longer == 0 { 1.0 } else { same as f32 / self.longer as f32 }
    }

    /// The steps joined to stretches of the same change.
    pub(super) fn spans(&self) -> Vec<DifferenceSpan> {
        let mut spans: Vec<DifferenceSpan> = Vec::new();
        let (mut entered_end, mut read_end) = (0, 0);
        for step in &self.steps {
            let entered = step.entered.clone().unwrap_or(entered_end..entered_end);
            let read = step.read.clone().unwrap_or(read_end..read_end);
            (entered_end, read_end) = (entered.end.max(entered_end), read.end.max(read_end));
            match spans.last_mut() {
                Some(last) if last.change == step.change && step.change != Change::Swapped => {
                    last.entered.end = entered_end;
                    last.read.end = read_end;
                }
                _ => spans.push(DifferenceSpan { change: step.change, entered, read }),
            }
        }
        spans
    }
}

impl Step {
    fn same((entered, read): (&Token, &Token)) -> Self {
        Self { change: Change::Same, entered: Some(place(entered)), read: Some(place(read)) }
    }

    fn pair(entered: &Token, read: &Token) -> Self {
        let change = match (entered.character, read.character) {
            (one, other) if one == other => Change::Same,
            (one, other) if are_variants(one, other) => Change::Variant,
            _ => Change::Replaced,
        };
        Self { change, entered: Some(place(entered)), read: Some(place(read)) }
    }

    fn only_entered(token: &Token) -> Self {
        Self { change: Change::OnlyEntered, entered: Some(place(token)), read: None }
    }

    fn only_read(token: &Token) -> Self {
        Self { change: Change::OnlyRead, entered: None, read: Some(place(token)) }
    }
}

fn place(token: &Token) -> Range<usize> {
    token.index..token.index + 1
}

/// Edit distance with neighbouring swaps; the way is read off the table from its end.
fn middle_steps(entered: &[Token], read: &[Token]) -> Vec<Step> {
    let (rows, columns) = (entered.len() + 1, read.len() + 1);
    if rows.saturating_mul(columns) > LARGEST_TABLE {
        return entered.iter().map(Step::only_entered).chain(read.iter().map(Step::only_read)).collect();
    }
    let costs = cost_table(entered, read);
    let at = |row: usize, column: usize| costs[row * columns + column];
    let (mut row, mut column) = (entered.len(), read.len());
    let mut steps = Vec::with_capacity(row.max(column));
    while row > 0 || column > 0 {
        let here = at(row, column);
        if is_swap(entered, read, row, column) && here == at(row - 2, column - 2) + 2 {
            let entered_range = entered[row - 2].index..entered[row - 1].index + 1;
            let read_range = read[column - 2].index..read[column - 1].index + 1;
            steps.push(Step {
                change: Change::Swapped,
                entered: Some(entered_range),
                read: Some(read_range),
            });
            (row, column) = (row - 2, column - 2);
        } else if row > 0
            && column > 0
            && here == at(row - 1, column - 1) + cost(&entered[row - 1], &read[column - 1])
        {
            steps.push(Step::pair(&entered[row - 1], &read[column - 1]));
            (row, column) = (row - 1, column - 1);
        } else if row > 0 && here == at(row - 1, column) + 2 {
            steps.push(Step::only_entered(&entered[row - 1]));
            row -= 1;
        } else {
            steps.push(Step::only_read(&read[column - 1]));
            column -= 1;
        }
    }
    steps.reverse();
    steps
}

/// Costs are doubled so that a variant form can cost half a replacement.
fn cost(entered: &Token, read: &Token) -> u32 {
    match (entered.character, read.character) {
        (one, other) if one == other => 0,
        (one, other) if are_variants(one, other) => 1,
        _ => 2,
    }
}

fn is_swap(entered: &[Token], read: &[Token], row: usize, column: usize) -> bool {
    row > 1
        && column > 1
        && entered[row - 1].character == read[column - 2].character
        && entered[row - 2].character == read[column - 1].character
        && entered[row - 1].character != entered[row - 2].character
}

fn cost_table(entered: &[Token], read: &[Token]) -> Vec<u32> {
    let columns = read.len() + 1;
    let mut costs = vec![0_u32; (entered.len() + 1) * columns];
    for row in 0..=entered.len() {
        for column in 0..columns {
            costs[row * columns + column] = if row == 0 || column == 0 {
                2 * (row + column) as u32
            } else {
                let above = costs[(row - 1) * columns + column] + 2;
                let left = costs[row * columns + column - 1] + 2;
                let both =
                    costs[(row - 1) * columns + column - 1] + cost(&entered[row - 1], &read[column - 1]);
                let best = above.min(left).min(both);
                if is_swap(entered, read, row, column) {
                    best.min(costs[(row - 2) * columns + column - 2] + 2)
                } else {
                    best
                }
            };
        }
    }
    costs
}
