//! Machine-readable zones: found by their characters, set on a grid by their fixed pitch, proved by their digits.
//!
//! Recognisers lose and double the fillers `<` and take letters for digits. A zone says which of its places hold
//! digits and carries check digits over nearly all it says, so most of that can be undone, and what was undone shows.

use domain::{
    geometry::{Point, Quad},
    validation::{CARD_LINE, MachineReadableZone, PASSPORT_LINE, undated_zone},
};

use crate::{
    lines::{Line, same_row},
    prepare::geometry::{QuadMeasure, least_rectangle},
};

/// A piece of a zone has at least so many characters.
const LEAST_PIECE: usize = 4;
/// Of a piece at least this share are characters of a zone.
const LEAST_SHARE: f32 = 0.85;
/// A line of a zone is read with at least so many characters; fillers may be lost.
const LEAST_LINE: usize = 20;
/// So many digits and fillers stand in every line of a zone.
const LEAST_MARKS: usize = 5;
/// Lines of a zone are no farther apart than so many of their heights.
const FARTHEST: f32 = 3.2;

/// A zone as laid out: how many lines of how many characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Two lines of 44, in passports.
    Passport,
    /// Three lines of 30, on cards.
    Card,
}

impl Size {
    /// Of a form that expects so many lines.
    pub const fn of_lines(lines: u8) -> Self {
        if lines > 2 { Self::Card } else { Self::Passport }
    }

    const fn lines(self) -> usize {
        match self {
            Self::Passport => 2,
            Self::Card => 3,
        }
    }

    const fn characters(self) -> usize {
        match self {
            Self::Passport => PASSPORT_LINE,
            Self::Card => CARD_LINE,
        }
    }

    /// The line without which nothing can be proved.
    const fn deciding_line(self) -> usize {
        1
    }
}

/// The character of a zone that a recogniser's character stands for.
fn of_zone(character: char) -> Option<char> {
    match crate::lines::fold(character) {
        '<' | '《' | '〈' | '«' | '‹' | 'く' | 'ㄑ' | '＜' | '≪' => Some('<'),
        c if c.is_ascii_alphanumeric() => Some(c.to_ascii_uppercase()),
        _ => None,
    }
}

/// Where the lines of a zone are, top to bottom; nothing where there is none of this size.
pub fn find(size: Size, lines: &[Line]) -> Vec<Quad> {
    let pieces: Vec<&Line> = lines.iter().filter(|line| is_piece(line)).collect();
    let mut rows: Vec<(Quad, Vec<char>)> = Vec::new();
    for piece in pieces {
        match rows.iter_mut().find(|(quad, _)| same_row(quad, &piece.quad)) {
            Some((quad, text)) => {
                let corners: Vec<Point> = quad.0.iter().chain(&piece.quad.0).copied().collect();
                *quad = least_rectangle(&corners).unwrap_or(*quad);
                text.extend(&piece.text);
            }
            None => rows.push((piece.quad, piece.text.clone())),
        }
    }
    rows.retain(|(_, text)| is_row(size, text));
    rows.sort_by(|a, b| a.0.centre().y.total_cmp(&b.0.centre().y));
    let quads: Vec<Quad> = rows.into_iter().map(|(quad, _)| quad).collect();
    lowest_block(size, &quads)
}

fn is_piece(line: &Line) -> bool {
    let count = line.text.len();
    let good = line.text.iter().filter(|c| !c.is_ascii_lowercase() && of_zone(**c).is_some()).count();
    count >= LEAST_PIECE && good as f32 >= LEAST_SHARE * count as f32
}

/// Whether so many characters can be a line of this size, fillers lost or doubled.
fn is_row(size: Size, text: &[char]) -> bool {
    let is_mark = |c: &&char| c.is_ascii_digit() || of_zone(**c) == Some('<');
    let marks = text.iter().filter(is_mark).count();
    let most = size.characters() + size.characters() / 5;
    let least = if size == Size::Card { LEAST_LINE - 4 } else { LEAST_LINE };
    (least..=most).contains(&text.len()) && marks >= LEAST_MARKS
}

/// The lowest rows that lie one below the other, as many as a zone has; one row less may have been lost.
fn lowest_block(size: Size, rows: &[Quad]) -> Vec<Quad> {
    let mut block: Vec<Quad> = Vec::new();
    for row in rows.iter().rev() {
        let is_near = block.last().is_none_or(|below: &Quad| {
            let apart = below.centre().y - row.centre().y;
            apart < FARTHEST * below.height().max(row.height())
                && (0.5..2.0).contains(&(below.width() / row.width().max(1.0)))
        });
        if !is_near || block.len() == size.lines() {
            break;
        }
        block.push(*row);
    }
    block.reverse();
    let enough = match size {
        Size::Passport => 1,
        Size::Card => 3,
    };
    if block.len() >= enough { block } else { Vec::new() }
}

