//! What papers are on a page, judged by the words and patterns found on it.

use domain::geometry::{Point, Quad};

use crate::{
    forms::{Form, FormSet, Layout, ValueKind},
    frame::{self, Frame, Sighting},
    lines::{Line, find_label, same_row},
    mrz,
    prepare::geometry::{QuadMeasure, least_rectangle},
};

/// A card needs anchors worth this much.
const LEAST_CARD: f32 = 2.4;
/// Three of them need less: where labels are worn off, values are left.
const LEAST_OF_THREE: f32 = 2.0;
/// A slip needs this many different labels, or a title and half of them.
const LEAST_LABELS: usize = 4;
/// No page holds more cards.
const MOST_CARDS: usize = 6;

/// A title and this many labels, or a machine-readable zone and one label, make a paper that needs a title.
const LEAST_TITLED: f32 = 4.0;
/// What a title counts for.
const TITLE: f32 = 2.0;
/// What a machine-readable zone counts for.
const ZONE: f32 = 3.0;
/// A title stands alone on its line, but for so many characters.
const MOST_BESIDE_TITLE: usize = 2;
/// What many papers are headed by: of a title that begins so more must be read.
const COUNTRY: &str = "中华人民共和国";
/// A title of so many characters stands on no other paper: it is enough where labels are too small to be read.
const TELLING_TITLE: usize = 9;
/// What such a title counts for beside other papers.
const TELLING: f32 = 3.0;
/// But a slip names papers; with so many labels of one it is a slip.
const LABELS_OF_A_SLIP: f32 = 3.0;
/// Where a card lies around its title, in widths of the title: left, above, right, below.
const AROUND_TITLE: [f32; 4] = [0.75, 0.35, 0.85, 1.65];
/// Values stand outside the rectangle around the labels by no more than this share of its shorter side.
const BESIDE_LABELS: f32 = 0.25;
/// Rows of one paper are no farther apart than so many times their height.
const WIDEST_GAP: f32 = 7.0;

/// A paper found on a page.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// What it is read with.
    pub form: &'a Form,
    /// Where it lies, for a card.
    pub frame: Option<Frame>,
    /// The part of the page that is it, where others are on the page besides a paper without a frame.
    pub part: Option<Quad>,
    /// How much speaks for it: anchors' weights, or labels found.
    pub weight: f32,
}

impl<'a> Found<'a> {
    const fn whole_page(form: &'a Form, weight: f32) -> Self {
        Self { form, frame: None, part: None, weight }
    }
}

/// The papers on a page, most certain first.
pub fn papers<'a>(forms: &'a FormSet, lines: &[Line]) -> Vec<Found<'a>> {
    match best_labelled(forms, lines) {
        Some(witness) if witness.form.needs_title => titled_and_beside(forms, lines, witness),
        Some(witness) => vec![Found::whole_page(witness.form, witness.weight)],
        None => cards(forms, lines),
    }
}

/// What speaks for a form of labels.
struct Witness<'a> {
    form: &'a Form,
    weight: f32,
    /// The lines that speak for it.
    lines: Vec<usize>,
    /// Whether its title alone tells it.
    is_told_by_title: bool,
}

impl Witness<'_> {
    fn is_enough(&self) -> bool {
        self.has_labels_enough() || self.is_told_by_title
    }

    fn has_labels_enough(&self) -> bool {
        self.weight >= if self.form.needs_title { LEAST_TITLED } else { LEAST_LABELS as f32 }
    }
}

/// The form for which most speaks; the one that needs no title where two are level.
fn best_labelled<'a>(forms: &'a FormSet, lines: &[Line]) -> Option<Witness<'a>> {
    let labelled = forms.iter().filter(|form| form.layout == Layout::Labelled);
    let mut witnesses: Vec<Witness<'_>> = labelled
        .filter_map(
            |form| if form.needs_title { titled(form, lines) } else { Some(labelled_form(form, lines)) },
        )
        .collect();
    let may_be_slip = |seen: &Witness<'_>| !seen.form.needs_title && seen.weight >= LABELS_OF_A_SLIP;
    let is_slip = witnesses.iter().any(may_be_slip);
    if is_slip {
        witnesses.retain(Witness::has_labels_enough);
    }
    // The authority that is the title of one card stands on another under a title of its own.
    let rank =
        |seen: &Witness<'_>| seen.weight + if seen.is_told_by_title && !is_slip { TELLING } else { 0.0 };
    witnesses
        .into_iter()
        .filter(Witness::is_enough)
        .max_by(|a, b| rank(a).total_cmp(&rank(b)).then(b.form.needs_title.cmp(&a.form.needs_title)))
}

