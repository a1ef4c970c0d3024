//! Measures how well names are told from the ink: right names refused, other names accepted.
//!
//! usage: cargo run --example signature_names -- MODELS FOLDER INDEX.csv MEDIUM EVERY
//! INDEX.csv: file, writer, name, medium; every EVERY-th picture of the medium is read.

use std::{env, fs, path::Path};

use domain::geometry::Quad;
use image::{Rgb, RgbImage, imageops};
use reading::{
    recognition::{Engine, PpocrSet},
    signature::{SignatureField, look, weigh_name},
};

/// The picture as it would stand on a form, right of a printed label.
fn on_a_form(picture: &RgbImage) -> SignatureField {
    let (width, height) = picture.dimensions();
    let mut image = RgbImage::from_pixel(width + 160, height + 40, Rgb([250, 250, 250]));
    let top = height / 2;
    for (x, y) in (20..100).flat_map(|x| (top..top + 36).map(move |y| (x, y))) {
        if (x / 5 + y / 5) % 2 == 0 {
            image.put_pixel(x, y, Rgb([30, 30, 30]));
        }
    }
    imageops::overlay(&mut image, picture, 140, 20);
    let label = Quad::rectangle(20.0, top as f32, 80.0, 36.0);
    SignatureField { image, px_per_mm: Some(9.0), label, line_hint: None }
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, models, folder, index, medium, every] = arguments.as_slice() else {
        return Err("usage: signature_names MODELS FOLDER INDEX.csv MEDIUM EVERY".into());
    };
    let mut recognizer = PpocrSet::open(Path::new(models), Engine::Ort)?.small_recognizer()?;
    let text = fs::read_to_string(index)?;
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let mut names: Vec<String> = rows.iter().map(|row| row[2].to_owned()).collect();
    names.sort();
    names.dedup();
    let (mut right, mut other, mut one_off, mut exact) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for row in rows.iter().filter(|row| row[3] == medium).step_by(every.parse()?) {
        let picture = image::open(Path::new(folder).join(row[0]))?.to_rgb8();
        let mark = look(&on_a_form(&picture), &mut recognizer);
        exact += usize::from(mark.text.as_deref() == Some(row[2]));
        let weigh = |name: &str| weigh_name(&mark, name, &[]).per_character_log_ratio;
        right.push(weigh(row[2]));
        other.extend(names.iter().filter(|name| *name != row[2]).map(|name| weigh(name)));
        one_off.extend(one_character_different(row[2], &names).iter().map(|name| weigh(name)));
    }
    right.sort_by(f32::total_cmp);
    println!("{} signatures on {medium}, read exactly {exact}", right.len());
    for share in [0.0, 0.005, 0.01, 0.02, 0.05] {
        let at = right[((right.len() - 1) as f32 * share) as usize];
        let above =
            |values: &[f32]| values.iter().filter(|v| **v >= at).count() as f32 * 100.0 / values.len() as f32;
        println!(
            "right refused {:.1} %: at {at:.2}, another accepted {:.2} %, one character different {:.2} %",
            share * 100.0,
            above(&other),
            above(&one_off)
        );
    }
    for at in [-2.0, -3.0, -4.0, -5.0, -6.0, -8.0] {
        let below =
            |values: &[f32]| values.iter().filter(|v| **v < at).count() as f32 * 100.0 / values.len() as f32;
        println!(
            "below {at}: right {:.2} %, another {:.2} %, one character {:.2} %",
            below(&right),
            below(&other),
            below(&one_off)
        );
    }
    Ok(())
}