/// One line of a zone as a recogniser read it: characters with their middles along the line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadLine {
    characters: Vec<(char, f32)>,
}

impl ReadLine {
    /// Of a text and the extent of each of its characters.
    pub fn of(text: &str, spans: &[(f32, f32)]) -> Self {
        let middles = spans.iter().map(|(from, to)| from.midpoint(*to));
        let known = text.chars().zip(middles).filter_map(|(c, middle)| Some((of_zone(c)?, middle)));
        Self { characters: known.collect() }
    }

    /// As it was read, before anything was undone.
    fn text(&self) -> String {
        self.characters.iter().map(|(c, _)| c).collect()
    }

    /// What the line can be at its full length: as read, with its longest run of fillers made to fit, on a grid.
    fn full(&self, length: usize) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for text in [self.with_fillers_to_fit(length), self.on_grid(length)].into_iter().flatten() {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    fn with_fillers_to_fit(&self, length: usize) -> Option<String> {
        let text: Vec<char> = self.characters.iter().map(|(c, _)| *c).collect();
        if text.len() == length {
            return Some(text.into_iter().collect());
        }
        let (start, end) = longest_run_of_fillers(&text)?;
        let wanted = (end - start + length).checked_sub(text.len()).filter(|wanted| *wanted > 0)?;
        let fillers = std::iter::repeat_n('<', wanted);
        Some(text[..start].iter().copied().chain(fillers).chain(text[end..].iter().copied()).collect())
    }

    /// Each character in the place that its distance from the first says; places without one hold fillers.
    fn on_grid(&self, length: usize) -> Option<String> {
        let ((_, first), (_, last)) = (self.characters.first()?, self.characters.last()?);
        let pitch = (last - first) / (length - 1) as f32;
        if pitch <= 0.0 {
            return None;
        }
        let mut places = vec!['<'; length];
        let mut taken = vec![false; length];
        for (character, middle) in &self.characters {
            let at = ((middle - first) / pitch).round() as usize;
            let is_free = !taken.get(at).copied()?;
            if *character != '<' && !is_free {
                return None;
            }
            if *character != '<' {
                (places[at], taken[at]) = (*character, true);
            }
        }
        Some(places.into_iter().collect())
    }
}

fn longest_run_of_fillers(text: &[char]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut start = 0;
    for end in 0..=text.len() {
        if text.get(end) == Some(&'<') {
            continue;
        }
        if end > start && best.is_none_or(|(from, to)| end - start > to - from) {
            best = Some((start, end));
        }
        start = end + 1;
    }
    best
}

/// A zone whose check digits hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvedZone {
    /// Its lines, divided by line feeds.
    pub text: String,
    /// What it says.
    pub zone: MachineReadableZone,
    /// As it was read, when a character had to be changed to make the digits hold.
    pub changed_from: Option<String>,
}

/// What the lines say, if that can be made to hold by its check digits: as read, with letters in the places of
/// digits undone, or with one look-alike changed when only one change does it.
pub fn prove(size: Size, lines: &[ReadLine]) -> Option<ProvedZone> {
    let length = size.characters();
    let full: Vec<Vec<String>> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            // Of a passport's zone the first line may be lost.
            let number = index + size.lines() - lines.len();
            line.full(length).into_iter().map(|text| with_kinds(size, number, &text)).collect()
        })
        .collect();
    let bare = || lines.iter().map(ReadLine::text).collect::<Vec<_>>().join("\n");
    let combinations = combined(&full);
    let found = combinations.iter().find_map(|lines| proved(size, lines));
    if let Some((text, zone)) = found {
        return Some(ProvedZone { text, zone, changed_from: None });
    }
    let mut changed: Vec<(String, MachineReadableZone)> = Vec::new();
    for lines in &combinations {
        for candidate in with_one_changed(size, lines) {
            let Some(found) = proved(size, &candidate) else { continue };
            if changed.iter().all(|(_, zone)| *zone != found.1) {
                changed.push(found);
            }
        }
    }
    match changed.pop() {
        Some((text, zone)) if changed.is_empty() => {
            Some(ProvedZone { text, zone, changed_from: Some(bare()) })
        }
        _ => None,
    }
}