/// Different labels of the form on the page; a title counts as two.
fn labelled_form<'a>(form: &'a Form, lines: &[Line]) -> Witness<'a> {
    let long = |label: &&String| label.chars().count() >= 3;
    let seen = |words: &String| line_with(lines, words).is_some();
    let fields = form.fields.iter().filter(|plan| plan.labels.iter().filter(long).any(seen)).count();
    let weight = (fields + 2 * usize::from(form.titles.iter().any(seen))) as f32;
    Witness { form, weight, lines: Vec::new(), is_told_by_title: false }
}

/// What speaks for a form whose labels stand on other papers too; nothing without a title or a zone.
fn titled<'a>(form: &'a Form, lines: &[Line]) -> Option<Witness<'a>> {
    let is_title = |line: &Line, title: &String| {
        let is_country = title.starts_with(COUNTRY);
        let title: Vec<char> = title.chars().collect();
        let least = if is_country { COUNTRY.chars().count() + 1 } else { 0 };
        line.text.len() <= title.len() + MOST_BESIDE_TITLE
            && find_label(&line.text, &title, 0)
                .is_some_and(|(.., differences)| title.len() - differences >= least)
    };
    let title = lines.iter().position(|line| form.titles.iter().any(|title| is_title(line, title)));
    let zone = form
        .fields
        .iter()
        .find(|plan| plan.kind == ValueKind::Mrz)
        .map_or_else(Vec::new, |plan| mrz::find(mrz::Size::of_lines(plan.lines), lines));
    if title.is_none() && zone.is_empty() {
        return None;
    }
    let mut weight = if title.is_some() { TITLE } else { 0.0 } + if zone.is_empty() { 0.0 } else { ZONE };
    let mut witnesses: Vec<usize> = title.into_iter().collect();
    let in_zone = |line: &Line| zone.iter().any(|quad| same_row(quad, &line.quad));
    witnesses.extend((0..lines.len()).filter(|index| in_zone(&lines[*index])));
    let others = form.other_labels.iter().flat_map(|other| &other.texts).map(std::slice::from_ref);
    for labels in form.fields.iter().map(|plan| &plan.labels[..]).chain(others) {
        let mut long = labels.iter().filter(|label| label.chars().count() >= 3);
        if let Some(index) = long.find_map(|label| line_with(lines, label)) {
            weight += 1.0;
            witnesses.push(index);
        }
    }
    let is_told_by_title = title.is_some_and(|index| lines[index].text.len() >= TELLING_TITLE);
    Some(Witness { form, weight, lines: witnesses, is_told_by_title })
}

fn line_with(lines: &[Line], words: &str) -> Option<usize> {
    let label: Vec<char> = words.chars().collect();
    lines.iter().position(|line| find_label(&line.text, &label, 0).is_some())
}

/// A paper with a title, and what else is on the page: its other side, a card. Alone, the page is all its own.
fn titled_and_beside<'a>(forms: &'a FormSet, lines: &[Line], first: Witness<'a>) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    let mut left = lines.to_vec();
    let is_wide = first.has_labels_enough();
    let mut next = Some(first);
    while let Some(witness) = next {
        let Some(part) = part_of(&witness, &left) else { break };
        left.retain(|line| !holds(&part, &line.quad));
        found.push(Found { part: Some(part), ..Found::whole_page(witness.form, witness.weight) });
        next = best_labelled(forms, &left).filter(|witness| {
            witness.form.needs_title && found.iter().all(|known| known.form.name != witness.form.name)
        });
    }
    found.extend(cards(forms, &left));
    if let [alone] = &mut found[..]
        && is_wide
    {
        alone.part = None;
    }
    found
}

/// The part of the page that the lines which speak for a paper span.
fn part_of(witness: &Witness<'_>, lines: &[Line]) -> Option<Quad> {
    let quads: Vec<Quad> =
        witness.lines.iter().filter_map(|index| lines.get(*index)).map(|line| line.quad).collect();
    if !witness.has_labels_enough() {
        return quads.first().map(around_title);
    }
    let corners: Vec<Point> = near_the_first(&quads).iter().flat_map(|quad| quad.0).collect();
    let hull = least_rectangle(&corners)?;
    let margin = BESIDE_LABELS * hull.height().min(hull.width());
    Some(hull.grown(margin, margin, margin))
}

