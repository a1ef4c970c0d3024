//! What papers are on a page, judged by the words and patterns found on it.

use crate::{
    forms::{Form, FormSet, Layout},
    frame::{self, Frame, Sighting},
    lines::{Line, find_label},
    prepare::geometry::QuadMeasure,
};

/// A card needs anchors worth this much.
const LEAST_CARD: f32 = 2.4;
/// Three of them need less: where labels are worn off, values are left.
const LEAST_OF_THREE: f32 = 2.0;
/// A slip needs this many different labels, or a title and half of them.
const LEAST_LABELS: usize = 4;
/// No page holds more cards.
const MOST_CARDS: usize = 6;

/// A paper found on a page.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// What it is read with.
    pub form: &'a Form,
    /// Where it lies, for a card.
    pub frame: Option<Frame>,
    /// How much speaks for it: anchors' weights, or labels found.
    pub weight: f32,
}

/// The papers on a page, most certain first.
pub fn papers<'a>(forms: &'a FormSet, lines: &[Line]) -> Vec<Found<'a>> {
    let slip = forms
        .iter()
        .filter(|form| form.layout == Layout::Labelled)
        .map(|form| (form, labels_found(form, lines)))
        .max_by_key(|(_, count)| *count);
    if let Some((form, count)) = slip
        && count >= LEAST_LABELS
    {
        return vec![Found { form, frame: None, weight: count as f32 }];
    }
    cards(forms, lines)
}

/// Different labels of the form on the page; a title counts as two.
fn labels_found(form: &Form, lines: &[Line]) -> usize {
    let seen = |words: &str| {
        let label: Vec<char> = words.chars().collect();
        lines.iter().any(|line| find_label(&line.text, &label, 0).is_some())
    };
    let long = |label: &&String| label.chars().count() >= 3;
    let fields =
        form.fields.iter().filter(|plan| plan.labels.iter().filter(long).any(|label| seen(label))).count();
    fields + 2 * usize::from(form.titles.iter().any(|title| seen(title)))
}

/// Cards are taken one after the other, the best first; a line belongs to one card only.
fn cards<'a>(forms: &'a FormSet, lines: &[Line]) -> Vec<Found<'a>> {
    let mut seen: Vec<(&Form, Vec<Sighting>)> = forms
        .iter()
        .filter(|form| form.layout == Layout::Card)
        .map(|form| (form, frame::sightings(form, lines)))
        .collect();
    let mut found = Vec::new();
    while found.len() < MOST_CARDS {
        let best = seen
            .iter()
            .filter_map(|(form, sightings)| frame::best(form, sightings).map(|frame| (*form, frame)))
            .max_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
        let Some((form, frame)) = best.filter(|(_, frame)| is_enough(frame)) else { break };
        let outline = frame.outline(form.size_mm.unwrap_or([85.6, 54.0]));
        let [left, top, right, bottom] = outline.bounds();
        let inside = |line: &Line| {
            let centre = line.quad.centre();
            (left..right).contains(&centre.x) && (top..bottom).contains(&centre.y)
        };
        for (_, sightings) in &mut seen {
            sightings.retain(|sighting| !inside(&lines[sighting.line]));
        }
        let weight = frame.weight;
        found.push(Found { form, frame: Some(frame), weight });
    }
    found
}

fn is_enough(frame: &Frame) -> bool {
    frame.weight >= LEAST_CARD || (frame.weight >= LEAST_OF_THREE && frame.sightings.len() >= 3)
}