fn proved(size: Size, lines: &[String]) -> Option<(String, MachineReadableZone)> {
    let whole = lines.join("\n");
    if let Ok(zone) = undated_zone(&whole) {
        return Some((whole, zone));
    }
    // The names stand in a line without check digits: without it the rest still holds.
    let deciding = lines.last().filter(|_| size == Size::Passport)?;
    Some((deciding.clone(), undated_zone(deciding).ok()?))
}

/// Every choice of one text for each line.
fn combined(lines: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut chosen: Vec<Vec<String>> = vec![Vec::new()];
    for texts in lines {
        chosen = chosen
            .iter()
            .flat_map(|before| texts.iter().map(move |text| [before.clone(), vec![text.clone()]].concat()))
            .collect();
    }
    chosen
}

/// What may stand in a place of a zone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Digit,
    Letter,
    Any,
}

fn place(size: Size, line: usize, at: usize) -> Place {
    match (size, line, at) {
        (Size::Passport, 0, _)
        | (Size::Passport, _, 10..=12 | 20)
        | (Size::Card, 0, 0..=4)
        | (Size::Card, 1, 7 | 15..=17)
        | (Size::Card, 2, _) => Place::Letter,
        (Size::Passport, _, 9 | 13..=19 | 21..=27 | 42..) | (Size::Card, 1, 0..=6 | 8..=14 | 29) => {
            Place::Digit
        }
        _ => Place::Any,
    }
}

fn with_kinds(size: Size, line: usize, text: &str) -> String {
    let fitted = |(at, c): (usize, char)| match place(size, line, at) {
        Place::Digit => digit_like(c).unwrap_or(c),
        Place::Letter => letter_like(c).unwrap_or(c),
        Place::Any => c,
    };
    text.chars().enumerate().map(fitted).collect()
}

const fn digit_like(letter: char) -> Option<char> {
    match letter {
        'O' | 'Q' | 'D' => Some('0'),
        'I' | 'L' => Some('1'),
        'Z' => Some('2'),
        'A' => Some('4'),
        'S' => Some('5'),
        'G' => Some('6'),
        'T' => Some('7'),
        'B' => Some('8'),
        _ => None,
    }
}

const fn letter_like(digit: char) -> Option<char> {
    match digit {
        '0' => Some('O'),
        '1' => Some('I'),
        '2' => Some('Z'),
        '4' => Some('A'),
        '5' => Some('S'),
        '6' => Some('G'),
        '7' => Some('T'),
        '8' => Some('B'),
        _ => None,
    }
}

/// The lines with one character taken for one that looks like it, in every way there is.
fn with_one_changed(size: Size, lines: &[String]) -> Vec<Vec<String>> {
    let mut changed = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let number = index + size.lines() - lines.len();
        let is_checked = match size {
            Size::Passport => number == size.deciding_line(),
            Size::Card => number <= size.deciding_line(),
        };
        for (at, character) in line.chars().enumerate().filter(|_| is_checked) {
            for other in look_alikes(place(size, number, at), character) {
                let text = line.chars().enumerate().map(|(i, c)| if i == at { other } else { c }).collect();
                let mut candidate = lines.to_vec();
                candidate[index] = text;
                changed.push(candidate);
            }
        }
    }
    changed
}

fn look_alikes(place: Place, character: char) -> Vec<char> {
    const OF_DIGITS: [&str; 7] = ["08", "38", "56", "17", "69", "89", "27"];
    let mut alike: Vec<char> = Vec::new();
    if place != Place::Letter {
        let pairs = OF_DIGITS.iter().filter(|pair| pair.contains(character));
        alike.extend(pairs.flat_map(|pair| pair.chars()).filter(|other| *other != character));
    }
    if place == Place::Any {
        // Numbers of papers hold letters that look like digits far less often than misread digits.
        alike.extend(digit_like(character));
    }
    alike
}

#[cfg(test)]
mod tests {
    use domain::reading::Lattice;
    use proptest::prelude::*;

    use super::*;

    const NAMES: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const NUMBERS: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    const CARD: [&str; 3] = [
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ];

    /// A line printed at a pitch of ten, of which only the characters in `kept` were seen.
    fn read(text: &str, kept: impl Fn(usize) -> bool) -> ReadLine {
        let seen = text.chars().enumerate().filter(|(at, _)| kept(*at));
        let (characters, spans): (Vec<char>, Vec<(f32, f32)>) =
            seen.map(|(at, c)| (c, (at as f32 * 10.0 + 2.0, at as f32 * 10.0 + 8.0))).unzip();
        ReadLine::of(&characters.into_iter().collect::<String>(), &spans)
    }