/// Where a card lies whose title stands there.
fn around_title(title: &Quad) -> Quad {
    let [left, top, right, bottom] = title.bounds();
    let [before, above, behind, below] = AROUND_TITLE.map(|share| share * (right - left));
    Quad::rectangle(left - before, top - above, right - left + before + behind, bottom - top + above + below)
}

/// The quads that follow the first, which is the title or zone, without a gap: the other side of a card has some of
/// the same labels.
fn near_the_first(quads: &[Quad]) -> Vec<Quad> {
    let Some(first) = quads.first() else { return Vec::new() };
    let mut heights: Vec<f32> = quads.iter().map(QuadMeasure::height).collect();
    heights.sort_by(f32::total_cmp);
    let reach = WIDEST_GAP * heights.get(heights.len() / 2).copied().unwrap_or_default();
    let (mut top, mut bottom) = (first.centre().y, first.centre().y);
    let mut near = vec![*first];
    let mut left: Vec<Quad> = quads[1..].to_vec();
    loop {
        let is_near = |quad: &Quad| (top - reach..bottom + reach).contains(&quad.centre().y);
        let (joined, others): (Vec<Quad>, Vec<Quad>) = left.into_iter().partition(is_near);
        if joined.is_empty() {
            return near;
        }
        for quad in &joined {
            (top, bottom) = (top.min(quad.centre().y), bottom.max(quad.centre().y));
        }
        near.extend(joined);
        left = others;
    }
}

/// Whether the middle of a line is inside.
pub(crate) fn holds(part: &Quad, line: &Quad) -> bool {
    let ([left, top, right, bottom], middle) = (part.bounds(), line.centre());
    (left..right).contains(&middle.x) && (top..bottom).contains(&middle.y)
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
        if holds_what_is_never_on(form, &frame, lines) {
            for (_, sightings) in seen.iter_mut().filter(|(other, _)| other.name == form.name) {
                sightings.retain(|seen| frame.sightings.iter().all(|used| used.line != seen.line));
            }
            continue;
        }
        for (_, sightings) in &mut seen {
            sightings.retain(|sighting| !holds(&outline, &lines[sighting.line].quad));
        }
        let weight = frame.weight;
        found.push(Found { frame: Some(frame), ..Found::whole_page(form, weight) });
    }
    found
}

/// Whether a word that never stands on the card does so here: then it is another paper whose title was not read.
fn holds_what_is_never_on(form: &Form, frame: &Frame, lines: &[Line]) -> bool {
    let [width, height] = form.size_mm.unwrap_or([85.6, 54.0]);
    let is_inside = |line: &&Line| {
        let middle = frame.to_card.apply(line.quad.centre());
        (0.0..width).contains(&middle.x) && (0.0..height).contains(&middle.y)
    };
    form.never_on_it.iter().any(|label| {
        let label: Vec<char> = label.chars().collect();
        lines.iter().filter(is_inside).any(|line| find_label(&line.text, &label, 0).is_some())
    })
}

fn is_enough(frame: &Frame) -> bool {
    frame.weight >= LEAST_CARD || (frame.weight >= LEAST_OF_THREE && frame.sightings.len() >= 3)
}

#[cfg(test)]
mod tests {
    use domain::reading::Lattice;

    use super::*;

    /// Lines one below the other, from `left` on.
    fn column(texts: &[&str], left: f32, top: f32) -> Vec<Line> {
        let place = |row: usize, count: usize| {
            Quad::rectangle(left, top + 50.0 * row as f32, 20.0 * count as f32, 26.0)
        };
        let line = |(row, text): (usize, &&str)| {
            let count = text.chars().count();
            let ends = |at: usize| (at as f32 / count as f32, (at + 1) as f32 / count as f32);
            Line {
                quad: place(row, count),
                text: text.chars().collect(),
                spans: (0..count).map(ends).collect(),
                confidence: 1.0,
                lattice: Lattice::default(),
            }
        };
        texts.iter().enumerate().map(line).collect()
    }

