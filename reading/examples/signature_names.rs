//! Measures how well names are told from the ink: right names refused, other names accepted.
//!
//! usage: cargo run --example signature_names -- MODELS FOLDER INDEX.csv MEDIUM EVERY [OUT.csv]
//! INDEX.csv: file, writer, name, medium; every EVERY-th picture of the medium (or of all) is read. Every second
//! writer is for choosing thresholds, the others for judging them. OUT.csv gets every weight.

use std::{env, fs, io::Write, path::Path};

use domain::{
    finding::Judgement,
    geometry::Quad,
    reading::{Mark, Presence},
};
use image::{Rgb, RgbImage, imageops};
use reading::{
    recognition::{Engine, PpocrSet},
    signature::{NameWeight, SignatureField, look, weigh_name},
};

/// The picture as it would stand on a form of its own paper, right of a printed label.
fn on_a_form(picture: &RgbImage) -> SignatureField {
    let (width, height) = picture.dimensions();
    let mut image = RgbImage::from_pixel(width + 160, height + 40, paper_of(picture));
    let top = height / 2;
    for (x, y) in (20..100).flat_map(|x| (top..top + 36).map(move |y| (x, y))) {
        if (x / 5 + y / 5) % 2 == 0 {
            image.put_pixel(x, y, Rgb([30, 30, 30]));
        }
    }
    imageops::overlay(&mut image, picture, 140, 20);
    let label = Quad::rectangle(20.0, top as f32, 80.0, 36.0);
    SignatureField { image, px_per_mm: Some(9.0), label, line_hint: None, others: Vec::new() }
}

/// The middle shade of a picture, which is mostly paper.
fn paper_of(picture: &RgbImage) -> Rgb<u8> {
    let mut pixels: Vec<&Rgb<u8>> = picture.pixels().collect();
    pixels.sort_by_key(|pixel| pixel.0[1]);
    pixels.get(pixels.len() / 2).map_or(Rgb([250, 250, 250]), |pixel| **pixel)
}

/// Every name that has one character of `name` replaced by one of the other names.
fn one_character_different(name: &str, names: &[String]) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let pool: Vec<char> =
        names.iter().flat_map(|other| other.chars()).filter(|c| !chars.contains(c)).collect();
    let changed = (0..chars.len()).flat_map(|place| {
        let chars = chars.clone();
        pool.iter().map(move |&other| {
            let mut text = chars.clone();
            text[place] = other;
            text.into_iter().collect()
        })
    });
    changed.collect()
}

/// How a name was weighed that is, or is not, the one written.
struct Weighed {
    kind: Kind,
    chosen_on: bool,
    passes: bool,
    weight: NameWeight,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Right,
    Another,
    OneCharacter,
}

/// Whether no person would be asked: the cross-check lets what agrees pass, and ink that reads as nothing.
fn passes(mark: &Mark, weight: &NameWeight) -> bool {
    let says_nothing_else = match weight.judgement {
        Judgement::Agrees => true,
        Judgement::CannotTell => !weight.is_legible,
        Judgement::Differs => false,
    };
    mark.presence == Presence::Present && says_nothing_else
}

fn share(all: &[Weighed], kind: Kind, chosen_on: bool, holds: impl Fn(&Weighed) -> bool) -> String {
    let of_kind: Vec<&Weighed> = all.iter().filter(|w| w.kind == kind && w.chosen_on == chosen_on).collect();
    let count = of_kind.iter().filter(|w| holds(w)).count();
    format!("{count}/{} = {:.2} %", of_kind.len(), count as f32 * 100.0 / of_kind.len().max(1) as f32)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, models, folder, index, medium, every, out @ ..] = arguments.as_slice() else {
        return Err("usage: signature_names MODELS FOLDER INDEX.csv MEDIUM EVERY [OUT.csv]".into());
    };
    let mut out = out.first().map(fs::File::create).transpose()?;
    let mut recognizer = PpocrSet::open(Path::new(models), Engine::Ort)?.small_recognizer()?;
    let text = fs::read_to_string(index)?;
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let mut names: Vec<String> = rows.iter().map(|row| row[2].to_owned()).collect();
    names.sort();
    names.dedup();
    let (mut all, mut read, mut exact) = (Vec::new(), 0, 0);
    for row in rows.iter().filter(|row| medium == "all" || row[3] == medium).step_by(every.parse()?) {
        let picture = image::open(Path::new(folder).join(row[0]))?.to_rgb8();
        let mark = look(&on_a_form(&picture), &mut recognizer);
        read += 1;
        exact += usize::from(mark.text.as_deref() == Some(row[2]));
        let chosen_on = row[1].parse::<u32>()? / 2 % 2 == 0;
        let others = names.iter().filter(|name| *name != row[2]).map(|name| (Kind::Another, name.clone()));
        let one_off =
            one_character_different(row[2], &names).into_iter().map(|name| (Kind::OneCharacter, name));
        for (kind, name) in std::iter::once((Kind::Right, row[2].to_owned())).chain(others).chain(one_off) {
            let weight = weigh_name(&mark, &name, &[]);
            if let Some(out) = &mut out {
                let NameWeight {
                    is_legible,
                    judgement,
                    per_character_log_ratio,
                    above_usual,
                    legibility,
                    ..
                } = &weight;
                writeln!(
                    out,
                    "{},{},{kind:?},{name},{judgement:?},{is_legible},{per_character_log_ratio:.3},{above_usual:.3},{legibility:.3}",
                    row[0], row[1]
                )?;
            }
            all.push(Weighed { kind, chosen_on, passes: passes(&mark, &weight), weight });
        }
    }
    println!("{read} signatures ({medium}), read exactly {exact}");
    for (writers, chosen_on) in [("writers that thresholds were chosen on", true), ("others", false)] {
        println!("{writers}:");
        println!("  right name refused            {}", share(&all, Kind::Right, chosen_on, |w| !w.passes));
        println!("  another accepted              {}", share(&all, Kind::Another, chosen_on, |w| w.passes));
        println!(
            "  one character different passes {}",
            share(&all, Kind::OneCharacter, chosen_on, |w| w.passes)
        );
        println!(
            "  right name that cannot be told {}",
            share(&all, Kind::Right, chosen_on, |w| w.weight.judgement == Judgement::CannotTell)
        );
    }
    Ok(())
}