    fn number_of(lines: &[ReadLine]) -> Option<String> {
        prove(Size::Passport, lines).map(|proved| proved.zone.number)
    }

    #[test]
    fn a_clean_zone_is_proved_as_it_is() {
        let proved = prove(Size::Passport, &[read(NAMES, |_| true), read(NUMBERS, |_| true)]).unwrap();

        assert_eq!(proved.text, format!("{NAMES}\n{NUMBERS}"));
        assert_eq!((proved.zone.names.len(), proved.changed_from), (3, None));
        let card = CARD.map(|line| read(line, |_| true));
        assert_eq!(prove(Size::Card, &card).unwrap().zone.number, "D23145890");
    }

    #[test]
    fn lost_fillers_are_put_back_where_they_were() {
        let whole = read(NAMES, |at| at < 25 || at % 3 == 0);
        assert_eq!(
            number_of(&[whole, read(NUMBERS, |at| at != 38 && at != 40)]).as_deref(),
            Some("L898902C3")
        );

        // Two runs of fillers, both shortened: only the grid tells which place is whose.
        let split = "L898902C<3UTO6908061F9406236ZE184226B<<<<<14";
        let on_grid = read(split, |at| at != 8 && at != 39);
        assert_eq!(number_of(&[on_grid]).as_deref(), Some("L898902C"));
    }

    #[test]
    fn letters_in_the_places_of_digits_are_undone() {
        let misread = NUMBERS.replacen("7408122", "74O8I22", 1);

        let proved = prove(Size::Passport, &[read(&misread, |_| true)]).unwrap();

        assert_eq!((proved.text.as_str(), proved.changed_from), (NUMBERS, None));
    }

    #[test]
    fn one_look_alike_is_changed_and_that_is_said() {
        let misread = NUMBERS.replacen("L898902", "L898982", 1);

        let proved = prove(Size::Passport, &[read(&misread, |_| true)]).unwrap();

        assert_eq!((proved.zone.number.as_str(), proved.changed_from), ("L898902C3", Some(misread)));
    }

    #[test]
    fn two_wrong_characters_prove_nothing() {
        let misread = NUMBERS.replacen("L898902", "L898982", 1).replacen("7408122", "7403122", 1);

        assert_eq!(prove(Size::Passport, &[read(&misread, |_| true)]), None);
        assert_eq!(prove(Size::Passport, &[]), None);
    }

    fn line(text: &str, top: f32) -> Line {
        let count = text.chars().count();
        Line {
            quad: Quad::rectangle(20.0, top, 16.0 * count as f32, 24.0),
            text: text.chars().collect(),
            spans: (0..count).map(|i| (i as f32 / count as f32, (i + 1) as f32 / count as f32)).collect(),
            confidence: 1.0,
            lattice: Lattice::default(),
        }
    }

    #[test]
    fn a_zone_is_found_by_its_characters() {
        let lines = [
            line("姓名/Name", 0.0),
            line("PEOPLESREPUBLICOFCHINA", 40.0),
            line(NAMES, 300.0),
            line(NUMBERS, 340.0),
        ];

        assert_eq!(find(Size::Passport, &lines), [lines[2].quad, lines[3].quad]);
        assert_eq!(find(Size::Card, &lines), []);
        assert_eq!(find(Size::Passport, &lines[..2]), []);
    }

    proptest! {
        #[test]
        fn what_is_proved_always_holds(text in "[A-Z0-9<]{30,60}", size in 0_u8..2) {
            let size = if size == 0 { Size::Passport } else { Size::Card };
            if let Some(proved) = prove(size, &[read(&text, |_| true), read(&text, |at| at % 2 == 0)]) {
                prop_assert!(undated_zone(&proved.text).is_ok());
            }
        }

        #[test]
        fn what_was_changed_is_said(at in 0_usize..44, to in "[A-Z0-9<]") {
            let mut misread: Vec<char> = NUMBERS.chars().collect();
            misread[at] = to.chars().next().unwrap_or('<');
            let misread: String = misread.into_iter().collect();

            if let Some(proved) = prove(Size::Passport, &[read(&misread, |_| true)]) {
                let (found, wanted) = (proved.zone.number, "L898902C3");
                let is_said = proved.changed_from == Some(misread.clone());
                prop_assert!(is_said || found == wanted || misread.starts_with(&found));
            }
        }
    }
}