    fn check(texts: &[&str], expected: &[&str]) {
        let forms = FormSet::embedded().unwrap();
        let found: Vec<String> = papers(&forms, &column(texts, 40.0, 40.0))
            .into_iter()
            .map(|found| found.form.name.clone())
            .collect();

        assert_eq!(found, expected, "{texts:?}");
    }

    #[test]
    fn papers_are_known_by_title_and_labels() {
        check(
            &["港澳居民来往内地通行证", "姓名", "出生日期", "有效期限", "签发机关", "证件号码"],
            &["travel_permit"],
        );
        check(
            &[
                "外国人永久居留身份证",
                "姓名/Name",
                "出生日期/DateofBirth",
                "国籍/Nationality",
                "证件号码/CardNo.",
            ],
            &["foreign_resident_front"],
        );
        check(&["常住人口登记卡", "户主或与户主关系", "公民身份号码", "婚姻状况"], &["household_register"]);
        check(&["营业执照", "统一社会信用代码", "法定代表人", "注册资本"], &["licence"]);
    }

    #[test]
    fn a_passport_is_known_by_its_machine_readable_zone() {
        let zone = [
            "护照号/PassportNo.",
            "POCHNWANG<<XIAOMING<<<<<<<<<<<<<<<<<<<<<<<<<",
            "E123456782CHN9001011M2801016<<<<<<<<<<<<<<04",
        ];

        check(&zone, &["passport"]);
        check(&zone[..1], &[]);
    }

    #[test]
    fn a_slip_that_names_another_paper_stays_a_slip() {
        let slip = [
            "客户名称:",
            "证件类型:",
            "港澳居民来往内地通行证",
            "证件号码:",
            "业务流水号:",
            "联系电话:",
            "有效期限",
        ];

        check(&slip, &["service_confirmation"]);
        check(
            &[&slip[..], &["营业执照", "统一社会信用代码", "法定代表人"]].concat(),
            &["service_confirmation"],
        );
    }

    #[test]
    fn labels_without_a_title_are_not_enough() {
        check(&["有效期限", "出生日期", "姓名", "证件号码", "国籍/Nationality", "签发机关"], &[]);
    }

    #[test]
    fn a_telling_title_is_enough_where_no_slip_is() {
        check(&["台湾居民来往大陆通行证", "彭萍", "08803925"], &["travel_permit"]);
        let with_authority = ["台湾居民来往大陆通行证", "彭萍", "有效期限", "签发机关", "国家移民管理局"];
        check(&with_authority, &["travel_permit"]);
        check(&["台湾居民来往大陆通行证", "客户名称:", "证件类型:", "联系电话:"], &[]);
        check(&["常住人口登记卡", "彭萍"], &[]);
    }

    #[test]
    fn a_permit_whose_title_was_not_read_is_no_identity_card() {
        let rows = ["姓名", "出生日期", "性别", "签发机关", "有效期限", "2021.03.04-2031.03.04"];
        check(&rows, &[]);

        let of_permit =
            ["中华人民共和国~", "港澳居民居住证", "签发机关", "有效期限", "通行证号码", "签发次数"];
        check(&of_permit, &["id_card_back"]);
        let back = ["签发机关公安局", "有效期限", "2021.03.04-2031.03.04"];
        check(&back, &["id_card_back"]);
    }

    #[test]
    fn both_sides_on_one_page_are_two_papers() {
        let forms = FormSet::embedded().unwrap();
        let front = [
            "外国人永久居留身份证",
            "姓名/Name",
            "出生日期/DateofBirth",
            "证件号码/CardNo.",
            "国籍/Nationality",
        ];
        let back = ["国家移民管理局", "签发机关/IssuingAuthority", "有效期限/PeriodofValidity"];
        let mut lines = column(&front, 40.0, 40.0);
        lines.extend(column(&back, 40.0, 700.0));

        let found = papers(&forms, &lines);

        let names: Vec<&str> = found.iter().map(|found| found.form.name.as_str()).collect();
        assert_eq!(names, ["foreign_resident_front", "foreign_resident_back"]);
        let parts: Vec<Quad> = found.iter().filter_map(|found| found.part).collect();
        assert!(holds(&parts[0], &lines[1].quad) && !holds(&parts[0], &lines[6].quad));
        assert!(holds(&parts[1], &lines[6].quad));
    }
}
